"""The legend of a picture: an entry for each thing that is in it, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import Strength
from rungraph.viz.layout.geometry import Size
from rungraph.viz.model.theme import palette_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rungraph.viz.model.elements import Arrow, Diagram
    from rungraph.viz.model.overlay import Role


SAMPLE = Size(22.0, 11.0)
ROW_HEIGHT = 18.0
_SAMPLE_GAP, _ENTRY_GAP = 6.0, 18.0

_API_TEXT = {
    NodeKind.PROVIDER: "API",
    NodeKind.TABLE: "routed API without a router",
    NodeKind.ROUTER: "routed API",
}
_STRENGTH_TEXT = {
    Strength.HARD: "needed",
    Strength.MEMBER: "any of them needed",
    Strength.SOFT: "used if there",
}
_SEVERITY_TEXT = {
    Severity.ERROR: "code of an error",
    Severity.WARNING: "code of a warning",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the legend; *sample* is what it explains.

    A kind stands for its shape, an API for its colour, an arrow for its line, a role for its marks,
    a severity for the badges of problems.
    """

    sample: NodeKind | Role | Severity | str | Arrow
    text: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry and the left end of its sample, half-way up."""

    entry: Entry
    x: float
    y: float

    @property
    def text_x(self) -> float:
        """Where the text begins."""
        return self.x + SAMPLE.width + _SAMPLE_GAP


def entries_of(diagram: Diagram) -> tuple[tuple[Entry, ...], ...]:
    """Return the entries, in rows that belong together: shapes, colours, lines.

    Where colours repeat they are not explained, nor where each box is an API and called after it.
    """
    kinds = {box.kind for box in diagram.boxes.values()}
    is_collapsed = diagram.view == "collapsed"
    names = _API_TEXT if is_collapsed else {kind: kind.label for kind in NodeKind}
    shapes = tuple(Entry(kind, name) for kind, name in names.items() if kind in kinds)
    palette = palette_of(diagram.families)
    has_repeats = len(set(palette.values())) < len(palette)
    families = {} if has_repeats or is_collapsed else diagram.families
    colours = tuple(Entry(family, ", ".join(apis)) for family, apis in families.items())
    marks = tuple(Entry(role, meaning) for role, meaning in diagram.meanings.items())
    found = {box.severity for box in diagram.boxes.values()}
    problems = tuple(Entry(one, text) for one, text in _SEVERITY_TEXT.items() if one in found)
    return tuple(
        row for row in (shapes, colours, _lines(diagram.arrows), (*marks, *problems)) if row
    )


def _lines(arrows: Sequence[Arrow]) -> tuple[Entry, ...]:
    found: dict[str, Arrow] = {}
    for arrow in arrows:
        if arrow.is_dropped:
            text = "bound late, once both run"
        elif arrow.is_in_cycle:
            text = "cycle: nothing on it can start"
            arrow = arrow._replace(strength=Strength.HARD)
        else:
            text = _STRENGTH_TEXT[arrow.strength]
        found.setdefault(text, arrow._replace(mark=None, is_pale=False, is_ghost=False))
    order = [*_STRENGTH_TEXT.values(), "bound late, once both run"]
    return tuple(Entry(found[text], text) for text in sorted(found, key=[*order, *found].index))


def place_entries(
    rows: Sequence[Sequence[Entry]], width: float, text_width: Callable[[str], float]
) -> tuple[tuple[Placed, ...], float]:
    """Return where each entry goes, rows broken at *width*, and the height of it all."""
    placed: list[Placed] = []
    y = 0.0
    for row in rows:
        x = 0.0
        for entry in row:
            needed = SAMPLE.width + _SAMPLE_GAP + text_width(entry.text)
            if x and x + needed > width:
                x, y = 0.0, y + ROW_HEIGHT
            placed.append(Placed(entry, x, y + ROW_HEIGHT / 2))
            x += needed + _ENTRY_GAP
        y += ROW_HEIGHT
    return tuple(placed), y
