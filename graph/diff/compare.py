"""Two graphs compared: what differs, and what that touches."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from rungraph.graph.diagnostics import level_of
from rungraph.graph.diff.changes import Change, EdgeChange, FactChange, GraphDiff, NodeChange
from rungraph.graph.diff.facts import (
    Facts,
    Hidden,
    Path,
    facts_of,
    hidden_of,
    is_masked,
    is_same,
    kind_of,
    path_order,
    variables_in,
)
from rungraph.graph.diff.reach import affected_by
from rungraph.graph.diff.reasons import Reasons
from rungraph.graph.diff.snapshot import (
    Link,
    Snapshot,
    links_of,
    problems_of,
    settings_of,
)
from rungraph.graph.nodes import ProviderNode, RouterNode, TableNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostics import Level
    from rungraph.graph.diff.snapshot import Ends, Problem
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Node, ResourceConfig

Edges = Literal["all", "hard", "soft"]
"""Which edges lead from what differs to what is affected; ``hard`` includes members of tables."""


def diff_graphs(
    old: RunGraph | Snapshot, new: RunGraph | Snapshot, *, edges: Edges = "all"
) -> GraphDiff:
    """Return what differs between two graphs, and everything downstream of it.

    The order of the config, comments, quotes and places do not count. Of two graphs, secrets and
    the values of variables are compared as well, and told without showing either; a snapshot knows
    neither.

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
    before, after = _Side(old), _Side(new)
    unknown = before.unknown | after.unknown
    nodes, unchanged = _node_changes(before, after, unknown)
    links = _edge_changes(before.links, after.links)
    wanted = _WALKED[edges]
    hops = [
        (one.dependency, one.dependent)
        for one in links
        if one.dependent in after.nodes and _is_walked((*one.old, *one.new), wanted)
    ]
    starts = [one.address for one in nodes]
    # What depended on a removed node has lost an edge: its sweep begins with that hop.
    steps = _steps(after.links, wanted) if starts or hops else {}
    were, are = (
        frozenset() if "apis" in unknown else frozenset(side.apis) for side in (before, after)
    )
    left, leaving = Counter(before.excluded), Counter(after.excluded)
    levels = [side.checked for side in (before, after) if side.checked is not None]
    had, has = (Counter(side.problems_up_to(levels)) for side in (before, after))
    return GraphDiff(
        nodes=nodes,
        edges=links,
        affected=affected_by(starts, hops, steps),
        apis_added=tuple(sorted(are - were)),
        apis_removed=tuple(sorted(were - are)),
        settings=tuple(_fact_changes(before.settings, after.settings, unknown)),
        excluded_added=tuple(sorted((leaving - left).elements())),
        excluded_removed=tuple(sorted((left - leaving).elements())),
        problems_added=tuple(sorted((has - had).elements())),
        problems_removed=tuple(sorted((had - has).elements())),
        unchanged=unchanged,
        not_compared=tuple(sorted(unknown)),
    )


_WALKED: Mapping[str, frozenset[str]] = {
    "all": frozenset(("hard", "member", "soft")),
    "hard": frozenset(("hard", "member")),
    "soft": frozenset(("soft",)),
}


class _Side:
    """A graph or a snapshot as a comparison reads it: the nodes of a graph are looked at last."""

    def __init__(self, source: RunGraph | Snapshot) -> None:
        if isinstance(source, Snapshot):
            self.nodes: Mapping[Address, Facts | Node] = source.nodes
            self.links = source.edges
            self.settings, self.apis = source.settings, source.apis
            self.excluded, self.problems = source.excluded, source.problems
            self.unknown, self.checked = source.unknown, source.checked
        else:
            self.nodes = source.nodes
            self.links = links_of(source.edges, source.dropped)
            self.settings, self.apis = settings_of(source), source.apis
            self.excluded = tuple(sorted(source.excluded))
            self.problems = problems_of(source.diagnostics)
            self.unknown, self.checked = frozenset(), None
        self._source = source

    def variables(self) -> frozenset[str]:
        """Return the variables that are set, as far as the source knows them."""
        uses = () if isinstance(self._source, Snapshot) else self._source.variables
        return frozenset(one.name for one in uses if one.is_set)

    def problems_up_to(self, levels: Sequence[Level]) -> tuple[Problem, ...]:
        """Return the problems of the levels that all of *levels* include."""
        if not levels:
            return self.problems
        return tuple(one for one in self.problems if level_of(one.code) <= min(levels))

    def facts(self, address: Address) -> Facts:
        found = self.nodes[address]
        return found if isinstance(found, dict) else facts_of(found)


def _node_changes(
    before: _Side, after: _Side, unknown: frozenset[str]
) -> tuple[tuple[NodeChange, ...], tuple[Address, ...]]:
    """Return the nodes that differ, and those that do not."""
    changes: list[NodeChange] = []
    unchanged: list[Address] = []
    switched_on = Reasons(before.excluded, after.variables, are_on=True)
    switched_off = Reasons(after.excluded, before.variables, are_on=False)
    for address, node in after.nodes.items():
        other = before.nodes.get(address)
        if other is None:
            facts = after.facts(address)
            reason = switched_on.of(address)
            changes.append(_whole(address, Change.ADDED, facts, unknown, reason))
            continue
        if _is_plainly_same(other, node):
            unchanged.append(address)
            continue
        facts = after.facts(address)
        differing = _differing(before.facts(address), facts, other, node, unknown)
        if differing:
            kind = _type_in(facts)
            changes.append(NodeChange(address, Change.CHANGED, differing, provider_type=kind))
        else:
            unchanged.append(address)
    for address in before.nodes:
        if address not in after.nodes:
            facts = before.facts(address)
            reason = switched_off.of(address)
            changes.append(_whole(address, Change.REMOVED, facts, unknown, reason))
    return tuple(sorted(changes, key=lambda one: one.address)), tuple(sorted(unchanged))


def _whole(
    address: Address, change: Change, facts: Facts, unknown: frozenset[str], reason: str
) -> NodeChange:
    """Return the change of a node that is in one of the graphs only."""
    sides = ({}, facts) if change is Change.ADDED else (facts, {})
    return NodeChange(
        address, change, tuple(_fact_changes(*sides, unknown)), reason, _type_in(facts)
    )


def _type_in(facts: Facts) -> str:
    return str(facts.get(("provider_type",), ""))


def _is_plainly_same(old: Any, new: Any) -> bool:
    """Whether two nodes are the same at first sight; if not, they are looked at closely."""
    if isinstance(old, ProviderNode) and isinstance(new, ProviderNode):
        return (
            old.provider_type == new.provider_type
            and old.tags == new.tags
            and (old.spec is new.spec or old.spec == new.spec)
            # 1 is equal to True, but is no config's True: their texts differ.
            and repr(old.written) == repr(new.written)
            and (
                (old.config is old.written and new.config is new.written)
                or repr(old.config) == repr(new.config)
            )
        )
    if isinstance(old, TableNode) and isinstance(new, TableNode):
        return len(old.resources) == len(new.resources) and all(
            _is_plainly_same_resource(*both)
            for both in zip(old.resources, new.resources, strict=True)
        )
    return isinstance(old, RouterNode) and isinstance(new, RouterNode)


def _is_plainly_same_resource(old: ResourceConfig, new: ResourceConfig) -> bool:
    return (
        old.identifier == new.identifier
        and old.provider_id == new.provider_id
        and old.provider_resource_id == new.provider_resource_id
        and repr((old.written, old.fields)) == repr((new.written, new.fields))
    )


def _differing(
    old: Facts, new: Facts, old_node: Any, new_node: Any, unknown: frozenset[str]
) -> tuple[FactChange, ...]:
    found = list(_fact_changes(old, new, unknown))
    if not isinstance(old_node, dict) and not isinstance(new_node, dict):
        behind_old, behind_new = hidden_of(old_node), hidden_of(new_node)
        for path in behind_old.keys() & behind_new.keys():
            if is_same(old[path], new[path]):
                found += _hidden_changes(path, new[path], behind_old[path], behind_new[path])
    return tuple(sorted(found, key=lambda one: path_order(one.path)))


def _fact_changes(old: Facts, new: Facts, unknown: frozenset[str]) -> Iterator[FactChange]:
    for path in sorted(old.keys() | new.keys(), key=path_order):
        if unknown and kind_of(path) in unknown:
            continue
        if path not in old:
            yield FactChange(path, Change.ADDED, None, new[path])
        elif path not in new:
            yield FactChange(path, Change.REMOVED, old[path], None)
        elif not is_same(old[path], new[path]):
            yield FactChange(path, Change.CHANGED, old[path], new[path])


def _hidden_changes(path: Path, shown: Any, old: Hidden, new: Hidden) -> Iterator[FactChange]:
    """Yield what differs behind a fact that is shown alike on both sides."""
    if is_masked(old.written) or is_masked(new.written):
        return  # Read from what was already masked: there is nothing to compare.
    if not is_same(old.written, new.written):
        yield FactChange(path, Change.CHANGED, shown, shown, is_secret=True)
    # As text: a placeholder in quotes is the same, though it gives "80" where the other gives 80.
    elif str(old.resolved).casefold() != str(new.resolved).casefold():
        yield FactChange(path, Change.CHANGED, shown, shown, variables=variables_in(shown))


def _edge_changes(
    old: Mapping[Ends, tuple[Link, ...]], new: Mapping[Ends, tuple[Link, ...]]
) -> tuple[EdgeChange, ...]:
    found = [
        EdgeChange(*ends, old.get(ends, ()), links)
        for ends, links in new.items()
        if old.get(ends) != links
    ]
    found += (EdgeChange(*ends, links, ()) for ends, links in old.items() if ends not in new)
    return tuple(sorted(found))


def _is_walked(links: Iterable[Link], wanted: frozenset[str]) -> bool:
    return any(link.strength in wanted for link in links)


def _steps(
    edges: Mapping[Ends, tuple[Link, ...]], wanted: frozenset[str]
) -> dict[Address, list[Address]]:
    """Return the dependents of each node that *wanted* edges lead to."""
    found: dict[Address, list[Address]] = {}
    for (dependency, dependent), links in edges.items():
        if any(link.strength in wanted and not link.is_late for link in links):
            found.setdefault(dependency, []).append(dependent)
    return found
