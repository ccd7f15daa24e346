"""Answers held against brute force on plain networkx, on random graphs with cycles of every kind.

RUNGRAPH_ORACLE_EXAMPLES says how many graphs each answer is tried on.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies_run_graphs import run_graphs

from rungraph.engine.events import Event, NodeFailed, NodeReady, NodeStarting, NodeWaiting
from rungraph.engine.run.timeline import timeline
from rungraph.graph import Address, RunGraph, Strength
from rungraph.graph.diff import diff_graphs
from rungraph.graph.failures import BlastRadius, assume_failed, blast_radii
from rungraph.graph.query import query
from rungraph.graph.why.between import why_between
from rungraph.graph.why.presence import why_present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.nodes import Edge

    Digraph = nx.DiGraph[Address]

many = settings(max_examples=int(os.environ.get("RUNGRAPH_ORACLE_EXAMPLES", "100")))


def _digraph(graph: RunGraph, which: str = "all", *more: Iterable[Edge]) -> Digraph:
    found: Digraph = nx.DiGraph()
    found.add_nodes_from(graph.nodes)
    for edge in (*graph.edges, *(one for some in more for one in some)):
        if which == "all" or (edge.strength is Strength.SOFT) == (which == "soft"):
            found.add_edge(edge.dependency, edge.dependent, strength=edge.strength)
    return found


def _needs(graph: Digraph, node: Address, *strengths: Strength) -> set[Address]:
    return {one for one in graph.pred[node] if graph.edges[one, node]["strength"] in strengths}


def _shortest(
    graph: Digraph, starts: Iterable[Address], goals: Iterable[Address]
) -> tuple[Address, ...]:
    """Return the first of the shortest ways from a start to a goal that it needs."""
    back = graph.reverse()
    paths = [
        tuple(path)
        for start, goal in product(starts, goals)
        if nx.has_path(back, start, goal)
        for path in nx.all_shortest_paths(back, start, goal)
    ]
    return min(paths, key=lambda path: (len(path), path), default=())


def _paths(graph: Any, start: Address, end: Address) -> list[list[Address]]:
    return [*nx.all_simple_paths(graph, start, end)]


# --- queries -----------------------------------------------------------------------------------


class _Asked:
    """A random query of a graph, and what it selects by the plainest means."""

    def __init__(self, graph: RunGraph, which: str, draw: Any) -> None:
        self.graph, self.draw = graph, draw
        self.plain = _digraph(graph, which)
        self.late = _digraph(graph, which, () if which == "hard" else graph.dropped)
        self.every = set(graph.nodes)

    def near(self, starts: set[Address], levels: int, *, up: bool) -> set[Address]:
        walked = self.plain.reverse() if up else self.plain
        reached = (nx.single_source_shortest_path_length(walked, one, levels) for one in starts)
        return {node for some in reached for node in some}

    def question(self, depth: int) -> tuple[str, set[Address]]:
        if not depth or self.draw(st.integers(0, 5)) == 0:
            nodes = self.draw(st.sets(st.sampled_from(sorted(self.every)), min_size=1, max_size=3))
            return f"({' | '.join(map(str, sorted(nodes)))})", nodes
        (a, x), (b, y) = self.question(depth - 1), self.question(depth - 1)
        n, far, plain, graph = self.draw(st.integers(0, 3)), 99, self.plain, self.graph
        up, down = self.near(x, far, up=True), self.near(x, far, up=False)
        above, below = self.near(x, n, up=True), self.near(x, n, up=False)
        links, kinds = graph.nx.edges, {one[:2] for one in x}
        tables = {v for u, v in links if u in x and v.kind.value == "table"
                  and links[u, v]["strength"] == "member"}  # fmt: skip
        routers = {v for u, v in links if u in x | tables and v.kind.value == "router"
                   and u.kind.value == "table" and links[u, v]["strength"] == "hard"}  # fmt: skip
        on_cycles = {v for v in self.late if any(
            v == w or nx.has_path(self.late, w, v) for w in self.late.succ[v]
        )}  # fmt: skip
        chosen: tuple[str, set[Address]] = self.draw(
            st.sampled_from([
                (f"(+{a})", up), (f"({a}+)", down), (f"(+{a}+)", up | down),
                (f"deps({a})", up), (f"rdeps({a})", down), (f"({a}+{n})", below),
                (f"(@{a})", self.near(down, far, up=True)), (f"(!{a})", self.every - x),
                (f"deps({a}, {n})", above), (f"({n}+{a})", above), (f"rdeps({a}, {n})", below),
                (f"({a} | {b})", x | y), (f"({a} & {b})", x & y), (f"({a} - {b})", x - y),
                (f"rdeps({a}, {b})", up & self.near(y, far, up=False)),
                (f"allpaths({a}, {b})", up & self.near(y, far, up=False)),
                (f"somepath({a}, {b})", {*_shortest(plain, x, y)}),
                (f"roots({a})", {v for v in x if not (set(plain.succ[v]) - {v}) & x}),
                (f"sinks({a})", {v for v in x if not (set(plain.succ[v]) - {v}) & x}),
                (f"leaves({a})", {v for v in x if not (set(plain.pred[v]) - {v}) & x}),
                (f"siblings({a})", {v for v in self.every if v[:2] in kinds}),
                (f"some({a}, {n})", {*graph.in_start_order(x)[:n]}),
                (f"serves({a})", x | tables | routers), ("cycles()", on_cycles),
                (f"(let v = {a} in $v - {b})", x - y),
            ])
        )  # fmt: skip
        return chosen


@many
@given(run_graphs(), st.sampled_from(["all", "hard", "soft"]), st.data())
def test_queries(graph: RunGraph, which: Any, data: st.DataObject) -> None:
    """Walks, functions and operators inside each other, over any of the edges."""
    asked = _Asked(graph, which, data.draw)
    text, nodes = asked.question(3)
    assert query(graph, text, edges=which).addresses == graph.in_start_order(nodes), text
    assert len(query(graph, f"count({text})", edges=which)) == len(nodes)
    for a, b in product(graph, repeat=2):
        path = query(graph, f"somepath({a}, {b})", edges=which).path
        assert path == _shortest(asked.plain, [a], [b])


# --- failures ----------------------------------------------------------------------------------


def _down(graph: Digraph, assumed: Iterable[Address]) -> set[Address]:
    """Return the smallest set that holds *assumed* and whatever cannot start without the set."""
    down = set(assumed)
    for _ in graph:
        for node in graph:
            members = _needs(graph, node, Strength.MEMBER)
            if _needs(graph, node, Strength.HARD) & down or (members and members <= down):
                down.add(node)
    return down


@many
@given(run_graphs(), st.data())
def test_failures(graph: RunGraph, data: st.DataObject) -> None:
    """What does not start, what runs without something, and by whose fault."""
    plain = _digraph(graph, "all", graph.dropped)
    assumed = data.draw(st.sets(st.sampled_from(list(graph.nodes)), max_size=3))
    found, down = assume_failed(graph, assumed), _down(plain, assumed)
    assert found.failed == graph.in_start_order(down)
    lacking = {node: _needs(plain, node, Strength.MEMBER, Strength.SOFT) & down for node in plain}
    assert {node: set(lacks) for node, lacks in found.without.items()} == {
        node: lacks for node, lacks in lacking.items() if lacks and node not in down
    }
    radii = blast_radii(graph)
    for node in graph:
        alone = _down(plain, {node})
        lacks = {v for u in alone for v in plain.succ[u] if plain.edges[u, v]["strength"] != "hard"}
        assert radii[node] == BlastRadius(frozenset(alone - {node}), frozenset(lacks - alone))
    if nx.is_directed_acyclic_graph(hard := _digraph(graph, "hard")):
        causes: dict[Address, set[Address]] = {}
        for node in nx.topological_sort(hard):
            members = _needs(hard, node, Strength.MEMBER)
            missing = _needs(hard, node, Strength.HARD) & down
            missing |= members if members <= down else set()
            if node in down:
                causes[node] = {one for need in missing for one in causes[need]} or {node}
        assert {node: set(some) for node, some in found.causes.items()} == causes


# --- why ---------------------------------------------------------------------------------------


@many
@given(run_graphs(), st.sampled_from(["all", "hard", "soft"]), st.data())
def test_why_between(graph: RunGraph, which: Any, data: st.DataObject) -> None:
    """The shortest chain each way, how many there are, and what the two have in common."""
    if len(graph) < 2:
        return
    first, second = data.draw(st.permutations(list(graph.nodes)))[:2]
    usual, late = _digraph(graph, which), _digraph(graph, which, graph.dropped)
    ways = [(first, second), (second, first)]
    is_found = any(nx.has_path(usual, goal, start) for start, goal in ways)
    found = why_between(graph, first, second, edges=which, most=3)
    for (start, goal), chains in zip(ways, (found.forth, found.back), strict=True):
        walked = usual
        if not nx.has_path(usual, goal, start) and (not is_found or late.has_edge(goal, start)):
            walked = late
        expected = _shortest(walked, [start], [goal])
        assert (chains.listed[0].nodes if chains.listed else ()) == expected
        paths = _paths(walked, goal, start)
        if not chains.has_cycles:
            listed = sorted((tuple(reversed(path)) for path in paths), key=lambda p: (len(p), p))
            assert chains.total == len(paths)
            assert [one.nodes for one in chains.listed] == listed[:3]
        between = walked.subgraph((nx.ancestors(walked, start) | {start})
                                  & (nx.descendants(walked, goal) | {goal}))  # fmt: skip
        assert not (chains.has_cycles and nx.is_directed_acyclic_graph(between))
    if not found.found:
        everything = _digraph(graph)
        for reach, told in ((nx.ancestors, found.both_need), (nx.descendants, found.need_both)):
            assert {*told} == {*reach(everything, first)} & {*reach(everything, second)}


@many
@given(run_graphs(), st.data())
def test_why_present(graph: RunGraph, data: st.DataObject) -> None:
    """Who needs a node, who does in the end, and by which chain one that is asked for does."""
    apis = sorted({one.api for one in graph})
    served = data.draw(st.sets(st.sampled_from(apis)))
    graph = replace(graph, apis=tuple(sorted(served)))
    hard, plain = _digraph(graph, "hard"), _digraph(graph)
    for node in graph:
        found = why_present(graph, node)
        assert {hop.edge.dependent for hop in found.needed_by} == set(plain.succ[node])
        assert {*found.needed_in_the_end} == {
            one for one in nx.descendants(plain, node) if not plain.succ[one]
        }
        assert found.is_requested == (node.api in served)
        above = [one for one in nx.descendants(hard, node) if one.api in served]
        chain = () if found.is_requested else _shortest(hard, above, [node])
        assert (found.pulled_in.nodes if found.pulled_in else ()) == chain


# --- diff --------------------------------------------------------------------------------------


@many
@given(run_graphs(), run_graphs(), st.sampled_from(["all", "hard", "soft"]))
def test_diffs(old: RunGraph, new: RunGraph, which: Any) -> None:
    """Nodes and edges as sets; what is affected, how far from what, and because of the nearest."""
    diff = diff_graphs(old, new, edges=which)
    assert {one.address for one in diff.nodes} == set(old.nodes) ^ set(new.nodes)

    def links(graph: RunGraph) -> dict[tuple[Address, Address], tuple[str, bool]]:
        return {
            edge[:2]: (str(edge.strength), late)
            for late, edges in ((False, graph.edges), (True, graph.dropped))
            for edge in edges
        }

    before, after = links(old), links(new)
    changed = {ends for ends in {*before, *after} if before.get(ends) != after.get(ends)}
    assert {one[:2] for one in diff.edges} == changed
    walked = _digraph(new, which, new.dropped)
    causes = set(old.nodes) ^ set(new.nodes)
    sources = [(cause, 0, cause) for cause in causes & set(new.nodes)] + [
        (ends[0], 1, ends[1])
        for ends in changed
        if ends[1] in new.nodes
        and any(
            which == "all" or (side[ends][0] == "soft") == (which == "soft")
            for side in (before, after)
            if ends in side
        )
    ]
    expected: dict[Address, tuple[int, Address]] = {}
    for cause, start, node in sources:
        for reached, steps in nx.single_source_shortest_path_length(walked, node).items():
            if reached not in causes and (distance := start + steps):
                best = expected.get(reached, (distance, cause))
                expected[reached] = min(best, (distance, cause))
    assert {one.address: (one.distance, one.because_of) for one in diff.affected} == expected


# --- timelines ---------------------------------------------------------------------------------


@many
@given(run_graphs(), st.data())
def test_timelines(graph: RunGraph, data: st.DataObject) -> None:
    """The longest chain and the slack of starts that are recorded in any order."""
    plain = _digraph(graph)
    if not nx.is_directed_acyclic_graph(plain):
        return
    events: list[Event] = []
    own: dict[Address, float] = {}
    ready: dict[Address, float] = {}
    for node in nx.topological_sort(plain):
        begin = max((ready.get(one, 0.0) for one in plain.pred[node]), default=0.0)
        begin += data.draw(st.integers(0, 2))
        own[node] = float(data.draw(st.integers(0, 4)))
        end = begin + own[node]
        events += [NodeWaiting(0.0, node, tuple(plain.pred[node]), 0), NodeStarting(begin, node)]
        if data.draw(st.integers(0, 9)):
            ready[node] = end
            events.append(NodeReady(end, node, own[node], begin))
        else:
            events.append(NodeFailed(end, node, OSError("no")))
    found = timeline(data.draw(st.permutations(events)))

    def longest(start: Address, graph: Digraph) -> float:
        paths = [path for goal in graph for path in _paths(graph, start, goal)]
        return max((sum(own[one] for one in path[1:]) for path in paths), default=0.0)

    back = plain.reverse()
    to = {node: own[node] + longest(node, back) for node in plain}
    for node in plain:
        chain = found.chain_to(node)
        assert sum(own[one] for one in chain) == to[node]
        assert nx.is_path(plain, list(chain))
    assert found.critical_time == max(to.values())
    assert sum(own[one] for one in found.critical_path) == found.critical_time
    slacks = {node: max(found.total - longest(node, plain) - at, 0.0) for node, at in ready.items()}
    assert found.slacks() == pytest.approx(slacks)
