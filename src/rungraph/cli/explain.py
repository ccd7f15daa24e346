"""``rungraph explain``: what a diagnostic code means."""

from __future__ import annotations

import click

from rungraph.cli.inputs.options import format_option
from rungraph.cli.terminal import show, show_json
from rungraph.graph.rules.codes import RULES
from rungraph.graph.suggest import closest


@click.command()
@click.argument("code", required=False)
@format_option()
def explain(code: str | None, form: str) -> None:
    """Say what a diagnostic CODE means and what to do; without CODE, list them all."""
    if code is None:
        if form == "json":
            show_json([rule._asdict() for rule in RULES.values()])
        else:
            for rule in RULES.values():
                show(f"{rule.code}  {rule.severity:<7}  {rule.title}")
        return
    if code.upper() not in RULES:
        near = closest(code, RULES)
        question = f"did you mean {near[0]}?" if near else "'rungraph explain' lists them"
        msg = f"no diagnostic has the code '{code}'; {question}"
        raise click.BadParameter(msg, param_hint="CODE")
    rule = RULES[code.upper()]
    if form == "json":
        show_json(rule._asdict())
    else:
        show(f"{rule.code} ({rule.severity}): {rule.title}\n\n{rule.text}")
