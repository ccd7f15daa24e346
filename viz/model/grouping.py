"""Which nodes share a box, in each view of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import Address, NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

    from rungraph.viz.model.elements import Arrow, View

VIEWS: tuple[View, ...] = ("auto", "full", "factored", "collapsed")
_MOST_FULL, _MOST_FACTORED = 24, 60
"""How many boxes are read with ease, and how many with patience."""

Groups = list[tuple[Address, ...]]


def groups_of(
    view: View,
    nodes: Collection[Address],
    arrows: Sequence[Arrow],
    family_of: Callable[[Address], str],
    traits: Mapping[Address, Sequence[Hashable]],
) -> tuple[View, Groups]:
    """Return the view that is meant, and the nodes of each box; the first gives the box its key.

    Args:
        view: What is asked for.
        nodes: What is drawn, sorted.
        arrows: The arrows between single nodes.
        family_of: The API to which a node belongs in the collapsed view.
        traits: What providers must have in common, beside neighbours, to share a box.
    """
    if view == "full" or (view == "auto" and len(nodes) <= _MOST_FULL):
        return "full", [(address,) for address in nodes]
    collapsed = _collapsed(nodes, family_of)
    if view == "collapsed":
        return "collapsed", collapsed
    factored = _factored(nodes, arrows, traits)
    is_readable = len(factored) <= _MOST_FACTORED
    # So many APIs that putting them together helps nobody.
    is_no_worse = len(collapsed) * 2 > len(factored)
    if view == "factored" or is_readable or is_no_worse:
        return "factored", factored
    return "collapsed", collapsed


def _factored(
    nodes: Iterable[Address],
    arrows: Iterable[Arrow],
    traits: Mapping[Address, Sequence[Hashable]],
) -> Groups:
    neighbours: dict[Address, set[tuple[object, ...]]] = {address: set() for address in nodes}
    for arrow in arrows:
        dependency, dependent, *manner = arrow
        neighbours[dependency].add(("needed by", dependent, *manner))
        neighbours[dependent].add(("needs", dependency, *manner))
    alike: dict[object, list[Address]] = {}
    for address, found in neighbours.items():
        shared = (address.api, frozenset(found), tuple(traits.get(address, ())))
        key = shared if address.kind is NodeKind.PROVIDER else address
        alike.setdefault(key, []).append(address)
    return sorted(map(tuple, alike.values()))


def _collapsed(nodes: Iterable[Address], family_of: Callable[[Address], str]) -> Groups:
    families: dict[str, list[Address]] = {}
    for address in nodes:
        families.setdefault(family_of(address), []).append(address)
    return sorted(
        tuple(sorted(group, key=lambda one: (one.kind is not NodeKind.ROUTER, one)))
        for group in families.values()
    )
