"""What every renderer of a graph takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.viz.model.elements import View
    from rungraph.viz.model.overlay import Overlay


class DiagramOptions(TypedDict, total=False):
    """Which part of a graph is drawn and how much of it, as `diagram_of` says.

    Attributes:
        view: ``auto``, ``full``, ``factored`` or ``collapsed``.
        reduced: Whether arrows that follow from others are left out; None where that helps.
        select: The nodes to draw; None for all.
        depth: How many steps around *select* are drawn too; None for none.
        overlay: What is laid over it.
        late: Whether a node stands next to what needs it first.
    """

    view: View
    reduced: bool | None
    select: Iterable[Address] | None
    depth: int | None
    overlay: Overlay | None
    late: bool
