"""The page of a server that runs, and what stands on it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect
from tests.contract.command_line import opened

PROVIDER = "provider:inference/told"


@contextmanager
def served(path: Path, *words: str, **variables: str) -> Generator[tuple[Any, str]]:
    """Run a server; return its process and its URL."""
    state = path.parent / "state"
    port, *more = words or ("0",)
    with opened("serve", path, "--port", port, "--state-dir", state, *more, **variables) as process:
        yield process, process.url()


@contextmanager
def opened_page(browser: Browser, url: str) -> Generator[Page]:
    """Open *url*; afterwards nothing may have broken the page's policy or its script."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda one: wrong.append(one.text) if "Content Security Policy" in one.text else None,
    )
    page.goto(url)
    yield page
    assert wrong == []
    context.close()


def marked(page: Page, state: str) -> None:
    """Wait until the provider's box says that it is in *state*."""
    box = page.locator(f'#picture .n[data-address="{PROVIDER}"]')
    expect(box).to_contain_text(state)
