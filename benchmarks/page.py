"""The page of a graph of 2,000 nodes: how large it is, and how long a reader waits.

Measured in headless Chromium by the browser's own clocks: first paint from the paint timing, the
picture from a frame after the script's end, search and click from the event timing, which runs
from the key or the button to the frame that shows the outcome. Medians.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import chromium, seconds

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config
from rungraph.viz import render_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NODES, APIS, ROUNDS, MOST_BYTES, MOST_MS = 2000, 60, 5, 3_000_000, 200
_TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_WATCH = """
window.waits = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.waits.push(entry.duration);
}).observe({ type: "event", durationThreshold: 16 });
requestAnimationFrame(function look() {
  if (!performance.getEntriesByName("shown").length) return requestAnimationFrame(look);
  requestAnimationFrame(() => performance.mark("painted"));
});
"""

_PAINTED = """new Promise((done) => requestAnimationFrame(function look() {
  const isPainted = (name) => performance.getEntriesByName(name).length;
  if (isPainted("painted") && isPainted("first-contentful-paint")) done();
  else requestAnimationFrame(look);
}))"""

_MIDDLE_BOX = """() => {
  const middles = [...document.querySelectorAll("#picture .n")]
    .map((box) => box.getBoundingClientRect())
    .map((frame) => [frame.left + frame.width / 2, frame.top + frame.height / 2]);
  const away = ([x, y]) => Math.hypot(x - 750, y - 430);
  return middles.reduce((best, one) => (away(one) < away(best) ? one : best));
}"""


def graph_of(size: int) -> RunGraph:
    """Return a graph of about so many nodes: 60 routed APIs in six layers, all providers unlike."""
    chance = random.Random(1)
    names = [f"api-{index:02}" for index in range(APIS)]
    pairs = [RoutedPair(name, f"{name}-table", "thing", "id", "x:T") for name in names]
    specs: list[ProviderSpec] = []
    providers: dict[str, list[dict[str, Any]]] = {}
    for index, name in enumerate(names):
        below = names[: index // 10 * 10]
        for number in range(size // APIS - 2):
            needs = chance.sample(below, min(len(below), chance.choice((0, 1, 1, 2, 3))))
            uses = chance.sample(below, min(len(below), chance.choice((0, 0, 1))))
            spec = ProviderSpec(
                name,
                f"inline::type-{number}",
                "x",
                dependencies=tuple(sorted(needs)),
                optional_dependencies=tuple(sorted({*uses} - {*needs})),
            )
            specs.append(spec)
            entry = {
                "provider_id": f"{name}-server-{number:02}",
                "provider_type": spec.provider_type,
                "config": {"url": f"http://10.0.{index}.{number}:8000/v1", "timeout_seconds": 30},
            }
            providers.setdefault(name, []).append(entry)
    apis = [ApiSpec(api, f"x:{api}") for pair in pairs for api in (pair.router_api, pair.table_api)]
    catalog = Catalog.of(apis=apis, pairs=pairs, providers=specs)
    config = {"version": "2", "image_name": "large", "providers": providers}
    return compile_config(config, catalog=catalog, environment={}).check()


def opened(browser: Browser, address: str) -> Page:
    """Return a page that has been painted."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(_WATCH)
    page.goto(address)
    page.evaluate(_PAINTED)
    return page


def paints(browser: Browser, address: str) -> tuple[float, float]:
    """Return when something was painted first, and when the picture was, in milliseconds."""
    page = opened(browser, address)
    times = [
        page.evaluate(f"performance.getEntriesByName('{name}')[0].startTime")
        for name in ("first-contentful-paint", "painted")
    ]
    page.close()
    return times[0], times[1]


def longest_wait(page: Page) -> float:
    """Return how long the slowest event since the last call took; 16 ms for any that was faster."""
    page.evaluate(_TWO_FRAMES)
    page.wait_for_timeout(60)
    waits: list[float] = page.evaluate("window.waits.splice(0)")
    return max(waits, default=16.0)


def searches_and_clicks(page: Page) -> tuple[float, float]:
    """Return how long a search and a click on a box in the middle of the picture take."""
    longest_wait(page)
    page.keyboard.press("/")
    page.keyboard.insert_text("server-1")
    search = longest_wait(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    x, y = page.evaluate(_MIDDLE_BOX)
    longest_wait(page)
    page.mouse.click(x, y)
    click = longest_wait(page)
    assert page.locator("#picture .n.chosen").count() == 1
    page.keyboard.press("Escape")
    return search, click


def report(what: str, times: list[float], *, most: int | None = MOST_MS) -> None:
    """Print the median of *times*, and the least, which a busy machine disturbs less."""
    middle, least = statistics.median(times), min(times)
    limit = f"  <= {most}" if most else ""
    print(f"{what}: {middle:.0f} ms{limit}; the least of {len(times)}: {least:.0f} ms")


def main() -> None:
    """Measure and print."""
    graph = graph_of(NODES)
    taken = seconds(partial(render_html, graph))
    text = render_html(graph)
    size = len(text.encode())
    edges = len(graph.edges)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"page of {len(graph):,} nodes, {edges:,} edges: {size / 1e6:.2f} MB  <= 3; {taken:.1f} s"
    )
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder, "large.html")
        path.write_text(text, "utf-8")
        opened(browser, path.as_uri()).close()  # The browser itself has started up after that.
        for view in ("the first view", "full"):
            address = path.as_uri() + ("#view=full" if view == "full" else "")
            both = [paints(browser, address) for _ in range(ROUNDS)]
            report(f"{view}: first paint", [first for first, _ in both])
            report(f"{view}: the picture painted", [picture for _, picture in both], most=None)
            page = opened(browser, address)
            acts = [searches_and_clicks(page) for _ in range(ROUNDS)]
            report(f"{view}: search", [search for search, _ in acts])
            report(f"{view}: click-highlight", [click for _, click in acts])
            page.close()


if __name__ == "__main__":
    main()
