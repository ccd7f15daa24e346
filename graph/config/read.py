"""A run config read entry by entry; every problem of its shape becomes a diagnostic."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from rungraph.graph.address import Address
from rungraph.graph.budgets import MOST_PROBLEMS
from rungraph.graph.config.keys import SETTINGS, known_keys, resource_paths, stray_key
from rungraph.graph.config.run_config import (
    DISABLED,
    CheckSection,
    Excluded,
    ProviderSection,
    QueryCheck,
    ResourceSection,
    RunConfig,
    RunSection,
    Section,
    in_order,
)
from rungraph.graph.config.upgrade import is_old_format, upgraded
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import ProviderNode, ResourceConfig
from rungraph.graph.placeholders import placeholders
from rungraph.graph.secrets.keys import is_secret_key
from rungraph.graph.secrets.values import masked
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest
from rungraph.graph.wording import has_controls, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from rungraph.graph.catalog.specs import Catalog, RoutedPair
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.place import Place
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution
    from rungraph.graph.source.positions import Path

VERSIONS = ("2",)

_PROVIDER_KEYS = frozenset(ProviderSection.model_fields)
_REQUIRED = ("provider_id", "provider_type")

_KINDS = {bool: "a boolean", int: "an integer", float: "a number", str: "text", list: "a list"}
_WANTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "string_too_short": "text of at least one character",
}
_S = TypeVar("_S", bound=Section)


def read_config(
    document: Document, catalog: Catalog, substitution: Substitution
) -> tuple[RunConfig, tuple[Diagnostic, ...]]:
    """Return what *document* says, as far as it can be made out, and the problems of its shape."""
    reader = _Reader(document, substitution)
    return reader.run_config(catalog), tuple(reader.problems)


def read_checks(
    document: Document, substitution: Substitution
) -> tuple[tuple[QueryCheck, ...], Mapping[str, str], tuple[Diagnostic, ...]]:
    """Return the checks and selectors of a file of its own, and the problems of its shape."""
    reader = _Reader(document, substitution)
    reader.spelt(document.value, {"checks", "selectors"}, (), "a file of checks")
    checks = tuple(reader.checks(document.value.get("checks")))
    named = {"selectors": substitution.resolve(document.value.get("selectors"), ("selectors",))}
    section = reader.section(RunSection, named, ())
    return checks, (section.selectors if section else None) or {}, tuple(reader.problems)


class _Entry(NamedTuple):
    """One mapping of a list, as written, and where it stands."""

    written: Mapping[str, Any]
    path: Path
    place: Place


class _Reader:
    """One reading of a document."""

    def __init__(self, document: Document, substitution: Substitution) -> None:
        self.document = document
        self.resolve = substitution.resolve
        self.text_of = substitution.text_of
        self.problems: list[Diagnostic] = []
        self.excluded: list[Excluded] = []
        self.unreadable: set[str] = set()
        self.origin: Mapping[Path, Path] = {}
        self.known: frozenset[str] = frozenset()

    def run_config(self, catalog: Catalog) -> RunConfig:
        value: Mapping[str, Any] = self.document.value
        if is_old_format(value):
            value, self.origin, notes = upgraded(self.document)
            self.problems += notes
        self.known = known_keys(catalog)
        value = self.top_keys(value, catalog)
        run = self.run_section(value, catalog)
        configured = value.get("providers")
        providers = [*self.providers(configured, catalog)]
        resources = [
            one
            for pair in catalog.pairs
            for path in resource_paths(pair, catalog)
            for one in self.resources(self.document_value(value, path), path, pair)
        ]
        return RunConfig(
            name=run.distro_name or run.image_name or "",
            apis=tuple(sorted(set(run.apis))) if run.apis else None,
            listed_apis=tuple(run.apis or ()),
            configured_apis=tuple(sorted(configured)) if isinstance(configured, dict) else (),
            providers=in_order(
                providers,
                attrgetter("address"),
                lambda one: [one.provider_type, one.written, one.tags, one.spec],
            ),
            unreadable=frozenset(self.unreadable),
            resources=in_order(
                resources,
                attrgetter("table_api", "identifier", "provider_id"),
                lambda one: [one.provider_resource_id or "", one.fields, one.written],
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
        apis = {
            key: f"'{key}' is an API: indent it under 'providers'"
            for key in value.keys() & catalog.apis.keys() - known
            if isinstance(value[key], list)
        }
        is_empty = "providers" in value and value["providers"] is None
        if is_empty and (apis or "pairs_by_apis" in catalog.traits):
            wanted = "a mapping of API to a list of instances"
            self.wrong_type(None, ("providers",), wanted, *sorted(apis.values()))
        for key in value.keys() - known - apis.keys():
            if stray := stray_key(key, value[key], catalog):
                self.report("C012", stray.message, (key,), *stray.hints, key=True,
                            severity=stray.severity)  # fmt: skip
                known |= {key}
        if not value:
            return value
        required = {} if is_empty else {"providers": "add 'providers:' with a list of instances "
                                        "for each API"}  # fmt: skip
        others = {key: one for key, one in value.items() if key not in apis or not is_empty}
        read = self.spelt(others, known, (), "a run config", required, dict(apis))
        names = [key for key in ("distro_name", "image_name") if key in known]
        if "needs_name" in catalog.traits and not any(value.get(key) is not None for key in names):
            self.missing(names[0], ())
        return read

    def run_section(self, value: Mapping[str, Any], catalog: Catalog) -> RunSection:
        """Return what stands at the top besides lists; what it says by default when in doubt."""
        known = RunSection.model_fields.keys() & self.known
        fields = {key: self.resolve(value[key], (key,)) for key in value if key in known}
        for key in fields.keys() & {"image_name", "distro_name"}:
            fields[key] = self.text(value[key], fields[key], (key,))
            is_number = isinstance(fields[key], int | float) and not isinstance(fields[key], bool)
            if is_number and key == "image_name" and "name_may_be_number" in catalog.traits:
                fields[key] = str(fields[key])
                self.report(
                    "C010",
                    f"'{key}' is a number, which {catalog.full_name} reads as text",
                    (key,),
                    "write it in quotes: later releases refuse a number",
                    severity=Severity.WARNING,
                )
        given = {key: one for key, one in fields.items() if one is not None}
        run = self.section(RunSection, given, ()) or RunSection()
        if str(run.version) not in VERSIONS:
            is_free = "any_version" in catalog.traits
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
        return self.resolve(self.document_value(value, path), path) is True

    def settings(self, value: Mapping[str, Any], catalog: Catalog) -> Mapping[str, Any]:
        """Return the sections that the rules of the catalog's releases look at, filled in."""
        names = sorted(SETTINGS & self.known & value.keys()) if catalog.keys else ()
        return {key: self.resolve(value[key], (key,)) for key in names}

    @staticmethod
    def document_value(value: Any, path: Path) -> Any:
        """Return what stands at *path* below *value*; None when nothing does."""
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def providers(self, value: Any, catalog: Catalog) -> Iterator[ProviderNode]:
        if not isinstance(value, dict):
            if value is not None:
                wanted = "a mapping of API to a list of instances"
                self.wrong_type(value, ("providers",), wanted)
            return
        for key, entries in value.items():
            if entries is None:
                continue
            api = self.named(key, ("providers", key), key=True)
            if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
                self.unreadable.add(api)
            hint = "write '- ' before 'provider_id', so that it is a list of one"
            for entry in self.entries(
                entries,
                ("providers", key),
                "a list of instances",
                "a mapping with provider_id, provider_type and config",
                *([hint] if isinstance(entries, dict) else []),
            ):
                provider = self.provider(api, entry, catalog)
                if provider is not None:
                    yield provider

    def provider(self, api: str, entry: _Entry, catalog: Catalog) -> ProviderNode | None:
        written, path, place = entry
        provider_id = written.get("provider_id")
        if isinstance(provider_id, str) and "$" in provider_id:
            resolved_id = self.resolve(provider_id, (*path, "provider_id"))
            provider_id = self.text(provider_id, resolved_id, (*path, "provider_id"))
        if "provider_id" in written and provider_id in (None, DISABLED):
            self.excluded.append(_switched_off(api, entry))
            return None
        if not written.keys() <= _PROVIDER_KEYS or len(written.keys() & _REQUIRED) < len(_REQUIRED):
            written = self.spelt(
                written, _PROVIDER_KEYS, path, "a provider", dict.fromkeys(_REQUIRED, "")
            )
        resolved: dict[str, Any] = self.resolve(written, path)
        if resolved is not written:
            if "provider_id" in entry.written:
                resolved = {**resolved, "provider_id": provider_id}
            if "provider_type" in written:
                resolved["provider_type"] = self.text(
                    written["provider_type"], resolved["provider_type"], (*path, "provider_type")
                )
        section = self.section(ProviderSection, resolved, path)
        if section is None:
            self.unreadable.add(api)
            return None
        return ProviderNode(
            Address.provider(api, section.provider_id),
            section.provider_type,
            section.spec(api, catalog),
            place,
            written.get("config") or {},
            resolved.get("config") or {},
            path,
            tuple(sorted(set(section.tags or ()))),
            self.document.known,
        )

    def checks(self, value: Any) -> Iterator[QueryCheck]:
        keys = "with name, query and expect"
        for written, path, place in self.entries(
            value, ("checks",), f"a list of entries {keys}", f"a mapping {keys}"
        ):
            written = self.spelt(written, CheckSection.model_fields.keys(), path, "a check")
            section = self.section(CheckSection, self.resolve(written, path), path)
            if section is not None:
                yield QueryCheck(section.name, section.query, str(section.expect), place)

    def resources(self, value: Any, at: Path, pair: RoutedPair) -> Iterator[ResourceConfig]:
        noun = pair.resource
        names = {
            f"{noun}_id": "identifier",
            "identifier": "identifier",
            f"provider_{noun}_id": "provider_resource_id",
            "provider_resource_id": "provider_resource_id",
            "provider_id": "provider_id",
        }
        for written, path, place in self.entries(value, at, "a list", f"a mapping with {noun}_id"):
            # A switched-off entry may need variables that nobody set: look at its ids first.
            # Each is resolved, so that every variable is known to be used here.
            ids = {
                name: self.resolve(written[name], (*path, name))
                for name in names
                if name in written
            }
            if any(
                ids[name] in (None, DISABLED)
                for name in ids
                if names[name] != "provider_resource_id"
            ):
                continue
            resolved: dict[str, Any] = self.resolve(written, path)
            wanted: dict[str, Any] = {}
            for name in filter(resolved.__contains__, names):
                value = self.text(written[name], resolved[name], (*path, name))
                is_text = isinstance(value, str)
                wanted[names[name]] = self.named(value, (*path, name)) if is_text else value
            if "identifier" not in wanted:
                self.missing(f"{noun}_id", path)
                continue
            section = self.section(ResourceSection, wanted, path)
            if section is not None:
                yield ResourceConfig(
                    pair.table_api,
                    section.identifier,
                    section.provider_id or "",
                    section.provider_resource_id,
                    {name: resolved[name] for name in sorted(resolved) if name not in names},
                    place,
                    {name: written[name] for name in sorted(written) if name not in names},
                    path,
                    self.document.known,
                )

    def entries(
        self, value: Any, path: Path, wanted: str, wanted_entry: str, *hints: str
    ) -> Iterator[_Entry]:
        """Yield the mappings of a list; report what else is there."""
        if value is None:
            return
        if not isinstance(value, list):
            self.wrong_type(value, path, wanted, *hints)
            return
        for index, written in enumerate(value):
            entry_path = self.origin.get((*path, index), (*path, index))
            if isinstance(written, dict):
                yield _Entry(written, entry_path, self.document.place_of(entry_path))
            else:
                self.wrong_type(written, entry_path, wanted_entry)

    def text(self, written: Any, resolved: Any, path: Path) -> Any:
        """Return a value that must be text and is shown: an id, a type or a name.

        Of the environment's it is text what was read as a number. A secret would be shown wherever
        the graph is, so it stays as it is written, masked.
        """
        if not isinstance(written, str) or "$" not in written or resolved is None:
            return resolved
        for one in placeholders(written):
            if not one.has_alternative and is_secret_key(one.name):
                self.report(
                    "E005",
                    f"the value of '{one.name}', whose name is that of a secret, would be shown "
                    "here",
                    path,
                    "write it out, or name the variable otherwise: it stands in every picture",
                )
                return masked(written, known=self.document.known)
        return resolved if isinstance(resolved, str) else self.text_of(written)

    def section(self, model: type[_S], value: Mapping[str, Any], path: Path) -> _S | None:
        """Return *value* as *model* has it; None when a key is missing or of another type."""
        section: _S | None = None
        details: dict[str, Any] = {}
        try:
            section = model.model_validate(value)
        except ValidationError as error:
            details = {str(one["loc"][0]): one for one in reversed(error.errors(include_url=False))}
        for key, detail in reversed(details.items()):
            if detail["type"] == "missing":
                self.missing(key, path)
                continue
            # After the key, a number is an index; a name is only the type that was tried.
            first, *others = detail["loc"]
            where = (*path, first, *(one for one in others if isinstance(one, int)))
            wanted, given = _WANTED.get(detail["type"], "text"), detail["input"]
            is_scalar = wanted == "text" and not isinstance(given, dict | list)
            self.wrong_type(given, where, wanted, *(["write it in quotes"] if is_scalar else []))
        if section is None:
            return None
        # A query may have several lines; all other texts of a section are ids, types and names.
        names = {
            key: self.named(one, (*path, key))
            for key, one in vars(section).items()
            if isinstance(one, str) and key != "query" and not one.isprintable()
        }
        return section.model_copy(update=names) if names else section

    def named(self, text: str, path: Path, *, key: bool = False) -> str:
        """Return an id, a type or a name as it can be shown; report what it may not hold."""
        if not has_controls(text):
            return text
        self.report(
            "C015",
            f"'{text}' holds a control character",
            path,
            "take it out: ids, types and names stand in every output",
            key=key,
        )
        return printable(text)

    def spelt(
        self,
        value: Mapping[str, Any],
        known: AbstractSet[str],
        path: Path,
        what: str,
        required: Mapping[str, str] | None = None,
        ways_out: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """Return *value* with its misspelt keys put right; report what is not known or missing.

        Args:
            value: The mapping as written.
            known: The keys that are read.
            path: Where it stands.
            what: What it is, in words.
            required: The keys that it must have, with the way out when one is missing.
            ways_out: What to do about some of the keys that are not known.
        """
        read = dict(value)
        lacking = {} if required is None else {
            key: way_out for key, way_out in required.items() if key not in value
        }  # fmt: skip
        for number, key in enumerate(sorted(value.keys() - known)):
            # Only so many are shown, and comparing takes long.
            near = closest(key, known) if number < MOST_PROBLEMS else ()
            is_lacking = bool(near) and near[0] in lacking
            if is_lacking:
                # It is told once, as a misspelling, and counts as what it means.
                del lacking[near[0]]
                read[near[0]] = read.pop(key)
            hints = [f"did you mean '{one}'?" for one in near]
            if ways_out and key in ways_out:
                hints = [ways_out[key]]
            if path:
                hints.append(f"{what} has the keys {', '.join(sorted(known))}")
            self.report(
                "C012",
                f"unknown key '{key}'",
                (*path, key),
                *hints,
                key=True,
                severity=Severity.ERROR if is_lacking else Severity.WARNING,
            )
        for key in lacking:
            if lacking[key]:
                self.missing(key, path, lacking[key])
        return read

    def missing(self, key: str, path: Path, way_out: str = "") -> None:
        self.report("C011", f"the key '{key}' is missing", path, way_out or f"add '{key}: …'")

    def wrong_type(self, value: Any, path: Path, wanted: str, *hints: str) -> None:
        kind = "nothing" if value is None else _KINDS.get(type(value), "a mapping")
        if value == "":
            kind = "an empty text"
        self.report("C010", f"'{path_text(path)}' must be {wanted}, not {kind}", path, *hints)

    def report(self, code: str, message: str, path: Path, *ways_out: str, **more: Any) -> None:
        self.problems.append(self.document.problem(code, message, path, *ways_out, **more))


def _switched_off(api: str, entry: _Entry) -> Excluded:
    written = entry.written["provider_id"]
    provider_type = str(entry.written.get("provider_type", ""))
    named = Excluded(api, str(written or ""), provider_type, "env_unset", entry.place)
    if named.variables:
        return replace(named, detail=f"provider_id is {written} and {named.summary}")
    return replace(named, reason="disabled", detail=f"provider_id is {written or 'null'}")
