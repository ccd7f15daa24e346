"""Facts about what is lit and told when a node is chosen, a path asked for, a word searched."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from tests.browser.chromium import Opened, texts
from tests.browser.conftest import Open
from tests.shipped import SHIPPED

from rungraph.graph import Address, RunGraph, compile_config


def test_a_click_lights_what_a_node_needs_and_what_needs_it(
    opened: Opened, graph: RunGraph
) -> None:
    """The node, all that it needs, all that needs it, and the arrows between them; no more."""
    chosen = Address.parse("provider:memory/faiss")
    opened.click(str(chosen))
    needs, needed = {chosen, *graph.ancestors(chosen)}, {chosen, *graph.descendants(chosen)}
    assert opened.lit() == texts(needs | needed)
    assert opened.lit_arrows() == {
        str(edge) for edge in graph.edges if edge.dependent in needs or edge.dependency in needed
    }
    assert opened.page.locator("#picture .n.chosen").count() == 1


def test_what_is_needed_and_what_needs_it_look_different(opened: Opened) -> None:
    """Arrows are lit by the direction in which they were followed."""
    opened.click("router:inference")
    arrow = "#picture .e[data-edge='{}']"
    before = opened.page.locator(arrow.format("table:models -> router:inference"))
    after = opened.page.locator(arrow.format("router:inference -> provider:memory/faiss"))
    strokes = [one.evaluate("one => getComputedStyle(one).stroke") for one in (before, after)]
    assert len(set(strokes)) == 2


def test_the_depth_limits_how_far_is_followed(opened: Opened, graph: RunGraph) -> None:
    """With one step only neighbours are lit; moved to its end, the slider lights all again."""
    opened.click("router:inference")
    everything = opened.lit()
    slider = opened.page.get_by_role("slider", name="Steps to follow")
    slider.focus()
    slider.press("Home")
    near = {*graph.dependencies_of("router:inference"), *graph.dependents_of("router:inference")}
    assert opened.lit() == texts(near) | {"router:inference"}
    assert opened.page.url.endswith("#node=router%3Ainference&depth=1")
    slider.press("End")
    assert opened.lit() == everything


def test_one_direction_can_be_left_out(opened: Opened, graph: RunGraph) -> None:
    """What a node needs is followed alone when what needs it is switched off."""
    opened.click("router:inference")
    opened.page.get_by_role("button", name="what needs it").click()
    assert opened.lit() == texts(graph.ancestors("router:inference")) | {"router:inference"}


def test_a_click_beside_the_boxes_and_escape_leave_the_choice(opened: Opened) -> None:
    """Nothing is lit any more, and the panel is gone."""
    for leave in ("click", "Escape"):
        opened.click("router:inference")
        assert opened.lit()
        if leave == "click":
            opened.page.locator("#picture").click(position={"x": 500, "y": 60})
        else:
            opened.page.keyboard.press("Escape")
        assert opened.lit() == set()
        assert opened.page.locator("#panel").is_hidden()
        assert opened.page.locator("#picture .view.pale").count() == 0


_IN_THE_WAY = """([addresses]) => {
  const free = document.getElementById("stage").getBoundingClientRect();
  const cover = document.getElementById("panel").getBoundingClientRect();
  const right = cover.width ? Math.min(free.right, cover.left) : free.right;
  return [...document.querySelectorAll("#picture .n:not(.off)")].filter((box) => {
    const of = box.dataset.address ? [box.dataset.address] : JSON.parse(box.dataset.addresses);
    if (!of.some((one) => addresses.includes(one))) return false;
    const { left, top, right: end, bottom } = box.querySelector(".box").getBoundingClientRect();
    return left < free.left || top < free.top || end > right || bottom > free.bottom;
  }).map((box) => box.dataset.address ?? box.dataset.addresses);
}"""


def hidden_of(opened: Opened, addresses: Iterable[str]) -> list[str]:
    """Return the boxes of *addresses* that are not wholly in sight beside the panel."""
    opened.settle()
    found: list[str] = opened.page.evaluate(_IN_THE_WAY, [list(addresses)])
    return found


@pytest.mark.parametrize("config", SHIPPED)
def test_what_is_chosen_and_its_neighbours_are_in_sight(open_page: Open, config: str) -> None:
    """After a click on any box, it and what is next to it stand beside the panel, in every view."""
    graph = compile_config(config, environment={})
    opened = open_page(graph)
    for view in opened.page.locator("#views button").all():
        view.click()
        for index in range(opened.page.locator("#picture .n").count()):
            box = opened.page.locator(f'#picture .n[data-box="{index}"]')
            chosen = set(box.evaluate(
                "(box) => box.dataset.address ? [box.dataset.address]"
                " : JSON.parse(box.dataset.addresses)"
            ))  # fmt: skip
            box.dispatch_event("click")
            around = {
                str(other)
                for one in chosen
                for other in (*graph.dependencies_of(one), *graph.dependents_of(one))
            }
            assert hidden_of(opened, chosen | around) == []
    opened.page.keyboard.press("Escape")
    opened.settle()
    assert hidden_of(opened, map(str, graph)) == []


def test_every_node_can_be_the_other_end_of_a_path(open_page: Open, graph: RunGraph) -> None:
    """While the other end is asked for, no box is under the panel, wherever one had gone."""
    opened = open_page(graph)
    opened.click("router:inference")
    for _ in range(6):
        opened.page.keyboard.press("+")
    opened.page.keyboard.press("p")
    assert hidden_of(opened, map(str, graph)) == []
    assert opened.said().startswith("Path: choose the node")


def test_escape_leaves_nothing_behind(opened: Opened) -> None:
    """One Escape takes back the choice, the search, the filters and what was said last."""
    opened.page.locator("#search").fill("inference")
    opened.page.locator("#entries input").first.uncheck()
    opened.page.locator("#picture").focus()
    opened.page.keyboard.press("Escape")
    opened.settle()
    assert opened.page.locator("#search").input_value() == ""
    assert opened.page.locator("#picture .off").count() == 0
    assert opened.page.locator("#entries input:not(:checked)").count() == 0
    assert opened.page.locator("#picture .view.pale").count() == 0
    assert opened.page.locator("#say").text_content() == ""


@pytest.mark.parametrize("ends", [(0, 1), (1, 0)])
def test_a_path_between_two_nodes(opened: Opened, ends: tuple[int, int]) -> None:
    """After p the next node is the other end, whichever of the two starts first."""
    both = ("provider:inference/small", "provider:memory/faiss")
    opened.click(both[ends[0]])
    opened.page.keyboard.press("p")
    opened.click(both[ends[1]])
    way = [both[0], "table:models", "router:inference", both[1]]
    assert opened.lit() == set(way)
    assert opened.lit_arrows() == {f"{a} -> {b}" for a, b in pairwise(way)}
    listed = opened.page.locator("#panel ol.way .node-link").all_inner_texts()
    assert listed == way


def test_without_a_path_it_says_so(opened: Opened) -> None:
    """Two nodes of which neither needs the other have no path."""
    opened.click("provider:inference/small")
    opened.page.get_by_role("button", name="path to …").click()
    opened.page.clock.install()
    opened.click("provider:inference/large")
    opened.page.clock.fast_forward(60_000)
    # Long enough to be read; what was done by the way steps back by itself.
    assert opened.page.locator("#say:not(.old)").count() == 1
    assert opened.said() == (
        "No path between provider:inference/small and provider:inference/large: "
        "neither needs the other"
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("FAISS", {"provider:memory/faiss"}),
        ("kind:router", {"router:inference", "router:memory", "router:safety"}),
        ("api:inference remote", {"provider:inference/small", "provider:inference/large"}),
        ("type:inline::otel", {"provider:telemetry/otel"}),
        ("table: models", {"table:models"}),
        ("nothing-of-this-name", set()),
    ],
)
def test_search_lights_what_it_finds(opened: Opened, query: str, found: set[str]) -> None:
    """Each word must be there; words with a key look at one thing."""
    opened.page.keyboard.press("/")
    opened.page.keyboard.type(query)
    assert opened.lit() == found
    assert opened.page.locator("#hits [role=option]").count() == len(found)
    assert opened.page.locator("#picture .view.pale").count() == 1


def test_a_hit_is_gone_to(opened: Opened) -> None:
    """Arrow keys choose among the hits, Enter goes to the node, close enough to read it."""
    opened.page.keyboard.press("/")
    opened.page.keyboard.type("router")
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("ArrowDown")
    active = opened.page.locator("#search").get_attribute("aria-activedescendant")
    wanted = opened.page.locator(f"#{active} bdi").inner_text()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("#picture .n.chosen").get_attribute("data-address") == wanted
    assert opened.page.locator("#found").is_hidden()
    assert opened.scale() >= 0.69
    box = opened.box(wanted).bounding_box()
    assert box is not None
    assert box["x"] > 250
    assert box["x"] + box["width"] < 900


def test_escape_empties_the_search(opened: Opened) -> None:
    """Nothing is lit after it, and a second one goes back to the picture."""
    opened.page.keyboard.press("/")
    opened.page.keyboard.type("faiss")
    opened.page.keyboard.press("Escape")
    assert opened.lit() == set()
    assert opened.page.locator("#search").input_value() == ""
    opened.page.keyboard.press("Escape")
    assert opened.page.evaluate("document.activeElement.id") == "picture"


def test_a_hit_can_be_clicked(opened: Opened) -> None:
    """A click on a hit chooses the node."""
    opened.page.locator("#search").fill("guard")
    opened.page.locator("#hits [role=option]", has_text="provider:safety/guard").click()
    assert opened.page.locator("#panel h2").inner_text() == "guard"
