"""A difference as JSON; ``rungraph schema diff`` tells its shape."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rungraph.graph.diff.model import Change
from rungraph.graph.json_format import FORMAT_VERSION
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.diff.model import EdgeChange, FactChange, GraphDiff, NodeChange
    from rungraph.graph.diff.snapshot import Link


def diff_to_json(diff: GraphDiff, *, old: str = "old", new: str = "new") -> str:
    """Return *diff* as JSON; equal diffs give equal bytes."""
    found = diff_to_dict(diff, old=old, new=new)
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def diff_to_dict(diff: GraphDiff, *, old: str = "old", new: str = "new") -> dict[str, Any]:
    """Return *diff* as JSON values: sorted, without secrets, places or times."""
    return {
        "kind": "diff",
        "format_version": FORMAT_VERSION,
        "old": old,
        "new": new,
        "catalogs": dict(zip(("old", "new"), diff.catalogs, strict=True)),
        "equal": diff.is_empty,
        "summary": {
            "nodes": _numbers(diff.nodes),
            "edges": _numbers(diff.edges),
            "affected": len(diff.affected),
            "unchanged": len(diff.unchanged),
        },
        "nodes": [
            {
                "address": str(one.address),
                "change": one.change.value,
                "provider_type": one.provider_type or None,
                "reason": one.reason or None,
                "facts": [fact_to_dict(fact) for fact in one.facts],
            }
            for one in diff.nodes
        ],
        "edges": [
            {
                "dependency": str(one.dependency),
                "dependent": str(one.dependent),
                "change": one.change.value,
                "old": _links(one.old),
                "new": _links(one.new),
            }
            for one in diff.edges
        ],
        "affected": [
            {
                "address": str(one.address),
                "because_of": str(one.because_of),
                "distance": one.distance,
            }
            for one in diff.affected
        ],
        "apis": {"added": list(diff.apis_added), "removed": list(diff.apis_removed)},
        "not_comparable": [
            {"address": str(address) if address else None, "path": path_text(path)}
            for address, path in diff.not_comparable
        ],
        "settings": [fact_to_dict(fact) for fact in diff.settings],
        "excluded": {
            "added": _excluded(diff.excluded_added),
            "removed": _excluded(diff.excluded_removed),
        },
        "diagnostics": {
            "added": _problems(diff.problems_added),
            "removed": _problems(diff.problems_removed),
        },
    }


def fact_to_dict(fact: FactChange) -> dict[str, Any]:
    """Return what became of a fact as JSON values."""
    return {
        "path": path_text(fact.path),
        "change": fact.change.value,
        "old": fact.old,
        "new": fact.new,
        "secret": fact.is_secret,
        "variables": list(fact.variables),
    }


def _numbers(changes: Iterable[NodeChange | EdgeChange]) -> dict[str, int]:
    found = Counter(one.change for one in changes)
    return {one.value: found[one] for one in (Change.ADDED, Change.REMOVED, Change.CHANGED)}


def _links(links: Iterable[Link]) -> list[dict[str, Any]]:
    return [{"strength": one.strength, "late": one.is_late} for one in links]


def _excluded(excluded: Iterable[Excluded]) -> list[dict[str, Any]]:
    names = ("api", "provider_id", "provider_type", "reason")
    return [{name: getattr(one, name) for name in names} for one in excluded]


def _problems(problems: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    return [
        {
            "severity": one.severity.value,
            "code": one.code,
            "address": str(one.address or ""),
            "message": one.message,
        }
        for one in problems
    ]
