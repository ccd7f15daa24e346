"""A graph as text for a terminal: a line a box, in start order, and lanes from line to line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Unpack

from rich.cells import cell_len

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostic_text import plain
from rungraph.graph.nodes import ProviderNode, Strength
from rungraph.viz.formats.glyphs import KIND_GLYPHS, legend_of, mark_text, problems_text, tones_of
from rungraph.viz.formats.terminal import Terminal
from rungraph.viz.model.diagram import diagram_of
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
            key: column.heading.rpartition(" ")[2]
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
        return ", ".join(box.details[1:]) if box.is_ghost else box.kind.label

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
            yield from (f"{KIND_GLYPHS[one]} {one.label}" for one in NodeKind if one in kinds)
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


class Lane(NamedTuple):
    """A vertical line. What needs the same starts the same lane.

    Attributes:
        column: Its place, from the left.
        sources: The rows that begin it or join it.
        targets: The rows that it leads to, each with one of its arrows there.
    """

    column: int
    sources: tuple[int, ...]
    targets: Mapping[int, Arrow]

    @property
    def first(self) -> int:
        """Its uppermost row."""
        return self.sources[0]

    @property
    def last(self) -> int:
        """Its lowest row."""
        return max(self.targets)


def lanes_of(
    rows: Sequence[Address], arrows: Sequence[Arrow], most: int
) -> tuple[tuple[Lane, ...], tuple[Arrow, ...]]:
    """Return the lanes of *arrows* beside *rows*, and the arrows that get none.

    None gets an arrow that is dropped, that does not lead downwards, or for which there is no room.
    Long lanes are on the left and short ones close to the rows, so that few cross.

    Args:
        rows: The boxes from top to bottom.
        arrows: What joins them.
        most: How many columns there is room for.
    """
    row_of = {key: row for row, key in enumerate(rows)}
    leading: dict[int, dict[int, Arrow]] = {}
    rest: list[Arrow] = []
    for arrow in arrows:
        source, target = row_of[arrow.dependency], row_of[arrow.dependent]
        if arrow.is_dropped or target <= source:
            rest.append(arrow)
        else:
            leading.setdefault(source, {})[target] = arrow
    bundles: dict[object, list[int]] = {}
    for source in sorted(leading):
        alike = tuple((row, arrow[2:]) for row, arrow in sorted(leading[source].items()))
        bundles.setdefault(alike, []).append(source)
    lanes = [Lane(0, tuple(sources), leading[sources[0]]) for sources in bundles.values()]
    lanes.sort(key=lambda lane: (lane.first - lane.last, lane.sources))
    columns: list[list[Lane]] = [[] for _ in range(most)]
    for lane in lanes:
        for number, others in enumerate(columns):
            if all(lane.last < one.first or one.last < lane.first for one in others):
                others.append(lane._replace(column=number))
                break
        else:
            rest += [leading[source][target] for source in lane.sources for target in lane.targets]
    placed = tuple(lane for column in columns for lane in column)
    return placed, tuple(sorted(rest, key=lambda one: one[:2]))


_JOINTS = {
    (False, True, False): "╭",
    (True, False, False): "╰",
    (True, True, False): "├",
    (False, True, True): "┬",
    (True, False, True): "┴",
    (True, True, True): "┼",
}
"""By whether lines lead up, down and left; all joints lead right."""
_VERTICAL, _HORIZONTAL, _HEAD = "┊│", "╌─", "▷▶"
"""A line about something that is used if it is there, and one about something that is needed."""


@dataclass(frozen=True, slots=True)
class Strokes:
    """Draws lanes. A lane that is crossed interrupts what crosses it.

    Attributes:
        lanes: What is drawn.
        tones: The colour of each.
        terminal: For what.
    """

    lanes: Sequence[Lane]
    tones: Sequence[str]
    terminal: Terminal

    @property
    def width(self) -> int:
        """How many characters a row takes."""
        return 2 * max((lane.column for lane in self.lanes), default=-2) + 4

    def between(self, row: int) -> str:
        """Return what is drawn above *row*, below the one before it."""
        chars = [" "] * self.width
        for lane, tone in zip(self.lanes, self.tones, strict=True):
            if lane.first < row <= lane.last:
                chars[2 * lane.column] = self._passing(lane, tone)
        return "".join(chars)

    def at(self, row: int) -> str:
        """Return what is drawn beside *row*."""
        chars = [" "] * self.width
        here = {
            lane.column: (lane, tone)
            for lane, tone in zip(self.lanes, self.tones, strict=True)
            if lane.first <= row <= lane.last
        }
        line = last_tone = ""
        for column in range(self.width // 2):
            at = 2 * column
            lane, tone = here.get(column, (None, ""))
            if lane and (row in lane.targets or row in lane.sources):
                joint = _JOINTS[lane.first < row, row < lane.last, bool(line)]
                arrows = [lane.targets[row]] if row in lane.targets else lane.targets.values()
                chars[at] = self._drawn(joint, tone)
                line, last_tone = self._drawn(_HORIZONTAL[is_any_needed(arrows)], tone), tone
            elif lane:
                chars[at] = self._passing(lane, tone)
            else:
                chars[at] = line or " "
            chars[at + 1] = line or " "
        arriving = [lane.targets[row] for lane, _ in here.values() if row in lane.targets]
        if arriving:
            chars[-1] = self._drawn(_HEAD[is_any_needed(arriving)], last_tone)
        return "".join(chars)

    def _drawn(self, char: str, tone: str) -> str:
        return self.terminal.style(self.terminal.spelled(char), tone)

    def _passing(self, lane: Lane, tone: str) -> str:
        return self._drawn(_VERTICAL[is_any_needed(lane.targets.values())], tone)


def is_any_needed(arrows: Iterable[Arrow]) -> bool:
    """Whether one of *arrows* is about something needed, rather than used if it is there."""
    return any(arrow.strength is not Strength.SOFT for arrow in arrows)
