"""What is written on a box, and which colour, problems and mark it has."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.wording import counted
from rungraph.viz.model.elements import Box
from rungraph.viz.model.labels import DETAIL_LENGTH, KIND_NAMES, wrapped
from rungraph.viz.model.overlay import urgency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.model import RunGraph
    from rungraph.viz.model.elements import View
    from rungraph.viz.model.overlay import Overlay

_NAMES_SHOWN = 3


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
        title, details = first.api, [KIND_NAMES[first.kind]]
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
    known = sorted({graph.generation_of(one) for one in group if one in graph.nodes})
    details = routed
    if providers:
        details = [_listed(providers), ", ".join((counted(len(providers), "provider"), *routed))]
    if len(known) > 1:
        return [*details, f"generations {known[0]} to {known[-1]}"]
    return [*details, *(f"generation {number}" for number in known)]


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
    """Return the errors and warnings that are about a node, by node, errors first."""
    found: dict[Address, list[Diagnostic]] = {}
    for one in graph.diagnostics:
        if one.address is not None and one.severity is not Severity.NOTE:
            found.setdefault(one.address, []).append(one)
    return found
