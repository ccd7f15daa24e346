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
