"""What a query is asked of, and with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.query.asked import Asked, Edges
    from rungraph.graph.query.errors import QueryError


@dataclass(frozen=True, slots=True)
class Context:
    """What a query is asked of, and with what.

    Attributes:
        asked: The graph, and the older one.
        edges: Which edges walks follow.
        status: The status of nodes, for ``status:``; None when there is none to ask.
        durations: Seconds that nodes took to start, for ``critical``; None to count nodes.
        selectors: Queries by the names that ``selector:`` finds them by.
        unmatched: Told of a selector that matches nothing, which is then empty; by default such a
            selector is an error.
    """

    asked: Asked
    edges: Edges = "all"
    status: Mapping[Address, str] | None = None
    durations: Mapping[Address, float] | None = None
    selectors: Mapping[str, str] = field(default_factory=dict[str, str])
    unmatched: Callable[[str, QueryError], None] | None = None
