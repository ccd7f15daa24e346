"""``rungraph critical-chain``: what a recorded start had to wait for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import format_option
from rungraph.cli.inputs.recorded import load_run
from rungraph.cli.terminal import show, show_json, style_of
from rungraph.graph.suggest import did_you_mean
from rungraph.viz.timeline import render_chain
from rungraph.viz.timeline.data import FORMAT_VERSION, span_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph import Address


@click.command("critical-chain")
@click.argument("events", metavar="EVENTS")
@click.argument("node", metavar="[NODE]", required=False)
@format_option()
def critical_chain(events: str, node: str | None, form: str) -> None:
    """Show the chain of nodes whose own starts took longest together, back from its end.

    EVENTS is what 'rungraph run CONFIG --events EVENTS' has written, - standard input. With NODE,
    such as router:inference or inference/llm, the chain is the one that ends there. No schedule can
    start what is at the end of the chain faster than the chain takes.
    """
    run = load_run(events)
    schedule = run.schedule
    chain = run.times.critical_path
    if node is not None:
        chain = run.times.chain_to(_found(node, run.times.nodes))
    if form == "json":
        span_of = {span.address: span_values(span) for span in schedule.spans}
        nodes = [span_of[address] for address in chain]
        seconds = sum(one["own"] for one in nodes)
        head = {"kind": "critical-chain", "format_version": FORMAT_VERSION}
        show_json({**head, "seconds": seconds, "nodes": nodes})
    elif chain:
        show(render_chain(schedule, chain, style_of(sys.stdout)))


def _found(node: str, addresses: Iterable[Address]) -> Address:
    """Return the one node that *node* names: its address, with or without its kind.

    Raises:
        click.BadParameter: If it names none, or several.
    """
    names = {address: (str(address), str(address).partition(":")[2]) for address in addresses}
    found = [address for address, (whole, short) in names.items() if node in (whole, short)]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"'{node}' is {' and '.join(map(str, found))}: name one of them"
        raise click.BadParameter(msg, param_hint="NODE")
    question = did_you_mean(node, [name for several in names.values() for name in several])
    msg = f"no node '{node}' in this run" + (f"; {question}" if question else "")
    raise click.BadParameter(msg, param_hint="NODE")
