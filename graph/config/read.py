"""A run config read entry by entry; every problem of its shape becomes a diagnostic."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rungraph.graph.config.field_types import fields_of, misfits
from rungraph.graph.config.first_format import is_old_format, with_providers
from rungraph.graph.config.keys import known_keys, resource_paths, stray_key
from rungraph.graph.config.providers import ProviderReader
from rungraph.graph.config.read_limits import limits_of_apis, report_idle_limits
from rungraph.graph.config.resources import ResourceReader
from rungraph.graph.config.run_config import (
    CheckSection,
    QueryCheck,
    RunConfig,
    RunSection,
    in_order,
)
from rungraph.graph.config.sections import kind_of, text_in
from rungraph.graph.diagnostics import Severity
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.source.positions import path_text, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution

VERSIONS = ("2",)


def read_config(
    document: Document, catalog: Catalog, substitution: Substitution, *, is_trial: bool = False
) -> tuple[RunConfig, tuple[Diagnostic, ...]]:
    """Return what *document* says, as far as it can be made out, and the problems of its shape.

    Raises:
        RefusedError: If the config is only tried as one of the catalog's release, and is refused.
    """
    reader = _Reader(document, substitution, is_trial=is_trial)
    return reader.run_config(catalog), tuple(reader.problems)


def read_checks(
    document: Document, substitution: Substitution
) -> tuple[tuple[QueryCheck, ...], Mapping[str, str], tuple[Diagnostic, ...]]:
    """Return the checks and selectors of a file of its own, and the problems of its shape."""
    reader = _Reader(document, substitution)
    reader.spelt(document.value, {"checks", "selectors"}, (), "a file of checks")
    checks = tuple(reader.checks(document.value.get("checks")))
    written = document.value.get("selectors")
    resolved = substitution.resolve(written, ("selectors",))
    named = {"selectors": reader.shown(written, resolved, ("selectors",))}
    section = reader.section(RunSection, named, ())
    return checks, (section.selectors if section else None) or {}, tuple(reader.problems)


class _Reader(ProviderReader, ResourceReader):
    """One reading of a document."""

    def __init__(
        self, document: Document, substitution: Substitution, *, is_trial: bool = False
    ) -> None:
        super().__init__(document, substitution, is_trial=is_trial)
        self.listed_apis: Mapping[int, str] = {}
        self.are_apis_whole = True
        self.known: frozenset[str] = frozenset()

    def run_config(self, catalog: Catalog) -> RunConfig:
        value: Mapping[str, Any] = self.document.value
        if is_old_format(value):
            value, self.origin, notes = with_providers(self.document)
            self.problems += notes
        self.known, self.traits = known_keys(catalog), catalog.traits
        self.of_providers = frozenset(
            spec.path.removeprefix("resources.")
            for spec in catalog.sections
            if spec.path.startswith("resources.")
            and spec.fields.get("provider_id", "").endswith("!")
        )
        value = self.top_keys(value, catalog)
        run = self.run_section(value, catalog)
        self.api_limits = limits_of_apis(self, run.limits, catalog)
        configured = value.get("providers")
        providers = [*self.providers(configured, catalog)]
        if "providers" not in self.lost:
            off = {one.api for one in self.excluded}
            limits = {api: one for api, one in self.api_limits.items() if api not in off}
            report_idle_limits(self, limits, providers)
        resources = [
            one
            for pair in catalog.pairs
            for path in resource_paths(pair, catalog)
            for one in self.resources(value_at(value, path), path, pair)
        ]
        return RunConfig(
            name=run.distro_name or run.image_name or "",
            apis=tuple(sorted(set(run.apis))) if run.apis and self.are_apis_whole else None,
            listed_apis=self.listed_apis,
            configured_apis=tuple(sorted(configured)) if isinstance(configured, dict) else (),
            providers=in_order(
                providers,
                attrgetter("address"),
                lambda one: [
                    *(one.provider_type, one.written, one.tags),
                    *(one.spec, one.restart, one.placement, one.limits.given()),
                ],
            ),
            partial=tuple(self.partial),
            partial_resources=tuple(self.partial_resources),
            unreadable={api: frozenset(ids) for api, ids in sorted(self.unreadable.items())},
            lost=frozenset(self.lost),
            resources=in_order(
                resources,
                attrgetter("table_api", "identifier", "provider_id"),
                lambda one: [
                    *(one.provider_resource_id or "", one.fields, one.written),
                    *(one.routing, one.order),
                ],
            ),
            excluded=tuple(sorted(self.excluded)),
            metadata_store=run.metadata_store,
            written_store=value["metadata_store"] if run.metadata_store else None,
            selectors=dict(sorted((run.selectors or {}).items())),
            checks=tuple(self.checks(value.get("checks"))),
            switched_on=frozenset(
                name
                for name, api in catalog.apis.items()
                if api.builtin and (not api.switch or self.is_on(value, api.switch))
            ),
            settings=self.settings(value, catalog),
        )

    def top_keys(self, value: Mapping[str, Any], catalog: Catalog) -> Mapping[str, Any]:
        """Return *value*, a misspelt ``providers`` put right; report the keys nobody reads."""
        known = self.known
        names = [key for key in ("distro_name", "image_name") if key in known]
        given = [key for key in names if value.get(key) is not None]
        is_named = any(self.resolve(value[key], (key,)) is not None for key in given)
        if value and "needs_name" in catalog.traits and not is_named:
            if given:
                message = f"'{given[0]}' comes out empty: {catalog.full_name} does not start"
                self.report("C011", message, (given[0],), "give the placeholder a default")
            else:
                self.missing(names[0], ())
        apis = {
            key: f"'{key}' is an API: indent it under 'providers'"
            for key in value.keys() & catalog.apis.keys() - known
            if isinstance(value[key], list) and stray_key(key, value[key], catalog) is None
        }
        if apis:
            self.lost.add("providers")
        is_empty = "providers" in value and value["providers"] is None
        if is_empty and (apis or "pairs_by_apis" in catalog.traits):
            wanted = "a mapping of API to a list of instances"
            self.wrong_type(None, ("providers",), wanted, *sorted(apis.values()))
        for key in value.keys() - known - apis.keys():
            if stray := stray_key(key, value[key], catalog):
                self.report(
                    "C012", stray.message, (key,), *stray.hints, key=True, severity=stray.severity
                )
                known |= {key}
                self.lost.add(key)
        if catalog.unread:
            # What a list registers is data of the catalog that could not be read.
            lists = {key for key in value.keys() - known if isinstance(value[key], list)}
            self.lost |= lists
            known |= lists
        if not value:
            return value
        required = (
            {}
            if is_empty
            else {"providers": "add 'providers:' with a list of instances for each API"}
        )
        others = {key: one for key, one in value.items() if key not in apis or not is_empty}
        return self.spelt(others, known, (), "a run config", required, dict(apis))

    def run_section(self, value: Mapping[str, Any], catalog: Catalog) -> RunSection:
        """Return what stands at the top besides lists; what it says by default when in doubt."""
        known = fields_of(RunSection).keys() & self.known
        # Which catalog counts is chosen before the environment is filled in.
        fields = {
            key: value[key] if key == "catalog" else self.resolve(value[key], (key,))
            for key in value
            if key in known
        }
        for key in fields.keys() & {"apis", "limits", "selectors", "version"}:
            fields[key] = self.shown(value[key], fields[key], (key,))
        for key in fields.keys() & {"image_name", "distro_name"}:
            fields[key] = self.text(value[key], fields[key], (key,))
            is_taken = key == "distro_name" or "name_may_be_number" in catalog.traits
            if fields[key] is not None and not isinstance(fields[key], str) and is_taken:
                what = kind_of(fields[key]).replace("an integer", "a number")
                fields[key] = str(fields[key])
                self.report(
                    "C010",
                    f"'{key}' is {what}, which {catalog.full_name} reads as text",
                    (key,),
                    f"write it in quotes: other releases refuse {what}",
                    severity=Severity.WARNING,
                )
        if "any_version" in catalog.traits:
            fields["version"] = str(fields.get("version") or VERSIONS[-1])
        given = {key: one for key, one in fields.items() if one is not None}
        run = self.section(RunSection, given, ()) or RunSection()
        apis = given.get("apis")
        listed = dict(enumerate(apis)) if isinstance(apis, list) else {}
        self.listed_apis = {
            index: api
            for index, api in listed.items()
            if isinstance(api, str) and not has_placeholder(api)
        }
        self.are_apis_whole = apis is None or apis == [*self.listed_apis.values()]
        if not self.are_apis_whole:
            self.lost.add("providers")
        if run.selectors != given.get("selectors"):
            self.lost.add("selectors")
        is_free = "any_version" in catalog.traits
        if str(run.version) not in VERSIONS:
            what = f"not looked at by {catalog.full_name}" if is_free else "not known"
            self.report(
                "C013",
                f"version {str(run.version)!r} of run configs is {what}",
                ("version",),
                f"write version: {VERSIONS[-1]!r}",
                severity=Severity.WARNING if is_free else Severity.ERROR,
            )
        return run

    def is_on(self, value: Mapping[str, Any], switch: str) -> bool:
        """Whether the key *switch* of the config comes out true."""
        path = tuple(switch.split("."))
        return self.resolve(value_at(value, path), path) is True

    def settings(self, value: Mapping[str, Any], catalog: Catalog) -> Mapping[str, Any]:
        """Return what stands beside providers and resources, filled in, where releases read it."""
        if not catalog.keys:
            return {}
        if "auth_by_type" in catalog.traits:
            value = self.without_auth(value)
        # Lists are filled in entry by entry: what is switched off needs none of its variables. A
        # text that stands for one is filled in like any other.
        apart = {str(path[0]) for pair in catalog.pairs for path in resource_paths(pair, catalog)}
        apart.add("providers")
        # A variable counts wherever it stands, also under a key that nobody reads.
        filled = {
            key: value[key]
            if key in apart and not isinstance(value[key], str)
            else self.resolve(value[key], (key,))
            for key in sorted(value)
        }
        return {key: one for key, one in filled.items() if key in self.known}

    def without_auth(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return *value* without the settings of a login whose type comes out empty."""
        path = ("server", "auth", "provider_config", "type")
        auth = value_at(value, path[:2])
        login = value_at(auth, path[2:3])
        is_given = isinstance(login, dict) and "type" in login
        if not is_given or self.resolve(login["type"], path) not in (None, ""):
            return value
        return {**value, "server": {**value["server"], "auth": {**auth, "provider_config": None}}}

    def checks(self, value: Any) -> Iterator[QueryCheck]:
        keys = "with name, query and expect"
        for written, path, place in self.entries(
            value, ("checks",), f"a list of entries {keys}", f"a mapping {keys}"
        ):
            written = self.spelt(written, fields_of(CheckSection).keys(), path, "a check")
            shown = self.shown(written, self.resolve(written, path), path)
            section = self.section(CheckSection, shown, path)
            name, query = (shown.get(key) for key in ("name", "query"))
            if section is None and (isinstance(query, str) or "expect" in shown):
                # What there is of it is looked at all the same.
                given = {
                    "name": text_in(name) or path_text(path),
                    "query": query if isinstance(query, str) else "",
                }
                wrong = [one for one in misfits(CheckSection, shown) if one.path == ("expect",)]
                section = self.made(CheckSection, {**shown, **given}, path, wrong)
            if section is not None:
                is_read = type(shown.get("expect", "")) in (str, int)
                yield QueryCheck(
                    masked_text(section.name, self.document.known),
                    section.query,
                    str(section.expect) if is_read else None,
                    place,
                )
