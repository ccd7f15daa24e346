"""Fixtures of the browser tests."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser
from tests.browser import chromium
from tests.browser.graphs import looked_at

from rungraph.graph import RunGraph
from rungraph.viz import render_html

# A module each: as long as playwright is there, its event loop keeps others from running theirs.
_browser = pytest.fixture(scope="module", name="browser")(chromium.browser)


_DRAWING = {"view", "select", "depth", "overlay", "direction", "timeline"}


class Open(Protocol):
    """Opens a page."""

    def __call__(self, graph: RunGraph, *, fragment: str = "", **settings: Any) -> chromium.Opened:
        """Open the page of *graph*; settings are for `render_html` or for the browser."""
        ...


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Generator[Open]:
    """Open the page of a graph; afterwards, nothing may have gone wrong in it."""
    opened: list[chromium.Opened] = []

    def open_one(graph: RunGraph, *, fragment: str = "", **settings: Any) -> chromium.Opened:
        path = tmp_path / f"page {len(opened)} #1.html"
        drawing = {name: settings.pop(name) for name in _DRAWING & settings.keys()}
        path.write_text(render_html(graph, **drawing), "utf-8")
        opened.append(chromium.open_file(browser, path, fragment=fragment, **settings))
        return opened[-1]

    yield open_one
    for one in opened:
        one.check()
        one.page.context.close()


@pytest.fixture(scope="session")
def graph() -> RunGraph:
    """The graph that most tests look at."""
    return looked_at()


@pytest.fixture
def opened(open_page: Open, graph: RunGraph) -> chromium.Opened:
    """Its page, all nodes drawn one by one."""
    return open_page(graph, fragment="#view=full")
