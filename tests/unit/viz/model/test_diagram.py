"""Facts about what is drawn of a graph."""

from __future__ import annotations

from tests.unit.viz.graphs import graph_of

from rungraph.graph.address import Address
from rungraph.graph.compile import compile_config
from rungraph.graph.model import RunGraph
from rungraph.graph.nodes import Strength
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.elements import Arrow, Column
from rungraph.viz.model.labels import wrapped


def test_each_node_has_a_box_and_each_edge_an_arrow(small: RunGraph) -> None:
    """A small graph is drawn whole."""
    diagram = diagram_of(small)
    assert list(diagram.boxes) == sorted(small)
    assert [arrow[:3] for arrow in diagram.arrows] == [edge[:3] for edge in small.edges]


def test_columns_are_the_generations(small: RunGraph) -> None:
    """A graph without cycles has one column for each generation."""
    columns = [
        Column(index, boxes, f"generation {index}")
        for index, boxes in enumerate(small.generations())
    ]
    assert diagram_of(small).columns == tuple(columns)


def test_a_provider_box_tells_id_api_and_type(small: RunGraph) -> None:
    """The title of a provider is its id."""
    box = diagram_of(small).boxes[Address.provider("memory", "faiss")]
    assert (box.title, box.details) == (("faiss",), ("memory", "inline::faiss"))


def test_a_table_has_the_colour_of_its_router(small: RunGraph) -> None:
    """Both sides of a routed pair belong to one family."""
    diagram = diagram_of(small)
    assert diagram.boxes[Address.table("models")].family == "inference"
    assert diagram.families["inference"] == ("inference", "models")


def test_many_like_providers_become_one_box(large: RunGraph) -> None:
    """Thirty providers with equal neighbours are one box that names two and counts the rest."""
    diagram = diagram_of(large)
    box = diagram.boxes[Address.provider("inference", "tgi-00")]
    assert box.title == ("30 providers · inference",)
    assert box.details == ("tgi-00, tgi-01, +28", "remote::tgi")
    assert len(box.addresses) == 30
    assert Address.provider("inference", "tgi-01") not in diagram.boxes


def test_no_node_is_lost_in_collapsing(large: RunGraph) -> None:
    """The boxes stand for all nodes, each once."""
    boxes = diagram_of(large).boxes.values()
    assert sorted(address for box in boxes for address in box.addresses) == sorted(large)


def test_providers_with_other_neighbours_stay_apart(large: RunGraph) -> None:
    """Providers of one API that use telemetry are not merged with those that do not."""
    titles = [box.title[0] for box in diagram_of(large).boxes.values()]
    assert {"12 providers · inference", "30 providers · inference"} < set(titles)


def test_two_or_three_like_providers_are_all_named() -> None:
    """A box names all its providers while "+1" would take as much room as a name."""
    for count, names in ((2, "p0, p1"), (3, "p0, p1, p2"), (4, "p0, p1, +2")):
        graph = graph_of({"inference": [(f"p{i}", "remote::tgi") for i in range(count)]})
        box = diagram_of(graph, view="factored").boxes[Address.provider("inference", "p0")]
        assert box.title == (f"{count} providers · inference",)
        assert box.details == (names, "remote::tgi")


def test_a_small_graph_is_drawn_in_full(small: RunGraph) -> None:
    """Where each node can be read by itself, none is put together and no arrow left out."""
    diagram = diagram_of(small)
    assert (diagram.view, diagram.is_reduced, diagram.notes) == ("full", False, ())


def test_the_full_view_draws_each_node(large: RunGraph) -> None:
    """On request every node has its box and every edge its arrow."""
    diagram = diagram_of(large, view="full")
    assert len(diagram.boxes) == len(large)
    assert len(diagram.arrows) == len(large.edges) + len(large.dropped)


def test_dropped_edges_are_drawn(large: RunGraph) -> None:
    """An edge that was left out of the start order has its arrow, marked."""
    arrows = [arrow for arrow in diagram_of(large).arrows if arrow.is_dropped]
    hub, router = Address.provider("telemetry", "hub"), Address.router("inference")
    assert large.dropped
    assert (hub, router, Strength.SOFT) in [arrow[:3] for arrow in arrows]


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


def test_a_soft_edge_is_never_part_of_a_cycle() -> None:
    """An edge that can be left out is not marked, even between two nodes of a cycle."""
    graph = graph_of(
        {"inference": [("a", "inline::guarded")], "safety": [("guard", "inline::wary")]}
    )
    diagram = diagram_of(graph)
    table, guard = Address.table("models"), Address.provider("safety", "guard")
    assert diagram.boxes[table].is_in_cycle
    assert diagram.boxes[guard].is_in_cycle
    assert Arrow(table, guard, Strength.SOFT, is_pale=True) in diagram.arrows


def test_a_soft_circle_is_not_an_error(large: RunGraph) -> None:
    """Where an edge was dropped to break a circle, no box is marked."""
    assert not any(box.is_in_cycle for box in diagram_of(large).boxes.values())


def test_a_cycle_spreads_over_columns_of_its_generation(knotted: RunGraph) -> None:
    """Along a cycle all arrows but one go to a later column."""
    diagram = diagram_of(knotted)
    column_of = {key: index for index, one in enumerate(diagram.columns) for key in one.boxes}
    marked = [arrow for arrow in diagram.arrows if arrow.is_in_cycle]
    back = [a for a in marked if column_of[a.dependency] >= column_of[a.dependent]]
    assert len(marked) == 6
    assert len(back) == 1
    assert [column.generation for column in diagram.columns].count(1) == 6


def test_a_node_that_needs_itself_is_on_a_cycle() -> None:
    """The shortest cycle has one node."""
    diagram = diagram_of(graph_of({"telemetry": [("me", "inline::mirror")]}))
    key = Address.provider("telemetry", "me")
    assert diagram.boxes[key].is_in_cycle
    assert Arrow(key, key, Strength.HARD, is_in_cycle=True) in diagram.arrows


def test_the_subtitle_tells_that_a_graph_cannot_be_run(knotted: RunGraph, small: RunGraph) -> None:
    """Errors are counted where everyone looks first."""
    assert "1 error: cannot be run" in diagram_of(knotted).subtitle
    assert "error" not in diagram_of(small).subtitle


def test_the_title_is_the_name_or_the_file(small: RunGraph) -> None:
    """A config without a name is called by its file, one without a file by what it is."""
    assert diagram_of(small).title == "pictured"
    assert diagram_of(compile_config({}, environment={})).title == "run config"
    named = compile_config({"image_name": "a\tb"}, environment={})
    assert diagram_of(named).title == r"a\tb"


def test_long_ids_are_broken_after_separators() -> None:
    """A line ends after a dash, a dot or a slash rather than inside a word."""
    lines = wrapped("nvidia-nim-llama-3.3-nemotron-super-49b-v1-eu-central-1-production")
    assert lines == ("nvidia-nim-llama-3.3-nemotron-", "super-49b-v1-eu-central-1-", "production")


def test_endless_ids_lose_their_middle() -> None:
    """Start and end of an id of any length are shown, in a few lines."""
    lines = wrapped("start" + "x" * 500 + "end")
    text = "".join(lines)
    assert len(lines) in (3, 4)
    assert text.startswith("startxx")
    assert text.endswith("xxend")
    assert "…" in text


def test_what_cannot_be_shown_is_escaped() -> None:
    """Control characters never reach a picture."""
    assert wrapped("tab\tbell\x07") == (r"tab\tbell\x07",)
