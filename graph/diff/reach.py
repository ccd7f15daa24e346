"""What depends on what differs, and on which of it: one sweep along the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diff.changes import Affected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.address import Address

    Steps = Mapping[Address, Iterable[Address]]
    """The dependents of each node."""


def affected_by(
    starts: Iterable[Address], hops: Iterable[tuple[Address, Address]], steps: Steps
) -> tuple[Affected, ...]:
    """Return what depends on *starts*, directly or not, each with the nearest of them; sorted.

    Args:
        starts: The nodes that differ, which are not affected but the cause.
        hops: Edges that differ themselves: their dependents are affected by their dependencies.
        steps: The dependents of each node, along the edges to go.
    """
    causes = {start: start for start in starts}
    layer = dict(causes)
    differ = frozenset(causes)
    later = sorted(hops)
    found: list[Affected] = []
    distance = 0
    while layer or later:
        distance += 1
        following: dict[Address, Address] = {}
        for dependency, dependent in later:
            _reach(dependent, dependency, causes, following)
        later = []
        for node, cause in layer.items():
            for dependent in steps.get(node, ()):
                _reach(dependent, cause, causes, following)
        causes |= following
        found += (
            Affected(node, cause, distance)
            for node, cause in following.items()
            if node not in differ
        )
        layer = following
    return tuple(sorted(found))


def _reach(
    node: Address,
    cause: Address,
    causes: Mapping[Address, Address],
    following: dict[Address, Address],
) -> None:
    """Note that *node* is reached, if it was not in an earlier layer, keeping the first cause."""
    if node in causes:
        return
    if node not in following or cause < following[node]:
        following[node] = cause
