"""A headless Chromium that must ask nobody for anything."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route

from rungraph.graph import Address

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""

# The picture comes after the first frame.
_SHOWN = """new Promise((done) => requestAnimationFrame(function look() {
  const isThere = performance.getEntriesByName("shown").length;
  if (isThere || !document.getElementById("picture")) done();
  else requestAnimationFrame(look);
}))"""


def browser() -> Generator[Browser]:
    """Yield a running Chromium; skip where there is none."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        running: Browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield running
        running.close()


def texts(addresses: Iterable[Address]) -> set[str]:
    """Return *addresses* as text."""
    return set(map(str, addresses))


@dataclass
class Opened:
    """An open page and what went wrong in it.

    Attributes:
        page: The page.
        path: Its file.
        asked: Requests for anything but that file.
        complaints: Errors, warnings and uncaught exceptions.
    """

    page: Page
    path: Path
    asked: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])

    def lit(self) -> set[str]:
        """Return the addresses of what is lit."""
        return self._addresses(".n.lit")

    def shown(self) -> set[str]:
        """Return the addresses of the boxes that are not switched off."""
        return self._addresses(".n:not(.off)")

    def _addresses(self, selector: str) -> set[str]:
        found = self.page.locator(f"#picture {selector}").evaluate_all(
            "boxes => boxes.flatMap((box) => box.dataset.address ? [box.dataset.address]"
            " : JSON.parse(box.dataset.addresses))"
        )
        return set(found)

    def lit_arrows(self) -> set[str]:
        """Return the arrows that are lit, as ``dependency -> dependent``."""
        found = self.page.locator("#picture .e.lit").evaluate_all(
            "arrows => arrows.map((arrow) => arrow.dataset.edge)"
        )
        return set(found)

    def box(self, address: str) -> Any:
        """Return the box of one node."""
        return self.page.locator(f'#picture .n[data-address="{address}"]')

    def click(self, address: str) -> None:
        """Click the box of one node."""
        self.box(address).click()

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def said(self) -> str:
        """Return what the page said last."""
        return self.page.locator("#say").inner_text()

    def scale(self) -> float:
        """Return how many pixels a unit of the drawing takes."""
        self.settle()
        found: float = self.page.evaluate(
            "document.getElementById('world').transform.baseVal.consolidate().matrix.a"
        )
        return found

    def wait_for_scale(self, least: float) -> None:
        """Wait until the picture is at least that large."""
        # Not wait_for_function: that evaluates text, which the page's policy forbids.
        self.page.evaluate(
            """least => new Promise((done, fail) => {
              const until = performance.now() + 10000;
              requestAnimationFrame(function look() {
                const world = document.getElementById("world");
                if (world.transform.baseVal.consolidate().matrix.a >= least) done();
                else if (performance.now() > until) fail(new Error("it stays small"));
                else requestAnimationFrame(look);
              });
            })""",
            least,
        )

    def check(self) -> None:
        """Fail if the page asked for anything, complained or broke its policy."""
        if not self.page.is_closed():
            violations = self.page.evaluate("window.violations ?? []")
            assert violations == []
        assert self.asked == []
        assert self.complaints == []


def open_file(running: Browser, path: Path, *, fragment: str = "", **context: Any) -> Opened:
    """Open a file in a context of its own; *context* goes to ``Browser.new_page``."""
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, **context}
    page = running.new_page(**settings)
    opened = Opened(page, path)

    def route(found: Route) -> None:
        if found.request.url.partition("#")[0] == path.as_uri():
            found.continue_()
        else:
            opened.asked.append(found.request.url)
            found.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            opened.complaints.append(message.text)

    page.route("**/*", route)
    page.on("console", hear)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("dialog", lambda dialog: opened.complaints.append(f"dialog: {dialog.message}"))
    if context.get("java_script_enabled", True):
        page.add_init_script(_WATCH)
    page.goto(path.as_uri() + fragment)
    if context.get("java_script_enabled", True):
        page.evaluate(_SHOWN)
    return opened
