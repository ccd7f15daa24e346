"""The first form of a run config, with routing tables written by hand, read as today's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog.telling import SECTIONS
from rungraph.graph.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path

OLD_KEYS = SECTIONS[1:]


def is_old_format(value: Mapping[str, Any]) -> bool:
    """Whether a run config names its providers under the keys of the first format."""
    return "providers" not in value and any(key in value for key in OLD_KEYS)


def with_providers(document: Document) -> tuple[dict[str, Any], dict[Path, Path], list[Diagnostic]]:
    """Return the value of *document*, of the first format, as if it had ``providers``.

    Providers of ``routing_table`` and ``provider_map`` become ``providers``; an instance is named
    by its type, with a number when its API has several. Routing keys are dropped: a provider says
    itself what it serves.

    Returns:
        The new config, a map from each new provider path to the path it was read from, and one
        note for each old key.
    """
    value = document.value
    result = {key: item for key, item in value.items() if key not in OLD_KEYS}
    if "apis_to_serve" in result:
        result.setdefault("apis", result.pop("apis_to_serve"))
    providers, origin = instances_of(value)
    notes = [
        document.problem(
            "C014",
            f"'{key}' is of an older format; it is read as 'providers'",
            (key,),
            "list the instances under 'providers', each with a provider_id; no routing keys",
            key=True,
            severity=Severity.NOTE,
        )
        for key in OLD_KEYS
        if value.get(key) is not None
    ]
    return {**result, "providers": providers}, origin, notes


def instances_of(value: Mapping[str, Any]) -> tuple[dict[str, list[Any]], dict[Path, Path]]:
    """Return the instances of a run config of the first format, and where each was read from."""
    providers: dict[str, list[Any]] = {}
    origin: dict[Path, Path] = {}
    for key in OLD_KEYS:
        section = value[key] if isinstance(value.get(key), dict) else {}
        for api, entries in section.items():
            is_list = isinstance(entries, list)
            for index, entry in enumerate(entries if is_list else [entries]):
                number = f"-{index:02d}" if is_list and len(entries) > 1 else ""
                if isinstance(entry, dict):
                    if "provider_type" not in entry and "providers" in entry:
                        # `inference: {providers: [x]}` only repeats what the routing table says.
                        continue
                    entry = _upgraded_entry(entry, number)
                target = providers.setdefault(api, [])
                origin["providers", api, len(target)] = (key, api, *([index] if is_list else []))
                target.append(entry)
    return providers, origin


def _upgraded_entry(entry: Mapping[str, Any], number: str) -> dict[str, Any]:
    provider_type = entry.get("provider_type")
    named = {"provider_id": f"{provider_type}{number}" if number else provider_type}
    return {**named, **{key: item for key, item in entry.items() if key != "routing_key"}}
