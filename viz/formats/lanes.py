"""Arrows as lanes beside a list of rows: where each begins, which rows it meets, where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.viz.model.elements import Arrow


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
        manner = tuple((row, arrow[2:]) for row, arrow in sorted(leading[source].items()))
        bundles.setdefault(manner, []).append(source)
    spans = [(tuple(sources), leading[sources[0]]) for sources in bundles.values()]
    spans.sort(key=lambda span: (span[0][0] - max(span[1]), span[0]))
    taken: list[list[tuple[int, int]]] = []
    lanes: list[Lane] = []
    for sources, targets in spans:
        lane = Lane(0, sources, targets)
        column = next(
            (n for n, others in enumerate(taken) if _is_free(others, lane.first, lane.last)),
            len(taken),
        )
        if column >= most:
            rest += [
                arrow._replace(dependency=rows[source])
                for source in sources
                for arrow in targets.values()
            ]
            continue
        if column == len(taken):
            taken.append([])
        taken[column].append((lane.first, lane.last))
        lanes.append(lane._replace(column=column))
    return tuple(lanes), tuple(sorted(rest, key=lambda one: one[:2]))


def _is_free(others: Sequence[tuple[int, int]], first: int, last: int) -> bool:
    return all(last < begin or end < first for begin, end in others)
