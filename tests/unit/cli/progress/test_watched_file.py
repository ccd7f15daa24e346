"""A file that a running stack follows: looking at it fails, or takes for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rungraph.cli.output.masks import Masks
from rungraph.cli.progress.watched_file import WatchedFile
from rungraph.engine.run.stack import Stack
from rungraph.graph import compile_config

_CONFIG = "providers: {}\n"


async def _reloaded(file: Path, change: Callable[[asyncio.Event], None]) -> None:
    """Follow *file* in a stack of its own until *change* has been followed."""
    graph, asked, changed = compile_config(file), asyncio.Event(), asyncio.Event()
    async with Stack(graph) as stack:
        stack.events.subscribe(lambda _: changed.set())
        watching = asyncio.create_task(
            WatchedFile.at(file, None).reload_forever(stack, asked, Masks(graph))
        )
        changed.clear()
        change(asked)
        waiting = asyncio.create_task(changed.wait())
        await asyncio.wait([waiting, watching], return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert waiting.done()
        watching.cancel()


async def test_a_file_that_cannot_be_looked_at_is_told_and_followed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the system objects to, such as a folder that may not be entered now."""
    (file := tmp_path / "run.yaml").write_text(_CONFIG)
    exists = Path.exists

    def forbidden(path: Path) -> bool:
        monkeypatch.setattr(Path, "exists", exists)
        raise PermissionError(13, "Permission denied", str(path))

    def change(asked: asyncio.Event) -> None:
        monkeypatch.setattr(Path, "exists", forbidden)
        asked.set()
        asyncio.get_running_loop().call_later(0.1, asked.set)

    await _reloaded(file, change)
    assert f"{file} is not reloaded: {file}: permission denied" in capsys.readouterr().err


async def test_a_provider_that_uses_up_the_threads_keeps_nobody_from_reloading(
    tmp_path: Path,
) -> None:
    """Those of the event loop are everybody's."""
    (file := tmp_path / "run.yaml").write_text(_CONFIG)
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        pool.submit(done.wait)
        try:
            await _reloaded(file, asyncio.Event.set)
        finally:
            done.set()
