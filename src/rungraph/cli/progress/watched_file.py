"""A run config that a running stack follows: read again when it changes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.configs import load_runnable, tell_diagnostics
from rungraph.cli.output.errors import text_of
from rungraph.cli.terminal import complain
from rungraph.engine.waiting import thread_future
from rungraph.graph import RungraphError
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.place import absolute

if TYPE_CHECKING:
    from rungraph.cli.output.masks import Masks
    from rungraph.engine.run.stack import Stack

_LOOK_SECONDS = 0.5
"""Seconds between two looks at the file."""


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file that is reloaded when it changes.

    Attributes:
        path: The file, wherever a provider's code takes the process.
        catalog: The catalog that it is read with.
        stamp: Its stamp before it was read: what changes during a start is not missed.
    """

    path: Path
    catalog: str | None
    stamp: tuple[int, ...] | None

    @classmethod
    def at(cls, path: str | Path, catalog: str | None) -> WatchedFile:
        """Return the file as it is now.

        Raises:
            click.UsageError: If it is standard input or a pipe, which does not change.
        """
        if str(path) == "-" or (Path(path).exists() and not Path(path).is_file()):
            is_input = str(path) == "-"
            why = "standard input does not change" if is_input else f"{path} is not a regular one"
            msg = f"--watch is for a FILE: {why}"
            raise click.UsageError(msg)
        return cls(absolute(Path(path)), catalog, _stamp_of(Path(path)))

    async def reload_forever(self, stack: Stack, asked: asyncio.Event, masks: Masks) -> None:
        """Let *stack* go on with the file whenever it changes or is *asked* to.

        What does not run is told, and the stack goes on as before.
        """
        stamp = self.stamp
        while True:
            now = _stamp_of(self.path)
            if not asked.is_set() and now in (stamp, None):
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await asked.wait()
                continue
            stamp = now
            asked.clear()
            try:
                if self.path.exists() and not self.path.is_file():  # Reading it might never end.
                    complain(f"{self.path} is not reloaded: it is not a regular file any more")
                    continue
                # Reading a large config takes long; calls go on meanwhile.
                seconds = stack.settings.start_timeout
                graph = await thread_future(load_runnable, str(self.path), self.catalog, seconds)
                masks.add(graph)
                tell_diagnostics(graph.diagnostics)
                if errors_in(graph.diagnostics):
                    complain(f"{self.path} is not reloaded; the old config goes on")
                else:
                    await stack.apply(graph)
            except (RungraphError, OSError, click.ClickException) as error:
                complain(masks(f"{self.path} is not reloaded: {text_of(error)}"))


def _stamp_of(path: Path) -> tuple[int, ...] | None:
    """Return what differs when a file was written again; None when it is not there."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size, now.st_ino
