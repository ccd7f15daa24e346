"""The plan of a graph: what will start, in which order and why; as JSON values and as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostics import Level, Severity
from rungraph.graph.nodes import Edge, ProviderNode, Strength, TableNode
from rungraph.graph.rendering import Style, count_text, diagnostic_to_dict, plain, render_diagnostic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

FORMAT_VERSION = "1.0"
_MOST_NAMED = 8
"""How many members of a table one line of text names."""


def plan_to_dict(graph: RunGraph, checked: Level = Level.ENV) -> dict[str, Any]:
    """Return the plan of *graph* as JSON values: sorted, without secrets, without times.

    Args:
        graph: What is planned.
        checked: The deepest level that the graph's diagnostics come from.
    """
    errors = sum(one.severity is Severity.ERROR for one in graph.diagnostics)
    warnings = sum(one.severity is Severity.WARNING for one in graph.diagnostics)
    return {
        "kind": "plan",
        "format_version": FORMAT_VERSION,
        "name": graph.name,
        "file": graph.file,
        "checked": {
            "levels": [level.name.lower() for level in Level if level <= checked],
            "not_checked": [level.name.lower() for level in Level if level > checked],
        },
        "summary": {
            "nodes": len(graph),
            "edges": len(graph.edges),
            "generations": len(graph.generations()),
            "errors": errors,
            "warnings": warnings,
        },
        "runnable": not errors,
        "generations": [
            [str(address) for address in generation] for generation in graph.generations()
        ],
        "nodes": [_node_to_dict(graph, address) for address in graph],
        "edges": [_edge_to_dict(edge) for edge in graph.edges],
        "dropped": [_edge_to_dict(edge) for edge in graph.dropped],
        "excluded": [
            {
                "api": one.api,
                "provider_id": one.provider_id,
                "provider_type": one.provider_type,
                "reason": one.reason,
                "place": str(one.place) if one.place else None,
            }
            for one in graph.excluded
        ],
        "variables": [
            {
                "name": use.name,
                "path": use.path,
                "set": use.is_set,
                "default": use.has_default,
                "secret": use.is_secret,
            }
            for use in graph.variables
        ],
        "diagnostics": [diagnostic_to_dict(one) for one in graph.diagnostics],
    }


def plan_to_json(graph: RunGraph, checked: Level = Level.ENV) -> str:
    """Return the plan of *graph* as JSON; equal graphs give equal bytes."""
    return (
        json.dumps(plan_to_dict(graph, checked), indent=2, sort_keys=True, ensure_ascii=False)
        + "\n"
    )


def _node_to_dict(graph: RunGraph, address: Address) -> dict[str, Any]:
    node = graph.nodes[address]
    result: dict[str, Any] = {
        "address": str(address),
        "kind": address.kind.value,
        "api": address.api,
        "generation": graph.generation_of(address),
        "dependencies": [str(one) for one in graph.dependencies_of(address)],
        "dependents": [str(one) for one in graph.dependents_of(address)],
    }
    if isinstance(node, ProviderNode):
        result |= {
            "provider_type": node.provider_type,
            "place": str(node.place) if node.place else None,
            "config": graph.masked_config(address),
        }
    elif isinstance(node, TableNode):
        result["resources"] = [
            {
                "identifier": one.identifier,
                "provider_id": one.provider_id,
                "provider_resource_id": one.provider_resource_id,
                "place": str(one.place) if one.place else None,
            }
            for one in node.resources
        ]
    return result


def _edge_to_dict(edge: Edge) -> dict[str, Any]:
    return {
        "dependency": str(edge.dependency),
        "dependent": str(edge.dependent),
        "strength": edge.strength.value,
        "evidence": [
            {"rule": one.rule, "text": one.text, "place": str(one.place) if one.place else None}
            for one in edge.evidence
        ],
    }


def render_plan(graph: RunGraph, checked: Level = Level.ENV, style: Style = plain) -> str:
    """Return the plan of *graph* as text: its generations, what each node needs, its problems."""
    generations = graph.generations()
    head = (
        f"{graph.name or 'run config'} ({graph.file}): {len(graph)} nodes, "
        f"{len(graph.edges)} edges, {len(generations)} generations"
    )
    blocks = [head]
    width = max((len(str(address)) for address in graph), default=0)
    type_width = max((len(_what(graph, address)) for address in graph), default=0)
    for index, generation in enumerate(generations):
        title = style(f"generation {index}", "place") + (
            " (start together)" if len(generation) > 1 else ""
        )
        lines = [
            f"  {address!s:<{width}}  {_what(graph, address):<{type_width}}  {_why(graph, address)}"
            for address in generation
        ]
        blocks.append("\n".join([title, *(line.rstrip() for line in lines)]))
    blocks += _extras(graph)
    if graph.diagnostics:
        blocks += [render_diagnostic(one, style) for one in graph.diagnostics]
    not_checked = [level.name.lower() for level in Level if level > checked]
    blocks.append(
        f"{count_text(graph.diagnostics) or 'no problems'}"
        + (f"; not checked: {', '.join(not_checked)}" if not_checked else "")
    )
    return "\n\n".join(blocks) + "\n"


def _what(graph: RunGraph, address: Address) -> str:
    node = graph.nodes[address]
    if isinstance(node, ProviderNode):
        return node.provider_type
    return "routing table" if isinstance(node, TableNode) else "router"


def _why(graph: RunGraph, address: Address) -> str:
    words = {Strength.HARD: "needs", Strength.MEMBER: "any of", Strength.SOFT: "uses"}
    found: dict[Strength, list[Address]] = {}
    for dependency in graph.dependencies_of(address):
        found.setdefault(graph.edge(dependency, address).strength, []).append(dependency)
    parts = [
        f"{word} {_named(found[strength])}" for strength, word in words.items() if strength in found
    ]
    return "; ".join(parts)


def _named(addresses: Sequence[Address]) -> str:
    shown = ", ".join(map(str, addresses[:_MOST_NAMED]))
    return (
        f"{shown} and {len(addresses) - _MOST_NAMED} more"
        if len(addresses) > _MOST_NAMED
        else shown
    )


def _extras(graph: RunGraph) -> list[str]:
    late = [f"  {edge.dependent} uses {edge.dependency}" for edge in graph.dropped]
    off = [
        f"  {one.api}/{one.provider_id}  {one.provider_type}  {one.reason.replace('_', ' ')}"
        for one in graph.excluded
    ]
    resources = [
        f"  {one.table_api}: {one.identifier} on {one.provider_id}" for one in graph.resources
    ]
    sections: Mapping[str, list[str]] = {
        "bound late, once both run": late,
        "left out": off,
        "registered at start": resources,
    }
    return ["\n".join([title, *lines]) for title, lines in sections.items() if lines]
