"""A graph as text for a terminal: a line a box, in start order, and lanes from line to line."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Unpack

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostic_text import plain
from rungraph.graph.nodes import ProviderNode, Strength
from rungraph.viz.formats.glyphs import (
    ASCII,
    KIND_SIGNS,
    ROLE_SIGNS,
    ROLE_TONES,
    SEVERITY_SIGNS,
    SEVERITY_TONES,
    tones_of,
)
from rungraph.viz.formats.lanes import lanes_of
from rungraph.viz.formats.strokes import BOX_DRAWING, PLAIN_STROKES, Strokes
from rungraph.viz.formats.terminal_width import clipped, joined_within, padded, width_of
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.labels import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostic_text import Style
    from rungraph.graph.model import RunGraph
    from rungraph.viz.formats.options import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box, Diagram

    Piece = tuple[str, str]
    """A text and its colour."""

NARROWEST = 40
"""Cells; a narrower terminal has to wrap."""
_DETAIL = 18
"""Cells that are enough for what stands behind a name, where the name needs the room."""
_KIND_WORDS = {
    NodeKind.PROVIDER: "provider",
    NodeKind.TABLE: "routing table",
    NodeKind.ROUTER: "router",
}


def render_text(
    graph: RunGraph,
    *,
    width: int = 100,
    is_ascii: bool = False,
    style: Style = plain,
    **options: Unpack[DiagramOptions],
) -> str:
    """Return *graph* as lines of text, without an end of line after the last.

    Every line is a node (or several, as the view has it), in start order; lanes lead from what is
    needed down to what needs it. What no lane can show is said in words below the line. Equal
    graphs give equal text.

    Args:
        graph: Any graph, also one that cannot be run.
        width: Cells in a line; what is longer is cut.
        is_ascii: Whether there are no characters but ASCII.
        style: Colours text, each API in a colour of its own.
        options: Which part is drawn, and how much of it.
    """
    diagram = diagram_of(graph, **options)
    tones = tones_of(diagram.families)
    page = _Page(graph, diagram, max(width, NARROWEST), style, is_ascii, tones)
    return "\n".join(line.rstrip() for line in page.lines())


@dataclass(frozen=True, slots=True)
class _Page:
    graph: RunGraph
    diagram: Diagram
    width: int
    style: Style
    is_ascii: bool
    tones: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        yield self._fitted([(self.diagram.title, "bold")], self.width)
        for text in (self.diagram.subtitle, *self.diagram.notes):
            for line in wrap(self._spelled(text), self.width):
                yield self.style(line, "faint")
        if self.diagram.boxes:
            yield ""
            yield from self._rows()
            yield ""
            yield from self._legend()

    def _rows(self) -> Iterator[str]:
        """Yield the lines of the boxes: the generation, the lanes, the box itself."""
        numbers = {
            key: str(column.generation) if column.heading else ""
            for column in self.diagram.columns
            for key in column.boxes
        }
        keys = tuple(numbers)
        lanes, rest = lanes_of(keys, self.diagram.arrows, max(3, self.width // 6))
        lane_tones = [
            self._tone_of(self.diagram.boxes[keys[lane.first]], lane.targets.values())
            for lane in lanes
        ]
        alphabet = PLAIN_STROKES if self.is_ascii else BOX_DRAWING
        strokes = Strokes(lanes, lane_tones, alphabet, self.style)
        gutter = max(map(len, numbers.values())) + 1
        room = self.width - gutter - strokes.width
        boxes = self.diagram.boxes
        names = _column(
            [self._name_of(boxes[key]) for key in keys], max(room * 3 // 5, room - _DETAIL)
        )
        marks = _column([self._marks_text(boxes[key]) for key in keys], room // 3)
        before = None
        for row, key in enumerate(keys):
            number = numbers[key] if numbers[key] != before else ""
            if number and row:
                yield " " * gutter + strokes.between(row)
            before = numbers[key]
            pieces = self._pieces(boxes[key], names, marks, room)
            head = self.style(f"{number:>{gutter - 1}}", "faint") + " "
            yield head + strokes.at(row) + self._fitted(pieces, room)
            for words in self._words(key, rest):
                lead = " " * gutter + strokes.between(row + 1)
                yield lead + self._fitted([("    ", ""), *words], room)

    def _name_of(self, box: Box) -> str:
        if self.diagram.view == "collapsed":
            return box.api
        if len(box.addresses) > 1:
            return f"{len(box.addresses)} providers of {box.api}"
        return str(box.key)

    def _pieces(self, box: Box, name_width: int, marks_width: int, room: int) -> list[Piece]:
        """Return what a line says of a box: its sign and name, its marks, what it is."""
        tone = self._tone_of(box)
        pieces = [(f"{KIND_SIGNS[box.kind]} ", tone)]
        pieces.append((self._cell(self._name_of(box), name_width), tone))
        if marks_width:
            text = self._marks_text(box)
            pieces += [("  ", ""), (self._cell(text, marks_width), _tone_of_marks(box))]
        left = room - sum(width_of(text) for text, _ in pieces) - 2
        return [*pieces, (f"  {self._detail_of(box, left)}", "faint")] if left > 3 else pieces

    def _cell(self, text: str, width: int) -> str:
        return padded(clipped(self._spelled(text), width, self._spelled("…")), width)

    def _marks_text(self, box: Box) -> str:
        """Return what the checks and the overlay say of a box."""
        parts: list[str] = []
        if box.severity:
            parts.append(f"{SEVERITY_SIGNS[box.severity]} {' '.join(box.problems)}")
        if box.mark:
            parts.append(f"{ROLE_SIGNS[box.mark.role]} {box.mark.text}".strip())
        return "  ".join(filter(None, parts))

    def _detail_of(self, box: Box, room: int) -> str:
        if any(box.hidden):
            return f"not shown: {box.hidden.dependencies} before, {box.hidden.dependents} after"
        if self.diagram.view == "collapsed" or len(box.addresses) > 1:
            providers = [one for one in box.addresses if one.kind is NodeKind.PROVIDER]
            return joined_within([one.name for one in providers], room, self._spelled("…"))
        node = self.graph.nodes.get(box.key)
        if isinstance(node, ProviderNode):
            return node.provider_type
        return ", ".join(box.details[1:]) if box.is_ghost else _KIND_WORDS[box.kind]

    def _words(self, key: Address, rest: Sequence[Arrow]) -> Iterator[list[Piece]]:
        """Yield what is said of the arrows to a box that have no lane."""
        mine = [arrow for arrow in rest if arrow.dependent == key]
        for verb, tone, found in (
            ("needs", "error", [one for one in mine if one.is_in_cycle]),
            ("bound late:", "faint", [one for one in mine if one.is_dropped]),
            ("needs", "", [one for one in mine if _is_other(one) and _is_firm(one)]),
            ("uses", "", [one for one in mine if _is_other(one) and not _is_firm(one)]),
        ):
            if found:
                boxes = [self.diagram.boxes[arrow.dependency] for arrow in found]
                names = ", ".join(self._name_of(box) for box in boxes)
                yield [(f"↑ {verb} {names}", tone)]

    def _legend(self) -> Iterator[str]:
        boxes, arrows = self.diagram.boxes.values(), self.diagram.arrows
        pieces: list[str] = []
        if self.diagram.view != "collapsed":
            kinds = {box.kind for box in boxes}
            pieces += [
                f"{KIND_SIGNS[kind]} {_KIND_WORDS[kind]}" for kind in NodeKind if kind in kinds
            ]
        if any(_is_firm(arrow) and not arrow.is_dropped for arrow in arrows):
            pieces.append("──▶ needed")
        if any(not _is_firm(arrow) and not arrow.is_dropped for arrow in arrows):
            pieces.append("╌╌▷ used if there")
        for role, word in self.diagram.words.items():
            pieces.append(f"{ROLE_SIGNS[role] or 'pale:'} {word}")
        # A space that does not break keeps a sign with its words.
        text = "   ".join(self._spelled(piece).replace(" ", "\xa0") for piece in pieces)
        for line in wrap(text, self.width):
            yield self.style(line.replace("\xa0", " "), "faint")

    def _tone_of(self, box: Box, arrows: Iterable[Arrow] = ()) -> str:
        lines = tuple(arrows)
        if any(arrow.is_in_cycle for arrow in lines) or (box.is_in_cycle and not lines):
            return "error"
        if box.is_pale or (lines and all(arrow.is_pale for arrow in lines)):
            return "faint"
        return self.tones[box.family]

    def _fitted(self, pieces: Iterable[Piece], room: int) -> str:
        """Return *pieces* coloured, cut where *room* ends."""
        shown = ""
        for text, tone in pieces:
            spelled = clipped(self._spelled(text), room, self._spelled("…"))
            room -= width_of(spelled)
            shown += self.style(spelled, tone) if tone and spelled.strip() else spelled
        return shown

    def _spelled(self, text: str) -> str:
        text = printable(text)
        if not self.is_ascii:
            return text
        for char, plain_char in ASCII.items():
            text = text.replace(char, plain_char)
        return text.encode("ascii", "backslashreplace").decode()


def _column(texts: Iterable[str], most: int) -> int:
    """Return how wide a column of *texts* is."""
    return min(max(map(width_of, texts), default=0), most)


def _tone_of_marks(box: Box) -> str:
    if box.severity:
        return SEVERITY_TONES[box.severity]
    return ROLE_TONES[box.mark.role] if box.mark else "faint"


def _is_firm(arrow: Arrow) -> bool:
    return arrow.strength is not Strength.SOFT


def _is_other(arrow: Arrow) -> bool:
    return not (arrow.is_in_cycle or arrow.is_dropped)
