"""Facts about views, selections and what is left out of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.viz.graphs import graph_of

from rungraph.graph import compile_config
from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec
from rungraph.graph.diagnostics import Severity
from rungraph.graph.model import RunGraph
from rungraph.graph.nodes import Strength
from rungraph.viz.model import boxes
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.elements import Arrow, Hidden
from rungraph.viz.model.reduction import reduced_arrows

A, B, C, T, R = (Address.provider("x", name) for name in "abctr")


def hard(a: Address, b: Address) -> Arrow:
    """Return an arrow that is required."""
    return Arrow(a, b, Strength.HARD)


def soft(a: Address, b: Address) -> Arrow:
    """Return an arrow that is not."""
    return Arrow(a, b, Strength.SOFT)


def member(a: Address, b: Address) -> Arrow:
    """Return an arrow from one of several."""
    return Arrow(a, b, Strength.MEMBER)


RANKS = {A: 0, B: 1, C: 1, T: 2, R: 3}


@pytest.mark.parametrize(
    ("arrows", "left_out"),
    [
        ([hard(A, B), hard(B, R), hard(A, R)], [hard(A, R)]),
        ([hard(A, B), soft(B, R), hard(A, R)], []),
        ([soft(A, B), hard(B, R), soft(A, R)], [soft(A, R)]),
        ([hard(A, B), member(B, T), hard(T, R), hard(A, R)], [hard(A, R)]),
        ([hard(A, B), member(B, T), member(C, T), hard(T, R), hard(A, R)], []),
        (
            [hard(A, B), hard(A, C), member(B, T), member(C, T), hard(T, R), hard(A, R)],
            [hard(A, R)],
        ),
        ([hard(A, B), member(B, T), member(A, T)], []),
    ],
    ids=[
        "a hard path",
        "a path that is soft is no reason to leave out a hard arrow",
        "a soft arrow follows from any path",
        "the only member is needed",
        "one of several members is not",
        "what all members need is",
        "a member stays a member",
    ],
)
def test_only_what_follows_is_left_out(arrows: list[Arrow], left_out: list[Arrow]) -> None:
    """A reduction says nothing less than what it was made of."""
    kept = reduced_arrows(arrows, RANKS)
    assert [arrow for arrow in arrows if arrow not in kept] == left_out


def test_what_does_not_follow_stays() -> None:
    """An edge that is bound late; what members in sight need where others are not drawn."""
    dropped = soft(A, R)._replace(is_dropped=True)
    assert dropped in reduced_arrows([hard(A, B), hard(B, R), dropped], RANKS)
    arrows = [hard(A, B), member(B, T), hard(T, R), hard(A, R)]
    assert hard(A, R) in reduced_arrows(arrows, RANKS, incomplete={T})


def test_a_reduction_is_counted(large: RunGraph) -> None:
    """The picture tells how many arrows it leaves out, and how to see them."""
    diagram = diagram_of(large)
    assert diagram.is_reduced
    (note,) = diagram.notes
    assert "providers with the same neighbours share a box" in note
    assert "that follow from others left out" in note
    assert "the full view shows all" in note
    assert len(diagram_of(large, reduced=False).arrows) > len(diagram.arrows)


def test_an_api_is_one_box_in_the_collapsed_view(small: RunGraph) -> None:
    """Its providers, table and router are behind the router's key; arrows as strong as can be."""
    diagram = diagram_of(small, view="collapsed")
    box = diagram.boxes[Address.router("inference")]
    assert box.title == ("inference",)
    assert box.details == ("embed, llm", "2 providers, table, router", "generations 0 to 3")
    assert sorted(box.addresses) == [
        address for address in small.nodes if address.api in ("inference", "models")
    ]
    ends = [(one.dependency.api, one.dependent.api, one.strength) for one in diagram.arrows]
    assert ends == [("telemetry", "inference", "soft"), ("inference", "memory", "hard")]
    assert {column.heading for column in diagram.columns} == {""}


def test_an_api_that_needs_itself_is_collapsed() -> None:
    """A provider that needs its own API is a mistake, and is drawn all the same."""
    api = ApiSpec("alone", "x:Alone")
    spec = ProviderSpec("alone", "inline::own", "x", dependencies=("alone",))
    config = {"providers": {"alone": [{"provider_id": "a", "provider_type": "inline::own"}]}}
    catalog = Catalog.of(apis=[api], providers=[spec])
    graph = compile_config(config, catalog=catalog, environment={})
    assert len(diagram_of(graph, view="collapsed").boxes) == 1


def test_large_graphs_are_collapsed(large: RunGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where like providers put together are still too many, APIs are drawn."""
    assert diagram_of(large).view == "factored"
    monkeypatch.setattr(boxes, "_MOST_FACTORED", 12)
    assert diagram_of(large).view == "collapsed"


def test_a_selection_is_drawn_with_what_is_around_it(small: RunGraph) -> None:
    """With a depth of one, direct neighbours are there, and what they need else is counted."""
    router = Address.router("inference")
    diagram = diagram_of(small, select=[router], depth=1)
    assert {str(key) for key in diagram.boxes} == {
        "router:inference",
        "table:models",
        "provider:telemetry/otel",
        "provider:memory/faiss",
    }
    assert [str(key) for key, box in diagram.boxes.items() if box.is_selected] == [str(router)]
    assert diagram.boxes[Address.table("models")].hidden == Hidden(dependencies=2)
    assert diagram.notes == ("a selection: 4 of 9 nodes",)
    headings = [column.heading for column in diagram.columns]
    assert headings == [f"generation {number}" for number in (0, 2, 3, 4)]
    alone = diagram_of(small, select=[router]).boxes
    assert alone.keys() == {router}
    assert alone[router].hidden == Hidden(2, 1)


def test_what_cannot_be_drawn_is_said(small: RunGraph) -> None:
    """A wrong argument is named with what it could be, a node with the nearest."""
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"view": "folded"}, "unknown view 'folded'; known: auto, full, factored, collapsed"),
        ({"depth": -1, "select": ()}, "a depth is a number of steps, not -1"),
    ]
    for wrong, message in wrongs:
        with pytest.raises(ValueError, match=f"^{message}$"):
            diagram_of(small, **wrong)
    with pytest.raises(KeyError, match="did you mean 'router:inference'"):
        diagram_of(small, select=[Address.router("inferense")])


def test_a_depth_follows_arrows_one_way(small: RunGraph) -> None:
    """What the dependents of a selection need besides it is not around it."""
    table = Address.table("models")
    keys = diagram_of(small, select=[table], depth=2).boxes
    assert Address.provider("memory", "faiss") in keys
    assert Address.provider("telemetry", "otel") in keys, "llm uses it"
    assert Address.router("memory") not in keys


def test_late_nodes_stand_next_to_what_needs_them(knotted: RunGraph) -> None:
    """A provider that is needed late leaves its generation, and says so; a cycle never moves."""
    graph = graph_of(
        {
            "inference": [("llm", "remote::tgi")],
            "safety": [("guard", "inline::guard"), ("regex", "inline::regex")],
        }
    )
    early, late = diagram_of(graph), diagram_of(graph, late=True)
    regex = Address.provider("safety", "regex")

    def column_of(diagram: Any) -> Any:
        return next(column for column in diagram.columns if regex in column.boxes)

    assert column_of(early).heading == "generation 0"
    assert column_of(late).heading == "by generation 3"
    rank = {key: one.generation for one in late.columns for key in one.boxes}
    assert all(rank[arrow.dependency] < rank[arrow.dependent] for arrow in late.arrows)
    assert all(rank[key] >= box.generation for key, box in late.boxes.items())
    early, late = diagram_of(knotted, view="full"), diagram_of(knotted, view="full", late=True)
    rank = {key: one.generation for one in late.columns for key in one.boxes}
    assert all(rank[key] == box.generation for key, box in early.boxes.items() if box.is_in_cycle)


def test_what_is_not_on_a_cycle_is_pale(knotted: RunGraph, small: RunGraph) -> None:
    """A cycle is what its picture is about."""
    diagram = diagram_of(knotted)
    assert all(box.is_pale != box.is_in_cycle for box in diagram.boxes.values())
    assert all(arrow.is_pale != arrow.is_in_cycle for arrow in diagram.arrows)
    assert not any(box.is_pale for box in diagram_of(small).boxes.values())


def test_problems_stand_at_their_nodes() -> None:
    """A node has the codes of its errors and warnings, and like nodes without them stay apart."""
    graph = graph_of(
        {"inference": [("a", "remote::tgi"), ("b", "remote::nowhere"), ("c", "remote::tgi")]}
    )
    boxes = diagram_of(graph, view="factored").boxes
    wrong = boxes[Address.provider("inference", "b")]
    assert (wrong.problems, wrong.severity) == (("C021",), Severity.ERROR)
    both = boxes[Address.provider("inference", "a")]
    assert (len(both.addresses), both.problems, both.severity) == (2, (), None)
