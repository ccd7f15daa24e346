"""The curves that the points of a layout's line stand for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rungraph.viz.layout.geometry import Point
from rungraph.viz.layout.layered import BOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.viz.layout.layered import Direction


def pieces_of(
    line: Sequence[Point], direction: Direction = "LR"
) -> Iterator[tuple[Point] | tuple[Point, Point, Point]]:
    """Yield the pieces of a line after its first point: what SVG's ``L`` and ``C`` are told.

    A piece is the point to which a straight line goes, or two control points and the point to
    which a cubic Bezier curve goes.

    Examples:
        >>> list(pieces_of([Point(0, 0), Point(10, 0), Point(20, 8)]))
        [(Point(x=10, y=0),), (Point(x=15.0, y=0), Point(x=15.0, y=8), Point(x=20, y=8))]
    """
    for a, b in pairwise(line):
        if direction == "TB":
            if a.x == b.x:
                yield (b,)
                continue
            bend = a.y + BOW if a.y == b.y else (a.y + b.y) / 2
            yield (Point(a.x, bend), Point(b.x, bend), b)
        else:
            if a.y == b.y:
                yield (b,)
                continue
            bend = a.x + BOW if a.x == b.x else (a.x + b.x) / 2
            yield (Point(bend, a.y), Point(bend, b.y), b)
