"""Facts about zoom, colours, paper and narrow windows; and whether all text is where it belongs."""

from __future__ import annotations

import pytest
from tests.browser.chromium import Opened
from tests.browser.conftest import Open
from tests.browser.graphs import HOSTILE, WIDE
from tests.unit.viz.graphs import graph_of

from rungraph.graph import Address, RunGraph
from rungraph.graph.wording import has_controls, printable


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
    """Measured by the browser, with its own fonts, in every script; text is as the graph has it."""
    graph = graph_of({"inference": [(name, "remote::tgi") for name in names]})
    opened = open_page(graph, fragment="#view=full")
    seen = set[bool]()
    for key in "+++--------":  # Close by there are all texts, further away titles alone.
        opened.page.keyboard.press(key)
        opened.settle()
        assert opened.page.evaluate(_OUTSIDE) == []
        seen.add(opened.page.locator("#picture.brief text").count() > 0)
    assert seen == {True, False}
    assert opened.page.locator("#picture .n").count() == len(graph)
    for name in names:
        # What an id may not hold is in the graph as it is printed.
        held = printable(name) if has_controls(name) else name
        address = str(Address.provider("inference", held))
        row = opened.page.locator(f"#nodes tr[data-address={_quoted(address)}] td").first
        assert row.text_content() == address


def test_a_wider_font_is_fitted_into_the_boxes(open_page: Open, graph: RunGraph) -> None:
    """Where a reader's font takes more room than was measured, texts are drawn together."""
    opened = open_page(graph, fragment="#view=collapsed")
    opened.page.evaluate(
        "document.styleSheets[0].insertRule('#picture text { letter-spacing: 3px }')"
    )
    opened.page.get_by_role("radio", name="Full").click()
    opened.page.keyboard.press("+")
    opened.page.keyboard.press("+")
    opened.settle()
    assert opened.page.locator("#picture text[textLength]").count() > 0
    assert opened.page.evaluate(_OUTSIDE) == []


_OUTSIDE = """() => {
  const found = [];
  for (const box of document.querySelectorAll("#picture .n")) {
    const frame = box.querySelector(".box").getBoundingClientRect();
    for (const text of box.querySelectorAll("text")) {
      const at = text.getBoundingClientRect();
      const isInside = at.left > frame.left && at.right < frame.right
        && at.top > frame.top - 1 && at.bottom < frame.bottom + 1;
      if (at.width && !isInside) found.push(text.textContent);
    }
  }
  return found;
}"""


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
