"""The instances under ``providers`` of a run config; every problem of their shape is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rungraph.graph.address import Address, is_api_name
from rungraph.graph.config.field_types import fields_of, misfits
from rungraph.graph.config.keys import known_keys
from rungraph.graph.config.read_limits import read_limits
from rungraph.graph.config.run_config import DISABLED, Excluded, ProviderSection
from rungraph.graph.config.sections import Entry, SectionReader, text_in
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import PLACEMENTS, RESTARTS, ProviderNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.secrets.masking import masked_name
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.limits import Limits
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution
    from rungraph.graph.source.positions import Path

_PROVIDER_KEYS = frozenset(fields_of(ProviderSection))
_REQUIRED = frozenset({"provider_id", "provider_type"})
_NAMING = (*sorted(_REQUIRED), "module")
_READ_APART = frozenset(
    ("config", "module", "config_class", "dependencies", "optional_dependencies", "tags")
)
"""The keys of an entry that count for the graph; without one, the others count all the same."""


class ProviderReader(SectionReader):
    """Reads instances; every problem of their shape becomes a diagnostic."""

    def __init__(
        self, document: Document, substitution: Substitution, *, is_trial: bool = False
    ) -> None:
        super().__init__(document, substitution, is_trial=is_trial)
        self.excluded: list[Excluded] = []
        self.partial: list[ProviderNode] = []
        self.unreadable: dict[str, set[str]] = {}
        self.api_limits: Mapping[str, Limits] = {}

    def providers(self, value: Any, catalog: Catalog) -> Iterator[ProviderNode]:
        """Yield each instance that is switched on and whose id and type can be made out."""
        if not isinstance(value, dict):
            if value is not None:
                self.lost.add("providers")
                wanted = "a mapping of API to a list of instances"
                self.wrong_type(value, ("providers",), wanted)
            return
        for key, entries in value.items():
            if entries is None:
                continue
            api = self.named(key, ("providers", key), key=True)
            for meant in closest(api, catalog.providable_apis) if api not in catalog.apis else ():
                self.lose(meant, "")
            if not is_api_name(api):
                self.lost.add("providers")
                continue  # No catalog has it, which is told of, and it has no address.
            if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
                self.lose(api, "")
            is_key_of_all = api not in catalog.apis and api in known_keys(catalog)
            if is_key_of_all and not isinstance(entries, list):
                continue  # It stands in the wrong place, which is told of.
            hint = "write '- ' before 'provider_id', so that it is a list of one"
            for entry in self.entries(
                entries,
                ("providers", key),
                "a list of instances",
                "a mapping with provider_id, provider_type and config",
                *([hint] if isinstance(entries, dict) and "provider_id" in entries else []),
            ):
                provider = self.provider(api, entry, catalog)
                if provider is not None:
                    yield provider

    def lose(self, api: str, provider_id: str) -> None:
        """Remember an instance that could not be made out, so that nobody is told to add it."""
        self.lost.add("providers")
        self.unreadable.setdefault(api, set()).add(provider_id)

    def provider(self, api: str, entry: Entry, catalog: Catalog) -> ProviderNode | None:
        """Return what an entry configures; None for one that is off, or not to be made out."""
        written, path, place = entry
        provider_id = written.get("provider_id")
        if isinstance(provider_id, str) and "$" in provider_id:
            resolved_id = self.resolve(provider_id, (*path, "provider_id"))
            provider_id = self.text(provider_id, resolved_id, (*path, "provider_id"))
        off = (None, DISABLED, *([""] if self.traits else []))
        if "provider_id" in written and provider_id in off:
            if provider_id != DISABLED and self.traits:
                # Switched off, and filled in all the same: what has no default must be set.
                self.resolve(written, path)
            self.excluded.append(_switched_off(api, entry))
            return None
        if not _REQUIRED <= written.keys() <= _PROVIDER_KEYS:
            written = self.spelt(
                written, _PROVIDER_KEYS, path, "a provider", dict.fromkeys(sorted(_REQUIRED), "")
            )
        resolved: dict[str, Any] = self.resolve(written, path)
        if resolved is not written:
            texts = {
                key: self.text(written[key], one, (*path, key))
                if key == "provider_type"
                else self.shown(written[key], one, (*path, key))
                for key, one in resolved.items()
                if one is not written[key] and key not in ("config", "provider_id")
            }
            if "provider_id" in entry.written:
                texts["provider_id"] = provider_id
            resolved = {**resolved, **texts}
        section = self.section(ProviderSection, resolved, path)
        is_partial = section is None
        if section is None:
            provider_type = resolved.get("provider_type")
            names = {
                "provider_id": text_in(resolved.get("provider_id")),
                "provider_type": provider_type if isinstance(provider_type, str) else "",
            }
            self.lose(api, names["provider_id"])
            given = {**resolved, **names}
            wrong = [one for one in misfits(ProviderSection, given) if one.path[0] not in names]
            section = self.made(ProviderSection, given, path, wrong)
        unread = frozenset(
            key
            for key in _READ_APART & resolved.keys()
            if resolved[key] is not None and getattr(section, key) is not resolved[key]
        )
        unread |= {key for key in _NAMING if has_placeholder(getattr(section, key) or "")}
        if "provider_id" in unread:
            self.lose(api, "")
        if unread:
            self.lost.add("providers")
        spec = section.spec(api, catalog)
        self.in_vain(section, unread, path, catalog)
        placement = spec.placement if spec is not None else ""
        if placement and section.placement not in (None, placement):
            where = path_text((*path, "placement"))
            message = f"'{where}' must be '{placement}' for '{section.provider_type}'"
            self.report("C010", message, (*path, "placement"))
        node = ProviderNode(
            Address.provider(api, section.provider_id),
            section.provider_type,
            spec,
            place,
            (written.get("config") or {}) if section.config is not None else {},
            section.config or {},
            path,
            tuple(sorted(set(section.tags or ()))),
            self.document.known,
            section.restart or RESTARTS[0],
            placement or section.placement or PLACEMENTS[0],
            read_limits(self, section.limits, (*path, "limits"), self.api_limits.get(api)),
            unread,
            self.document.folder,
        )
        if is_partial:
            self.partial.append(node)
        return None if is_partial else node

    def in_vain(
        self, section: ProviderSection, unread: frozenset[str], path: Path, catalog: Catalog
    ) -> None:
        """Report what an entry says of a module that it does not name, or of an unknown API."""
        for key in ("config_class", "dependencies", "optional_dependencies"):
            if getattr(section, key) and not section.module and "module" not in unread:
                what, where = f"'{key}' does nothing without 'module'", (*path, key)
                self.report("C010", what, where, key=True, severity=Severity.WARNING)
        for index, api in enumerate(section.optional_dependencies or ()):
            is_known = api in catalog.apis or catalog.is_unread(api) or has_placeholder(api)
            if section.module and not is_known:
                what, where = f"unknown API '{api}'", (*path, "optional_dependencies", index)
                hints = filter(None, [did_you_mean(api, catalog.apis)])
                self.report("C020", what, where, *hints, severity=Severity.WARNING)


def _switched_off(api: str, entry: Entry) -> Excluded:
    written = masked_name(str(entry.written["provider_id"] or ""))
    provider_type = masked_name(str(entry.written.get("provider_type", "")))
    named = Excluded(api, written, provider_type, "env_unset", entry.place)
    if named.variables:
        return replace(named, detail=f"provider_id is {written} and {named.summary}")
    return replace(named, reason="disabled", detail=f"provider_id is {written or 'null'}")
