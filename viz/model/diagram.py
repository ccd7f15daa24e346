"""From a run graph to what is drawn of it. Knows no format and no sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import Edge, Strength
from rungraph.viz.model.boxes import box_of, family_of, problems_by_address
from rungraph.viz.model.cycles import knots_of, late_ranks, ranks_of, steps_of
from rungraph.viz.model.elements import Arrow, Box, Column, Diagram, Hidden
from rungraph.viz.model.grouping import VIEWS, groups_of, key_by_address
from rungraph.viz.model.labels import counted, printable
from rungraph.viz.model.neighbourhood import around
from rungraph.viz.model.overlay import Overlay, Role, urgency
from rungraph.viz.model.reduction import reduced_arrows

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.model import RunGraph
    from rungraph.viz.model.elements import View

__all__ = ["Arrow", "Box", "Column", "Diagram", "Hidden", "diagram_of"]

_MANY_ARROWS = 20
"""From how many arrows on those that follow from others are left out, if nobody says otherwise."""
_STRONGEST = {Strength.HARD: 0, Strength.MEMBER: 1, Strength.SOFT: 2}


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
        overlay: What is laid over it.
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
    drawn = frozenset(graph.nodes) if chosen is None else around(graph, chosen, depth or 0)
    scene = _scene(graph, drawn, overlay, has_ghosts=chosen is None)
    problems_of = problems_by_address(graph)
    traits = _traits(problems_of, overlay, chosen if depth else None)
    view, groups = groups_of(
        view,
        scene.nodes,
        scene.arrows,
        lambda address: family_of(graph, address),
        lambda address: traits.get(address),
    )
    key_of = key_by_address(groups)
    hidden = _hidden(graph, drawn, key_of)
    boxes = {
        group[0]: replace(
            box_of(graph, group, view=view, overlay=overlay, problems_of=problems_of),
            is_in_cycle=any(address in scene.knotted for address in group),
            is_selected=chosen is not None and any(address in chosen for address in group),
            hidden=hidden.get(group[0], Hidden()),
        )
        for group in groups
    }
    arrows = _merged(scene.arrows, key_of)
    ranks = _ranks(graph, boxes, arrows, view)
    if late and view != "collapsed":
        ranks = late_ranks(ranks, [one[:2] for one in arrows if not one.is_dropped])
    is_reduced = reduced if reduced is not None else view != "full" and len(arrows) > _MANY_ARROWS
    shown = reduced_arrows(arrows, ranks, hidden) if is_reduced else arrows
    boxes, shown = _shaded(boxes, shown)
    roles = {box.mark.role for box in boxes.values() if box.mark}
    roles |= {arrow.mark.role for arrow in shown if arrow.mark}
    return Diagram(
        printable(graph.name or ("run config" if graph.file.startswith("<") else graph.file)),
        _subtitle(graph),
        tuple(_notes(graph, view, boxes, len(arrows) - len(shown), drawn, overlay)),
        boxes,
        shown,
        _columns(boxes, shown, ranks, _heading_of(view, late=late)),
        view,
        is_reduced,
        {role: word for role, word in overlay.words.items() if role in roles},
    )


class _Scene(NamedTuple):
    """The single nodes to draw, sorted, the arrows between them, and the nodes on cycles."""

    nodes: tuple[Address, ...]
    arrows: tuple[Arrow, ...]
    knotted: Collection[Address]


def _scene(
    graph: RunGraph, drawn: Collection[Address], overlay: Overlay, *, has_ghosts: bool
) -> _Scene:
    ghosts = [one for one in overlay.ghosts if one not in graph.nodes] if has_ghosts else []
    nodes = tuple(sorted({*drawn, *ghosts}))
    knot_of = _knot_by_address(graph)
    arrows = [_arrow(edge, overlay, knot_of) for edge in graph.edges]
    arrows += [
        _arrow(edge, overlay, knot_of)._replace(is_dropped=True, is_in_cycle=False)
        for edge in graph.dropped
    ]
    known = {arrow[:2] for arrow in arrows}
    arrows += [
        Arrow(*edge, mark=overlay.edge_marks.get(edge[:2]), is_ghost=True)
        for edge in overlay.ghost_edges
        if edge[:2] not in known
    ]
    inside = set(nodes)
    kept = [one for one in arrows if one.dependency in inside and one.dependent in inside]
    return _Scene(nodes, tuple(kept), knot_of)


def _arrow(edge: Edge, overlay: Overlay, knot_of: Mapping[Address, int]) -> Arrow:
    ends = (edge.dependency, edge.dependent)
    knot = knot_of.get(edge.dependency)
    is_inside = knot is not None and knot == knot_of.get(edge.dependent)
    is_in_cycle = is_inside and edge.strength is not Strength.SOFT
    return Arrow(*ends, edge.strength, False, is_in_cycle, overlay.edge_marks.get(ends))


def _knot_by_address(graph: RunGraph) -> dict[Address, int]:
    """Return the nodes on cycles of required edges, each with the number of its knot."""
    required = [
        (edge.dependency, edge.dependent)
        for edge in graph.edges
        if edge.strength is not Strength.SOFT
    ]
    level = {node: index for index, layer in enumerate(graph.generations()) for node in layer}
    if all(level[a] < level[b] for a, b in required):
        return {}
    return {node: index for index, knot in enumerate(knots_of(level, required)) for node in knot}


def _traits(
    problems_of: Mapping[Address, Sequence[Diagnostic]],
    overlay: Overlay,
    chosen: Collection[Address] | None,
) -> dict[Address, Hashable]:
    """Return what keeps a node apart from its like: its mark, its problems, being asked for."""
    found: dict[Address, list[Hashable]] = {}
    for address, mark in overlay.marks.items():
        found.setdefault(address, []).append(mark.role)
    for address, problems in problems_of.items():
        found.setdefault(address, []).extend(one.code for one in problems)
    for address in chosen or ():
        found.setdefault(address, []).append("chosen")
    for address in overlay.ghosts:
        found.setdefault(address, []).append("ghost")
    return {address: tuple(traits) for address, traits in found.items()}


def _hidden(
    graph: RunGraph, drawn: Collection[Address], key_of: Mapping[Address, Address]
) -> dict[Address, Hidden]:
    if len(drawn) == len(graph.nodes):
        return {}
    needs: dict[Address, set[Address]] = {}
    needed_by: dict[Address, set[Address]] = {}
    for edge in graph.edges:
        if edge.dependency in drawn and edge.dependent not in drawn:
            needed_by.setdefault(key_of[edge.dependency], set()).add(edge.dependent)
        elif edge.dependent in drawn and edge.dependency not in drawn:
            needs.setdefault(key_of[edge.dependent], set()).add(edge.dependency)
    return {
        key: Hidden(len(needs.get(key, ())), len(needed_by.get(key, ())))
        for key in sorted({*needs, *needed_by})
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
    marks = sorted((arrow.mark for arrow in (one, other) if arrow.mark), key=urgency)
    return min(one, other, key=lambda arrow: _STRONGEST[arrow.strength])._replace(
        is_in_cycle=one.is_in_cycle or other.is_in_cycle,
        is_ghost=one.is_ghost and other.is_ghost,
        mark=marks[0] if marks else None,
    )


def _ranks(
    graph: RunGraph, boxes: Mapping[Address, Box], arrows: Sequence[Arrow], view: View
) -> dict[Address, int]:
    """Return the start order of the boxes: generations, or what comes close to them."""
    if view == "collapsed":
        return ranks_of(boxes, [one[:2] for one in arrows if not one.is_dropped])
    ranks = {key: graph.generation_of(key) for key, box in boxes.items() if not box.is_ghost}
    # A ghost has no generation: it stands where it would start, as far as one can tell.
    ghosts = [key for key, box in boxes.items() if box.is_ghost]
    into: dict[Address, list[Address]] = {}
    for arrow in arrows:
        if boxes[arrow.dependent].is_ghost:
            into.setdefault(arrow.dependent, []).append(arrow.dependency)
    for _ in ghosts:
        for key in ghosts:
            below = [ranks[one] for one in into.get(key, ()) if one in ranks and one != key]
            ranks[key] = min(max(below, default=-1) + 1, len(boxes))
    return ranks


def _shaded(
    boxes: Mapping[Address, Box], arrows: Sequence[Arrow]
) -> tuple[dict[Address, Box], tuple[Arrow, ...]]:
    """Return them with all but what the picture is about made pale."""
    is_about_cycle = any(box.is_in_cycle for box in boxes.values())

    def is_pale(thing: Box | Arrow) -> bool:
        if is_about_cycle and not thing.mark:
            return not thing.is_in_cycle
        if thing.mark:
            return thing.mark.role is Role.PLAIN
        return isinstance(thing, Arrow) and any(_is_plain(boxes[end]) for end in thing[:2])

    return (
        {key: replace(box, is_pale=is_pale(box)) for key, box in boxes.items()},
        tuple(arrow._replace(is_pale=is_pale(arrow)) for arrow in arrows),
    )


def _is_plain(box: Box) -> bool:
    return box.mark is not None and box.mark.role is Role.PLAIN


def _heading_of(view: View, *, late: bool) -> str:
    if view == "collapsed":
        return ""
    # A node that stands later than it starts is there by then.
    return "by generation" if late else "generation"


def _columns(
    boxes: Mapping[Address, Box],
    arrows: Iterable[Arrow],
    ranks: Mapping[Address, int],
    heading: str,
) -> tuple[Column, ...]:
    """Return the ranks as columns; boxes that need each other spread over several."""
    ends = [one[:2] for one in arrows if not one.is_dropped]
    step: dict[Address, int] = {}
    level = [one for one in ends if ranks[one[0]] == ranks[one[1]]]
    for knot in knots_of(sorted({key for one in level for key in one}), level) if level else ():
        members = set(knot)
        inside = [(a, b) for a, b in level if a in members and b in members and a != b]
        step |= steps_of(knot, inside)
    found: dict[tuple[int, int], list[Address]] = {}
    for key in boxes:
        found.setdefault((ranks[key], step.get(key, 0)), []).append(key)
    return tuple(
        Column(rank, tuple(found[rank, s]), heading and f"{heading} {rank}")
        for rank, s in sorted(found)
    )


def _subtitle(graph: RunGraph) -> str:
    errors = sum(1 for one in graph.diagnostics if one.severity is Severity.ERROR)
    warnings = sum(1 for one in graph.diagnostics if one.severity is Severity.WARNING)
    parts = [counted(len(graph), "node"), counted(len(graph.generations()), "generation")]
    if errors:
        parts.append(f"{counted(errors, 'error')}: cannot be run")
    if warnings:
        parts.append(counted(warnings, "warning"))
    direction = "; arrows run from what is needed to what needs it" if graph.edges else ""
    return ", ".join(parts) + direction


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
    parts: list[str] = []
    if len(drawn) < len(graph.nodes):
        parts.append(f"a selection: {len(drawn):,} of {counted(len(graph), 'node')}")
    several = any(len(box.addresses) > 1 for box in boxes.values())
    if view == "factored" and several:
        parts.append("providers with the same neighbours share a box")
    if view == "collapsed":
        parts.append("one box an API, with its table, router and providers")
    if left_out:
        parts.append(f"{counted(left_out, 'arrow')} that follow from others left out")
    if parts and (several or left_out):
        parts.append("the full view shows all")
    if parts:
        yield "; ".join(parts)
