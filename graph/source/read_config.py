"""A run config read entry by entry; every problem of its shape becomes a diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from rungraph.graph.address import Address
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.secrets.keys import is_secret_key
from rungraph.graph.secrets.values import masked
from rungraph.graph.source.config_order import providers_in_order, resources_in_order
from rungraph.graph.source.placeholders import placeholders
from rungraph.graph.source.positions import path_text
from rungraph.graph.source.run_config import (
    CheckSection,
    ConfiguredProvider,
    ConfiguredResource,
    Excluded,
    Path,
    ProviderSection,
    QueryCheck,
    ResourceSection,
    RunConfig,
    RunSection,
    Section,
)
from rungraph.graph.source.upgrade import is_old_format, upgraded
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.place import Place
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution

VERSIONS = ("2",)
DISABLED = "__disabled__"
"""A provider id that switches its entry off, as an id that the environment leaves empty does."""

_PROVIDER_KEYS = frozenset(ProviderSection.model_fields)
# Keys that say nothing about the graph but stand in files of this format, and those that other
# tools read: known, so that only a real typo is reported.
_OTHER_KEYS = [
    "built_at", "conda_env", "container_image", "conversations_store", "docker_image",
    "external_apis_dir", "external_providers_dir", "image_type", "inference_store",
    "logging", "providers", "server", "storage", "telemetry", "benchmarks", "datasets",
    "eval_tasks", "scoring_fns", "scoring_functions", "tool_groups", "vector_dbs",
]  # fmt: skip

_KINDS = {
    str: "text",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}
_WANTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "string_too_short": "text of at least one character",
}


def read_config(
    document: Document, catalog: Catalog, substitution: Substitution
) -> tuple[RunConfig, tuple[Diagnostic, ...]]:
    """Return what *document* says, as far as it can be made out, and the problems of its shape."""
    reader = _Reader(document, catalog, substitution)
    return reader.run_config(), tuple(reader.problems)


def read_checks(
    document: Document, substitution: Substitution, catalog: Catalog
) -> tuple[tuple[QueryCheck, ...], Mapping[str, str], tuple[Diagnostic, ...]]:
    """Return the checks and selectors of a file of its own, and the problems of its shape."""
    reader = _Reader(document, catalog, substitution)
    reader.unknown_keys(document.value, {"checks", "selectors"}, (), "a file of checks")
    checks = tuple(reader.checks(document.value.get("checks")))
    named = {"selectors": substitution.resolve(document.value.get("selectors"), ("selectors",))}
    section = reader.section(RunSection, named, ())
    return checks, (section.selectors if section else None) or {}, tuple(reader.problems)


_S = TypeVar("_S", bound=Section)


class _Reader:
    def __init__(self, document: Document, catalog: Catalog, substitution: Substitution) -> None:
        self.document = document
        self.catalog = catalog
        self.substitution = substitution
        self.problems: list[Diagnostic] = []
        self.excluded: list[Excluded] = []
        self.unreadable: set[str] = set()

    def run_config(self) -> RunConfig:
        value: Mapping[str, Any] = self.document.value
        origin: dict[Path, Path] = {}
        if is_old_format(value):
            value, origin, notes = upgraded(value, self.document)
            self.problems.extend(notes)
        resource_keys = {pair.resources: pair for pair in self.catalog.pairs}
        known = {*RunSection.model_fields, "checks", *_OTHER_KEYS, *resource_keys}
        self.unknown_keys(value, known, (), "a run config")
        fields = {
            key: self.substitution.resolve(value[key], (key,))
            for key in RunSection.model_fields
            if key in value
        }
        name = self.text(value.get("image_name"), fields.get("image_name"), ("image_name",))
        if name is not None:
            fields["image_name"] = name
        run = self.section(RunSection, {k: v for k, v in fields.items() if v is not None}, ())
        if run is not None and str(run.version) not in VERSIONS:
            self.report(
                "C013", f"version {str(run.version)!r} of run configs is not known", ("version",),
                help=(f"write version: {VERSIONS[-1]!r}",),
            )  # fmt: skip
        if value and "providers" not in value:
            near = closest("providers", [key for key in value if key not in known])
            hint = (
                f"rename '{near[0]}' to 'providers'"
                if near
                else "add 'providers:' with a list of instances for each API"
            )
            self.report("C011", "the key 'providers' is missing", (), help=(hint,))
        providers = [*self.providers(value.get("providers"), origin)]
        resources = [
            resource
            for key, pair in resource_keys.items()
            for resource in self.resources(value.get(key), key, pair.table_api, pair.resource)
        ]
        configured = value.get("providers")
        return RunConfig(
            name=(run.image_name if run else None) or "",
            apis=tuple(sorted(set(run.apis))) if run and run.apis else None,
            listed_apis=tuple(run.apis) if run and run.apis else (),
            configured_apis=tuple(sorted(configured)) if isinstance(configured, dict) else (),
            providers=tuple(providers_in_order(providers)),
            unreadable=frozenset(self.unreadable),
            resources=tuple(resources_in_order(resources)),
            excluded=tuple(
                sorted(self.excluded, key=lambda e: (e.api, e.provider_id, e.provider_type))
            ),
            metadata_store=run.metadata_store if run else None,
            written_store=value["metadata_store"] if run and run.metadata_store else None,
            selectors=dict(sorted((run.selectors or {}).items())) if run else {},
            checks=tuple(self.checks(value.get("checks"))),
        )

    def providers(self, value: Any, origin: Mapping[Path, Path]) -> Iterator[ConfiguredProvider]:
        if value is None:
            return
        if not isinstance(value, dict):
            self.wrong_type(value, ("providers",), "a mapping of API to a list of instances")
            return
        for api, entries in value.items():
            if entries is None:
                continue
            if not isinstance(entries, list):
                path = ("providers", api)
                hint = (
                    "write '- ' before 'provider_id', so that it is a list of one"
                    if isinstance(entries, dict)
                    else ""
                )
                self.wrong_type(entries, path, "a list of instances", hint)
                self.unreadable.add(api)
                continue
            for index, entry in enumerate(entries):
                entry_path: Path = ("providers", api, index)
                provider = self.provider(api, entry, origin.get(entry_path, entry_path))
                if provider is not None:
                    yield provider

    def provider(self, api: str, entry: Any, path: Path) -> ConfiguredProvider | None:
        if not isinstance(entry, dict):
            self.wrong_type(entry, path, "a mapping with provider_id, provider_type and config")
            self.unreadable.add(api)
            return None
        place = self.document.place_of(path)
        provider_id = entry.get("provider_id")
        if isinstance(provider_id, str) and "$" in provider_id:
            written = provider_id
            provider_id = self.substitution.resolve(written, (*path, "provider_id"))
            provider_id = self.text(written, provider_id, (*path, "provider_id"))
        if "provider_id" in entry and provider_id in (None, DISABLED):
            self.excluded.append(_switched_off(api, entry, place))
            return None
        if not entry.keys() <= _PROVIDER_KEYS:
            self.unknown_keys(entry, _PROVIDER_KEYS, path, "a provider")
        resolved: dict[str, Any] = self.substitution.resolve(entry, path)
        if resolved is not entry:
            resolved = {**resolved, "provider_id": provider_id}
            if "provider_type" in entry:
                written, shown = entry["provider_type"], resolved["provider_type"]
                resolved["provider_type"] = self.text(written, shown, (*path, "provider_type"))
        section = self.section(ProviderSection, resolved, path)
        if section is None:
            self.unreadable.add(api)
            return None
        return ConfiguredProvider(
            Address.provider(api, section.provider_id),
            section.provider_type,
            path,
            place,
            section if section.module else None,
            entry.get("config") or {},
            resolved.get("config") or {},
            tuple(sorted(set(section.tags or ()))),
        )

    def checks(self, value: Any) -> Iterator[QueryCheck]:
        if value is None:
            return
        if not isinstance(value, list):
            self.wrong_type(value, ("checks",), "a list of entries with name, query and expect")
            return
        for index, entry in enumerate(value):
            path: Path = ("checks", index)
            if not isinstance(entry, dict):
                self.wrong_type(entry, path, "a mapping with name, query and expect")
                continue
            self.unknown_keys(entry, CheckSection.model_fields.keys(), path, "a check")
            section = self.section(CheckSection, self.substitution.resolve(entry, path), path)
            if section is not None:
                place = self.document.place_of(path)
                yield QueryCheck(section.name, section.query, str(section.expect), place)

    def resources(
        self, value: Any, key: str, table_api: str, noun: str
    ) -> Iterator[ConfiguredResource]:
        if value is None:
            return
        if not isinstance(value, list):
            self.wrong_type(value, (key,), "a list")
            return
        names = {
            f"{noun}_id": "identifier",
            "identifier": "identifier",
            f"provider_{noun}_id": "provider_resource_id",
            "provider_resource_id": "provider_resource_id",
            "provider_id": "provider_id",
        }
        for index, entry in enumerate(value):
            path = (key, index)
            if not isinstance(entry, dict):
                self.wrong_type(entry, path, f"a mapping with {noun}_id")
                continue
            # A switched-off entry may need variables that nobody set: look at its ids first.
            ids = {
                name: self.substitution.resolve(entry[name], (*path, name))
                for name in names
                if name in entry
            }
            if any(
                ids[name] in (None, DISABLED)
                for name in ids
                if names[name] != "provider_resource_id"
            ):
                continue
            resolved: dict[str, Any] = self.substitution.resolve(entry, path)
            wanted = {
                names[name]: self.text(entry[name], resolved[name], (*path, name))
                for name in names
                if name in resolved
            }
            if "identifier" not in wanted:
                self.report(
                    "C011", f"the key '{noun}_id' is missing", path, help=(f"add '{noun}_id: …'",)
                )
                continue
            section = self.section(ResourceSection, wanted, path)
            if section is None:
                continue
            yield ConfiguredResource(
                table_api,
                section.identifier,
                section.provider_id,
                section.provider_resource_id,
                {name: resolved[name] for name in sorted(resolved) if name not in names},
                path,
                self.document.place_of(path),
                {name: entry[name] for name in sorted(entry) if name not in names},
            )

    def text(self, written: Any, resolved: Any, path: Path) -> Any:
        """Return a value that must be text and is shown: an id, a type or a name.

        Of the environment's it is text what was read as a number. A secret would be shown wherever
        the graph is, so it stays as it is written, masked.
        """
        if not isinstance(written, str) or "$" not in written or resolved is None:
            return resolved
        secret = [
            one.name
            for one in placeholders(written)
            if not one.has_alternative and is_secret_key(one.name)
        ]
        if secret:
            self.report(
                "E005",
                f"the value of '{secret[0]}', whose name is that of a secret, would be shown here",
                path,
                help=("write it out, or name the variable otherwise: it stands in every picture",),
            )
            return masked(written)
        return resolved if isinstance(resolved, str) else self.substitution.text_of(written)

    def section(self, model: type[_S], value: Mapping[str, Any], path: Path) -> _S | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for key, details in _by_key(error).items():
                kind = details[0]["type"]
                # After the key, a number is an index; a name is only the type that was tried.
                key_path = details[0]["loc"]
                where = (
                    *path,
                    *key_path[:1],
                    *(one for one in key_path[1:] if isinstance(one, int)),
                )
                if kind == "missing":
                    self.report(
                        "C011", f"the key '{key}' is missing", path, help=(f"add '{key}: …'",)
                    )
                else:
                    wanted = _WANTED.get(kind, "text")
                    hint = (
                        "write it in quotes"
                        if wanted == "text" and not isinstance(details[0]["input"], dict | list)
                        else ""
                    )
                    self.wrong_type(details[0]["input"], where, wanted, hint)
        return None

    def unknown_keys(self, value: Mapping[str, Any], known: Any, path: Path, what: str) -> None:
        for key in sorted(value.keys() - known):
            near = closest(key, known)
            hints = (f"did you mean '{near[0]}'?",) if near else ()
            self.report(
                "C012", f"unknown key '{key}'", (*path, key), key=True,
                help=(*hints, f"{what} has the keys {', '.join(sorted(known))}") if path else hints,
                severity=Severity.WARNING,
            )  # fmt: skip

    def wrong_type(self, value: Any, path: Path, wanted: str, hint: str = "") -> None:
        kind = "nothing" if value is None else _KINDS.get(type(value), type(value).__name__)
        if value == "":
            kind = "an empty text"
        name = path_text(path)
        self.report(
            "C010", f"'{name}' must be {wanted}, not {kind}", path, help=(hint,) if hint else ()
        )

    def report(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        help: tuple[str, ...] = (),  # noqa: A002 (the word that diagnostics use)
        severity: Severity = Severity.ERROR,
        key: bool = False,
    ) -> None:
        place = self.document.place_of(path, key=key)
        self.problems.append(Diagnostic(code, message, severity, place, help, path=path_text(path)))


def _by_key(error: ValidationError) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(str(detail["loc"][0]), []).append(detail)
    return found


def _switched_off(api: str, entry: Mapping[str, Any], place: Place | None) -> Excluded:
    written = entry["provider_id"]
    names = sorted({one.name for one in placeholders(written or "")})
    if names:
        states = " and ".join(names) + (" is not set" if len(names) == 1 else " are not set")
        reason, detail = "env_unset", f"provider_id is {written} and {states}"
    else:
        reason, detail = "disabled", f"provider_id is {written or 'null'}"
    provider_type = str(entry.get("provider_type", ""))
    return Excluded(api, str(written or ""), provider_type, reason, place, detail)
