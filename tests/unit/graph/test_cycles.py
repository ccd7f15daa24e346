"""Circles: hard ones are found whole, soft ones lose one edge by a rule that knows no order."""

from __future__ import annotations

import itertools

import networkx as nx
import pytest

from rungraph.graph.address import Address
from rungraph.graph.cycles import (
    MOST_CYCLES,
    drop_soft_edges,
    find_knots,
    hops,
    knot_diagnostics,
    picture,
)
from rungraph.graph.nodes import Edge, Evidence, Strength
from rungraph.graph.place import Place


def _provider(name: str) -> Address:
    return Address.provider("eval", name)


def _edges(text: str, strength: Strength = Strength.HARD) -> list[Edge]:
    """Read ``a>b b>c`` as edges between providers."""
    pairs = (pair.split(">") for pair in text.split())
    return [
        Edge(_provider(a), _provider(b), strength, (Evidence("dependencies", f"{b} needs {a}"),))
        for a, b in pairs
    ]


def _nodes(edges: list[Edge]) -> list[Address]:
    return sorted({end for edge in edges for end in edge[:2]})


def test_a_graph_without_circles_has_no_knots() -> None:
    """Edges that only lead on make no knot."""
    edges = _edges("a>b b>c a>c")
    assert find_knots(_nodes(edges), edges) == ()


def test_a_cycle_starts_at_its_smallest_node() -> None:
    """The cycle is listed in dependency order, rotated to the smallest address."""
    edges = _edges("c>a a>b b>c")
    (knot,) = find_knots(_nodes(edges), edges)
    assert knot.cycles == ((_provider("a"), _provider("b"), _provider("c")),)
    assert knot.is_complete


def test_two_overlapping_cycles_are_both_listed() -> None:
    """Two cycles that share an edge make one knot, and the shared edge is the weakest."""
    edges = _edges("a>b b>c c>a b>d d>a")
    (knot,) = find_knots(_nodes(edges), edges)
    assert [[node.name for node in cycle] for cycle in knot.cycles] == [
        ["a", "b", "c"],
        ["a", "b", "d"],
    ]
    assert knot.weakest[:2] == (_provider("a"), _provider("b"))


def test_a_self_dependency_is_a_message_of_its_own() -> None:
    """A node that needs itself is G006, not a cycle picture."""
    edges = _edges("a>a")
    (diagnostic,) = knot_diagnostics(find_knots(_nodes(edges), edges), edges)
    assert (diagnostic.code, diagnostic.message) == (
        "G006",
        "'provider:eval/a' depends on itself: a needs a",
    )


def test_soft_edges_make_no_hard_knot() -> None:
    """A circle that one soft edge closes is no error."""
    edges = [*_edges("a>b"), *_edges("b>a", Strength.SOFT)]
    assert find_knots(_nodes(edges), edges) == ()


@pytest.mark.parametrize("size", [12, 40])
def test_a_complete_knot_is_bounded(size: int) -> None:
    """Every pair of 40 nodes in both directions: only the ten shortest are written out."""
    names = [f"n{index:02d}" for index in range(size)]
    edges = _edges(" ".join(f"{a}>{b}" for a, b in itertools.permutations(names, 2)))
    (knot,) = find_knots(_nodes(edges), edges)
    assert len(knot.nodes) == size
    assert not knot.is_complete
    assert len(knot.cycles) == MOST_CYCLES
    assert {len(cycle) for cycle in knot.cycles} == {2}
    (diagnostic,) = knot_diagnostics([knot], edges)
    assert len(diagnostic.detail.splitlines()) < 50
    assert "more than 10 cycles" in diagnostic.message


def test_a_sparse_ring_of_forty_is_one_cycle() -> None:
    """One long circle is written out whole."""
    names = [f"n{index:02d}" for index in range(40)]
    edges = _edges(" ".join(f"{a}>{b}" for a, b in zip(names, [*names[1:], names[0]], strict=True)))
    (knot,) = find_knots(_nodes(edges), edges)
    assert [len(cycle) for cycle in knot.cycles] == [40]


def test_the_picture_names_place_and_need_of_each_hop() -> None:
    """Each line of the box is a node, where it stands, what it needs; the weakest is marked."""
    a, b = _provider("a"), _provider("b")
    place = Place("run.yaml", 3, 5)
    edges = {
        (a, b): Edge(a, b, Strength.HARD, (Evidence("dependencies", "'x' needs eval", place),)),
        (b, a): Edge(b, a, Strength.HARD, (Evidence("pair", "looks up things"),)),
    }
    assert picture((a, b), edges, edges[a, b]) == (
        "╭─>─╮ provider:eval/a  (provider)    looks up things\n"
        "╰─<─╯ provider:eval/b  run.yaml:3:5  'x' needs eval   <- weakest link"
    )


def test_the_soft_edge_into_a_router_goes_first() -> None:
    """Of two soft edges on one circle the one into a router is dropped, wherever it stands."""
    telemetry, router = Address.provider("telemetry", "otel"), Address.router("datasetio")
    into_provider = Edge(router, telemetry, Strength.SOFT)
    into_router = Edge(telemetry, router, Strength.SOFT)
    for edges in ([into_provider, into_router], [into_router, into_provider]):
        kept, dropped = drop_soft_edges([telemetry, router], edges, ())
        assert list(dropped) == [into_router]
        assert kept == (into_provider,)


def test_only_the_soft_edge_of_a_mixed_circle_goes() -> None:
    """A hard edge is never dropped to break a circle."""
    edges = [*_edges("a>b b>c"), *_edges("c>a", Strength.SOFT)]
    kept, dropped = drop_soft_edges(_nodes(edges), edges, ())
    assert [str(edge) for edge in dropped] == ["provider:eval/c -> provider:eval/a"]
    assert len(kept) == 2


def test_soft_edges_around_a_hard_knot_are_dropped_too() -> None:
    """What stays is acyclic but for the knot, also when two soft edges close one circle."""
    hard = _edges("a>b b>a b>c")
    soft = _edges("c>a c>b", Strength.SOFT)
    edges = [*hard, *soft]
    knots = find_knots(_nodes(edges), edges)
    kept, dropped = drop_soft_edges(_nodes(edges), edges, knots)
    assert set(dropped) == set(soft)
    assert set(kept) == set(hard)


def test_a_soft_and_a_hard_edge_between_the_same_knots_are_told_apart() -> None:
    """Dropping one edge out of a contracted knot leaves the others out of it alone."""
    hard = _edges("a>b b>a a>c c>d")
    soft = _edges("b>c d>a", Strength.SOFT)
    edges = [*hard, *soft]
    kept, dropped = drop_soft_edges(_nodes(edges), edges, find_knots(_nodes(edges), edges))
    assert [str(edge) for edge in dropped] in (
        ["provider:eval/d -> provider:eval/a"],
        ["provider:eval/b -> provider:eval/c", "provider:eval/d -> provider:eval/a"],
    )
    graph: nx.DiGraph[Address] = nx.DiGraph((edge.dependency, edge.dependent) for edge in kept)
    knots = [
        component for component in nx.strongly_connected_components(graph) if len(component) > 1
    ]
    assert knots == [{_provider("a"), _provider("b")}]


def test_hops_close_the_circle() -> None:
    """The last hop leads from the last node back to the first."""
    a, b, c = map(_provider, "abc")
    assert hops((a, b, c)) == [(a, b), (b, c), (c, a)]
