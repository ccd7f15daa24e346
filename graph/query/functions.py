"""The functions of the language: how each is written, and what it selects."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import networkx as nx

from rungraph.graph.digraph import cyclic_sets
from rungraph.graph.paths import shortest_paths, walkable
from rungraph.graph.query.attributes import groups_of
from rungraph.graph.query.syntax import ALL
from rungraph.graph.timing import longest_chains

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.query.context import Context, NodeSet
    from rungraph.graph.regex import LinearPattern

Path = tuple["Address", ...]
"""Nodes in an order of their own: each needs the next."""


def deps(context: Context, start: NodeSet, levels: int = ALL) -> NodeSet:
    """Return the nodes of *start* and what they need."""
    return _walked(context, start, levels, against_edges=True)


def rdeps(context: Context, start: NodeSet, levels: int = ALL) -> NodeSet:
    """Return the nodes of *start* and what needs them."""
    return _walked(context, start, levels, against_edges=False)


def _walked(context: Context, start: NodeSet, levels: int, *, against_edges: bool) -> NodeSet:
    graphs, everything = context.graphs, context.graphs.everything
    found: NodeSet = frozenset()
    # From what only the older graph has, the older graph is walked.
    for one, nodes in ((graphs.new, start & everything), (graphs.old, start - everything)):
        if one is None or not nodes:
            continue
        graph = walkable(one, context.edges)
        if against_edges:
            graph = graph.reverse(copy=False)
        if len(nodes) == 1 and levels == ALL:
            found |= nodes | nx.descendants(graph, *nodes)
        else:
            layers = nx.bfs_layers(graph, nodes)
            found = found.union(*(layers if levels == ALL else islice(layers, levels + 1)))
    return found


def _rdeps_within(context: Context, first: NodeSet, second: NodeSet | int = ALL) -> NodeSet:
    # With two selections the order is Bazel's: the universe first.
    if isinstance(second, int):
        return rdeps(context, first, second)
    return deps(context, first) & rdeps(context, second)


def _somepath(context: Context, starts: NodeSet, goals: NodeSet) -> Path:
    for graph in (context.graphs.new, context.graphs.old):
        if graph is not None:
            for path in shortest_paths(walkable(graph, context.edges), starts, goals):
                return path
    return ()


def _allpaths(context: Context, start: NodeSet, goal: NodeSet) -> NodeSet:
    # As a set of nodes, however many paths there are: below the one and above the other.
    return deps(context, start) & rdeps(context, goal)


def _critical(context: Context, ends: NodeSet | None = None) -> Path:
    graph = context.walkable()
    wanted = graph.nodes & (context.graphs.everything if ends is None else ends)
    inner = graph.subgraph(deps(context, frozenset(wanted)))
    durations = context.durations
    chains = longest_chains(inner, dict.fromkeys(inner, 1.0) if durations is None else durations)
    return chains.to(chains.longest(wanted))[::-1]


def _of_kind(_: Context, kind: NodeSet, nodes: NodeSet) -> NodeSet:
    return kind & nodes


def _cycles(context: Context) -> NodeSet:
    # The soft edges that were dropped closed a cycle. Over hard edges only those cycles count that
    # keep the graph from being run.
    graph = context.walkable(with_dropped=context.edges != "hard")
    return frozenset().union(*cyclic_sets(graph))


def _roots(context: Context, nodes: NodeSet) -> NodeSet:
    return _without_others(nodes, context.walkable().succ)


def _serves(context: Context, nodes: NodeSet) -> NodeSet:
    """Return *nodes* with the tables that they are members of, and the routers of these."""
    graph = context.graphs.new.nx
    found = set(nodes)
    for strength, kind in (("member", "table"), ("hard", "router")):
        found |= {
            dependent
            for one in found & graph.nodes
            for dependent, link in graph.succ[one].items()
            if dependent.kind.value == kind
            and link["strength"] == strength
            and (kind == "table" or one.kind.value == "table")
        }
    return frozenset(found)


def _leaves(context: Context, nodes: NodeSet) -> NodeSet:
    return _without_others(nodes, context.walkable().pred)


def _without_others(nodes: NodeSet, next_to: Mapping[Address, Mapping[Address, object]]) -> NodeSet:
    return frozenset(
        node
        for node in nodes
        if not any(one in nodes and one != node for one in next_to.get(node, ()))
    )


def _siblings(context: Context, nodes: NodeSet) -> NodeSet:
    wanted = {address[:2] for address in nodes}
    return nodes | {one for one in context.graphs.everything if one[:2] in wanted}


def _some(context: Context, nodes: NodeSet, count: int = 1) -> NodeSet:
    return frozenset(context.graphs.in_order(nodes)[:count])


def _filter(context: Context, pattern: LinearPattern, nodes: NodeSet) -> NodeSet:
    texts = context.graphs.texts
    _count_characters(context, pattern, map(texts.__getitem__, nodes))
    return frozenset(one for one in nodes if pattern.search(texts[one]))


def _attr(context: Context, name: str, pattern: LinearPattern, nodes: NodeSet) -> NodeSet:
    groups = groups_of(context, name)
    _count_characters(context, pattern, groups)
    return nodes & frozenset().union(*(groups[value] for value in groups if pattern.search(value)))


def _count_characters(context: Context, pattern: LinearPattern, texts: Iterable[str]) -> None:
    """Count what matching *texts* costs: a thousand instructions are as slow as a node."""
    context.work.visited += sum(map(len, texts)) * pattern.size / 1000


class Counted(frozenset["Address"]):
    """Nodes that were asked for to know how many they are: a number, which nothing selects from."""

    IS_NUMBER: Final = "count(x) is a number, not a selection"


def _count(_: Context, nodes: NodeSet) -> Counted:
    return Counted(nodes)


class Function(NamedTuple):
    """A function of the language.

    Attributes:
        parameters: The kind of each argument in its order: ``x`` (a selection), ``n`` (a number),
            ``x|n`` (either), or a text: ``re`` (a regular expression), ``attribute`` or ``kind``
            (which selects the nodes of that kind).
        required: How many of them there must be.
        usage: How it is written.
        text: What it selects.
        select: Selects it, given a `Context` and the arguments.
        passes: How many walks over the whole graph it takes as long as, apart from its answer.
    """

    parameters: tuple[str, ...]
    required: int
    usage: str
    text: str
    select: Callable[..., NodeSet | Path]
    passes: int = 0


FUNCTIONS: Final = {
    "deps": Function(("x", "n"), 1, "deps(x[, n])", "x and what it needs, n levels deep", deps),
    "rdeps": Function(
        ("x", "x|n"),
        1,
        "rdeps(x[, n])",
        "x and what needs it, n levels; rdeps(u, x): within +u",
        _rdeps_within,
    ),
    "somepath": Function(
        ("x", "x"), 2, "somepath(a, b)", "a shortest path from a to b that it needs", _somepath, 4
    ),
    "allpaths": Function(
        ("x", "x"), 2, "allpaths(a, b)", "all that is on a path from a to b", _allpaths, 4
    ),
    "filter": Function(
        ("re", "x"), 2, "filter(re, x)", "those whose address has a match", _filter, 4
    ),
    "attr": Function(
        ("attribute", "re", "x"),
        3,
        "attr(path, re, x)",
        "those whose attribute has a match",
        _attr,
        4,
    ),
    "siblings": Function(
        ("x",), 1, "siblings(x)", "all of the same kind and API, x among them", _siblings, 1
    ),
    "roots": Function(("x",), 1, "roots(x)", "those that no other of x needs", _roots),
    "sinks": Function(
        ("x",), 1, "sinks(x)", "roots(x) by Dagster's name; its roots are leaves(x)", _roots
    ),
    "serves": Function(
        ("x",), 1, "serves(x)", "x, and the tables and routers that calls reach it by", _serves
    ),
    "leaves": Function(("x",), 1, "leaves(x)", "those that need no other of x", _leaves),
    "some": Function(
        ("x", "n"), 1, "some(x[, n])", "the first n of x, or one, in start order", _some
    ),
    "count": Function(
        ("x",), 1, "count(x)", "how many x are; the whole of a query, no part of one", _count
    ),
    "cycles": Function((), 0, "cycles()", "all that is on a cycle", _cycles, 8),
    "critical": Function(
        ("x",), 0, "critical([x])", "the longest chain that ends in x", _critical, 30
    ),
    "kind": Function(
        ("kind", "x"),
        2,
        "kind(k, x)",
        "those of a kind; the same as x & kind:k",
        _of_kind,
    ),
}
"""The functions by name."""
