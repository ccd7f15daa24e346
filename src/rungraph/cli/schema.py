"""``rungraph schema``: the JSON Schemas of what commands write and servers answer."""

from __future__ import annotations

from importlib.resources import files

import click

from rungraph.cli.terminal import show

_ENDING = ".schema.json"
_SCHEMAS = {
    path.name.removesuffix(_ENDING): path
    for path in (files("rungraph") / "schemas").iterdir()
    if path.name.endswith(_ENDING)
}


@click.command()
@click.argument("what", type=click.Choice(sorted(_SCHEMAS)), required=False)
def schema(what: str | None) -> None:
    """Show the JSON Schema of what a command writes or a server answers; unnamed, list them all."""
    if what is None:
        show("\n".join(sorted(_SCHEMAS)))
    else:
        show(_SCHEMAS[what].read_text(encoding="utf-8"), end="")
