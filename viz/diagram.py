"""From a run graph to what is drawn of it: boxes, arrows, columns. Knows no format and no sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import east_asian_width

import networkx as nx

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import Edge, ProviderNode, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rungraph.graph.model import RunGraph

COLLAPSE_ABOVE = 6
"""How many like providers are drawn one by one; more than that become one box."""
_NAMES_SHOWN = 3
_TITLE_LENGTH, _DETAIL_LENGTH = 30, 40
_MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Box:
    """One node, or several like providers.

    Attributes:
        addresses: The nodes that it stands for, sorted; the first is its key in a diagram.
        kind: What they are.
        api: The API that they implement.
        family: The API whose colour it takes: for a table, its router's.
        title: What it is called, in lines.
        details: What else is said of it, in lines.
        generation: The generation that it starts in.
        is_in_cycle: Whether it is on a cycle of required edges.
    """

    addresses: tuple[Address, ...]
    kind: NodeKind
    api: str
    family: str
    title: tuple[str, ...]
    details: tuple[str, ...]
    generation: int
    is_in_cycle: bool

    @property
    def key(self) -> Address:
        """The first of its nodes."""
        return self.addresses[0]


class Arrow(NamedTuple):
    """A dependency, drawn from the box of what is needed to the box of what needs it.

    Attributes:
        dependency: The key of the box that starts first.
        dependent: The key of the box that needs it.
        strength: How much it needs it.
        is_dropped: Whether the edge was left out of the start order, to be bound late.
        is_in_cycle: Whether it is on a cycle of required edges.
    """

    dependency: Address
    dependent: Address
    strength: Strength
    is_dropped: bool = False
    is_in_cycle: bool = False


class Column(NamedTuple):
    """Boxes drawn below one another.

    Attributes:
        generation: The generation that they start in. It has one column, or several where
            dependencies go round in a circle.
        boxes: The keys of its boxes.
    """

    generation: int
    boxes: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """What is drawn of a graph.

    Attributes:
        title: The config's name, or else its file.
        subtitle: What there is in it, in a few words.
        boxes: The boxes by key, sorted.
        arrows: The arrows, sorted.
        columns: The columns from left to right.
    """

    title: str
    subtitle: str
    boxes: Mapping[Address, Box]
    arrows: tuple[Arrow, ...]
    columns: tuple[Column, ...]

    @property
    def families(self) -> Mapping[str, tuple[str, ...]]:
        """The APIs that share a colour, by the one that gives it; sorted."""
        found: dict[str, set[str]] = {}
        for box in self.boxes.values():
            found.setdefault(box.family, set()).add(box.api)
        return {
            family: tuple(sorted(found[family], key=lambda api: (api != family, api)))
            for family in sorted(found)
        }


def diagram_of(graph: RunGraph, *, collapse_above: int | None = COLLAPSE_ABOVE) -> Diagram:
    """Return what is drawn of *graph*. Equal graphs give equal diagrams.

    Args:
        graph: Any graph, also one that cannot be run.
        collapse_above: From more than this many like providers (same API, same dependencies, same
            dependents) one box is made; None draws each by itself.
    """
    members = _cycle_members(graph)
    arrows = sorted(_arrows(graph.edges, members)) + sorted(
        _arrows(graph.dropped, {}, is_dropped=True)
    )
    groups = _groups(graph, arrows, collapse_above)
    key_of = {address: group[0] for group in groups for address in group}
    boxes = {group[0]: _box(graph, group, is_in_cycle=group[0] in members) for group in groups}
    merged = dict.fromkeys(
        arrow._replace(dependency=key_of[arrow.dependency], dependent=key_of[arrow.dependent])
        for arrow in arrows
    )
    return Diagram(
        printable(graph.name or ("run config" if graph.file.startswith("<") else graph.file)),
        _subtitle(graph),
        boxes,
        tuple(merged),
        _columns(boxes, merged),
    )


def printable(text: str) -> str:
    """Return *text* with whatever cannot be shown replaced."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def wrapped(text: str, length: int = _TITLE_LENGTH) -> tuple[str, ...]:
    """Return *text* in lines of at most *length*, broken after separators where there are any.

    Wide characters count twice. Of a text that needs more than a few lines the middle is left out.

    Examples:
        >>> wrapped("meta-reference")
        ('meta-reference',)
        >>> wrapped("nvidia-nim-llama-3.3-nemotron-super-49b-v1")
        ('nvidia-nim-llama-3.3-nemotron-', 'super-49b-v1')
    """
    text = printable(text)
    most = length * _MOST_LINES // (2 if any(map(_is_wide, text)) else 1)
    if len(text) > most:
        text = f"{text[: most * 2 // 3]}…{text[-(most // 3 - 1) :]}"
    lines: list[str] = []
    while text:
        widths = accumulate(1 + _is_wide(char) for char in text)
        fitting = sum(1 for width in widths if width <= length)
        at = fitting
        if fitting < len(text):
            breaks = [match.end() for match in re.finditer(r"[-_./:, ]+", text[:fitting])]
            at = breaks[-1] if breaks and breaks[-1] >= fitting // 2 else fitting
        lines.append(text[:at].rstrip(" "))
        text = text[at:].lstrip(" ")
    return tuple(lines)


def _is_wide(char: str) -> bool:
    return east_asian_width(char) in "WF"


def _cycle_members(graph: RunGraph) -> dict[Address, int]:
    """Return the nodes on cycles of required edges, each with the number of its knot."""
    required = [
        (edge.dependency, edge.dependent)
        for edge in graph.edges
        if edge.strength is not Strength.SOFT
    ]
    return {
        node: index for index, knot in enumerate(_knots(graph.nodes, required)) for node in knot
    }


def _knots(
    nodes: Iterable[Address], edges: Iterable[tuple[Address, Address]]
) -> list[tuple[Address, ...]]:
    drawn: nx.DiGraph[Address] = nx.DiGraph()
    drawn.add_nodes_from(nodes)
    drawn.add_edges_from(edges)
    return sorted(
        tuple(sorted(component))
        for component in nx.strongly_connected_components(drawn)
        if len(component) > 1 or any(drawn.has_edge(node, node) for node in component)
    )


def _arrows(
    edges: Iterable[Edge], knot_of: Mapping[Address, int], *, is_dropped: bool = False
) -> Iterable[Arrow]:
    for edge in edges:
        knot = knot_of.get(edge.dependency)
        is_inside = knot is not None and knot == knot_of.get(edge.dependent)
        is_in_cycle = is_inside and edge.strength is not Strength.SOFT
        yield Arrow(edge.dependency, edge.dependent, edge.strength, is_dropped, is_in_cycle)


def _groups(
    graph: RunGraph, arrows: Sequence[Arrow], collapse_above: int | None
) -> list[tuple[Address, ...]]:
    """Return the nodes of each box: one, or like providers that stand for each other exactly."""
    if collapse_above is None:
        return [(address,) for address in graph.nodes]
    neighbours: dict[Address, list[tuple[object, ...]]] = {}
    for arrow in arrows:
        dependency, dependent, *manner = arrow
        neighbours.setdefault(dependency, []).append(("needed by", dependent, *manner))
        neighbours.setdefault(dependent, []).append(("needs", dependency, *manner))
    alike: dict[object, list[Address]] = {}
    for address in graph.nodes:
        is_provider = address.kind is NodeKind.PROVIDER
        signature = (
            (address.api, frozenset(neighbours.get(address, ()))) if is_provider else address
        )
        alike.setdefault(signature, []).append(address)
    groups: list[tuple[Address, ...]] = []
    for group in alike.values():
        if len(group) > max(collapse_above, 1):
            groups.append(tuple(group))
        else:
            groups.extend((address,) for address in group)
    return sorted(groups)


def _box(graph: RunGraph, group: tuple[Address, ...], *, is_in_cycle: bool) -> Box:
    address = group[0]
    node = graph.nodes[address]
    family = address.api
    if not isinstance(node, ProviderNode):
        family = node.pair.router_api
        title = wrapped(address.api)
        details: tuple[str, ...] = (
            "router" if address.kind is NodeKind.ROUTER else "routing table",
        )
    elif len(group) == 1:
        title = wrapped(address.name)
        details = (*_detail(address.api), *_detail(node.provider_type))
    else:
        title = wrapped(f"{len(group)} providers of {address.api}")
        shown = ", ".join(one.name for one in group[:_NAMES_SHOWN])
        types = {
            one.provider_type
            for one in map(graph.nodes.get, group)
            if isinstance(one, ProviderNode)
        }
        what = types.pop() if len(types) == 1 else f"{len(types)} types"
        details = (*_detail(f"{shown}, +{len(group) - _NAMES_SHOWN}"), *_detail(what))
    return Box(
        group,
        address.kind,
        address.api,
        family,
        title,
        details,
        graph.generation_of(address),
        is_in_cycle,
    )


def _detail(text: str) -> tuple[str, ...]:
    return wrapped(text, _DETAIL_LENGTH)


def _columns(boxes: Mapping[Address, Box], arrows: Iterable[Arrow]) -> tuple[Column, ...]:
    """Return the generations as columns; boxes that need each other spread over several."""
    ends = [(arrow.dependency, arrow.dependent) for arrow in arrows if not arrow.is_dropped]
    step: dict[Address, int] = {}
    for knot in _knots(boxes, ends):
        inside = [(a, b) for a, b in ends if a in knot and b in knot and a != b]
        step |= _steps(knot, inside)
    found: dict[tuple[int, int], list[Address]] = {}
    for key, box in boxes.items():
        found.setdefault((box.generation, step.get(key, 0)), []).append(key)
    return tuple(Column(generation, tuple(found[generation, s])) for generation, s in sorted(found))


def _steps(knot: Sequence[Address], edges: Sequence[tuple[Address, Address]]) -> dict[Address, int]:
    """Return how many steps into its knot each node is drawn, few edges going back.

    The order is that of Eades, Lin and Smyth (1993): sinks last, sources first, and else the node
    that more arrows leave than enter.
    """
    after: dict[Address, set[Address]] = {node: set() for node in knot}
    before: dict[Address, set[Address]] = {node: set() for node in knot}
    for a, b in edges:
        after[a].add(b)
        before[b].add(a)
    left = dict.fromkeys(knot)
    head: list[Address] = []
    tail: list[Address] = []
    while left:
        degrees = {
            node: (len(after[node] & left.keys()), len(before[node] & left.keys())) for node in left
        }
        sink = next((node for node in left if not degrees[node][0]), None)
        node = sink or min(
            left, key=lambda n: (degrees[n][1] > 0, degrees[n][1] - degrees[n][0], n)
        )
        (tail if node is sink else head).append(node)
        del left[node]
    steps: dict[Address, int] = {}
    for node in (*head, *reversed(tail)):
        steps[node] = max((steps[one] + 1 for one in before[node] if one in steps), default=0)
    return steps


def _subtitle(graph: RunGraph) -> str:
    errors = sum(1 for one in graph.diagnostics if one.severity is Severity.ERROR)
    parts = [_count(len(graph), "node"), _count(len(graph.generations()), "generation")]
    if errors:
        parts.append(f"{_count(errors, 'error')}: cannot be run")
    direction = "; arrows run from what is needed to what needs it" if graph.edges else ""
    return ", ".join(parts) + direction


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
