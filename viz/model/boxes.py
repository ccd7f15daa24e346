"""What is written on a box, and which colour, problems and mark it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import ProviderNode
from rungraph.viz.model.elements import Box
from rungraph.viz.model.labels import DETAIL_LENGTH, counted, wrapped
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
    is_ghost = all(address not in graph.nodes for address in group)
    family = family_of(graph, first)
    title: tuple[str, ...]
    details: tuple[str, ...]
    if view == "collapsed":
        title, details = (family,), _contents(graph, group)
    elif len(group) > 1:
        title = (f"{len(group)} providers · {first.api}",)
        details = (_listed(group), *_types(graph, group))
    else:
        title, details = _wording(graph, first, overlay)
    lines = [line for text in title for line in wrapped(text)]
    more = [line for text in details for line in wrapped(text, DETAIL_LENGTH)]
    marks = sorted((overlay.marks[one] for one in group if one in overlay.marks), key=urgency)
    problems = [one for address in group for one in problems_of.get(address, ())]
    known = [graph.generation_of(one) for one in group if one in graph.nodes]
    return Box(
        group,
        first.kind,
        family if view == "collapsed" else first.api,
        family,
        tuple(lines),
        tuple(more),
        min(known, default=0),
        problems=tuple(dict.fromkeys(one.code for one in problems)),
        severity=_severity_of(problems),
        mark=marks[0] if marks else None,
        is_ghost=is_ghost,
    )


def _wording(
    graph: RunGraph, address: Address, overlay: Overlay
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    node = graph.nodes.get(address)
    ghost = overlay.ghosts.get(address)
    if address.kind is NodeKind.PROVIDER:
        what = (node.provider_type,) if isinstance(node, ProviderNode) else ()
        return (address.name,), (address.api, *what, *(ghost.details if ghost and not node else ()))
    return (address.api,), ("router" if address.kind is NodeKind.ROUTER else "routing table",)


def _contents(graph: RunGraph, group: Sequence[Address]) -> tuple[str, ...]:
    """Return what stands behind the box of an API."""
    providers = [one for one in group if one.kind is NodeKind.PROVIDER]
    routed = [word for kind, word in _PARTS.items() if any(one.kind is kind for one in group)]
    parts = [", ".join((counted(len(providers), "provider"), *routed))] if providers else routed
    known = sorted({graph.generation_of(one) for one in group if one in graph.nodes})
    if len(known) > 1:
        parts.append(f"generations {known[0]} to {known[-1]}")
    elif known:
        parts.append(f"generation {known[0]}")
    return (*([_listed(providers)] if providers else []), *parts)


_PARTS = {NodeKind.TABLE: "table", NodeKind.ROUTER: "router"}


def _listed(group: Sequence[Address]) -> str:
    # One more name takes no more room than "+1".
    shown = group if len(group) <= _NAMES_SHOWN else group[: _NAMES_SHOWN - 1]
    names = [one.name for one in shown]
    return ", ".join([*names, f"+{len(group) - len(shown)}"] if len(shown) < len(group) else names)


def _types(graph: RunGraph, group: Sequence[Address]) -> tuple[str, ...]:
    nodes = (graph.nodes.get(address) for address in group)
    types = {node.provider_type for node in nodes if isinstance(node, ProviderNode)}
    return (types.pop(),) if len(types) == 1 else ()


def problems_by_address(graph: RunGraph) -> dict[Address, tuple[Diagnostic, ...]]:
    """Return the errors and warnings that are about a node, by node, errors first."""
    found: dict[Address, list[Diagnostic]] = {}
    for one in graph.diagnostics:
        if one.address is not None and one.severity is not Severity.NOTE:
            found.setdefault(one.address, []).append(one)
    return {address: tuple(problems) for address, problems in found.items()}


def _severity_of(problems: Sequence[Diagnostic]) -> Severity | None:
    if not problems:
        return None
    return min((one.severity for one in problems), key=(Severity.ERROR, Severity.WARNING).index)
