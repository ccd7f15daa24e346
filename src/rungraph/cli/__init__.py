"""The command line: puts the rooms together, one module a command.

A command is imported when it is named, so that checking a config loads no event loop.
"""

from __future__ import annotations

import click

from rungraph.cli.group import CommandLine

_COMMANDS = {
    "validate": "rungraph.cli.validate:validate",
    "plan": "rungraph.cli.plan:plan",
    "diff": "rungraph.cli.diff:diff",
    "query": "rungraph.cli.query:query",
    "why": "rungraph.cli.why:why",
    "why-not": "rungraph.cli.why_not:why_not",
    "graph": "rungraph.cli.graph:graph",
    "timeline": "rungraph.cli.timeline:timeline",
    "blame": "rungraph.cli.blame:blame",
    "critical-chain": "rungraph.cli.critical_chain:critical_chain",
    "run": "rungraph.cli.run:run",
    "providers": "rungraph.cli.providers:providers",
    "models": "rungraph.cli.models:models",
    "schema": "rungraph.cli.schema:schema",
    "explain": "rungraph.cli.explain:explain",
}

_HELP = """Compile a run config into a graph of providers; check it, show it, run it.

\b
    rungraph validate configs/quickstart.yaml
    rungraph plan configs/quickstart.yaml
    rungraph graph configs/quickstart.yaml -o graph.svg
    rungraph run configs/quickstart.yaml

Results go to standard output, everything else to standard error. Exit codes: 0 fine, 1 problems
found or the operation failed, 2 wrong usage, 3 differences found (when asked
for), 130 and 143 ended by a signal. With RUNGRAPH_DEBUG=1, errors come with their traceback.
"""


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from rungraph import __version__

        click.echo(f"rungraph {__version__}")
        context.exit()


@click.group(
    cls=CommandLine,
    places=_COMMANDS,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Run the command line."""
