"""The command line: puts the rooms together, one module a command."""

from __future__ import annotations

import click

from rungraph.cli.group import CommandLine

_COMMANDS = {
    "upgrade": "Write a run config of Llama Stack or ogx for a later release.",
    "validate": "Check run configs.",
    "plan": "Show what a run config starts, in which order and why.",
    "diff": "Compare two run configs, and say what the difference touches.",
    "query": "Select nodes of a run config.",
    "why": "Say why a node is in the graph, or how two nodes hang together.",
    "why-not": "Say why something is not in the graph, or did not run.",
    "graph": "Draw a run config's graph: in the terminal or to a file.",
    "timeline": "Draw the start of a recorded run as a Gantt chart.",
    "blame": "List the nodes of a recorded start, the slowest first.",
    "critical-chain": "Show what a recorded start, or a node, waited for.",
    "run": "Start a stack, call it, stop it.",
    "serve": "Serve a stack over HTTP.",
    "members": "Take providers of a running server out of routing, and back in.",
    "providers": "List the provider types that there are.",
    "models": "Fetch weights that providers can then name.",
    "schema": "Show the JSON Schema of what a command writes.",
    "explain": "Say what a diagnostic code means.",
}

_HELP = """Compile a run config into a graph of providers; check it, show it, run it.

\b
    rungraph validate configs/quickstart.yaml
    rungraph plan configs/quickstart.yaml
    rungraph graph configs/quickstart.yaml -o graph.svg
    rungraph run configs/quickstart.yaml
    rungraph serve configs/quickstart.yaml

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
    summaries=_COMMANDS,
    help=_HELP,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
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
