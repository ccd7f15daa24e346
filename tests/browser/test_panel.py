"""Facts about the side panel, problems, overlays, selections and the timeline."""

from __future__ import annotations

import pytest
from tests.browser.chromium import Opened, texts
from tests.browser.conftest import Open
from tests.browser.graphs import knotted, late

from rungraph.graph import Address, RunGraph
from rungraph.graph.failures import assume_failed
from rungraph.viz.model.overlay import Mark, Overlay, Role
from rungraph.viz.timeline import Schedule, Span


def test_the_panel_tells_all_of_a_node(opened: Opened, graph: RunGraph) -> None:
    """Address, type, place in the file, evidence, config without secrets."""
    opened.click("provider:inference/small")
    text = opened.page.locator("#panel").inner_text()
    for part in ("provider:inference/small", "remote::tgi", "<text>:5:5", "Generation\n0"):
        assert part in text
    config = opened.page.locator("#panel pre.config").inner_text()
    assert config == "url: http://a:8080\napi_token: '********'"
    evidence = opened.page.locator("#panel .why").all_inner_texts()
    edge = graph.edge("provider:inference/small", "table:models")
    assert evidence == [f"{one.text} ({one.place})" for one in edge.evidence]
    assert "tok-4711-abcdef" not in opened.page.content()


def test_the_panel_tells_what_breaks(open_page: Open, graph: RunGraph) -> None:
    """What cannot start and what goes on without is the same as a start that degrades has it."""
    for one in (graph, knotted(), late()):
        opened = open_page(one, fragment="#view=full")
        for address in one:
            opened.page.evaluate(
                "id => { location.hash = `#node=${encodeURIComponent(id)}` }", str(address)
            )
            opened.page.locator("#panel code", has_text=str(address)).wait_for()
            failures = assume_failed(one, [address])
            for selector, expected in (
                (".breaks + ul", set(failures.failed) - {address}),
                (".weakens + ul", failures.degraded),
            ):
                found = opened.page.locator(f"#panel {selector} .node-link").all_inner_texts()
                assert set(found) == texts(expected), address


def test_links_in_the_panel_go_to_nodes(opened: Opened) -> None:
    """A neighbour in the panel is chosen with a click."""
    opened.click("provider:memory/faiss")
    opened.page.locator("#panel .node-link", has_text="router:inference").first.click()
    assert opened.page.locator("#panel h2").inner_text() == "inference"
    assert (
        opened.page.locator("#picture .n.chosen").get_attribute("data-address")
        == "router:inference"
    )


def test_resources_of_a_table_are_listed(opened: Opened) -> None:
    """A table tells what it registers at start."""
    opened.click("table:models")
    assert "tiny → small" in opened.page.locator("#panel").inner_text()


def test_a_cycle_is_red_and_the_rest_is_pale(open_page: Open) -> None:
    """An invalid config is drawn, its cycle lit, its problems marked and told."""
    graph = knotted()
    opened = open_page(graph, fragment="#view=full")
    cycle = {
        *("provider:inference/guarded", "table:models", "router:inference"),
        *("provider:safety/guard", "table:shields", "router:safety"),
    }
    assert opened.lit() == cycle
    assert opened.page.locator("#picture .e.cycle.lit").count() == 6
    stroke = opened.page.locator("#picture .e.cycle").first.evaluate(
        "one => getComputedStyle(one).stroke"
    )
    assert stroke == "rgb(217, 38, 38)"
    marked = opened.page.locator("#picture .n.has-error").first
    marked.click()
    assert "error[G001]" in opened.page.locator("#panel pre.problem").first.inner_text()
    opened.page.get_by_role("tab", name="Problems").click()
    assert "error[G001]" in opened.page.locator("#problems-page").inner_text()


def test_an_overlay_is_shown_with_marks(open_page: Open, graph: RunGraph) -> None:
    """Marks are written, said and explained; plain ones are pale, ghosts are drawn."""
    ghost = Address.parse("provider:inference/gone")
    overlay = Overlay(
        marks={
            **dict.fromkeys(graph, Mark(Role.PLAIN)),
            Address.parse("provider:inference/small"): Mark(Role.ADDED, "new"),
            ghost: Mark(Role.REMOVED, "removed"),
        },
        ghosts={ghost: ()},
        meanings={Role.ADDED: "came", Role.REMOVED: "went"},
        caption="what changed",
    )
    opened = open_page(graph, overlay=overlay)
    assert opened.lit() == {"provider:inference/small", str(ghost)}
    assert "what changed" in opened.page.locator("#caption").inner_text()
    legend = opened.page.locator("#entries").inner_text()
    assert "came" in legend
    assert "went" in legend
    assert opened.box("provider:inference/small").locator("text.mark").text_content() == "+ new"
    assert "came" in (opened.box("provider:inference/small").get_attribute("aria-label") or "")
    opened.click(str(ghost))
    text = opened.page.locator("#panel").inner_text()
    assert "not in the graph" in text
    assert "went: removed" in text


def test_a_selection_is_drawn_alone(open_page: Open, graph: RunGraph) -> None:
    """Only what was asked for and its surroundings is drawn; the rest can still be looked up."""
    opened = open_page(graph, select=[Address.parse("router:inference")], depth=1)
    near = {*graph.dependencies_of("router:inference"), *graph.dependents_of("router:inference")}
    assert opened.shown() == texts(near) | {"router:inference"}
    opened.page.locator("#search").fill("table:shields")
    assert "not drawn" in opened.page.locator("#hits").inner_text()
    opened.page.locator("#search").press("Enter")
    assert opened.page.locator("#panel h2").inner_text() == "shields"


def test_from_top_to_bottom(open_page: Open, graph: RunGraph) -> None:
    """What needs a node is below it, and the arrow keys know."""
    opened = open_page(graph, direction="TB")
    table, router = (opened.box(one).bounding_box() for one in ("table:models", "router:inference"))
    assert table is not None
    assert router is not None
    assert table["y"] + table["height"] < router["y"]
    opened.click("table:models")
    opened.page.keyboard.press("ArrowDown")
    assert opened.page.evaluate("document.activeElement.dataset.address") == "router:inference"


def test_a_timeline_has_a_page(open_page: Open, graph: RunGraph) -> None:
    """Waiting and own time lie side by side in it, to scale; the critical path stands out."""
    first, second = list(graph)[:2]
    spans = (
        Span(first, 0, first.api, "ready", 0.0, 0.5, 1.0),
        Span(second, 0, second.api, "waiting"),
    )
    opened = open_page(graph, timeline=Schedule("ours", spans, 1.0, (first,), 0.5))
    opened.page.get_by_role("tab", name="Timeline").click()
    caption = opened.page.locator(".gantt caption").inner_text()
    assert caption == (
        "2 nodes in 1 generation, 1.00 s; critical path: 1 node, 500 ms (50% of the total); "
        "parallel efficiency 50%: own starts of 500 ms in 1.00 s, at most 1 at once"
    )
    assert opened.page.locator(".gantt tbody tr").count() == 2
    track = opened.page.locator(".gantt tbody .track").first.bounding_box()
    bar = opened.page.locator(".gantt tbody .own-bar").bounding_box()
    assert track is not None
    assert bar is not None
    assert bar["x"] - track["x"] == pytest.approx(track["width"] / 2, abs=1)
    assert bar["width"] == pytest.approx(track["width"] / 2, abs=1)
    opened.page.locator(".gantt .node-link").first.click()
    assert opened.page.locator("#panel").is_visible()
