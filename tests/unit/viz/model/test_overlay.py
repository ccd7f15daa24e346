"""Facts about what is laid over a picture."""

from __future__ import annotations

from typing import Any

from tests.unit.viz.graphs import graph_of

from rungraph.graph import compile_config
from rungraph.graph.address import Address
from rungraph.graph.diff import diff_graphs
from rungraph.graph.failures import assume_failed
from rungraph.graph.model import RunGraph
from rungraph.graph.plan import make_plan
from rungraph.viz import draw
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.overlay import (
    Mark,
    Overlay,
    Role,
    diff_overlay,
    plan_overlay,
    status_overlay,
    times_overlay,
)


def texts(graph: RunGraph, overlay: Overlay) -> set[str]:
    """Return what is written in a picture."""
    return {text.get_text() for text in draw(graph, overlay=overlay).axes[0].texts}


def test_a_plan_shows_what_is_left_out_as_ghosts() -> None:
    """A provider whose variable is not set is an outline by the id that it would have."""
    config = {
        "providers": {
            "inference": [
                {"provider_id": "llm", "provider_type": "remote::openai"},
                {"provider_id": "${env.VLLM_URL:+vllm}", "provider_type": "remote::openai"},
            ]
        }
    }
    graph = compile_config(config, environment={})
    ghost = Address.provider("inference", "vllm")
    diagram = diagram_of(graph, overlay=plan_overlay(graph))
    box = diagram.boxes[ghost]
    assert box.is_ghost
    assert box.details == ("inference", "remote::openai", "VLLM_URL is not set")
    (arrow,) = [one for one in diagram.arrows if one.is_ghost]
    assert arrow[:2] == (ghost, Address.table("models"))
    assert ghost not in diagram_of(graph).boxes
    assert f"plan: {len(graph)} created, 1 left out" in diagram.notes


def test_what_would_have_no_address_is_counted_and_not_drawn() -> None:
    """Two entries that are switched off by the same word are two, as in the plan, and no node."""
    off = {"provider_id": "__disabled__", "provider_type": "remote::openai"}
    graph = compile_config({"providers": {"inference": [off, off]}}, environment={})
    overlay = plan_overlay(graph)
    assert overlay.ghosts == {}
    assert overlay.caption == "plan: 3 created, 2 left out"
    assert [one.address for one in make_plan(graph).excluded] == [None, None]


def test_a_plan_shows_what_fails(small: RunGraph) -> None:
    """What fails and what runs without something stand out; the rest is pale."""
    otel = Address.provider("telemetry", "otel")
    overlay = plan_overlay(small, assume_failed(small, [otel]))
    diagram = diagram_of(small, overlay=overlay)
    user, router = Address.provider("inference", "llm"), Address.router("inference")
    assert diagram.boxes[otel].mark == Mark(Role.FAILED, "fails")
    assert diagram.boxes[router].mark == Mark(Role.WARNED, "runs without")
    loud = [key for key, box in diagram.boxes.items() if not box.is_pale]
    assert loud == [user, otel, router]
    assert set(diagram.meanings) == {Role.PLAIN, Role.WARNED, Role.FAILED}


def test_a_diff_shows_what_came_what_went_and_what_they_touch() -> None:
    """New nodes have a plus, removed ones are ghosts with a minus, both with their edges."""
    old = graph_of({"inference": [("a", "remote::tgi"), ("b", "remote::tgi")]})
    new = graph_of({"inference": [("a", "remote::tgi"), ("c", "remote::tgi")]})
    overlay = diff_overlay(diff_graphs(old, new))
    boxes = diagram_of(new, overlay=overlay).boxes
    came, went = Address.provider("inference", "c"), Address.provider("inference", "b")
    table = Address.table("models")
    assert boxes[came].mark == Mark(Role.ADDED, "new")
    assert boxes[went].is_ghost
    assert boxes[went].mark == Mark(Role.REMOVED, "removed")
    assert boxes[table].mark == Mark(Role.AFFECTED)
    assert boxes[Address.provider("inference", "a")].is_pale
    marks = {arrow[:2]: arrow.mark for arrow in diagram_of(new, overlay=overlay).arrows}
    assert marks[came, table] == Mark(Role.ADDED)
    assert marks[went, table] == Mark(Role.REMOVED)
    assert {"+ new", "\N{MINUS SIGN} removed", "touched by that", "the same"} <= texts(new, overlay)


def test_like_providers_with_other_marks_stay_apart() -> None:
    """A box never hides a mark."""
    graph = graph_of({"inference": [(f"p{i}", "remote::tgi") for i in range(6)]})
    marked = Overlay({Address.provider("inference", "p3"): Mark(Role.FAILED)})
    boxes = diagram_of(graph, view="factored", overlay=marked).boxes
    sizes = [len(box.addresses) for key, box in boxes.items() if key.name.startswith("p")]
    assert sizes == [5, 1]


def test_a_status_says_what_each_node_is_doing(small: RunGraph) -> None:
    """In its words, counted and explained; a word from elsewhere is shown, nothing is nothing."""
    states = dict.fromkeys(small, "ready")
    states[Address.table("models")] = "failed"
    overlay = status_overlay(states)
    assert overlay.caption == "status: 8 ready, 1 failed"
    shown = texts(small, overlay)
    assert {"\N{CHECK MARK} ready", "\N{MULTIPLICATION X} failed", "ready", "failed"} <= shown
    assert "! odd" in texts(small, status_overlay({Address.table("models"): "odd"}))
    nothing: Any = {}
    for overlay in (status_overlay(nothing), times_overlay(nothing), Overlay()):
        assert diagram_of(small, overlay=overlay) == diagram_of(small)


def test_times_show_the_critical_path(small: RunGraph) -> None:
    """The nodes that decided the time, and the arrows between them, stand out."""
    path = [Address.provider("inference", "llm"), Address.table("models")]
    spans = dict.fromkeys(small, (0.25, 1.5))
    diagram = diagram_of(small, overlay=times_overlay(spans, path))
    assert diagram.notes == ("started in 1.50 s, 2 nodes on the critical path",)
    assert [key for key, box in diagram.boxes.items() if not box.is_pale] == path
    assert diagram.boxes[path[0]].mark == Mark(Role.CRITICAL, "at 250 ms, took 1.25 s")
    (arrow,) = [one for one in diagram.arrows if not one.is_pale]
    assert arrow[:2] == tuple(path)


def test_times_do_not_hide_what_came_to_nothing(small: RunGraph) -> None:
    """A node that failed, was skipped or is not well stands out, and says so."""
    llm, models = Address.provider("inference", "llm"), Address.table("models")
    states = dict.fromkeys(small, "ready") | {llm: "failed", models: "skipped"}
    spans = {one: (0.25, 1.5) for one in small if one != models}
    diagram = diagram_of(small, overlay=times_overlay(spans, (), states))
    assert diagram.notes == ("started in 1.50 s, 1 failed, 1 skipped",)
    assert diagram.boxes[llm].mark == Mark(Role.FAILED, "failed")
    assert diagram.boxes[models].mark == Mark(Role.LOST, "skipped")
