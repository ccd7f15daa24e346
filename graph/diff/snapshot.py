"""A graph in its normal form: what a comparison compares, and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.diagnostics import Diagnostic, diagnostic_order
from rungraph.graph.diff.facts import (
    Facts,
    Hidden,
    beside,
    facts_of,
    flattened,
    sorted_facts,
)
from rungraph.graph.extras import Extras
from rungraph.graph.nodes import Strength
from rungraph.graph.secrets.masking import masked_text, masked_texts
from rungraph.graph.secrets.values import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.model import RunGraph
    from rungraph.graph.source.positions import Path

    Ends = tuple[Address, Address]
    """The dependency and the dependent of an edge."""

_INDEX = re.compile(r"\[\d+\]")


class Link(NamedTuple):
    """How one node depends on another.

    Attributes:
        strength: ``hard``, ``soft`` or ``member``.
        is_late: Whether it was left out of the start order because it closes a cycle.
    """

    strength: str
    is_late: bool = False

    def __str__(self) -> str:
        return f"{self.strength}, bound late" if self.is_late else self.strength


@dataclass(frozen=True)
class Snapshot:
    """What a graph says, as plain values, secrets masked and no places.

    Attributes:
        nodes: The facts of each node.
        edges: How the two nodes of each edge are linked.
        apis: The APIs that are served, sorted.
        settings: The facts of no node: the name, selectors, checks, where registrations persist.
        excluded: What is left out, sorted.
        problems: The diagnostics without what depends on their places, sorted.
        catalog: What the config is read as; empty for what the installed packages offer.
    """

    nodes: Mapping[Address, Facts]
    edges: Mapping[Ends, tuple[Link, ...]]
    apis: tuple[str, ...] = ()
    settings: Facts = field(default_factory=dict)
    excluded: tuple[Excluded, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    catalog: str = ""


def snapshot_of(graph: RunGraph) -> Snapshot:
    """Return the normal form of *graph*.

    Two graphs of the same meaning have the same, whatever order, comments and quotes their files
    have and wherever the files are.
    """
    nodes = {address: facts_of(node) for address, node in graph.nodes.items()}
    return replace(outline_of(graph), nodes=nodes)


def outline_of(graph: RunGraph) -> Snapshot:
    """Return the normal form of *graph* without the facts of its nodes, which take the longest."""
    return Snapshot(
        nodes={},
        edges=_links(graph),
        apis=graph.apis,
        settings=settings_of(graph),
        excluded=tuple(sorted(graph.excluded)),
        problems=tuple(sorted(map(_without_place, graph.diagnostics), key=diagnostic_order)),
        catalog=graph.catalog.reading,
    )


def _links(graph: RunGraph) -> dict[Ends, tuple[Link, ...]]:
    links = {
        is_late: {one: (Link(one.value, is_late),) for one in Strength} for is_late in (False, True)
    }
    found = {edge[:2]: links[False][edge.strength] for edge in graph.edges}
    return found | {edge[:2]: links[True][edge.strength] for edge in graph.dropped}


def settings_of(graph: RunGraph | Snapshot) -> Facts:
    """Return what *graph* says of no node, secrets masked."""
    if isinstance(graph, Snapshot):
        return graph.settings
    queries = ((path, shown) for path, shown, _ in _queries(graph))
    return sorted_facts(
        (path, leaf)
        for path, leaf in chain(flattened(shown_extras(graph)), queries)
        # What is empty says nothing, but for an element of a list, which has its place.
        if leaf not in ("", None, {}) or any(isinstance(step, int) for step in path)
    )


def shown_extras(graph: RunGraph) -> Mapping[str, Any]:
    """Return what the config of *graph* says beside it, secrets masked."""
    shown: Mapping[str, Any] = graph.read_extras or masked(Extras(graph).written, known=graph.known)
    return shown


def hidden_settings(graph: RunGraph) -> dict[Path, Hidden]:
    """Return what is behind the settings of *graph* that do not show all of it."""
    extras = Extras(graph)
    written, resolved = extras.written, extras.resolved
    shown = masked(written, known=graph.known)
    found = chain(beside(shown, written, resolved), _queries(graph))
    return {path: hidden for path, _, hidden in found if hidden}


def _queries(graph: RunGraph) -> Iterator[tuple[Path, Any, Hidden | None]]:
    """Yield the selectors and checks of *graph*, secrets masked, each with what is behind it."""
    asked: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in graph.checks:
        query = masked_text(one.query, graph.known)
        asked[one.name].append((f"{query} ({one.expect})", f"{one.query} ({one.expect})"))
    shown, written = (
        {name: [both[side] for both in sorted(found)] for name, found in asked.items()}
        for side in (0, 1)
    )
    selectors = masked_texts(graph.selectors, graph.known)
    queries = {"selectors": {**graph.selectors}, "checks": written}
    yield from beside({"selectors": selectors, "checks": shown}, queries, queries)


def _without_place(one: Diagnostic) -> Diagnostic:
    """Return *one* without what changes when its line moves or a list is reordered."""
    return Diagnostic(one.code, _INDEX.sub("[]", one.message), one.severity, address=one.address)
