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
    trait_of: Callable[[Address], Hashable],
) -> tuple[View, Groups]:
    """Return the view that is meant, and the nodes of each box; the first gives the box its key.

    Args:
        view: What is asked for.
        nodes: What is drawn, sorted.
        arrows: The arrows between single nodes.
        family_of: The API to which a node belongs in the collapsed view.
        trait_of: What providers must have in common, beside neighbours, to share a box.
    """
    if view == "full" or (view == "auto" and len(nodes) <= _MOST_FULL):
        return "full", [(address,) for address in nodes]
    if view == "collapsed":
        return "collapsed", _collapsed(nodes, family_of)
    factored = _factored(nodes, arrows, trait_of)
    if view == "factored" or len(factored) <= _MOST_FACTORED:
        return "factored", factored
    collapsed = _collapsed(nodes, family_of)
    if len(collapsed) * 2 > len(factored):  # So many APIs that putting them together helps nobody.
        return "factored", factored
    return "collapsed", collapsed


def _factored(
    nodes: Iterable[Address], arrows: Iterable[Arrow], trait_of: Callable[[Address], Hashable]
) -> Groups:
    neighbours: dict[Address, list[tuple[object, ...]]] = {}
    for arrow in arrows:
        dependency, dependent, *manner = arrow
        neighbours.setdefault(dependency, []).append(("needed by", dependent, *manner))
        neighbours.setdefault(dependent, []).append(("needs", dependency, *manner))
    alike: dict[object, list[Address]] = {}
    for address in nodes:
        is_provider = address.kind is NodeKind.PROVIDER
        around = frozenset(neighbours.get(address, ()))
        signature = (address.api, around, trait_of(address)) if is_provider else address
        alike.setdefault(signature, []).append(address)
    return sorted(tuple(group) for group in alike.values())


def _collapsed(nodes: Iterable[Address], family_of: Callable[[Address], str]) -> Groups:
    families: dict[str, list[Address]] = {}
    for address in nodes:
        families.setdefault(family_of(address), []).append(address)
    return sorted(
        tuple(sorted(group, key=lambda one: (one.kind is not NodeKind.ROUTER, one)))
        for group in families.values()
    )


def key_by_address(groups: Groups) -> Mapping[Address, Address]:
    """Return the key of the box of each node."""
    return {address: group[0] for group in groups for address in group}
