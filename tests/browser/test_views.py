"""Facts about views, filters, overlays and the legend."""

from __future__ import annotations

import pytest
from tests.browser.chromium import Opened, texts
from tests.browser.conftest import Open

from rungraph.graph import RunGraph, Strength


def test_views_are_switched(opened: Opened, graph: RunGraph) -> None:
    """Every view draws every node; like providers share a box, then those of an API."""
    counts: list[int] = []
    for name in ("APIs", "Factored", "Full"):
        opened.page.get_by_role("radio", name=name).click()
        assert opened.page.get_by_role("radio", name=name).get_attribute("aria-checked") == "true"
        assert opened.shown() == texts(graph.nodes)
        counts.append(opened.page.locator("#picture .n").count())
    assert counts == sorted(set(counts))
    assert counts[-1] == len(graph)
    opened.page.keyboard.press("1")
    assert opened.page.locator("#picture .n").count() == counts[0]


def test_a_choice_outlives_the_view(opened: Opened) -> None:
    """What is chosen in one view is lit in the next."""
    opened.click("provider:memory/faiss")
    lit = opened.lit()
    opened.page.get_by_role("radio", name="APIs").click()
    assert lit <= opened.lit()
    assert opened.page.locator("#picture .n.chosen").count() == 1
    opened.page.get_by_role("radio", name="Full").click()
    assert opened.lit() == lit


def test_a_box_of_several_lists_them(opened: Opened) -> None:
    """A click on like providers shows which they are; each can be gone to."""
    opened.page.get_by_role("radio", name="Factored").click()
    opened.page.locator("#picture .n[data-addresses]").first.click()
    assert opened.page.locator("#panel h2").inner_text() == "2 providers · inference"
    opened.page.locator("#panel .node-link", has_text="provider:inference/small").first.click()
    assert opened.page.locator("#panel h2").inner_text() == "small"


@pytest.mark.parametrize(
    ("label", "gone"),
    [
        ("router", {"router:inference", "router:memory", "router:safety"}),
        ("memory, memory_banks", {"provider:memory/faiss", "table:memory_banks", "router:memory"}),
    ],
)
def test_kinds_and_apis_are_switched_off(
    opened: Opened, graph: RunGraph, label: str, gone: set[str]
) -> None:
    """Their boxes are not to be seen, nor the arrows at them; switched on, they come back."""
    box = opened.page.locator("#legend label", has_text=label).first.locator("input")
    box.uncheck()
    assert opened.shown() == texts(graph.nodes) - gone
    for address in gone:
        assert opened.box(address).is_hidden()
        arrows = opened.page.locator(f"#picture .e:not(.off)[data-edge*='{address}']")
        assert arrows.count() == 0
    box.check()
    assert opened.shown() == texts(graph.nodes)


def test_a_strength_that_is_off_is_not_followed(opened: Opened, graph: RunGraph) -> None:
    """Without soft edges a click lights only what is really needed."""
    opened.click("provider:telemetry/otel")
    assert len(opened.lit()) > 1
    opened.page.locator("#legend label", has_text="used if there").locator("input").uncheck()
    assert opened.lit() == {"provider:telemetry/otel"}
    soft = [edge for edge in graph.edges if edge.strength is Strength.SOFT]
    assert opened.page.locator("#picture .e.off").count() == len(soft)


def test_the_legend_shows_what_is_there(opened: Opened, open_page: Open, graph: RunGraph) -> None:
    """What is not in the picture is not in the legend."""
    words = opened.page.locator("#entries").inner_text()
    assert "used if there" in words
    assert "cycle" not in words
    one = open_page(graph.subgraph(["provider:memory/faiss"]))
    words = one.page.locator("#entries").inner_text()
    assert "router" not in words
    assert "needed" not in words
