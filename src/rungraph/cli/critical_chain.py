"""``rungraph critical-chain``: what a recorded start had to wait for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import format_option
from rungraph.cli.terminal import show, style_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph import Address


@click.command("critical-chain", short_help="Show what a recorded start, or a node, waited for.")
@click.argument("events", metavar="EVENTS")
@click.argument("node", metavar="[NODE]", required=False)
@format_option
def critical_chain(events: str, node: str | None, form: str) -> int:
    """Show the chain of nodes whose own starts took longest together, back from its end.

    EVENTS is what 'rungraph run CONFIG --events EVENTS' has written, - standard input. With NODE,
    such as router:inference or inference/llm, the chain is the one that ends there. No schedule can
    start what is at the end of the chain faster than the chain takes.
    """
    from rungraph.cli.inputs.recorded import load_run, schedule_of
    from rungraph.viz.timeline import render_chain

    run = load_run(events)
    schedule = schedule_of(run)
    chain = run.times.critical_path
    if node is not None:
        chain = run.times.chain_to(_found(node, run.times.nodes))
    if form == "json":
        import json

        from rungraph.viz.timeline.data import span_values

        span_of = {span.address: span_values(span) for span in schedule.spans}
        nodes = [span_of[address] for address in chain]
        found = {"kind": "critical-chain", "seconds": sum(one["own"] for one in nodes)}
        show(json.dumps({**found, "nodes": nodes}, ensure_ascii=False, indent=2))
    elif chain:
        show(render_chain(schedule, chain, style_of(sys.stdout)))
    return 0


def _found(node: str, addresses: Iterable[Address]) -> Address:
    """Return the one node that *node* names: its address, with or without its kind.

    Raises:
        click.BadParameter: If it names none, or several.
    """
    from rungraph.graph.suggest import did_you_mean

    known = {str(address): address for address in addresses}
    if node in known:
        return known[node]
    bare = [text for text in known if text.partition(":")[2] == node]
    if len(bare) == 1:
        return known[bare[0]]
    if bare:
        msg = f"'{node}' is {' and '.join(bare)}: name one of them"
        raise click.BadParameter(msg, param_hint="NODE")
    question = did_you_mean(node, [*known, *(text.partition(":")[2] for text in known)])
    msg = f"no node '{node}' in this run" + (f"; {question}" if question else "")
    raise click.BadParameter(msg, param_hint="NODE")
