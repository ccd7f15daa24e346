"""Facts about who can use the page: without a mouse, a script, a network, or eyes."""

from __future__ import annotations

import pytest
from tests.browser.chromium import Opened
from tests.browser.conftest import Open
from tests.browser.graphs import HOSTILE
from tests.unit.viz.graphs import graph_of

from rungraph.graph import RunGraph


def focused(opened: Opened) -> str:
    """Return the address of the box that has the focus."""
    found: str = opened.page.evaluate("document.activeElement.dataset.address ?? ''")
    return found


def test_arrow_keys_go_from_node_to_node(opened: Opened) -> None:
    """To what needs a node, to what it needs, and within a generation; Enter chooses, ? helps."""
    opened.page.locator("#picture").focus()
    opened.page.keyboard.press("ArrowRight")
    first = focused(opened)
    assert first.startswith("provider:")
    opened.page.keyboard.press("ArrowDown")
    assert focused(opened) != first
    opened.page.keyboard.press("ArrowUp")
    assert focused(opened) == first
    seen = [first]
    for _ in range(3):
        opened.page.keyboard.press("ArrowRight")
        seen.append(focused(opened))
    assert len(set(seen)) == 4
    opened.page.keyboard.press("ArrowLeft")
    assert focused(opened) in seen
    opened.page.keyboard.press("Enter")
    chosen = opened.page.locator("#picture .n.chosen")
    assert chosen.get_attribute("data-address") == focused(opened)
    assert opened.page.locator("#panel").is_visible()
    opened.page.keyboard.press("Escape")
    assert opened.page.locator("#panel").is_hidden()
    opened.page.keyboard.press("?")
    dialog = opened.page.get_by_role("dialog")
    assert "path between the chosen node and the next one" in dialog.inner_text()
    opened.page.keyboard.press("Escape")
    assert dialog.is_hidden()


def test_tab_reaches_everything(opened: Opened) -> None:
    """Search, tabs, tools, legend, picture, views and zoom have a place in the tab order."""
    opened.click("provider:memory/faiss")
    opened.page.locator("#search").focus()
    reached: set[str] = set()
    for _ in range(60):
        reached.add(
            opened.page.evaluate(
                "(document.activeElement.closest('[id]') ?? document.body).id || 'body'"
            )
        )
        opened.page.keyboard.press("Tab")
    assert {"search", "theme", "ask", "views", "zoom-in", "fit", "path", "panel"} <= reached
    assert reached & {"entries", "legend"}
    assert reached & {"picture", "world"}


def test_those_who_hear_the_page_know_every_node(opened: Opened, graph: RunGraph) -> None:
    """Every box is a button with a name; what happens is said."""
    buttons = opened.page.locator("#picture").get_by_role("button")
    assert buttons.count() == len(graph)
    name = opened.box("provider:memory/faiss").get_attribute("aria-label")
    assert name == "faiss, provider of memory, inline::faiss, generation 4, needs 1, needed by 1"
    opened.click("provider:memory/faiss")
    assert opened.page.get_by_role("status").get_attribute("aria-live") == "polite"
    assert opened.said() == "provider:memory/faiss: needs 6, needed by 3"


def test_the_nodes_are_a_table_too(opened: Opened, graph: RunGraph) -> None:
    """The table has every node in start order; a click on a row tells of the node."""
    opened.page.get_by_role("tab", name="Nodes").click()
    cells = opened.page.locator("#nodes tbody td:first-child").all_inner_texts()
    assert cells == [str(address) for address in graph]
    opened.page.locator("#nodes tbody tr", has_text="provider:safety/guard").click()
    assert opened.page.locator("#panel h2").inner_text() == "guard"
    opened.page.get_by_role("tab", name="Graph").click()
    assert opened.page.locator("#picture .n.chosen").count() == 1


def test_links_lead_to_a_node(open_page: Open, graph: RunGraph) -> None:
    """The address names what is chosen; opened again it shows the same."""
    first = open_page(graph)
    first.page.keyboard.press("/")
    first.page.keyboard.type("guard")
    first.page.keyboard.press("Enter")
    fragment = "#" + first.page.url.rsplit("#", 1)[1]
    assert fragment == "#node=provider%3Asafety%2Fguard"
    second = open_page(graph, fragment=fragment)
    assert second.page.locator("#panel h2").inner_text() == "guard"
    assert second.lit() == first.lit()
    second.page.evaluate("location.hash = '#path=router%3Ainference..provider%3Asafety%2Fguard'")
    second.page.locator("ol.way").wait_for()
    assert second.lit() == {"router:inference", "provider:safety/guard"}


@pytest.mark.parametrize(
    "fragment",
    [
        "#node=provider%3Anone",
        "#node=%E0%A4%A",
        "#view=__proto__&tab=constructor",
        "#=&&path=..",
        "#depth=-1&node=toString",
    ],
)
def test_links_that_lead_nowhere_do_no_harm(
    open_page: Open, graph: RunGraph, fragment: str
) -> None:
    """The page opens as it would without them."""
    opened = open_page(graph, fragment=fragment)
    assert opened.page.locator("#panel").is_hidden()
    assert opened.shown()


def test_the_policy_keeps_the_page_offline(opened: Opened) -> None:
    """Whatever ran in the page could fetch nothing, load nothing and add no script."""
    opened.page.evaluate("""async () => {
      await fetch("https://example.org/").catch(() => {});
      const image = new Image();
      image.src = "https://example.org/x.png";
      await image.decode().catch(() => {});
      const script = document.createElement("script");
      try { script.textContent = "window.ran = true"; document.body.append(script); } catch {}
      const frame = document.createElement("iframe");
      frame.src = "https://example.org/";
      document.body.append(frame);
      // What was kept from happening is told a little later.
      const until = performance.now() + 10000;
      while (performance.now() < until && !window.violations.join().includes("frame-src"))
        await new Promise((done) => setTimeout(done, 20));
    }""")
    found = opened.page.evaluate("window.violations.splice(0).map((one) => one.split(' ')[0])")
    assert {"connect-src", "img-src", "frame-src"} <= set(found)
    assert opened.page.evaluate("window.ran") is None
    opened.complaints.clear()
    opened.page.goto("about:blank")


def test_hostile_ids_are_only_text(open_page: Open) -> None:
    """Ids that look like markup are read as they are, in the picture, the panel and the search."""
    graph = graph_of({"inference": [(name, "remote::tgi") for name in HOSTILE]})
    opened = open_page(graph, fragment="#view=full")
    assert opened.page.locator("script:not([type])").count() == 2
    assert opened.page.locator("img, #picture svg, [onload], [onerror]").count() == 0
    for name in HOSTILE:
        opened.page.locator("#search").fill(name.split()[0])
        opened.page.locator("#hits [role=option]").first.wait_for()
        opened.page.keyboard.press("Enter")
    opened.page.locator("#search").fill(HOSTILE[0])
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("#panel h2").inner_text() == HOSTILE[0]


def test_without_scripts_the_nodes_are_there(open_page: Open, graph: RunGraph) -> None:
    """The table of the nodes needs no JavaScript."""
    opened = open_page(graph, java_script_enabled=False)
    cells = opened.page.locator("#nodes tbody td:first-child").all_inner_texts()
    assert cells == [str(address) for address in graph]
    assert opened.page.locator("noscript").first.is_visible()
    opened.page.close()


def test_an_empty_graph_can_be_opened(open_page: Open, graph: RunGraph) -> None:
    """A page without boxes does everything without complaint."""
    opened = open_page(graph.subgraph([]))
    assert opened.shown() == set()
    for key in ("f", "+", "p", "ArrowRight", "/", "Escape", "1", "d", "?"):
        opened.page.keyboard.press(key)
