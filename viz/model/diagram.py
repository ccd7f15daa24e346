"""From a run graph to what is drawn of it. Knows no format and no sizes."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import networkx as nx

from rungraph.graph.budgets import LONGEST_MESSAGE
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import Strength
from rungraph.graph.wording import counted, printable, shortened
from rungraph.viz.model.boxes import VIEWS, box_of, family_of, groups_of, problems_by_address
from rungraph.viz.model.elements import Arrow, Box, Diagram, Hidden
from rungraph.viz.model.overlay import Overlay, Role, urgency
from rungraph.viz.model.ranks import columns_of, late_ranks, ranks_of_apis, ranks_of_nodes
from rungraph.viz.model.reduction import reduced_arrows

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge
    from rungraph.viz.model.elements import View

_MANY_ARROWS = 20
"""From how many arrows on those that follow from others are left out, if nobody says otherwise."""
_STRONGEST = (Strength.HARD, Strength.MEMBER, Strength.SOFT)


class DiagramOptions(TypedDict, total=False):
    """What every renderer hands on to `diagram_of`, which says what it means."""

    view: View
    reduced: bool | None
    select: Iterable[Address] | None
    depth: int | None
    overlay: Overlay | None
    late: bool


def diagram_of(
    graph: RunGraph,
    *,
    view: View = "auto",
    reduced: bool | None = None,
    select: Iterable[Address] | None = None,
    depth: int | None = None,
    overlay: Overlay | None = None,
    late: bool = False,
) -> Diagram:
    """Return what is drawn of *graph*. Equal graphs give equal diagrams.

    Args:
        graph: Any graph, also one that cannot be run.
        view: ``full`` draws each node, ``factored`` makes one box of providers with the same
            neighbours, ``collapsed`` one of each API with its table and router; ``auto`` takes the
            first of these that can be read.
        reduced: Whether arrows that follow from others are left out; None where that helps.
        select: The nodes to draw; None for all.
        depth: How many steps around *select* are drawn too; None for none.
        overlay: What is laid over it; `rungraph.viz.model.overlay` makes them.
        late: Whether a node stands next to what needs it first, rather than in the generation that
            it starts in: arrows are shorter and cross less.

    Raises:
        KeyError: If *select* names a node that is not there.
        ValueError: If *view* or *depth* is nothing of the kind.
    """
    if view not in VIEWS:
        msg = f"unknown view '{view}'; known: {', '.join(VIEWS)}"
        raise ValueError(msg)
    if depth is not None and depth < 0:
        msg = f"a depth is a number of steps, not {depth}"
        raise ValueError(msg)
    overlay = overlay or Overlay()
    chosen = None if select is None else frozenset(graph[one].address for one in select)
    drawn = frozenset(graph.nodes) if chosen is None else _around(graph, chosen, depth or 0)
    ghosts = frozenset(overlay.ghosts) - graph.nodes.keys() if chosen is None else frozenset()
    cycle_of = graph.cycle_of
    single = _arrows(graph, overlay, drawn | ghosts, cycle_of)
    problems_of = problems_by_address(graph)
    view, groups = groups_of(
        view,
        sorted(drawn | ghosts),
        single,
        lambda address: family_of(graph, address),
        _traits(problems_of, overlay, chosen if depth else None),
    )
    key_of = {address: group[0] for group in groups for address in group}
    hidden = _hidden(graph, drawn, key_of)
    boxes = {
        group[0]: replace(
            box_of(graph, group, view=view, overlay=overlay, problems_of=problems_of),
            is_in_cycle=any(address in cycle_of for address in group),
            is_selected=chosen is not None and any(address in chosen for address in group),
            hidden=hidden.get(group[0], Hidden()),
        )
        for group in groups
    }
    arrows = _merged(single, key_of)
    if view == "collapsed":
        ranks, heading = ranks_of_apis(boxes, arrows), ""
    else:
        ranks, heading = ranks_of_nodes(graph, boxes, arrows), "generation"
        if late:  # A node that stands later than it starts is there by then.
            ranks, heading = late_ranks(ranks, arrows), "by generation"
    is_reduced = reduced if reduced is not None else view != "full" and len(arrows) > _MANY_ARROWS
    shown = reduced_arrows(arrows, ranks, hidden) if is_reduced else arrows
    boxes, shown = _shaded(boxes, shown)
    marks = (*(box.mark for box in boxes.values()), *(arrow.mark for arrow in shown))
    roles = {mark.role for mark in marks if mark}
    return Diagram(
        shortened(printable(graph.name or _file_of(graph)), LONGEST_MESSAGE),
        _subtitle(graph),
        tuple(_notes(graph, view, boxes, len(arrows) - len(shown), drawn, overlay)),
        boxes,
        shown,
        columns_of(boxes, shown, ranks, heading),
        view,
        is_reduced,
        {role: meaning for role, meaning in overlay.meanings.items() if role in roles},
    )


def _around(graph: RunGraph, chosen: frozenset[Address], depth: int) -> frozenset[Address]:
    """Return *chosen* and what is at most *depth* steps away, along arrows or against them.

    Along arrows it goes on along arrows, and against them against: what a neighbour needs for
    itself is not drawn.
    """
    ways = (graph.nx, graph.nx.reverse(copy=False))
    layers = (layer for way in ways for layer in islice(nx.bfs_layers(way, chosen), depth + 1))
    return frozenset(address for layer in layers for address in layer)


def _arrows(
    graph: RunGraph, overlay: Overlay, drawn: Collection[Address], cycle_of: Mapping[Address, int]
) -> list[Arrow]:
    """Return the arrows between the single nodes *drawn*."""

    def arrow(edge: Edge) -> Arrow:
        a, b = edge[:2]
        is_required = a in cycle_of and edge.strength is not Strength.SOFT
        is_in_cycle = is_required and cycle_of[a] == cycle_of.get(b)
        return Arrow(a, b, edge.strength, False, is_in_cycle, overlay.edge_marks.get((a, b)))

    arrows = [arrow(edge) for edge in graph.edges]
    arrows += [arrow(edge)._replace(is_dropped=True, is_in_cycle=False) for edge in graph.dropped]
    known = {one[:2] for one in arrows}
    arrows += [
        Arrow(*edge[:3], mark=overlay.edge_marks.get(edge[:2]), is_ghost=True)
        for edge in overlay.ghost_edges
        if edge[:2] not in known
    ]
    return [one for one in arrows if one.dependency in drawn and one.dependent in drawn]


def _traits(
    problems_of: Mapping[Address, Sequence[Diagnostic]],
    overlay: Overlay,
    chosen: Collection[Address] | None,
) -> dict[Address, list[Hashable]]:
    """Return what keeps a node from sharing a box: its mark, its problems, being asked for."""
    found: dict[Address, list[Hashable]] = {}
    for address, mark in overlay.marks.items():
        found.setdefault(address, []).append(mark.role)
    for address, problems in problems_of.items():
        found.setdefault(address, []).extend(one.code for one in problems)
    for address in chosen or ():
        found.setdefault(address, []).append("chosen")
    for address in overlay.ghosts:
        found.setdefault(address, []).append("ghost")
    return found


def _hidden(
    graph: RunGraph, drawn: Collection[Address], key_of: Mapping[Address, Address]
) -> dict[Address, Hidden]:
    """Return for each box with neighbours that are not drawn how many there are."""
    needs: dict[Address, set[Address]] = {}
    needed_by: dict[Address, set[Address]] = {}
    for edge in graph.edges:
        a, b = edge[:2]
        if a in drawn and b not in drawn:
            needed_by.setdefault(key_of[a], set()).add(b)
        elif b in drawn and a not in drawn:
            needs.setdefault(key_of[b], set()).add(a)
    return {
        key: Hidden(len(needs.get(key, ())), len(needed_by.get(key, ())))
        for key in {*needs, *needed_by}
    }


def _merged(arrows: Iterable[Arrow], key_of: Mapping[Address, Address]) -> tuple[Arrow, ...]:
    """Return one arrow for all that join the same two boxes: the strongest of them."""
    found: dict[tuple[bool, Address, Address], Arrow] = {}
    for arrow in arrows:
        a, b = key_of[arrow.dependency], key_of[arrow.dependent]
        if a == b and arrow.dependency != arrow.dependent:
            continue
        moved = arrow._replace(dependency=a, dependent=b)
        ends = (arrow.is_dropped, a, b)
        found[ends] = _stronger(found[ends], moved) if ends in found else moved
    return tuple(
        found[ends]
        for ends in sorted(found)
        if not ends[0] or (False, *ends[1:]) not in found  # An edge that is kept says more.
    )


def _stronger(one: Arrow, other: Arrow) -> Arrow:
    marks = [arrow.mark for arrow in (one, other) if arrow.mark]
    return min(one, other, key=lambda arrow: _STRONGEST.index(arrow.strength))._replace(
        is_in_cycle=one.is_in_cycle or other.is_in_cycle,
        is_ghost=one.is_ghost and other.is_ghost,
        mark=min(marks, key=urgency, default=None),
    )


def _shaded(
    boxes: Mapping[Address, Box], arrows: Sequence[Arrow]
) -> tuple[dict[Address, Box], tuple[Arrow, ...]]:
    """Return them with all but what the picture is about made pale."""
    has_cycle = any(box.is_in_cycle for box in boxes.values())
    plain = {key for key, box in boxes.items() if box.mark and box.mark.role is Role.PLAIN}

    def is_pale(thing: Box | Arrow, ends: Iterable[Address] = ()) -> bool:
        if thing.mark:
            return thing.mark.role is Role.PLAIN
        return not thing.is_in_cycle if has_cycle else not plain.isdisjoint(ends)

    return (
        {key: replace(box, is_pale=is_pale(box)) for key, box in boxes.items()},
        tuple(arrow._replace(is_pale=is_pale(arrow, arrow[:2])) for arrow in arrows),
    )


def _file_of(graph: RunGraph) -> str:
    # A picture is handed on: in which folder of this machine the file lies is nobody's business.
    return "run config" if graph.file.startswith("<") else Path(graph.file).name


def _subtitle(graph: RunGraph) -> str:
    counts = [counted(len(graph), "node"), counted(len(graph.generations()), "generation")]
    severities = [one.severity for one in graph.diagnostics]
    if errors := severities.count(Severity.ERROR):
        counts.append(f"{counted(errors, 'error')}: cannot be run")
    if warnings := severities.count(Severity.WARNING):
        counts.append(counted(warnings, "warning"))
    direction = "; arrows run from what is needed to what needs it" if graph.edges else ""
    return ", ".join(counts) + direction


def _notes(
    graph: RunGraph,
    view: View,
    boxes: Mapping[Address, Box],
    left_out: int,
    drawn: Collection[Address],
    overlay: Overlay,
) -> Iterable[str]:
    if overlay.caption:
        yield printable(overlay.caption)
    notes: list[str] = []
    if len(drawn) < len(graph.nodes):
        notes.append(f"a selection: {len(drawn):,} of {counted(len(graph), 'node')}")
    several = any(len(box.addresses) > 1 for box in boxes.values())
    if view == "factored" and several:
        notes.append("providers with the same neighbours share a box")
    if view == "collapsed":
        notes.append("one box an API, with its table, router and providers")
    if left_out:
        notes.append(f"{counted(left_out, 'arrow')} that follow from others left out")
    if notes and (several or left_out):
        notes.append("the full view shows all")
    if notes:
        yield "; ".join(notes)
