"""The graph's part of a plan: nodes, edges, cycles, what is left out, served APIs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.cycles import cycles_closed, hard_components
from rungraph.graph.failures import blast_radii
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.plan.diagnostics import place_plan
from rungraph.graph.plan.model_graph import (
    ApiPlan,
    BlastRadiusPlan,
    CyclePlan,
    DependencyPlan,
    EdgePlan,
    EvidencePlan,
    ExcludedPlan,
    NodePlan,
    RankPlan,
    ResourceNeedPlan,
    ResourcePlan,
    WhyPlan,
)
from rungraph.graph.resources import Reference, Resource, resource_of
from rungraph.graph.secrets.explain import pointers_to_secrets
from rungraph.graph.secrets.masking import masked_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.failures import BlastRadius
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge, Node

_MOST_STOPPED = 100
"""How many nodes and how many resources a blast radius names."""
_HARD_CYCLES = ("G001", "G006")
"""The codes of cycles through required edges."""


def node_plans(graph: RunGraph, actions: Mapping[str, tuple[str, ...]] | None) -> list[NodePlan]:
    """Return the nodes of *graph* in start order.

    Args:
        graph: The graph.
        actions: What is to be done about the nodes that are not as they were; None when they are
            compared with nothing.
    """
    unchanged = ("create",) if actions is None else ("noop",)
    radii = blast_radii(graph)
    known = graph.known_resources
    references: dict[Resource, list[Reference]] = {}
    for one in known.references():
        references.setdefault(one.resource, []).append(one)
    position = {address: number for number, address in enumerate(radii)}
    dependents = {address: graph.dependents_of(address) for address in radii}
    latest = _latest_generations(graph, dependents)
    dependencies: dict[Address, list[DependencyPlan]] = {}
    for status, edge in edges_by_status(graph):
        dependencies.setdefault(edge.dependent, []).append(
            DependencyPlan(
                address=str(edge.dependency), status=status, strength=edge.strength.value
            )
        )
    found: list[NodePlan] = []
    for generation, addresses in enumerate(graph.generations()):
        for address in addresses:
            named = tuple(map(str, dependents[address]))
            found.append(
                NodePlan(
                    actions=(actions or {}).get(str(address), unchanged),
                    address=str(address),
                    api=address.api,
                    blast_radius=_blast_radius(radii[address], position),
                    dependencies=tuple(dependencies.get(address, ())),
                    dependents=named,
                    generation=generation,
                    id=address.name or None,
                    kind=address.kind.value,
                    rank=RankPlan(max=max(latest[address], generation), min=generation),
                    why=_why(graph, address.api, named),
                    **_fields_of_kind(graph, graph.nodes[address], references),
                )
            )
    return found


def _blast_radius(radius: BlastRadius, position: Mapping[Address, int]) -> BlastRadiusPlan:
    hard = len(radius.stops)
    stops = sorted(radius.stops, key=position.__getitem__) if hard <= _MOST_STOPPED else ()
    lost = sorted(radius.resources) if len(radius.resources) <= _MOST_STOPPED else ()
    return BlastRadiusPlan(
        hard=hard,
        resources=tuple(map(str, lost)),
        soft=len(radius.lacks),
        stops=tuple(map(str, stops)),
    )


def _needs(resource: Resource, references: Iterable[Reference]) -> Iterator[ResourceNeedPlan]:
    yield ResourceNeedPlan(addresses=(str(resource.provider),))
    for one in references:
        providers = (
            each.provider if isinstance(each, Resource) else each for each in one.candidates
        )
        yield ResourceNeedPlan(
            addresses=tuple(map(str, providers)),
            field=one.field,
            resource=f"{one.table.pair.resource}:{one.name}",
        )


def _fields_of_kind(
    graph: RunGraph, node: Node, references: Mapping[Resource, list[Reference]]
) -> dict[str, Any]:
    """Return what a plan says of one kind of node only."""
    if isinstance(node, TableNode):
        resources = (
            ResourcePlan(
                fields=with_sorted_keys(one.masked_fields),
                identifier=one.identifier,
                needs=tuple(_needs(named, references.get(named, ()))),
                place=place_plan(one.place),
                provider_id=one.provider_id,
                provider_resource_id=one.provider_resource_id,
                order=one.order,
                routing=one.routing,
            )
            for one in node.resources
            if (named := resource_of(node, one.identifier, one.provider_id))
        )
        return {"config": {}, "resources": tuple(resources)}
    if not isinstance(node, ProviderNode):
        return {"config": {}}
    spec = node.spec
    shown: Any = graph.masked_config(node.address) if node.written else {}
    in_catalog = graph.catalog.provider(node.api, node.provider_type)
    return {
        "config": with_sorted_keys(shown),
        "limits": node.limits.given(),
        "module": spec.module if spec else None,
        "path": tuple(masked_key(one) if isinstance(one, str) else one for one in node.path),
        "place": place_plan(node.place),
        "placement": node.placement,
        "provider_type": node.provider_type,
        "restart": node.restart,
        "sensitive": pointers_to_secrets(node.written, shown, node.secret_keys) if shown else (),
        "spec": None if spec == in_catalog else spec,
        "tags": (*node.masked_tags,),
    }


def _latest_generations(
    graph: RunGraph, dependents: Mapping[Address, Iterable[Address]]
) -> dict[Address, int]:
    """Return the last generation in which each node can start without holding anything up."""
    generations = graph.generations()
    latest: dict[Address, int] = {}
    for generation in reversed(generations):
        for address in generation:
            # In a cycle, a dependent is in the same generation and may not be known yet.
            limits = (latest.get(one, len(generations)) for one in dependents[address])
            latest[address] = min(limits, default=len(generations)) - 1
    return latest


def _why(graph: RunGraph, api: str, dependents: tuple[str, ...]) -> WhyPlan:
    known = graph.catalog.apis.get(api)
    if known is None:
        return WhyPlan(reason="configured")
    if known.builtin:
        return WhyPlan(reason="builtin")
    if api in graph.apis:
        return WhyPlan(reason="served")
    return WhyPlan(because_of=dependents, reason="needed")


def edges_by_status(graph: RunGraph) -> list[tuple[str, Edge]]:
    """Return every edge of *graph*, sorted, each with its status in a plan."""
    every = [("active", edge) for edge in graph.edges]
    if graph.dropped:
        every += [("dropped", edge) for edge in graph.dropped]
        every.sort(key=lambda one: one[1])
    return every


def edge_plans(graph: RunGraph) -> Iterator[EdgePlan]:
    """Yield the edges of *graph*, dropped ones included, sorted by their ends."""
    for status, edge in edges_by_status(graph):
        yield EdgePlan(
            dependency=str(edge.dependency),
            dependent=str(edge.dependent),
            evidence=tuple(
                EvidencePlan(place=place_plan(one.place), rule=one.rule, text=one.text)
                for one in edge.evidence
            ),
            reason="soft_cycle" if status == "dropped" else None,
            status=status,
            strength=edge.strength.value,
        )


def cycle_plans(graph: RunGraph) -> tuple[CyclePlan, ...]:
    """Return the cycles of *graph*, hard ones first, sorted by their nodes.

    Hard ones are looked for again only where the compiler has found some.
    """
    has_hard = any(one.code in _HARD_CYCLES for one in graph.diagnostics)
    components = hard_components(graph.nx) if has_hard else ()
    found = [
        _cycle(cycle, one.weakest, "hard", "error") for one in components for cycle in one.cycles
    ]
    closed = cycles_closed(graph.nx, graph.dropped, components) if graph.dropped else {}
    for edge in graph.dropped:
        path = closed.get(edge, (edge.dependent, edge.dependency))
        found.append(_cycle(path, edge, "soft", "dropped"))
    return tuple(sorted(found, key=lambda one: (one.strength, one.path, one.dependency)))


def _cycle(path: Sequence[Address], edge: Edge, strength: str, resolution: str) -> CyclePlan:
    start = path.index(min(path))
    return CyclePlan(
        dependency=str(edge.dependency),
        dependent=str(edge.dependent),
        path=tuple(map(str, (*path[start:], *path[:start]))),
        resolution=resolution,
        strength=strength,
    )


def excluded_plan(excluded: Excluded) -> ExcludedPlan:
    """Return a provider that the graph leaves out."""
    return ExcludedPlan(
        address=str(excluded.address) if excluded.address else None,
        api=excluded.api,
        detail=excluded.detail,
        place=place_plan(excluded.place),
        provider_id=excluded.provider_id,
        provider_type=excluded.provider_type,
        reason=excluded.reason,
    )


def api_plans(graph: RunGraph) -> Iterator[ApiPlan]:
    """Yield the served APIs, sorted."""
    providers = Counter(one.api for one in graph.nodes if one.kind is NodeKind.PROVIDER)
    for api in graph.apis:
        pair = graph.catalog.pair_of(api)
        count = providers[pair.router_api if pair else api]
        router = Address.router(pair.router_api) if pair else None
        table = Address.table(pair.table_api) if pair else None
        yield ApiPlan(
            api=api,
            availability="ok" if count else "empty",
            node=str(graph.serving[api]) if api in graph.serving else None,
            providers=count,
            router=str(router) if router in graph else None,
            table=str(table) if table in graph else None,
        )


def with_sorted_keys(value: Any) -> Any:
    """Return a copy of a config with its keys sorted."""
    if isinstance(value, dict):
        return {key: with_sorted_keys(value[key]) for key in sorted(value)}
    return [*map(with_sorted_keys, value)] if isinstance(value, list) else value
