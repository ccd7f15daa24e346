"""Points, sizes and rectangles. Lengths are in points; y grows downwards."""

from __future__ import annotations

from typing import Literal, NamedTuple

Direction = Literal["LR", "TB"]
"""Where later columns go: to the right, or down."""


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


class Size(NamedTuple):
    """How large something is."""

    width: float
    height: float


class Rect(NamedTuple):
    """A box's place: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, by: Point) -> Rect:
        """Return the same rectangle elsewhere."""
        return Rect(self.x + by.x, self.y + by.y, self.width, self.height)

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The y half-way down."""
        return self.y + self.height / 2
