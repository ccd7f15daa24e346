"""The secrets of all configs that one command has run, out of whatever it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rungraph.graph import RunGraph


class Masks:
    """Masks the secrets of *graph*, and of those that are added when it is reloaded."""

    def __init__(self, graph: RunGraph) -> None:
        self._graphs = [graph]

    def add(self, graph: RunGraph) -> None:
        """Mask the secrets of *graph*, too: an old one may still be told of something."""
        self._graphs.append(graph)

    def __call__(self, text: str) -> str:
        """Return *text* without the secrets."""
        for graph in self._graphs:
            text = graph.scrubbed(text)
        return text
