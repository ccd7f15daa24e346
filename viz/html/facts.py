"""What a page tells of each node, edge and problem. No secret of the config gets into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from rungraph.graph.diagnostic_text import render_diagnostic
from rungraph.graph.nodes import Edge, ProviderNode, Strength, TableNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Node

STRENGTHS = tuple(strength.value for strength in Strength)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MOST_RESOURCES = 200
"""How many resources of one table are listed."""


class Words:
    """Texts that occur often, each kept once and named by its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the number of *text*."""
        return self._numbers.setdefault(text, len(self._numbers))

    def listed(self) -> list[str]:
        """Return all texts; each stands at its number."""
        return list(self._numbers)


def nodes_json(graph: RunGraph, addresses: Iterable[Address], words: Words) -> list[dict[str, Any]]:
    """Return what is told of each of *addresses*; empty facts left out.

    Of one that is not in the graph, but in an overlay, only that is told.
    """
    return [
        _node_json(graph, address, graph.nodes[address], words)
        if address in graph.nodes
        else {**_identity(address, words), "ghost": 1}
        for address in addresses
    ]


def _identity(address: Address, words: Words) -> dict[str, Any]:
    return {"id": str(address), "kind": address.kind.value, "api": words.number(address.api)}


def _node_json(graph: RunGraph, address: Address, node: Node, words: Words) -> dict[str, Any]:
    facts = _identity(address, words)
    facts["gen"] = graph.generation_of(address)
    if isinstance(node, ProviderNode):
        facts["type"] = words.number(node.provider_type)
        if node.place is not None:
            facts["at"] = str(node.place)
        if node.tags:
            facts["tags"] = list(node.tags)
        if config := graph.masked_config(address):
            facts["config"] = words.number(_yaml_of(config))
    elif isinstance(node, TableNode) and node.resources:
        facts["resources"] = [
            f"{one.identifier} → {one.provider_id}" + (f"  ({one.place})" if one.place else "")
            for one in node.resources[:_MOST_RESOURCES]
        ]
        if (more := len(node.resources) - _MOST_RESOURCES) > 0:
            facts["resources"].append(f"and {more} more")
    return facts


def _yaml_of(config: Mapping[str, Any]) -> str:
    return yaml.dump(
        dict(config), Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=10_000
    ).rstrip("\n")


def edges_json(graph: RunGraph, number_of: Mapping[Address, int], words: Words) -> list[list[Any]]:
    """Return each edge: its ends, its strength, whether it is dropped, then its evidence."""
    return [*_edges(graph.edges, 0, number_of, words), *_edges(graph.dropped, 1, number_of, words)]


def _edges(
    edges: Iterable[Edge], dropped: int, number_of: Mapping[Address, int], words: Words
) -> Iterable[list[Any]]:
    for edge in edges:
        evidence = [
            words.number(f"{one.text} ({one.place})" if one.place else one.text)
            for one in edge.evidence
        ]
        ends = (number_of[edge.dependency], number_of[edge.dependent])
        yield [*ends, STRENGTHS.index(edge.strength.value), dropped, *evidence]


def problems_json(graph: RunGraph, number_of: Mapping[Address, int]) -> list[dict[str, Any]]:
    """Return the diagnostics, in their order."""
    return [
        {
            "severity": one.severity.value,
            "code": one.code,
            "message": graph.scrubbed(one.message),
            "text": graph.scrubbed(render_diagnostic(one)),
            **(
                {"node": number_of[one.address]}
                if one.address is not None and one.address in number_of
                else {}
            ),
        }
        for one in graph.diagnostics
    ]


def excluded_json(graph: RunGraph) -> list[list[str]]:
    """Return what the config names and the graph leaves out: what, why, where."""
    return [
        [
            f"{one.api}/{one.provider_id}",
            one.provider_type,
            graph.scrubbed(one.summary),
            str(one.place or ""),
        ]
        for one in graph.excluded
    ]
