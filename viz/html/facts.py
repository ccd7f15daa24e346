"""What a page tells of each node, edge and problem. No secret of the config gets into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from rungraph.graph.diagnostic_text import render_diagnostic
from rungraph.graph.groups import in_words, member_groups
from rungraph.graph.nodes import Edge, ProviderNode, Strength, TableNode
from rungraph.graph.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

STRENGTHS = tuple(strength.value for strength in Strength)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MOST_RESOURCES = 200
"""How many resources of one table are listed."""


class Texts(dict[str, int]):
    """Texts that occur often, each kept once and named by its number."""

    def number(self, text: str) -> int:
        """Return the number of *text*."""
        return self.setdefault(text, len(self))


def node_json(graph: RunGraph, address: Address, texts: Texts) -> dict[str, Any]:
    """Return what is told of a node, empty facts left out; of a ghost only what it is."""
    facts: dict[str, Any] = {
        "id": str(address),
        "kind": address.kind.value,
        "api": texts.number(address.api),
    }
    node = graph.nodes.get(address)
    if node is None:
        return facts | {"ghost": 1}
    if address not in graph.cycle_of:
        facts["gen"] = graph.generation_of(address)
    if isinstance(node, ProviderNode):
        facts["type"] = texts.number(node.provider_type)
        if node.place is not None:
            facts["at"] = str(node.place)
        if node.tags:
            facts["tags"] = node.masked_tags
        if config := graph.masked_config(address):
            text = yaml.dump(
                dict(config), Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=10_000
            )
            facts["config"] = texts.number(text.rstrip("\n"))
    elif isinstance(node, TableNode) and node.resources:
        groups = member_groups(node.resources)
        lines = [f"{name}: {in_words(members)}" for name, members in groups.items()]
        lines += [
            f"{one.identifier} → {one.provider_id}" + (f"  ({one.place})" if one.place else "")
            for one in node.resources
        ]
        facts["resources"] = first_lines(lines, _MOST_RESOURCES)
    return facts


def edge_json(
    edge: Edge, number_of: Mapping[Address, int], texts: Texts, *, is_dropped: bool
) -> list[int]:
    """Return an edge: its ends, its strength, whether it is dropped, then its evidence."""
    evidence = [f"{one.text} ({one.place})" if one.place else one.text for one in edge.evidence]
    ends = (number_of[edge.dependency], number_of[edge.dependent])
    strength = STRENGTHS.index(edge.strength.value)
    return [*ends, strength, int(is_dropped), *map(texts.number, evidence)]


def problems_json(graph: RunGraph, number_of: Mapping[Address, int]) -> Iterable[dict[str, Any]]:
    """Yield the diagnostics, in their order."""
    for one in graph.diagnostics:
        problem: dict[str, Any] = {
            "severity": one.severity.value,
            "code": one.code,
            "message": graph.scrubbed(one.message),
            "text": graph.scrubbed(render_diagnostic(one)),
        }
        if one.address and one.address in number_of:
            problem["node"] = number_of[one.address]
        yield problem


def excluded_json(graph: RunGraph) -> Iterable[list[str]]:
    """Yield what the config names and the graph leaves out: what, why, where, and why in short."""
    for one in graph.excluded:
        what = f"{one.api}/{one.provider_id}"
        why = "a variable is not set" if one.reason == "env_unset" else one.reason.replace("_", " ")
        summary = graph.scrubbed(one.summary)
        yield [what, one.provider_type, summary, str(one.place or ""), why]
