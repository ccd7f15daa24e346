"""``rungraph validate``: what is wrong with run configs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rungraph.cli.options import file_argument, format_option, level_option
from rungraph.cli.terminal import counted, show

if TYPE_CHECKING:
    from rungraph.graph import Level, RunGraph


@click.command(short_help="Check run configs.")
@file_argument(several=True)
@level_option
@format_option
def validate(files: tuple[str, ...], level: str, form: str) -> int:
    """Check run configs; FILE - is standard input.

    Every problem goes to standard error, with its place and the way out, and one line a file to
    standard output. With --format json, one JSON object a line and file goes to standard output.
    """
    from rungraph.cli.loading import has_errors, load_graph, tell_problems
    from rungraph.graph import Level

    depth = Level[level.upper()]
    code = 0
    for file in files:
        graph = load_graph(file, depth)
        if has_errors(graph):
            code = 1
        if form == "json":
            show(_as_json(graph, depth))
        else:
            tell_problems(graph)
            show(_in_a_line(graph, depth))
    return code


def _in_a_line(graph: RunGraph, depth: Level) -> str:
    from rungraph.graph.rendering import count_text

    found = count_text(graph.diagnostics) or "no problems"
    size = f"{counted(len(graph), 'node')}, {counted(len(graph.generations()), 'generation')}"
    missing = ", ".join(_levels(depth)[1])
    return f"{graph.file}: {found} ({size}); not checked: {missing}"


def _as_json(graph: RunGraph, depth: Level) -> str:
    import json

    from rungraph.cli.loading import has_errors
    from rungraph.graph.rendering import diagnostic_to_dict

    checked, not_checked = _levels(depth)
    found = {
        "file": graph.file,
        "valid": not has_errors(graph),
        "checked": checked,
        "not_checked": not_checked,
        "diagnostics": [diagnostic_to_dict(one) for one in graph.diagnostics],
    }
    return json.dumps(found, ensure_ascii=False)


def _levels(depth: Level) -> tuple[list[str], list[str]]:
    """Return the names of the levels that *depth* checks, and of those that it does not."""
    from rungraph.graph import Level

    checked = [level.name.lower() for level in Level if level <= depth]
    return checked, [level.name.lower() for level in Level if level > depth]
