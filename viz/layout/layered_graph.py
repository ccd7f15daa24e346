"""Boxes and lines as numbered vertices in layers, with links between neighbouring layers only."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

from rungraph.graph.budgets import MOST_LAID_OUT
from rungraph.graph.errors import RungraphError

if TYPE_CHECKING:
    from rungraph.viz.layout.geometry import Size

K = TypeVar("K", bound=Hashable)

BOX_GAP = 18.0
"""Between two boxes of a column."""
LANE_GAP = 9.0
"""Between a line that passes a column and its neighbours there."""


class PictureError(RungraphError):
    """Raised when there is too much in a graph to draw a picture of it."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(
            f"{what} are too many for a picture: at most {most:,} together\n"
            "  help: select fewer nodes, or write dot, mermaid or text"
        )


class LayeredGraph(Generic[K]):
    """What is laid out. Boxes come first; a vertex after them is a lane, where a line passes.

    Attributes:
        edges: The edges, as they were given.
        column_of: The column of each box.
        vertex_of: The number of each box.
        heights: The height of each vertex.
        widths: The width of each column.
        layers: The vertices of each column.
        links: Each from a vertex to one in the next column.
        lanes: The lanes of each line that has any, from left to right.
        chains: For each edge its vertices, from its first box to its second.

    Raises:
        PictureError: If there are more than ``MOST_LAID_OUT`` vertices and edges.
    """

    def __init__(
        self, columns: Sequence[Sequence[K]], sizes: Mapping[K, Size], edges: Sequence[tuple[K, K]]
    ) -> None:
        self.edges = edges
        self.column_of = {key: index for index, column in enumerate(columns) for key in column}
        self.vertex_of = {key: vertex for vertex, key in enumerate(self.column_of)}
        self.heights = [sizes[key].height for key in self.column_of]
        self.widths = [max((sizes[key].width for key in column), default=0.0) for column in columns]
        passed = (abs(self.column_of[a] - self.column_of[b]) for a, b in edges)
        crossed = sum(columns - 1 for columns in passed if columns)
        boxes = len(self.column_of)
        if boxes + len(edges) + crossed > MOST_LAID_OUT:
            what = f"{boxes:,} boxes and {len(edges):,} arrows past {crossed:,} columns"
            raise PictureError(what, MOST_LAID_OUT)
        self.layers = [[self.vertex_of[key] for key in column] for column in columns]
        self.links: list[tuple[int, int]] = []
        self.lanes: list[list[int]] = []
        self.chains: list[list[int]] = []
        for a, b in edges:
            first, last = self.column_of[a], self.column_of[b]
            step = 1 if first <= last else -1
            lanes: list[int] = []
            for column in range(first + step, last, step):
                lanes.append(len(self.heights))
                self.layers[column].append(len(self.heights))
                self.heights.append(0.0)
            chain = [self.vertex_of[a], *lanes, self.vertex_of[b]]
            self.chains.append(chain)
            if lanes:
                self.lanes.append(lanes[::step])
            if first != last:
                self.links += pairwise(chain[::step])

    def is_lane(self, vertex: int) -> bool:
        """Whether *vertex* is a passing line."""
        return vertex >= len(self.vertex_of)

    def gap(self, a: int, b: int) -> float:
        """Return how far apart the middles of two neighbours in a column are at least."""
        space = LANE_GAP if self.is_lane(a) or self.is_lane(b) else BOX_GAP
        return (self.heights[a] + self.heights[b]) / 2 + space
