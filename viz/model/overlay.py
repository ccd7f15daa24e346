"""What is laid over a picture: a mark on a node or an arrow, and what is there only in the mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.nodes import Edge


class Role(StrEnum):
    """How a mark looks. What it means is said by the overlay that uses it."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    AFFECTED = "affected"
    GOOD = "good"
    BUSY = "busy"
    WAITING = "waiting"
    WARNED = "warned"
    FAILED = "failed"
    LOST = "lost"
    """It comes to nothing because something else failed."""
    LEFT_OUT = "left out"
    CRITICAL = "critical"
    PLAIN = "plain"
    """Nothing happens to it; drawn pale, so that the rest stands out."""

    __hash__ = str.__hash__


class Mark(NamedTuple):
    """What is said of a node or an arrow.

    Attributes:
        role: How it looks.
        text: A few words or numbers below the node's name; empty for none.
    """

    role: Role
    text: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is laid over a picture of a graph.

    Attributes:
        marks: The nodes that are marked, ghosts among them.
        edge_marks: The edges that are marked, by their ends: dependency, dependent.
        ghosts: Nodes that are not in the graph, each with the details written on it.
        ghost_edges: Edges that are not in the graph; their ends are nodes of it or ghosts.
        meanings: What each role means here, for the legend, in its order.
        caption: What the overlay shows, in a line.
    """

    marks: Mapping[Address, Mark] = field(default_factory=dict["Address", Mark])
    edge_marks: Mapping[tuple[Address, Address], Mark] = field(
        default_factory=dict["tuple[Address, Address]", Mark]
    )
    ghosts: Mapping[Address, tuple[str, ...]] = field(
        default_factory=dict["Address", tuple[str, ...]]
    )
    ghost_edges: tuple[Edge, ...] = ()
    meanings: Mapping[Role, str] = field(default_factory=dict[Role, str])
    caption: str = ""


_URGENCY = (
    *(Role.FAILED, Role.LOST, Role.REMOVED, Role.ADDED, Role.CHANGED, Role.WARNED, Role.BUSY),
    *(Role.CRITICAL, Role.AFFECTED, Role.LEFT_OUT, Role.WAITING, Role.GOOD, Role.PLAIN),
)


def urgency(mark: Mark) -> int:
    """Return what marks are sorted by where there is room for one: the most telling first."""
    return _URGENCY.index(mark.role)
