"""The first form of a run config, with routing tables written by hand, read as today's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.source.document import Document

_OLD_KEYS = ("routing_table", "provider_map", "api_providers")

Path = tuple[str | int, ...]


def is_old_format(value: Mapping[str, Any]) -> bool:
    """Whether a run config names its providers under the keys of the first format."""
    return "providers" not in value and any(key in value for key in _OLD_KEYS)


def upgraded(
    value: Mapping[str, Any], document: Document
) -> tuple[dict[str, Any], dict[Path, Path], tuple[Diagnostic, ...]]:
    """Return *value* in today's format.

    Providers of ``routing_table`` and ``provider_map`` become ``providers``; an instance is named
    by its type, with a number when its API has several. Routing keys are dropped: a provider says
    itself what it serves.

    Returns:
        The new config, a map from each new provider path to the path it was read from, and one
        note for each old key.
    """
    result = {key: item for key, item in value.items() if key not in _OLD_KEYS}
    if "apis_to_serve" in result:
        result.setdefault("apis", result.pop("apis_to_serve"))
    providers: dict[str, list[Any]] = {}
    origin: dict[Path, Path] = {}
    notes: list[Diagnostic] = []
    for old_key in _OLD_KEYS:
        section = value.get(old_key)
        if section is None:
            continue
        notes.append(
            Diagnostic(
                "C014",
                f"'{old_key}' is of an older format; it is read as 'providers'",
                Severity.NOTE,
                document.place_of((old_key,), key=True),
                ("list the instances under 'providers', each with a provider_id; no routing keys",),
                path=old_key,
            )
        )
        if not isinstance(section, dict):
            continue
        for api, entries in section.items():
            is_list = isinstance(entries, list)
            several = is_list and len(entries) > 1
            for index, entry in enumerate(entries if is_list else [entries]):
                # `inference: {providers: [x]}` only repeats what the routing table says.
                if (
                    isinstance(entry, dict)
                    and "provider_type" not in entry
                    and "providers" in entry
                ):
                    continue
                target = providers.setdefault(api, [])
                origin["providers", api, len(target)] = (
                    (old_key, api, index) if is_list else (old_key, api)
                )
                if isinstance(entry, dict):
                    named = (
                        f"{entry.get('provider_type')}-{index:02d}"
                        if several
                        else entry.get("provider_type")
                    )
                    entry = {key: item for key, item in entry.items() if key != "routing_key"}
                    entry.setdefault("provider_id", named)
                target.append(entry)
    result["providers"] = providers
    return result, origin, tuple(notes)
