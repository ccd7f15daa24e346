"""Facts about the page, learnt by using it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.browser.graphs import HOSTILE, WIDE, knotted, late, named_graph

from rungraph.engine.events import NodeReady, NodeStarting, NodeWaiting, StackReady
from rungraph.engine.timeline import timeline
from rungraph.graph import Address, Strength
from rungraph.graph.failures import assume_failed
from rungraph.viz.overlay import Ghost, Mark, Overlay, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.browser.chromium import Opened
    from tests.browser.conftest import Open

    from rungraph.engine.events import Event
    from rungraph.graph import RunGraph


def texts(addresses: Iterable[Address]) -> set[str]:
    """Return *addresses* as text."""
    return set(map(str, addresses))


# --- choosing ----------------------------------------------------------------------------------


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


def test_the_picture_stays_where_it_is_when_the_panel_opens(opened: Opened) -> None:
    """A click does not move what was clicked, unless the panel would cover it."""
    before = _middle(opened, "router:inference")
    opened.click("router:inference")
    opened.settle()
    assert _middle(opened, "router:inference") == pytest.approx(before, abs=0.1)
    opened.page.keyboard.press("Escape")
    opened.click("provider:agents/assistant")
    opened.settle()
    box = opened.box("provider:agents/assistant").bounding_box()
    panel = opened.page.locator("#panel").bounding_box()
    assert box is not None
    assert panel is not None
    assert box["x"] + box["width"] < panel["x"]


def _middle(opened: Opened, address: str) -> tuple[float, float]:
    box = opened.box(address).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# --- paths -------------------------------------------------------------------------------------


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
    opened.click("provider:inference/large")
    assert opened.said() == (
        "No path between provider:inference/small and provider:inference/large: "
        "neither needs the other"
    )


# --- search ------------------------------------------------------------------------------------


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
    assert opened.scale() >= 0.7
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


# --- views and filters -------------------------------------------------------------------------


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
    assert opened.page.locator("#panel h2").inner_text() == "2 nodes"
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


# --- the panel ---------------------------------------------------------------------------------


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
        ghosts={ghost: Ghost("inference")},
        words={Role.ADDED: "came", Role.REMOVED: "went"},
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
    opened.page.locator("#search").fill("otel")
    assert "not drawn" in opened.page.locator("#hits").inner_text()
    opened.page.locator("#search").press("Enter")
    assert opened.page.locator("#panel h2").inner_text() == "otel"


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
    events: list[Event] = [
        *(NodeWaiting(at=0.0, address=one, on=(), generation=0) for one in list(graph)[:2]),
        NodeStarting(at=0.5, address=next(iter(graph))),
        NodeReady(at=1.0, address=next(iter(graph)), duration=0.5, waited=0.5),
        StackReady(at=1.0),
    ]
    opened = open_page(graph, timeline=timeline(events))
    opened.page.get_by_role("tab", name="Timeline").click()
    caption = opened.page.locator(".gantt caption").inner_text()
    assert caption == (
        "started in 1.00 s; critical path 500 ms over 1 node; 0.5 nodes starting at once on average"
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


# --- looking -----------------------------------------------------------------------------------


def test_zoom_and_fit(opened: Opened) -> None:
    """Buttons, keys and the wheel zoom; fit shows all again."""
    whole = opened.scale()
    opened.page.get_by_role("button", name="Zoom in").click()
    assert opened.scale() == pytest.approx(whole * 1.25, rel=0.01)
    opened.page.keyboard.press("-")
    assert opened.scale() == pytest.approx(whole, rel=0.01)
    opened.page.mouse.move(600, 400)
    opened.page.mouse.wheel(0, -300)
    opened.wait_for_scale(whole * 1.3)
    opened.page.keyboard.press("f")
    assert opened.scale() == pytest.approx(whole, rel=0.01)


def test_the_wheel_zooms_at_the_pointer(opened: Opened) -> None:
    """What is under the pointer stays there."""
    box = opened.box("router:inference").bounding_box()
    assert box is not None
    before = opened.scale()
    opened.page.mouse.move(box["x"], box["y"])
    opened.page.mouse.wheel(0, -200)
    opened.wait_for_scale(before * 1.1)
    after = opened.box("router:inference").bounding_box()
    assert after is not None
    assert after["width"] > box["width"]
    assert (after["x"], after["y"]) == (
        pytest.approx(box["x"], abs=2),
        pytest.approx(box["y"], abs=2),
    )


def test_dragging_moves_the_picture_and_chooses_nothing(opened: Opened) -> None:
    """A drag that begins on a box is no click."""
    before = opened.box("router:inference").bounding_box()
    assert before is not None
    opened.page.mouse.move(before["x"] + 20, before["y"] + 20)
    opened.page.mouse.down()
    opened.page.mouse.move(before["x"] + 70, before["y"] + 60, steps=4)
    opened.page.mouse.up()
    opened.settle()
    after = opened.box("router:inference").bounding_box()
    assert after is not None
    assert (after["x"] - before["x"], after["y"] - before["y"]) == (
        pytest.approx(50, abs=14),
        pytest.approx(40, abs=14),
    )
    assert opened.page.locator("#picture .n.chosen").count() == 0


def test_two_fingers_zoom(open_page: Open, graph: RunGraph) -> None:
    """Fingers that move apart make the picture larger."""
    opened = open_page(graph, has_touch=True)
    whole = opened.scale()
    session = opened.page.context.new_cdp_session(opened.page)

    def touch(kind: str, *xs: int) -> None:
        points = [{"x": x, "y": 400, "id": index} for index, x in enumerate(xs)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 600)
    touch("touchStart", 600, 700)
    for step in range(1, 6):
        touch("touchMove", 600 - 10 * step, 700 + 10 * step)
    touch("touchEnd")
    assert opened.scale() == pytest.approx(whole * 2, rel=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_the_switch(
    open_page: Open, graph: RunGraph, scheme: str
) -> None:
    """Dark paper by night, and by the switch; text stays readable on every box."""
    opened = open_page(graph, fragment="#view=full", color_scheme=scheme)
    seen = [opened.page.evaluate(_CONTRASTS)]
    opened.page.get_by_role("button", name="Dark colours").click()
    seen.append(opened.page.evaluate(_CONTRASTS))
    papers = [one["paper"] for one in seen]
    assert sorted(papers) == ["rgb(18, 23, 31)", "rgb(255, 255, 255)"]
    assert papers[0] == ("rgb(18, 23, 31)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert min(contrast for one in seen for contrast in one["contrasts"]) >= 4.5


_CONTRASTS = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/\\d+/g).map((one) => one / 255)
      .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const contrasts = [...document.querySelectorAll("#picture .n")].flatMap((box) => {
    const fill = getComputedStyle(box.querySelector(".box")).fill;
    return [...box.querySelectorAll("text.title, text.detail")]
      .map((text) => contrast(getComputedStyle(text).fill, fill));
  });
  return { paper: getComputedStyle(document.documentElement).backgroundColor, contrasts };
}"""


@pytest.mark.parametrize("names", [WIDE, HOSTILE])
def test_no_label_leaves_its_box(open_page: Open, names: tuple[str, ...]) -> None:
    """Measured by the browser, with its own fonts, in every script; text in it is as it was."""
    graph = named_graph({"inference": [(name, "remote::tgi") for name in names]})
    opened = open_page(graph, fragment="#view=full")
    opened.page.keyboard.press("+")
    opened.settle()
    outside = opened.page.evaluate("""() => {
      const found = [];
      for (const box of document.querySelectorAll("#picture .n")) {
        const { width, height } = box.querySelector(".box").getBBox();
        for (const text of box.querySelectorAll("text")) {
          const at = text.getBBox();
          const isInside = at.x >= 1 && at.x + at.width <= width - 1 && at.y >= 0
            && at.y + at.height <= height;
          if (!isInside) found.push(text.textContent);
        }
      }
      return found;
    }""")
    assert outside == []
    assert opened.page.locator("#picture .n").count() == len(graph)
    for name in names:
        address = str(Address.provider("inference", name))
        row = opened.page.locator(f"#nodes tr[data-address={_quoted(address)}] td").first
        assert row.text_content() == address


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_a_narrow_window(open_page: Open, graph: RunGraph) -> None:
    """On a phone nothing is wider than the window, and the panel leaves the picture in sight."""
    opened = open_page(graph, viewport={"width": 390, "height": 844}, has_touch=True)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    opened.box("provider:inference/small").tap()
    panel = opened.page.locator("#panel").bounding_box()
    assert panel is not None
    assert panel["y"] > 400
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_print(opened: Opened) -> None:
    """Paper gets the whole picture with all its texts, in light colours, without buttons."""
    opened.page.get_by_role("button", name="Dark colours").click()
    for _ in range(6):
        opened.page.keyboard.press("+")
    opened.page.emulate_media(media="print")
    opened.settle()
    assert opened.page.locator("#picture").get_attribute("viewBox")
    for selector in (".tools", "#search", "#zoom", "#views"):
        assert opened.page.locator(selector).is_hidden()
    paper = opened.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    boxes = opened.page.locator("#picture .n").all()
    assert all(box.locator("text.title").count() for box in boxes)
    opened.page.emulate_media(media="screen")
    opened.settle()
    assert opened.page.locator("#picture").get_attribute("viewBox") is None
    opened.click("router:inference")
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#panel .node-link").first.is_visible()
    assert opened.page.pdf().startswith(b"%PDF")
