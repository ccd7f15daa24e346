"""``rungraph upgrade``: a run config written for a later release."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import click

from rungraph.cli.files import write_file
from rungraph.cli.inputs.configs import read, tell_diagnostics
from rungraph.cli.inputs.options import catalog_errors
from rungraph.cli.terminal import show, tell
from rungraph.graph.compile import compile_document
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.source.document import parse_document
from rungraph.graph.upgrade.make import upgraded
from rungraph.graph.wording import counted, without_controls


@click.command()
@click.argument("config")
@click.option("--to", required=True, metavar="RELEASE", help="ogx@1.5.0, or llama-stack@0.7.3.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write the config here; without it, a diff is shown."
)
def upgrade(config: str, to: str, output: str | None) -> int:
    """Write a run config of Llama Stack or ogx for a later release.

    Types, keys and lists that have moved are moved, and comments stay. What has no successor is
    told with its place and stays as a comment at the end; in JSON, it is told only. The result is
    checked under the release: the exit code is 1 when it has errors there.
    """
    document = read(config)
    if not document.text:
        tell_diagnostics(document.diagnostics)
        return 1
    with catalog_errors("--to"):
        result = upgraded(document, to)
    if output is not None:
        write_file(Path(output), result.text.encode())
    else:
        # Shown, and so without secrets; what is written has them.
        old, new = document.source.shown(), parse_document(result.text).source.shown()
        difference = unified_diff(old, new, config, f"{config} ({result.target})")
        show(without_controls("".join(difference)), end="")
    tell(f"{config}: from {result.source} to {result.target}")
    for change in dict.fromkeys(result.changes):
        tell(f"  {masked_text(change, document.known)}")
    for place, what in result.dropped:
        shown = masked_text(what, document.known)
        remains = "stays as a comment" if result.has_comments else "is left out"
        tell(f"  {place}: {shown} has no successor, and {remains}")
    graph = compile_document(
        parse_document(result.text, output or config), catalog=to, environment={}
    )
    left = errors_in(graph.softened(("E001", "C034")).diagnostics)
    if left:
        tell(f"it does not start yet under {result.target}: {counted(len(left), 'error')}")
        tell_diagnostics(left)
    return 1 if left else 0
