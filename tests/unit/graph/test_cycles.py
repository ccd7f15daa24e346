"""Cycles: hard ones are found whole, soft ones lose one edge by a rule that knows no order."""

from __future__ import annotations

import itertools

import networkx as nx
import pytest

from rungraph.graph.address import Address
from rungraph.graph.budgets import MOST_CYCLES
from rungraph.graph.cycles import (
    drop_soft_edges,
    hard_components,
    hard_cycle_diagnostics,
    hops,
    picture,
)
from rungraph.graph.digraph import add_edges, cyclic_sets, edges_of
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


def _graph(edges: list[Edge]) -> nx.DiGraph[Address]:
    graph: nx.DiGraph[Address] = nx.DiGraph()
    add_edges(graph, edges)
    return graph


def test_a_cycle_is_closed_by_hard_edges_and_starts_at_its_smallest_node() -> None:
    """In dependency order, written out whole; what only leads on, or is soft, closes none."""
    assert hard_components(_graph(_edges("a>b b>c a>c"))) == ()
    assert hard_components(_graph([*_edges("a>b"), *_edges("b>a", Strength.SOFT)])) == ()
    (component,) = hard_components(_graph(_edges("c>a a>b b>c")))
    a, b, c = map(_provider, "abc")
    assert component.cycles == ((a, b, c),)
    assert component.is_complete
    assert hops((a, b, c)) == [(a, b), (b, c), (c, a)]
    names = [f"n{index:02d}" for index in range(40)]
    ring = " ".join(f"{a}>{b}" for a, b in zip(names, [*names[1:], names[0]], strict=True))
    (component,) = hard_components(_graph(_edges(ring)))
    assert [len(cycle) for cycle in component.cycles] == [40]


def test_two_overlapping_cycles_are_both_listed() -> None:
    """Two cycles that share an edge make one component, and the shared edge is the weakest."""
    edges = _edges("a>b b>c c>a b>d d>a")
    (component,) = hard_components(_graph(edges))
    assert [[node.name for node in cycle] for cycle in component.cycles] == [
        ["a", "b", "c"],
        ["a", "b", "d"],
    ]
    assert component.weakest[:2] == (_provider("a"), _provider("b"))


def test_a_self_dependency_is_a_message_of_its_own() -> None:
    """A node that needs itself is G006, not a cycle picture."""
    edges = _edges("a>a")
    (diagnostic,) = hard_cycle_diagnostics(hard_components(_graph(edges)), _graph(edges))
    assert (diagnostic.code, diagnostic.message) == (
        "G006",
        "'provider:eval/a' depends on itself: a needs a",
    )


@pytest.mark.parametrize("size", [12, 40])
def test_a_complete_component_is_bounded(size: int) -> None:
    """Every pair of 40 nodes in both directions: only the ten shortest are written out."""
    names = [f"n{index:02d}" for index in range(size)]
    edges = _edges(" ".join(f"{a}>{b}" for a, b in itertools.permutations(names, 2)))
    (component,) = hard_components(_graph(edges))
    assert len(component.nodes) == size
    assert not component.is_complete
    assert len(component.cycles) == MOST_CYCLES
    assert {len(cycle) for cycle in component.cycles} == {2}
    (diagnostic,) = hard_cycle_diagnostics([component], _graph(edges))
    assert len(diagnostic.detail.splitlines()) < 50
    assert "more than 10 cycles" in diagnostic.message


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
    """Wherever it stands; a hard edge is never dropped to break a cycle."""
    telemetry, router = Address.provider("telemetry", "otel"), Address.router("datasetio")
    into_provider = Edge(router, telemetry, Strength.SOFT)
    into_router = Edge(telemetry, router, Strength.SOFT)
    for edges in ([into_provider, into_router], [into_router, into_provider]):
        graph = _graph(edges)
        assert list(drop_soft_edges(graph, ())) == [into_router]
        assert edges_of(graph) == [into_provider]
    hard, soft = _edges("a>b b>c"), _edges("c>a", Strength.SOFT)
    graph = _graph([*hard, *soft])
    assert list(drop_soft_edges(graph, ())) == soft
    assert set(edges_of(graph)) == set(hard)


def test_soft_edges_around_a_hard_component_are_dropped_too() -> None:
    """What stays is acyclic but for the component, also when two soft edges close one cycle."""
    hard = _edges("a>b b>a b>c")
    soft = _edges("c>a c>b", Strength.SOFT)
    edges = [*hard, *soft]
    graph = _graph(edges)
    assert set(drop_soft_edges(graph, hard_components(graph))) == set(soft)
    assert set(edges_of(graph)) == set(hard)


def test_a_soft_and_a_hard_edge_between_the_same_components_are_told_apart() -> None:
    """Dropping one edge out of a merged component leaves the others out of it alone."""
    hard = _edges("a>b b>a a>c c>d")
    soft = _edges("b>c d>a", Strength.SOFT)
    edges = [*hard, *soft]
    graph = _graph(edges)
    dropped = drop_soft_edges(graph, hard_components(graph))
    assert [str(edge) for edge in dropped] in (
        ["provider:eval/d -> provider:eval/a"],
        ["provider:eval/b -> provider:eval/c", "provider:eval/d -> provider:eval/a"],
    )
    assert cyclic_sets(graph) == [(_provider("a"), _provider("b"))]


@pytest.mark.parametrize("limit", ["LARGEST_CYCLE", "MOST_JOINED"])
def test_beyond_the_limits_the_start_order_decides(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left has no cycle, though more than one edge of it may be gone."""
    names = [f"n{number:02}" for number in range(30)]
    hard = _edges(" ".join(f"{a}>{b}" for a, b in itertools.pairwise(names[::2])))
    pairs = itertools.permutations(names[:12], 2)
    links = [_edges(f"{a}>{b}", Strength.SOFT)[0] for a, b in pairs]
    graph = _graph([*links, *hard])
    monkeypatch.setattr(f"rungraph.graph.reachability.{limit}", 10)
    dropped = drop_soft_edges(graph, ())
    assert nx.is_directed_acyclic_graph(graph)
    assert set(hard) <= set(edges_of(graph))
    assert len(dropped) >= len(links) - len(edges_of(graph))


def test_not_all_cycles_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit an edge has its own ends for a cycle."""
    monkeypatch.setattr("rungraph.graph.cycles.MOST_WALKED", 5)
    links = _edges("c>a b>a c>b", Strength.SOFT)
    dropped = drop_soft_edges(_graph([*_edges("a>b b>c"), *links]), ())
    a, b, c = map(_provider, "abc")
    assert dropped == {links[1]: (a, b), links[0]: (a, b, c), links[2]: (b, c)}
