"""A graph as text for a terminal: a line a box, in start order, and lanes from line to line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from rich.cells import cell_len

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostic_text import plain
from rungraph.graph.nodes import ProviderNode
from rungraph.viz.formats.glyphs import KIND_GLYPHS, legend_of, mark_text, problems_text, tones_of
from rungraph.viz.formats.lanes import lanes_of
from rungraph.viz.formats.strokes import Strokes, is_any_needed
from rungraph.viz.formats.terminal import Terminal
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.labels import KIND_NAMES
from rungraph.viz.model.theme import LOOKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostic_text import Style
    from rungraph.graph.model import RunGraph
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box, Diagram

    Toned = tuple[str, str]
    """A text and its colour."""

NARROWEST = 40
"""Cells; a narrower terminal has to wrap."""
_DETAIL = 18
"""Cells that are enough for what stands behind a name, where the name needs the room."""


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
    terminal = Terminal(max(width, NARROWEST), is_ascii, style)
    page = _Page(graph, diagram, terminal, tones_of(diagram.families))
    return "\n".join(line.rstrip() for line in page.lines())


@dataclass(frozen=True, slots=True)
class _Page:
    graph: RunGraph
    diagram: Diagram
    terminal: Terminal
    tones: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        yield self._fitted([(self.diagram.title, "bold")], self.terminal.width)
        yield from self.terminal.notes((self.diagram.subtitle, *self.diagram.notes))
        if self.diagram.boxes:
            yield ""
            yield from self._rows()
            yield ""
            yield from self.terminal.legend(self._legend())

    def _rows(self) -> Iterator[str]:
        """Yield the lines of the boxes: the generation, the lanes, the box itself."""
        boxes = self.diagram.boxes
        numbers = {
            key: str(column.generation) if column.heading else ""
            for column in self.diagram.columns
            for key in column.boxes
        }
        keys = tuple(numbers)
        lanes, rest = lanes_of(keys, self.diagram.arrows, max(3, self.terminal.width // 6))
        lane_tones = [
            self._tone_of(boxes[keys[lane.first]], lane.targets.values()) for lane in lanes
        ]
        strokes = Strokes(lanes, lane_tones, self.terminal)
        gutter = max(map(len, numbers.values())) + 1
        room = self.terminal.width - gutter - strokes.width
        most = max(room * 3 // 5, room - _DETAIL)
        names = _widest((self._name_of(boxes[key]) for key in keys), most)
        remarks = _widest((_remarks(boxes[key]) for key in keys), room // 3)
        before = None
        for row, key in enumerate(keys):
            number = numbers[key] if numbers[key] != before else ""
            if number and row:
                yield " " * gutter + strokes.between(row)
            before = numbers[key]
            head = self.terminal.style(f"{number:>{gutter - 1}}", "faint") + " "
            line = self._line(boxes[key], names, remarks, room)
            yield head + strokes.at(row) + self._fitted(line, room)
            for toned in self._unled(key, rest):
                lead = " " * gutter + strokes.between(row + 1)
                yield lead + self._fitted([("    ", ""), toned], room)

    def _name_of(self, box: Box) -> str:
        if self.diagram.view == "collapsed":
            return box.api
        if len(box.addresses) > 1:
            return f"{len(box.addresses)} providers of {box.api}"
        return str(box.key)

    def _line(self, box: Box, name_width: int, remarks_width: int, room: int) -> list[Toned]:
        """Return what a line says of a box: its kind and name, its remarks, what it is."""
        tone = self._tone_of(box)
        name = self.terminal.filled(self._name_of(box), name_width)
        line = [(f"{KIND_GLYPHS[box.kind]} ", tone), (name, tone)]
        if remarks_width:
            remarks = self.terminal.filled(_remarks(box), remarks_width)
            line += [("  ", ""), (remarks, _tone_of_remarks(box))]
        left = room - sum(cell_len(text) for text, _ in line) - 2
        return [*line, (f"  {self._detail_of(box, left)}", "faint")] if left > 3 else line

    def _detail_of(self, box: Box, room: int) -> str:
        if any(box.hidden):
            return f"not shown: {box.hidden.dependencies} before, {box.hidden.dependents} after"
        if self.diagram.view == "collapsed" or len(box.addresses) > 1:
            providers = [one.name for one in box.addresses if one.kind is NodeKind.PROVIDER]
            return self.terminal.listed(providers, room)
        node = self.graph.nodes.get(box.key)
        if isinstance(node, ProviderNode):
            return node.provider_type
        return ", ".join(box.details[1:]) if box.is_ghost else KIND_NAMES[box.kind]

    def _unled(self, key: Address, rest: Sequence[Arrow]) -> Iterator[Toned]:
        """Yield what is said of the arrows to a box that have no lane."""
        mine = [arrow for arrow in rest if arrow.dependent == key]
        others = [one for one in mine if not (one.is_in_cycle or one.is_dropped)]
        for verb, tone, found in (
            ("needs", "error", [one for one in mine if one.is_in_cycle]),
            ("bound late:", "faint", [one for one in mine if one.is_dropped]),
            ("needs", "", [one for one in others if is_any_needed([one])]),
            ("uses", "", [one for one in others if not is_any_needed([one])]),
        ):
            if found:
                boxes = [self.diagram.boxes[arrow.dependency] for arrow in found]
                yield f"↑ {verb} {', '.join(map(self._name_of, boxes))}", tone

    def _legend(self) -> Iterator[str]:
        if self.diagram.view != "collapsed":
            kinds = {box.kind for box in self.diagram.boxes.values()}
            yield from (
                f"{KIND_GLYPHS[one]} {KIND_NAMES[one]}" for one in KIND_NAMES if one in kinds
            )
        kept = [arrow for arrow in self.diagram.arrows if not arrow.is_dropped]
        if is_any_needed(kept):
            yield "──▶ needed"
        if not all(is_any_needed([arrow]) for arrow in kept):
            yield "╌╌▷ used if there"
        yield from legend_of(self.diagram.meanings)

    def _tone_of(self, box: Box, arrows: Collection[Arrow] = ()) -> str:
        """Return the colour of a box, or of a lane of *arrows* that starts there."""
        if any(arrow.is_in_cycle for arrow in arrows) or (box.is_in_cycle and not arrows):
            return "error"
        if box.is_pale or (arrows and all(arrow.is_pale for arrow in arrows)):
            return "faint"
        return self.tones[box.family]

    def _fitted(self, line: Iterable[Toned], room: int) -> str:
        """Return *line* coloured, cut where *room* ends."""
        shown = ""
        for text, tone in line:
            spelled = self.terminal.clipped(text, room)
            room -= cell_len(spelled)
            shown += self.terminal.style(spelled, tone) if tone and spelled.strip() else spelled
        return shown


def _widest(texts: Iterable[str], most: int) -> int:
    return min(max(map(cell_len, texts), default=0), most)


def _remarks(box: Box) -> str:
    """Return what the checks and the overlay say of a box."""
    return "  ".join(filter(None, (problems_text(box), mark_text(box))))


def _tone_of_remarks(box: Box) -> str:
    if box.severity:
        return box.severity.value
    return LOOKS[box.mark.role].tone if box.mark else "faint"
