"""``rungraph query``: which nodes of a run config a query selects."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rungraph.cli.inputs.options import (
    allow_unset_env_option,
    catalog_option,
    edges_option,
    file_argument,
    format_option,
)
from rungraph.cli.terminal import complain, show, style_of, tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph import Address, Selection
    from rungraph.graph.query.asked import Edges
    from rungraph.graph.query.rendering import Shown

_OUTPUTS = ("label", "table", "tree", "path", "json", "dot", "mermaid", "location")


class _Run(NamedTuple):
    """How an earlier run went: what each node came to, and the seconds of its own start."""

    status: Mapping[Address, str] | None = None
    durations: Mapping[Address, float] | None = None


@click.command(short_help="Select nodes of a run config.")
@file_argument()
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option(
    "--output",
    type=click.Choice(_OUTPUTS),
    help="How they are written; path is for somepath and critical.  [default: label]",
)
@format_option
@edges_option
@click.option(
    "--order",
    type=click.Choice(["start", "label"]),
    help="In start order, or by address.  [default: start; a path in its own order]",
)
@click.option(
    "--expect",
    metavar="empty|nonempty|N",
    help="End with 1 unless no node, any node or N nodes are selected; patterns may match none.",
)
@click.option("--against", metavar="OLD", help="The config that 'state:' compares with.")
@click.option(
    "--status",
    "recording",
    metavar="EVENTS",
    help="The events of an earlier run, for 'status:'; critical() then adds up seconds.",
)
@click.option("--selectors", "more", metavar="FILE", help="A file with more 'selectors:'.")
@catalog_option
@allow_unset_env_option
def query(
    file: str,
    queries: tuple[str, ...],
    *,
    output: str | None,
    form: str,
    edges: Edges,
    order: str | None,
    expect: str | None,
    against: str | None,
    recording: str | None,
    more: str | None,
    catalog: str | None,
    allow_unset_env: bool,
) -> int:
    r"""Select the nodes of a run config that any QUERY selects; FILE - is standard input.

    \b
    router:safety             a node; also api:X, type:X, kind:X, tag:X, a provider id, globs
    +x  x+  2+x  @x           what x needs, what needs x, two levels, both with all they need
    a | b   a & b   a - b     union, intersection, difference; !a is all but a
    somepath(a, b)            a shortest path from a to b that it needs; allpaths(a, b): all nodes
    filter(re, x)  roots(x)  leaves(x)  siblings(x)  some(x, n)  attr(path, re, x)
    cycles()  critical()      nodes on circles; the longest chain
    let a = x in $a+ - $a     a name for a part

    Names with other characters go in quotes: "'my provider'+". Configs with errors can be queried
    all the same. Exit codes: 1 when --expect does not hold or the config cannot be read, 2 for a
    query that is none or selects by a name that is not there.
    """
    from rungraph.cli.inputs.comparable import load_askable
    from rungraph.graph import QueryError

    if file == against == "-":
        msg = "FILE and OLD cannot both be standard input"
        raise click.UsageError(msg)
    output = _output(output, form)
    expected = _expected(expect)
    graph = load_askable(file, catalog=catalog, allow_unset_env=allow_unset_env)
    old = (
        load_askable(against, catalog=catalog, allow_unset_env=allow_unset_env) if against else None
    )
    selectors = _selectors(more)
    if graph is None or (against and old is None) or selectors is None:
        return 1
    status, durations = _run(recording)
    from rungraph.graph.query import query as query_graph

    try:
        found = query_graph(graph,
            *queries, edges=edges, against=old, status=status, durations=durations,
            selectors=selectors, may_miss=expected is not None,
        )  # fmt: skip
    except QueryError as error:
        complain(str(error))
        return 2
    if output == "path" and found.path is None:
        msg = "only one query that is somepath(a, b) or critical() has a path"
        raise click.UsageError(msg)
    from rungraph.graph.query.rendering import Shown

    listed = _in_order(found, order, output)
    _show(Shown(graph, listed, edges, old, status), queries, found, output)
    if expected is not None and not expected.holds(len(found)):
        complain(f"expected {expected}, found {len(found):,}")
        return 1
    return 0


def _output(output: str | None, form: str) -> str:
    if form == "json":
        if output not in (None, "json"):
            msg = f"--format json and --output {output} cannot both hold"
            raise click.UsageError(msg)
        return "json"
    return output or "label"


def _expected(expect: str | None) -> Any:
    if expect is None:
        return None
    from rungraph.graph.query.expectation import FORMS, parse_expectation
    from rungraph.graph.suggest import did_you_mean

    found = parse_expectation(expect)
    if found is None:
        hint = did_you_mean(expect, ("empty", "nonempty"))
        msg = f"'{expect}' is not {FORMS}{f'; {hint}' if hint else ''}"
        raise click.BadParameter(msg, param_hint="'--expect'")
    return found


def _selectors(file: str | None) -> Mapping[str, str] | None:
    """Return the selectors of a file; None, and its problems told, if it has errors."""
    if file is None:
        return {}
    from rungraph.graph import Severity
    from rungraph.graph.diagnostic_text import render_diagnostic
    from rungraph.graph.query.config_checks import load_checks

    found = load_checks(file)
    for one in found.diagnostics:
        tell(render_diagnostic(one, style_of(sys.stderr)) + "\n")
    is_broken = any(one.severity is Severity.ERROR for one in found.diagnostics)
    return None if is_broken else found.selectors


def _run(file: str | None) -> _Run:
    if file is None:
        return _Run()
    from rungraph.cli.inputs.recorded import load_run

    run = load_run(file)
    return _Run(run.states, run.durations)


def _in_order(found: Selection, order: str | None, output: str) -> Sequence[Address]:
    if order == "label":
        return sorted(found)
    is_listed_as_path = order is None and found.path is not None and output != "json"
    return found.path if is_listed_as_path and found.path is not None else found.addresses


def _show(shown: Shown, queries: Sequence[str], found: Selection, output: str) -> None:
    from rungraph.graph.query import rendering

    if output == "json":
        import json

        values = rendering.selection_to_dict(shown, queries, found)
        show(json.dumps(values, indent=2, ensure_ascii=False))
        return
    if output in ("dot", "mermaid"):
        from pkgutil import resolve_name

        gone = [address for address in found if address not in shown.graph]
        if gone:
            tell(f"not drawn, because they are gone: {', '.join(map(str, gone))}")
        part = shown.graph.subgraph(address for address in found if address in shown.graph)
        text = resolve_name(f"rungraph.viz:render_{output}")(part)
    elif output == "table":
        text = rendering.render_table(shown, style_of(sys.stdout))
    elif output == "path":
        text = rendering.render_path(found.path or ())
    else:
        renderers = {
            "label": rendering.render_labels,
            "location": rendering.render_locations,
            "tree": rendering.render_tree,
        }
        text = renderers[output](shown)
    show(text, end="")
