"""The nodes of a plan: what each is, why it is there, what it waits for and who waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.failures import needs_of
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.plan.parts import DependencyPlan, NodePlan, RankPlan, WhyPlan
from rungraph.graph.plan.pieces import (
    in_order,
    place_plan,
    pointers_to_secrets,
    resource_plan,
)
from rungraph.graph.plan.radius import blast_radii

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Node


def node_plans(
    graph: RunGraph,
    text_of: Mapping[Address, str],
    actions: Mapping[str, tuple[str, ...]] | None,
) -> Iterator[NodePlan]:
    """Yield the nodes of *graph* in start order.

    Args:
        graph: The graph.
        text_of: Each address as text.
        actions: What is to be done about the nodes that are not as they were; None when they are
            compared with nothing.
    """
    usual = ("create",) if actions is None else ("noop",)
    radii = blast_radii(graph.generations(), needs_of(graph))
    last = _last_generations(graph)
    depends = _dependencies(graph, text_of)
    for number, generation in enumerate(graph.generations()):
        for address in generation:
            node = graph.nodes[address]
            dependents = tuple([text_of[one] for one in graph.dependents_of(address)])
            yield NodePlan(
                actions=(actions or {}).get(text_of[address], usual),
                address=text_of[address],
                api=address.api,
                blast_radius=radii[address],
                dependencies=tuple(depends.get(address, ())),
                dependents=dependents,
                generation=number,
                id=address.name or None,
                kind=address.kind.value,
                rank=RankPlan(max=max(last[address], number), min=number),
                why=_why(graph, node, dependents),
                **_particulars(graph, node),
            )


def _particulars(graph: RunGraph, node: Node) -> dict[str, Any]:
    """Return what is told of one kind of node only."""
    if isinstance(node, TableNode):
        return {"config": {}, "resources": tuple(map(resource_plan, node.resources))}
    if not isinstance(node, ProviderNode):
        return {"config": {}}
    spec = node.spec
    config: Any = in_order(graph.masked_config(node.address)) if node.written else {}
    secrets = spec.secrets if spec else ()
    return {
        "config": config,
        "module": spec.module if spec else None,
        "place": place_plan(node.place),
        "provider_type": node.provider_type,
        "sensitive": pointers_to_secrets(config, node.written, secrets) if config else (),
        "tags": node.tags,
    }


def _dependencies(
    graph: RunGraph, text_of: Mapping[Address, str]
) -> dict[Address, list[DependencyPlan]]:
    """Return what each node depends on, sorted; nodes that depend on nothing are left out."""
    found: dict[Address, list[DependencyPlan]] = {}
    dropped = frozenset(graph.dropped)
    # Edges are sorted by dependency, so each list comes out sorted.
    for edge in sorted((*graph.edges, *dropped)) if dropped else graph.edges:
        status = "dropped" if edge in dropped else "active"
        found.setdefault(edge.dependent, []).append(
            DependencyPlan(
                address=text_of[edge.dependency], status=status, strength=edge.strength.value
            )
        )
    return found


def _last_generations(graph: RunGraph) -> dict[Address, int]:
    """Return the last generation in which each node can start without holding anything up."""
    generations = graph.generations()
    end = len(generations)
    last: dict[Address, int] = {}
    for generation in reversed(generations):
        for address in generation:
            dependents = graph.dependents_of(address)
            last[address] = min([last.get(one, end) for one in dependents], default=end) - 1
    return last


def _why(graph: RunGraph, node: Node, dependents: tuple[str, ...]) -> WhyPlan:
    """Return why *node* is in the graph."""
    api = graph.catalog.apis.get(node.api)
    if api is None:
        return WhyPlan(reason="configured")
    if api.builtin:
        return WhyPlan(reason="builtin")
    if node.api in graph.apis:
        return WhyPlan(reason="served")
    return WhyPlan(because_of=dependents, reason="needed")
