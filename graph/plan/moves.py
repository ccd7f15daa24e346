"""What has moved since a plan was saved: its config, its environment, its catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diff.compare import diff_graphs
from rungraph.graph.diff.facts import hidden_of
from rungraph.graph.diff.render import sections_of
from rungraph.graph.diff.snapshot import snapshot_of
from rungraph.graph.plan.fingerprints import STORE, spec_prints, value_prints, variable_prints
from rungraph.graph.plan.graph_json import graph_of_plan
from rungraph.graph.source.positions import path_text
from rungraph.graph.variables import variables_in
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.diff.model import GraphDiff
    from rungraph.graph.model import RunGraph
    from rungraph.graph.plan.model import Plan


def moves_since(
    plan: Plan, graph: RunGraph, key: bytes, environment: Mapping[str, str]
) -> tuple[str, ...]:
    """Return what has moved since *plan* was saved, a line each; nothing if all is as it was.

    Each line names the node and the path in its config, secrets masked, or the variable without its
    value. A reordered file, comments, places and the paths of files are no moves.

    Args:
        plan: A plan with fingerprints, from `load_sealed`.
        graph: What the config is compiled to now.
        key: The key that the plan was saved with.
        environment: What ``${env.X}`` stands for now.
    """
    saved = plan.fingerprints
    if saved is None:
        return ("the plan has no fingerprints",)
    variables = variable_prints(graph, key, environment)
    moved = {
        name for name in saved.env.keys() & variables.keys() if saved.env[name] != variables[name]
    }
    # A snapshot, because the values behind what a plan shows are compared by fingerprints.
    diff = diff_graphs(snapshot_of(graph_of_plan(plan, environment)), graph)
    return (
        *(_variable_line(name, saved.env[name], variables[name]) for name in sorted(moved)),
        *_diff_lines(diff),
        *_value_lines(saved.values, graph, key, diff, moved),
        *_spec_lines(saved.specs, spec_prints(graph, key)),
    )


def _variable_line(name: str, before: str | None, now: str | None) -> str:
    if before is None:
        what = "is set now"
    else:
        what = "has another value" if now is not None else "is not set any more"
    return f"~ the environment variable {name} {what}"


def _diff_lines(diff: GraphDiff) -> Iterator[str]:
    for title, lines in sections_of(diff).items():
        if title != "problems":
            what = "" if title == "nodes" else f"{title}: "
            for mark, text, depth in lines:
                yield f"{'    ' * depth}{mark} {what}{printable(text)}"


def _value_lines(
    saved: Mapping[str, Mapping[str, str]],
    graph: RunGraph,
    key: bytes,
    diff: GraphDiff,
    moved: set[str],
) -> Iterator[str]:
    """Yield the values behind what is shown masked or unresolved that *diff* does not have."""
    known = {
        (str(node.address), path_text(fact.path)) for node in diff.nodes for fact in node.facts
    }
    now = value_prints(graph, key)
    sources = {
        str(address): {path_text(path): behind.written for path, behind in hidden_of(node).items()}
        for address, node in graph.nodes.items()
    }
    for address in sorted(saved.keys() & now.keys()):
        for path in sorted(saved[address].keys() & now[address].keys()):
            differs = saved[address][path] != now[address][path]
            reads = variables_in(sources.get(address, {}).get(path))
            if differs and (address, path) not in known and moved.isdisjoint(reads):
                what = "" if address == STORE else f"{path}: "
                yield f"~ {printable(address)}  {printable(what)}(the value behind it has changed)"


def _spec_lines(saved: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(saved.keys() & now.keys()):
        if saved[name] != now[name]:
            yield f"~ the catalog says something else of {printable(name)}"
