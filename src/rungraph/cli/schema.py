"""``rungraph schema``: the JSON Schemas of what other commands write."""

from __future__ import annotations

import click

from rungraph.cli.terminal import show


@click.command()
@click.argument("what", type=click.Choice(["plan"]))
def schema(what: str) -> None:  # noqa: ARG001  there is only one, so far
    """Show the JSON Schema of the JSON that a command writes: that of a plan."""
    from rungraph.graph.plan.schema import frozen_schema

    show(frozen_schema(), end="")
