"""Boxes and lines as numbered vertices in layers, with links between neighbouring layers only."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from rungraph.viz.layout.geometry import Size

K = TypeVar("K", bound=Hashable)

BOX_GAP = 18.0
"""Between two boxes of a column."""
LANE_GAP = 9.0
"""Between a line that passes a column and its neighbours there."""


class Net(Generic[K]):
    """What is laid out. Boxes come first; a vertex after them is a lane, where a line passes.

    Attributes:
        edges: The edges, as they were given.
        column_of: The column of each box.
        vertex_of: The number of each box.
        heights: The height of each vertex.
        widths: The width of each column.
        layers: The vertices of each column.
        links: Each from a vertex to one in the next column.
        chains: For each edge its vertices, from its first box to its second.
    """

    def __init__(
        self, columns: Sequence[Sequence[K]], sizes: Mapping[K, Size], edges: Sequence[tuple[K, K]]
    ) -> None:
        self.edges = edges
        self.column_of = {key: index for index, column in enumerate(columns) for key in column}
        self.vertex_of = {key: vertex for vertex, key in enumerate(self.column_of)}
        self.heights = [sizes[key].height for key in self.column_of]
        self.widths = [max((sizes[key].width for key in column), default=0.0) for column in columns]
        self.layers = [[self.vertex_of[key] for key in column] for column in columns]
        self.links: list[tuple[int, int]] = []
        self.chains: list[list[int]] = []
        for a, b in edges:
            chain = self._chain(a, b)
            self.chains.append(chain)
            if self.column_of[a] != self.column_of[b]:
                is_rightward = self.column_of[a] < self.column_of[b]
                self.links.extend(pairwise(chain if is_rightward else chain[::-1]))

    def _chain(self, a: K, b: K) -> list[int]:
        first, last = self.column_of[a], self.column_of[b]
        step = 1 if first <= last else -1
        chain = [self.vertex_of[a]]
        for column in range(first + step, last, step):
            self.layers[column].append(len(self.heights))
            chain.append(len(self.heights))
            self.heights.append(0.0)
        return [*chain, self.vertex_of[b]]

    def is_lane(self, vertex: int) -> bool:
        """Whether *vertex* is a passing line."""
        return vertex >= len(self.vertex_of)

    @property
    def lanes(self) -> list[list[int]]:
        """The lanes of each line that has any, from left to right."""
        found = (
            chain[1:-1] if self.column_of[a] < self.column_of[b] else chain[-2:0:-1]
            for (a, b), chain in zip(self.edges, self.chains, strict=True)
        )
        return [lanes for lanes in found if lanes]

    def gap(self, a: int, b: int) -> float:
        """Return how far apart the middles of two neighbours in a column are at least."""
        space = LANE_GAP if self.is_lane(a) or self.is_lane(b) else BOX_GAP
        return (self.heights[a] + self.heights[b]) / 2 + space
