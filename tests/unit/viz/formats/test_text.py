"""Facts about pictures made of text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rich.cells import cell_len

from rungraph.graph.address import Address
from rungraph.graph.model import RunGraph
from rungraph.viz import render_text
from rungraph.viz.formats import text
from rungraph.viz.formats.text import lanes_of
from rungraph.viz.model.overlay import status_overlay


def rows(text: str) -> list[str]:
    """Return the lines between the caption and the legend."""
    return text.partition("\n\n")[2].rpartition("\n\n")[0].split("\n")


def test_a_graph_as_a_whole(small: RunGraph) -> None:
    """A line a node in start order; lanes lead down from what is needed to what needs it."""
    assert render_text(small, width=80) == (
        "pictured\n"
        "9 nodes, 7 generations; arrows run from what is needed to what needs it\n"
        "\n"
        "0 ╭───────● provider:inference/embed  remote::tgi\n"
        "  │       ● provider:inspect/builtin  inline::inspect\n"
        "  │ ╭╌╌╌╌╌● provider:telemetry/otel   inline::otel\n"
        "  │ ┊\n"
        "1 ├─┼╌╌╌╌▷● provider:inference/llm    inline::local\n"
        "  │ ┊\n"
        "2 ╰─┊─┬──▶■ table:models              routing table\n"
        "    ┊ │\n"
        "3 ╭─┴╌┴──▶◆ router:inference          router\n"
        "  │\n"
        "4 ╰─┬────▶● provider:memory/faiss     inline::faiss\n"
        "    │\n"
        "5 ╭─┴────▶■ table:memory_banks        routing table\n"
        "  │\n"
        "6 ╰──────▶◆ router:memory             router\n"
        "\n"
        "● provider   ■ routing table   ◆ router   ──▶ needed   ╌╌▷ used if there"
    )


def test_without_box_drawing_there_is_ascii(small: RunGraph, long_names: RunGraph) -> None:
    """Every sign has a stand-in, and what else is not ASCII is escaped."""
    assert rows(render_text(small, width=80, is_ascii=True))[:6] == [
        "0 .-------o provider:inference/embed  remote::tgi",
        "  |       o provider:inspect/builtin  inline::inspect",
        "  | .~~~~~o provider:telemetry/otel   inline::otel",
        "  | :",
        "1 +-+~~~~>o provider:inference/llm    inline::local",
        "  | :",
    ]
    text = render_text(long_names, width=200, is_ascii=True)
    assert text.isascii()
    assert r"provider:inference/\u65e5\u672c" in text


def test_a_cycle_is_told_in_words_where_it_closes(knotted: RunGraph) -> None:
    """Lanes lead down; the arrow that leads up is said below its node, and its codes beside it."""
    shown = rows(render_text(knotted, width=80))
    at = next(n for n, line in enumerate(shown) if "provider:inference/guarded" in line)
    assert shown[at].endswith("● provider:inference/guarded  ✗ G001  inline::guarded")
    assert shown[at + 1].endswith("↑ needs router:safety")


def test_dropped_edges_are_bound_late(large: RunGraph) -> None:
    """An edge that was dropped has no lane: it is said what is bound late."""
    assert render_text(large).count("↑ bound late: provider:telemetry/hub") == 2


def test_views_choose_the_lines(large: RunGraph) -> None:
    """Like providers share a line with as many names as fit; the full view has one for each."""
    factored = rows(render_text(large, width=100))
    assert re.search(r"  tgi-00, tgi-01(, tgi-\d\d)+, \+2\d$", factored[2])
    assert "● 30 providers of inference" in factored[2]
    collapsed = rows(render_text(large, width=100, view="collapsed"))
    assert collapsed[0].split() == ["●", "inspect", "builtin"]
    assert len(collapsed) == 9
    assert all(str(address) in render_text(large, view="full", width=100) for address in large)


def test_where_lanes_have_no_room_there_are_words(
    small: RunGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more lanes than fit, the rest is said below the nodes that need or use them."""

    def lanes_of_one_column(rows: Any, arrows: Any, _: int) -> Any:
        return lanes_of(rows, arrows, 1)

    monkeypatch.setattr(text, "lanes_of", lanes_of_one_column)
    assert rows(render_text(small, width=80)) == [
        "0 ╭───● provider:inference/embed  remote::tgi",
        "  │   ● provider:inspect/builtin  inline::inspect",
        "  │   ● provider:telemetry/otel   inline::otel",
        "  │",
        "1 ├───● provider:inference/llm    inline::local",
        "  │       ↑ uses provider:telemetry/otel",
        "  │",
        "2 ╰──▶■ table:models              routing table",
        "",
        "3 ╭───◆ router:inference          router",
        "  │       ↑ needs table:models",
        "  │       ↑ uses provider:telemetry/otel",
        "  │",
        "4 ╰──▶● provider:memory/faiss     inline::faiss",
        "",
        "5 ╭───■ table:memory_banks        routing table",
        "  │       ↑ needs provider:memory/faiss",
        "  │",
        "6 ╰──▶◆ router:memory             router",
    ]


def test_marks_of_an_overlay_have_a_column_and_a_legend(small: RunGraph) -> None:
    """The sign and the words of a mark stand beside the node; the legend explains the signs."""
    overlay = status_overlay(dict.fromkeys(small, "ready"))
    text = render_text(small, width=100, overlay=overlay)
    assert rows(text)[0].endswith("● provider:inference/embed  ✓ ready  remote::tgi")
    assert text.endswith("✓ ready")
    assert "status: 9 ready" in text


def test_a_selection_says_what_it_hides(small: RunGraph) -> None:
    """Neighbours that are not drawn are counted."""
    text = render_text(small, select=[Address.router("inference")])
    assert rows(text) == ["3 ◆ router:inference  not shown: 2 before, 1 after"]
    assert render_text(small, select=[]).endswith("a selection: 0 of 9 nodes")


def test_colours_are_the_apis(small: RunGraph, knotted: RunGraph) -> None:
    """A node has its API's colour and a cycle is red; without a style there is no colour."""

    def marked(text: str, tone: str) -> str:
        return f"<{tone}>{text}</>"

    shown = render_text(small, width=80, style=marked)
    assert "<blue>table:models            </>" in shown
    assert "<green>provider:memory/faiss   </>" in shown
    assert "<error>router:safety             </>" in render_text(knotted, width=80, style=marked)


def test_names_of_any_width_are_cut_and_line_up(long_names: RunGraph) -> None:
    """Wide characters count twice: no line is too wide, and what a node is starts in one column."""
    for width in (40, 57, 80, 200):
        lines = render_text(long_names, width=width, view="full").split("\n")
        assert max(map(cell_len, lines)) <= width
    shown = [line for line in rows(render_text(long_names, width=120)) if "::" in line]
    starts = {cell_len(line[: max(line.find("inline::"), line.find("remote::"))]) for line in shown}
    assert len(starts) == 1
    assert "x…" in render_text(long_names, width=80)
    assert "日本語のモデルを提供するプロバイダー" in render_text(long_names, width=200)
