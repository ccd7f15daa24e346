"""Facts about what is drawn of a graph."""

from __future__ import annotations

import re

from tests.unit.viz.graphs import graph_of

from rungraph.graph.address import Address
from rungraph.graph.compile import compile_config
from rungraph.graph.model import RunGraph
from rungraph.graph.nodes import Strength
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.elements import Arrow, Column
from rungraph.viz.model.labels import wrapped


def test_a_small_graph_is_drawn_whole(small: RunGraph) -> None:
    """A box for each node, an arrow for each edge, a column for each generation, nothing merged."""
    diagram = diagram_of(small)
    assert (diagram.view, diagram.is_reduced, diagram.notes) == ("full", False, ())
    assert list(diagram.boxes) == sorted(small)
    assert [arrow[:3] for arrow in diagram.arrows] == [edge[:3] for edge in small.edges]
    assert diagram.columns == tuple(
        Column(index, boxes, f"generation {index}")
        for index, boxes in enumerate(small.generations())
    )


def test_boxes_tell_what_they_are_and_which_family(small: RunGraph) -> None:
    """A provider's title is its id; both sides of a routed pair have one colour."""
    diagram = diagram_of(small)
    box = diagram.boxes[Address.provider("memory", "faiss")]
    assert (box.title, box.details) == (("faiss",), ("memory", "inline::faiss"))
    assert diagram.boxes[Address.table("models")].family == "inference"
    assert diagram.families["inference"] == ("inference", "models")


def test_providers_with_the_same_neighbours_share_a_box(large: RunGraph) -> None:
    """It names two and counts the rest; the full view draws each node, and no view loses one."""
    diagram = diagram_of(large)
    box = diagram.boxes[Address.provider("inference", "tgi-00")]
    assert box.title == ("30 providers · inference",)
    assert box.details == ("tgi-00, tgi-01, +28", "remote::tgi")
    assert len(box.addresses) == 30
    assert "12 providers · inference" in {one.title[0] for one in diagram.boxes.values()}
    boxes = diagram.boxes.values()
    assert sorted(address for box in boxes for address in box.addresses) == sorted(large)
    full = diagram_of(large, view="full")
    assert len(full.boxes) == len(large)
    assert len(full.arrows) == len(large.edges) + len(large.dropped)


def test_a_dropped_edge_is_drawn_and_no_error(large: RunGraph) -> None:
    """An edge that was left out of the start order has its arrow; no box is on a cycle."""
    diagram = diagram_of(large)
    arrows = [arrow[:3] for arrow in diagram.arrows if arrow.is_dropped]
    hub, router = Address.provider("telemetry", "hub"), Address.router("inference")
    assert (hub, router, Strength.SOFT) in arrows
    assert not any(box.is_in_cycle for box in diagram.boxes.values())


def test_two_or_three_like_providers_are_all_named() -> None:
    """A box names all its providers while "+1" would take as much room as a name."""
    for count, names in ((2, "p0, p1"), (3, "p0, p1, p2"), (4, "p0, p1, +2")):
        graph = graph_of({"inference": [(f"p{i}", "remote::tgi") for i in range(count)]})
        box = diagram_of(graph, view="factored").boxes[Address.provider("inference", "p0")]
        assert box.title == (f"{count} providers · inference",)
        assert box.details == (names, "remote::tgi")


def test_only_edges_on_a_required_cycle_are_marked(knotted: RunGraph) -> None:
    """Arrows into and out of the cycle are not part of it."""
    marked = {
        (a.dependency.api, a.dependent.api) for a in diagram_of(knotted).arrows if a.is_in_cycle
    }
    assert marked == {
        ("inference", "models"),
        ("models", "inference"),
        ("inference", "safety"),
        ("safety", "shields"),
        ("shields", "safety"),
        ("safety", "inference"),
    }


def test_a_cycle_spreads_over_columns_of_its_generation(knotted: RunGraph) -> None:
    """Along a cycle all arrows but one go to a later column."""
    diagram = diagram_of(knotted)
    column_of = {key: index for index, one in enumerate(diagram.columns) for key in one.boxes}
    marked = [arrow for arrow in diagram.arrows if arrow.is_in_cycle]
    back = [a for a in marked if column_of[a.dependency] >= column_of[a.dependent]]
    assert len(marked) == 6
    assert len(back) == 1
    assert [column.generation for column in diagram.columns].count(1) == 6


def test_a_soft_edge_is_never_part_of_a_cycle_and_a_loop_is_one() -> None:
    """An edge that can be left out is not marked, even between two nodes of a cycle."""
    graph = graph_of(
        {"inference": [("a", "inline::guarded")], "safety": [("guard", "inline::wary")]}
    )
    diagram = diagram_of(graph)
    table, guard = Address.table("models"), Address.provider("safety", "guard")
    assert diagram.boxes[table].is_in_cycle
    assert diagram.boxes[guard].is_in_cycle
    assert Arrow(table, guard, Strength.SOFT, is_pale=True) in diagram.arrows
    diagram = diagram_of(graph_of({"telemetry": [("me", "inline::mirror")]}))
    key = Address.provider("telemetry", "me")
    assert diagram.boxes[key].is_in_cycle
    assert Arrow(key, key, Strength.HARD, is_in_cycle=True) in diagram.arrows


def test_the_title_is_the_name_or_the_file(small: RunGraph, knotted: RunGraph) -> None:
    """Without either it says what it is; errors are counted where everyone looks first."""
    assert "1 error: cannot be run" in diagram_of(knotted).subtitle
    assert "error" not in diagram_of(small).subtitle
    assert diagram_of(small).title == "pictured"
    assert diagram_of(compile_config({}, environment={})).title == "run config"
    named = compile_config({"image_name": "a\tb"}, environment={})
    assert diagram_of(named).title == r"a\tb"


def test_names_are_wrapped_cut_and_escaped() -> None:
    """Lines end after separators, endless ids lose their middle, control characters are escaped."""
    lines = wrapped("nvidia-nim-llama-3.3-nemotron-super-49b-v1-eu-central-1-production")
    assert lines == ("nvidia-nim-llama-3.3-nemotron-", "super-49b-v1-eu-central-1-", "production")
    endless = wrapped("start" + "x" * 500 + "end")
    assert len(endless) in (3, 4)
    assert re.fullmatch("startxx+…x+xxend", "".join(endless))
    assert wrapped("tab\tbell\x07") == (r"tab\tbell\x07",)
