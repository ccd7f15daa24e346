"""``rungraph explain``: what a diagnostic code means."""

from __future__ import annotations

import click

from rungraph.cli.inputs.options import format_option
from rungraph.cli.terminal import show


@click.command(short_help="Say what a diagnostic code means.")
@click.argument("code", required=False)
@format_option
def explain(code: str | None, form: str) -> None:
    """Say what a diagnostic CODE means and what to do; without CODE, list them all."""
    from rungraph.graph.rules.codes import RULES
    from rungraph.graph.suggest import closest

    if code is None:
        rules = list(RULES.values())
    elif code.upper() in RULES:
        rules = [RULES[code.upper()]]
    else:
        near = closest(code, RULES)
        question = f"did you mean {near[0]}?" if near else "'rungraph explain' lists them"
        msg = f"no diagnostic has the code '{code}'; {question}"
        raise click.BadParameter(msg, param_hint="CODE")
    if form == "json":
        import json

        found = [rule._asdict() for rule in rules]
        show(json.dumps(found if code is None else found[0], indent=2))
    elif code is None:
        show("\n".join(f"{rule.code}  {rule.severity:<7}  {rule.title}" for rule in rules))
    else:
        [rule] = rules
        show(f"{rule.code} ({rule.severity}): {rule.title}\n\n{rule.text}")
