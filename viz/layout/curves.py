"""The curves that the points of a layout's line stand for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rungraph.viz.layout.layered import BOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.viz.layout.geometry import Direction, Point


def segments_of(
    line: Sequence[Point], direction: Direction = "LR"
) -> Iterator[tuple[Point] | tuple[Point, Point, Point]]:
    """Yield the segments of a line after its first point: what SVG's ``L`` and ``C`` take.

    A segment is the point to which a straight line goes, or two control points and the point to
    which a cubic Bezier curve goes.

    Examples:
        >>> from rungraph.viz.layout.geometry import Point
        >>> list(segments_of([Point(0, 0), Point(10, 0), Point(20, 8)]))
        [(Point(x=10, y=0),), (Point(x=15.0, y=0), Point(x=15.0, y=8), Point(x=20, y=8))]
    """
    along = 1 if direction == "TB" else 0
    for a, b in pairwise(line):
        if a[1 - along] == b[1 - along]:
            yield (b,)
            continue
        bend = a[along] + BOW if a[along] == b[along] else (a[along] + b[along]) / 2
        yield (_bent(a, along, bend), _bent(b, along, bend), b)


def _bent(point: Point, along: int, bend: float) -> Point:
    return point._replace(y=bend) if along else point._replace(x=bend)
