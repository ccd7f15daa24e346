"""Which rule masks what in a plan."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rungraph.graph.extras import Extras
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.secrets.explain import explained
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.source.positions import path_text
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.model import RunGraph
    from rungraph.graph.source.positions import Path


def explain_masking(graph: RunGraph) -> str:
    """Return what is masked in the plan of *graph*, a line a value with the rule that masks it."""
    lines: list[str] = []
    for owner, found in _masked_in(graph):
        rows = [f"  {printable(path_text(path))}: {reason}" for path, reason in found]
        lines += [printable(owner), *rows] if rows else []
    return "\n".join(lines or ["nothing is masked"])


def _masked_in(graph: RunGraph) -> Iterator[tuple[str, Iterator[tuple[Path, str]]]]:
    known = graph.known
    for address in graph:
        node = graph[address]
        if isinstance(node, ProviderNode):
            tags = explained({"tags": [*node.tags]}, known=known)
            config = explained(node.written, secrets=node.secret_keys, known=known)
            yield str(address), chain(tags, config)
        elif isinstance(node, TableNode):
            for one in node.resources:
                yield f"{address} {one.identifier}", explained(one.written, known=known)
    yield "beside the graph", chain(explained(Extras(graph).written, known=known), _queries(graph))


def _queries(graph: RunGraph) -> Iterator[tuple[Path, str]]:
    """Yield the names of the config's queries that are masked, and why; no name is a reason."""
    asked = [("checks", one.name, one.query) for one in graph.checks]
    for section, name, text in [("selectors", *one) for one in graph.selectors.items()] + asked:
        for _, reason in explained([text], known=graph.known):
            yield (section, masked_text(name, graph.known)), reason
