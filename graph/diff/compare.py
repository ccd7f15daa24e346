"""Two graphs compared: what differs, and what that affects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, TypeVar

import networkx as nx

from rungraph.graph.address import NodeKind
from rungraph.graph.diff.alignment import fact_changes
from rungraph.graph.diff.facts import Hidden, facts_of, hidden_of, is_masked
from rungraph.graph.diff.incomparable import knows_all, not_comparable
from rungraph.graph.diff.model import (
    Affected,
    Change,
    EdgeChange,
    GraphDiff,
    NodeChange,
)
from rungraph.graph.diff.snapshot import Snapshot, hidden_settings, outline_of
from rungraph.graph.diff.switches import Switches
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.paths import Edges, counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diff.facts import Facts
    from rungraph.graph.diff.model import FactChange
    from rungraph.graph.diff.snapshot import Ends, Link
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Node
    from rungraph.graph.source.positions import Path


def diff_graphs(
    old: RunGraph | Snapshot, new: RunGraph | Snapshot, *, edges: Edges = "all"
) -> GraphDiff:
    """Return what differs between two graphs, and everything downstream of it.

    The order of the config, comments, quotes and places do not count. Of two graphs, secrets and
    the values of variables are compared as well, and neither is shown; a snapshot knows neither.

    Args:
        old: The graph, or its normal form, as it was.
        new: The same as it is.
        edges: Which edges lead from what differs to what is affected by it.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> def telemetry(level: int) -> dict:
        ...     entry = {"provider_id": "t", "provider_type": "inline::opentelemetry"}
        ...     return {"providers": {"telemetry": [{**entry, "config": {"level": level}}]}}
        >>> diff = diff_graphs(compile_config(telemetry(1)), compile_config(telemetry(2)))
        >>> [(str(one.address), one.facts[0].path, one.facts[0].new) for one in diff.nodes]
        [('provider:telemetry/t', ('config', 'level'), 2)]
        >>> diff_graphs(compile_config(telemetry(1)), compile_config(telemetry(1))).is_empty
        True
    """
    before, after = (one if isinstance(one, Snapshot) else outline_of(one) for one in (old, new))
    is_known = knows_all(old) and knows_all(new)
    on = Switches(before.excluded, new, are_on=True)
    off = Switches(after.excluded, old, are_on=False)
    changed: list[NodeChange] = []
    unchanged: list[Address] = []
    for address in sorted({**old.nodes, **new.nodes}):
        was, now = old.nodes.get(address), new.nodes.get(address)
        if was is None or now is None:
            change, switches = (Change.ADDED, on) if was is None else (Change.REMOVED, off)
            facts = fact_changes(facts_of(was or {}), facts_of(now or {}))
            other, which = (old, "older") if was is None else (new, "newer")
            reason = switches.reason_of(address)
            if not reason and _may_have(other, address):
                reason = f"not all of the {which} config could be made out"
            kind = _type_in(facts_of(now or was or {}))
            changed.append(NodeChange(address, change, facts, reason, kind))
        elif differing := _differing(was, now, is_known=is_known):
            kind = _type_in(facts_of(now))
            changed.append(NodeChange(address, Change.CHANGED, differing, provider_type=kind))
        else:
            unchanged.append(address)
    links = tuple(_edge_changes(before.edges, after.edges))
    return GraphDiff(
        nodes=tuple(changed),
        edges=links,
        affected=_affected(changed, links, after.edges, (old, new), edges),
        apis_added=tuple(sorted({*after.apis} - {*before.apis})),
        apis_removed=tuple(sorted({*before.apis} - {*after.apis})),
        settings=_setting_changes(old, new, before.settings, after.settings, is_known=is_known),
        excluded_added=_without(after.excluded, before.excluded),
        excluded_removed=_without(before.excluded, after.excluded),
        problems_added=_without(after.problems, before.problems),
        problems_removed=_without(before.problems, after.problems),
        unchanged=tuple(unchanged),
        catalogs=(before.catalog, after.catalog),
        not_comparable=tuple(not_comparable(old, new)),
    )


def _may_have(graph: RunGraph | Snapshot, address: Address) -> bool:
    """Whether a provider may be among what could not be made out of *graph*."""
    is_lost = not isinstance(graph, Snapshot) and "providers" in graph.lost
    return is_lost and address.kind is NodeKind.PROVIDER


def _type_in(facts: Facts) -> str:
    return str(facts.get(("provider_type",), ""))


def _differing(was: Node | Facts, now: Node | Facts, *, is_known: bool) -> tuple[FactChange, ...]:
    """Return what differs between two nodes: of those of two graphs, what is behind it as well."""
    if isinstance(was, dict) or isinstance(now, dict):
        return fact_changes(facts_of(was), facts_of(now))
    if _content(was) == _content(now):  # Which is known much faster than their facts.
        return ()
    before, after = facts_of(was), facts_of(now)
    behind = (
        _behind(before, hidden_of(was), is_known=is_known),
        _behind(after, hidden_of(now), is_known=is_known),
    )
    return fact_changes(before, after, behind)


def _behind(
    facts: Facts, hidden: Mapping[Path, Hidden], *, is_known: bool
) -> Mapping[Path, Hidden]:
    """Return what is behind *facts*, as far as anybody knows.

    A mask in a config is written there, and equal to no secret; in JSON it stands for one.
    """
    if not is_known:
        return {path: one for path, one in hidden.items() if not is_masked(one.written)}
    pasted = {
        path: Hidden(one, one)
        for path, shown in facts.items()
        if (one := next(filter(is_masked, (shown, *path)), None)) is not None
    }
    return {**pasted, **hidden}


def _setting_changes(
    old: RunGraph | Snapshot,
    new: RunGraph | Snapshot,
    before: Facts,
    after: Facts,
    *,
    is_known: bool,
) -> tuple[FactChange, ...]:
    """Return what differs beside the nodes: of two graphs, secrets and variables as well."""
    if isinstance(old, Snapshot) or isinstance(new, Snapshot):
        return fact_changes(before, after)
    behind = (
        _behind(before, hidden_settings(old), is_known=is_known),
        _behind(after, hidden_settings(new), is_known=is_known),
    )
    return fact_changes(before, after, behind)


def _content(node: Node) -> object:
    """Return all of *node* that facts are made of, as text where 1 would be equal to True."""
    if isinstance(node, ProviderNode):
        config = None if node.config is node.written else repr(node.config)
        how = (node.restart, node.placement, node.limits)
        return node.provider_type, node.tags, how, node.spec, repr(node.written), config
    if isinstance(node, TableNode):
        return [
            (
                one.identifier,
                one.provider_id,
                one.provider_resource_id,
                repr(one.written),
                repr(one.fields),
                (one.routing, one.order),
            )
            for one in node.resources
        ]
    return None


def _edge_changes(
    old: Mapping[Ends, tuple[Link, ...]], new: Mapping[Ends, tuple[Link, ...]]
) -> Iterator[EdgeChange]:
    for ends in sorted({**old, **new}):
        was, now = old.get(ends, ()), new.get(ends, ())
        if was != now:
            yield EdgeChange(*ends, was, now)


_Item = TypeVar("_Item", bound=Hashable)


def _without(items: Sequence[_Item], others: Iterable[_Item]) -> tuple[_Item, ...]:
    """Return *items*, which are sorted, without as many of each as *others* has."""
    return tuple((Counter(items) - Counter(others)).elements())


def _affected(
    changed: Iterable[NodeChange],
    edge_changes: Iterable[EdgeChange],
    links: Mapping[Ends, tuple[Link, ...]],
    graphs: tuple[RunGraph | Snapshot, RunGraph | Snapshot],
    edges: Edges,
) -> tuple[Affected, ...]:
    """Return what depends on what differs, directly or not, each with the nearest cause; sorted.

    Args:
        changed: The nodes that differ, which are not affected but the cause.
        edge_changes: The edges that differ: what depended on a removed node has lost one of them.
        links: The edges as they are.
        graphs: The graphs as they were and as they are. Where all edges count, resources lead on as
            well: from their table to that of those which stand on them, or did.
        edges: Which of them lead on.
    """
    causes: dict[Any, Address] = {one.address: one.address for one in changed}
    differ = frozenset(causes)
    steps: nx.DiGraph[Any] = nx.DiGraph()
    steps.add_nodes_from(causes)
    for edge in edge_changes:
        if edge.dependent in graphs[1].nodes and any(
            counts(link.strength, edges) for link in (*edge.old, *edge.new)
        ):
            # A node of its own, so that only this hop starts there.
            hop = (edge.dependency,)
            causes[hop] = edge.dependency
            steps.add_edge(hop, edge.dependent)
    if not causes:
        return ()
    steps.add_edges_from(
        ends for ends, some in links.items() if any(counts(one.strength, edges) for one in some)
    )
    for graph in graphs if edges == "all" else ():
        if not isinstance(graph, Snapshot):
            ends = graph.known_resources.between_tables()
            steps.add_edges_from(one for one in ends if one[1] in graphs[1].nodes)
    found: list[Affected] = []
    for distance, layer in enumerate(nx.bfs_layers(steps, list(causes))):
        if distance:
            nearest = {
                node: min(causes[one] for one in steps.pred[node] if one in causes)
                for node in layer
            }
            causes |= nearest
            found += (Affected(node, cause, distance) for node, cause in nearest.items())
    return tuple(sorted(one for one in found if one.address not in differ))
