"""What a diagram is made of: boxes, arrows, columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address, NodeKind
    from rungraph.graph.diagnostics import Severity
    from rungraph.graph.nodes import Strength
    from rungraph.viz.model.overlay import Mark, Role

View = Literal["auto", "full", "factored", "collapsed"]
"""How much is drawn: each node by itself, like providers as one box, or each API as one box.

``auto`` is the one of them that can be read.
"""


class Hidden(NamedTuple):
    """How many neighbours of a box are not drawn.

    Attributes:
        dependencies: Nodes that it needs or uses.
        dependents: Nodes that need or use it.
    """

    dependencies: int = 0
    dependents: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """One node, or several.

    Attributes:
        addresses: The nodes that it stands for. The first is its key in a diagram: of an API its
            router, if it has one, and else the first of all; the others are sorted.
        kind: What they are; for an API, what its first node is.
        api: The API that they implement.
        family: The API whose colour it takes: for a table, its router's.
        title: What it is called, in lines.
        details: What else is said of it, in lines.
        generation: The generation that it starts in, the first of several; on a cycle, where it
            is drawn.
        is_in_cycle: Whether it is on a cycle of required edges.
        problems: The codes of the errors and warnings of its nodes, sorted, errors first.
        severity: That of the worst of them; None without problems.
        mark: What the overlay says of it.
        is_ghost: Whether it is not in the graph, but in the overlay only.
        is_selected: Whether it was asked for, where something was.
        is_pale: Whether it steps back behind what the picture is about.
        hidden: How many of its neighbours are not drawn.
    """

    addresses: tuple[Address, ...]
    kind: NodeKind
    api: str
    family: str
    title: tuple[str, ...]
    details: tuple[str, ...]
    generation: int
    is_in_cycle: bool = False
    problems: tuple[str, ...] = ()
    severity: Severity | None = None
    mark: Mark | None = None
    is_ghost: bool = False
    is_selected: bool = False
    is_pale: bool = False
    hidden: Hidden = field(default_factory=Hidden)

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
        mark: What the overlay says of it.
        is_ghost: Whether it is not in the graph, but in the overlay only.
        is_pale: Whether it steps back behind what the picture is about.
    """

    dependency: Address
    dependent: Address
    strength: Strength
    is_dropped: bool = False
    is_in_cycle: bool = False
    mark: Mark | None = None
    is_ghost: bool = False
    is_pale: bool = False


class Column(NamedTuple):
    """Boxes drawn below one another (or, from top to bottom, beside one another).

    Attributes:
        generation: The generation that they start in. It has one column, or several where
            boxes need each other. Of whole APIs: how far into the start order they are.
        boxes: The keys of its boxes.
        heading: What is written above it, such as ``generation 3``; empty for whole APIs, which
            start over several generations. What is on a cycle starts in none.
    """

    generation: int
    boxes: tuple[Address, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """What is drawn of a graph.

    Attributes:
        title: The config's name, or else its file.
        subtitle: What there is in it, in a few words.
        notes: What else has to be said: what the view leaves out and how to see it, what the
            overlay shows.
        boxes: The boxes by key, sorted.
        arrows: The arrows, sorted.
        columns: The columns in start order.
        view: How much is drawn; never ``auto``.
        is_reduced: Whether arrows that follow from others are left out.
        meanings: What the roles of the marks mean, for those that are drawn.
    """

    title: str
    subtitle: str
    notes: tuple[str, ...]
    boxes: Mapping[Address, Box]
    arrows: tuple[Arrow, ...]
    columns: tuple[Column, ...]
    view: View
    is_reduced: bool
    meanings: Mapping[Role, str]

    @property
    def members(self) -> Mapping[str, tuple[Box, ...]]:
        """The boxes that share a colour, by the API that gives it; sorted."""
        found: dict[str, list[Box]] = {}
        for box in self.boxes.values():
            found.setdefault(box.family, []).append(box)
        return {family: tuple(found[family]) for family in sorted(found)}

    @property
    def families(self) -> Mapping[str, tuple[str, ...]]:
        """The APIs that share a colour, by the one that gives it; sorted."""
        return {
            family: tuple(sorted({box.api for box in boxes}, key=lambda api: (api != family, api)))
            for family, boxes in self.members.items()
        }
