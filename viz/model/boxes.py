"""Which nodes share a box in each view, and what the box says of them."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, get_args

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.graph.groups import in_words, member_groups
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.wording import counted
from rungraph.viz.model.elements import Box, View
from rungraph.viz.model.labels import DETAIL_LENGTH, wrapped
from rungraph.viz.model.overlay import urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.model import RunGraph
    from rungraph.viz.model.elements import Arrow
    from rungraph.viz.model.overlay import Overlay

_NAMES_SHOWN = 3
_SECTION = re.compile(r"(?:providers\.|registered_resources\.)?(\w+)")
"""The beginning of a path into a config: the API that it is about, or its resources."""


def family_of(graph: RunGraph, address: Address) -> str:
    """Return the API whose colour a node takes: for a table, its router's."""
    node = graph.nodes.get(address)
    if node is not None and not isinstance(node, ProviderNode):
        return node.pair.router_api
    if node is None and address.kind is NodeKind.TABLE:
        pairs = (pair for pair in graph.catalog.pairs if pair.table_api == address.api)
        return next((pair.router_api for pair in pairs), address.api)
    return address.api


def box_of(
    graph: RunGraph,
    group: tuple[Address, ...],
    *,
    view: View,
    overlay: Overlay,
    problems_of: Mapping[Address, Sequence[Diagnostic]],
) -> Box:
    """Return the box of some nodes, or of one."""
    first = group[0]
    family = family_of(graph, first)
    if view == "collapsed":
        title, details = family, _contents(graph, group)
    elif len(group) > 1:
        title = f"{len(group)} providers · {first.api}"
        details = [_listed(group), *_types(graph, group)]
    elif first.kind is NodeKind.PROVIDER:
        title, details = first.name, [first.api, *_types(graph, group)]
        details += overlay.ghosts.get(first, ()) if first not in graph.nodes else ()
    else:
        title, details = first.api, [first.kind.label, *_groups(graph, first)]
    marks = [overlay.marks[one] for one in group if one in overlay.marks]
    problems = [one for address in group for one in problems_of.get(address, ())]
    severities = {one.severity for one in problems}
    known = [graph.generation_of(one) for one in group if one in graph.nodes]
    return Box(
        group,
        first.kind,
        family if view == "collapsed" else first.api,
        family,
        wrapped(title),
        tuple(chain.from_iterable(wrapped(text, DETAIL_LENGTH) for text in details)),
        min(known, default=0),
        problems=tuple(dict.fromkeys(one.code for one in problems)),
        severity=next((one for one in Severity if one in severities), None),
        mark=min(marks, key=urgency, default=None),
        is_ghost=not known,
    )


def _contents(graph: RunGraph, group: Sequence[Address]) -> list[str]:
    """Return what stands behind the box of an API."""
    kinds = {one.kind for one in group}
    providers = [one for one in group if one.kind is NodeKind.PROVIDER]
    routed = [kind.value for kind in (NodeKind.TABLE, NodeKind.ROUTER) if kind in kinds]
    starting = [one for one in group if one in graph.nodes and one not in graph.cycle_of]
    known = sorted(set(map(graph.generation_of, starting)))
    details = routed
    if providers:
        count = [counted(len(providers), "provider")] if len(providers) > 1 or routed else []
        details = [_listed(providers), ", ".join((*count, *routed))]
    if len(known) > 1:
        return [*details, f"generations {known[0]} to {known[-1]}"]
    return [*details, *(f"generation {number}" for number in known)]


def _groups(graph: RunGraph, address: Address) -> list[str]:
    """Return which resources of a table several providers serve together, and how."""
    node = graph.nodes.get(address)
    groups = member_groups(node.resources) if isinstance(node, TableNode) else {}
    lines = [f"{name}: {in_words(members)}" for name, members in groups.items()]
    if len(lines) > _NAMES_SHOWN:
        lines[_NAMES_SHOWN - 1 :] = [f"{len(lines) - _NAMES_SHOWN + 1} more with members"]
    return lines


def _listed(group: Sequence[Address]) -> str:
    # One more name takes no more room than "+1".
    shown = group if len(group) <= _NAMES_SHOWN else group[: _NAMES_SHOWN - 1]
    more = [f"+{len(group) - len(shown)}"] if len(shown) < len(group) else []
    return ", ".join([*(one.name for one in shown), *more])


def _types(graph: RunGraph, group: Sequence[Address]) -> tuple[str, ...]:
    """Return the type of the providers of *group*, if they have the same."""
    nodes = (graph.nodes.get(address) for address in group)
    types = {node.provider_type for node in nodes if isinstance(node, ProviderNode)}
    return tuple(types) if len(types) == 1 else ()


def problems_by_address(graph: RunGraph) -> dict[Address, list[Diagnostic]]:
    """Return the errors and warnings that are about a node, by node, errors first.

    What is about the section of an API, or about a resource, is about the node that answers for it.
    """
    found: dict[Address, list[Diagnostic]] = {}
    for one in graph.diagnostics:
        section = _SECTION.match(one.path)
        address = one.address or (graph.answering.get(section[1]) if section else None)
        if address is not None and one.severity is not Severity.NOTE:
            found.setdefault(address, []).append(one)
    return found


VIEWS: tuple[View, ...] = get_args(View)
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
