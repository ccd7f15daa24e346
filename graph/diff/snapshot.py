"""A graph in its normal form: what a comparison is about, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.diff.facts import Facts, facts_of, flattened, path_order
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diagnostics import Diagnostic, Level
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge

    Ends = tuple[Address, Address]
    """The dependency and the dependent of an edge."""

_INDEX = re.compile(r"\[\d+\]")


class Link(NamedTuple):
    """How one node depends on another.

    Attributes:
        strength: ``hard``, ``soft`` or ``member``.
        is_late: Whether it was left out of the order of starts because it closes a circle.
    """

    strength: str
    is_late: bool = False

    def __str__(self) -> str:
        return f"{self.strength}, bound late" if self.is_late else self.strength


# Most edges are the only ones between their ends; thousands of them share these.
_LINKS = {strength: (Link(strength.value),) for strength in Strength}


class Problem(NamedTuple):
    """A diagnostic without its place: what it says must not depend on where it stands."""

    severity: str
    code: str
    address: str
    message: str


@dataclass(frozen=True)
class Snapshot:
    """What a graph says, as plain values, secrets masked and no places.

    Attributes:
        nodes: The facts of each node.
        edges: How the two nodes of each edge are linked.
        apis: The APIs that are served, sorted.
        settings: The facts of no node: the name, selectors, checks, where registrations persist.
        excluded: What is left out, sorted.
        problems: The diagnostics, sorted.
        unknown: The kinds of facts, as `kind_of` tells them, that this snapshot cannot tell,
            because what it was read from does not hold them; they are not compared.
        checked: The deepest level of checks that its problems come from; None when that is not
            known. Problems are compared up to the level that both sides have.
    """

    nodes: Mapping[Address, Facts]
    edges: Mapping[Ends, tuple[Link, ...]]
    apis: tuple[str, ...] = ()
    settings: Facts = field(default_factory=dict)
    excluded: tuple[Excluded, ...] = ()
    problems: tuple[Problem, ...] = ()
    unknown: frozenset[str] = frozenset()
    checked: Level | None = None


def snapshot_of(graph: RunGraph) -> Snapshot:
    """Return the normal form of *graph*.

    Two graphs of the same meaning have the same, whatever order, comments and quotes their files
    have and wherever the files are.
    """
    return Snapshot(
        nodes={address: facts_of(node) for address, node in graph.nodes.items()},
        edges=links_of(graph.edges, graph.dropped),
        apis=graph.apis,
        settings=settings_of(graph),
        excluded=tuple(sorted(graph.excluded)),
        problems=problems_of(graph.diagnostics),
    )


def links_of(edges: Collection[Edge], dropped: Iterable[Edge]) -> dict[Ends, tuple[Link, ...]]:
    """Return the links between each two nodes; of *dropped* edges as well."""
    found: dict[Ends, tuple[Link, ...]] = {edge[:2]: _LINKS[edge.strength] for edge in edges}
    if len(found) < len(edges):  # A router can need its table and use it as well.
        found = {}
        for dependency, dependent, strength, _ in edges:
            _add(found, (dependency, dependent), *_LINKS[strength])
    for dependency, dependent, strength, _ in dropped:
        _add(found, (dependency, dependent), Link(strength.value, is_late=True))
    return found


def _add(found: dict[Ends, tuple[Link, ...]], ends: Ends, link: Link) -> None:
    found[ends] = tuple(sorted({*found.get(ends, ()), link}))


def settings_of(graph: RunGraph) -> Facts:
    """Return what *graph* says that is said of no node, secrets masked, sorted by path."""
    checks: dict[str, list[str]] = {}
    for check in graph.checks:
        checks.setdefault(check.name, []).append(f"{check.query} ({check.expect})")
    values: dict[str, Any] = {
        "image_name": graph.name,
        "metadata_store": graph.masked_store,
        "selectors": dict(graph.selectors),
        "checks": {name: sorted(asked) for name, asked in checks.items()},
    }
    leaves = [leaf for leaf in flattened(values) if leaf[1] not in ("", None, {})]
    return dict(sorted(leaves, key=lambda leaf: path_order(leaf[0])))


def problems_of(diagnostics: Iterable[Diagnostic]) -> tuple[Problem, ...]:
    """Return *diagnostics* without their places, sorted."""
    return tuple(
        sorted(
            Problem(
                one.severity.value,
                one.code,
                str(one.address or ""),
                without_indices(one.message),
            )
            for one in diagnostics
        )
    )


def without_indices(message: str) -> str:
    """Return *message* without the numbers of entries, which change when a list is reordered.

    Examples:
        >>> without_indices("'providers.safety[2].config' must be a mapping, not text")
        "'providers.safety[].config' must be a mapping, not text"
    """
    return _INDEX.sub("[]", message)
