"""What a query is asked of: a graph, perhaps an older one, and what is known of its nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from rungraph.graph.budgets import LONGEST_PATTERN, MOST_PASSES, MOST_VISITED
from rungraph.graph.paths import walkable
from rungraph.graph.regex import PatternError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import networkx as nx

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Node
    from rungraph.graph.paths import Edges
    from rungraph.graph.query.errors import QueryError

NodeSet = frozenset["Address"]
_SIGN = re.compile(r"\[!?+\]?+[^\]]*+\]|.", re.DOTALL)


class Graphs:
    """A graph, and the nodes that only an older graph has.

    Attributes:
        new: The graph.
        old: The older graph.
        nodes: The nodes by address: those of the graph in start order, then those that only the
            older graph has.
        everything: The nodes of the graph.
        groups: Which nodes have which value, by attribute; filled as queries ask.
    """

    def __init__(self, new: RunGraph, old: RunGraph | None = None) -> None:
        self.new = new
        self.old = old
        self.nodes: dict[Address, Node] = {address: new.nodes[address] for address in new}
        self.everything: NodeSet = frozenset(self.nodes)
        if old is not None:
            self.nodes |= {one: old.nodes[one] for one in old if one not in new}
        self.groups: dict[str, Mapping[str, NodeSet]] = {}

    @cached_property
    def size(self) -> int:
        """How many nodes and edges there are."""
        return len(self.nodes) + self.new.nx.number_of_edges()

    @property
    def most_visited(self) -> int:
        """How many of them all that is asked together may visit."""
        return max(MOST_VISITED, MOST_PASSES * self.size)

    @cached_property
    def texts(self) -> dict[Address, str]:
        """The addresses as text, in order."""
        return {address: str(address) for address in self.nodes}

    @cached_property
    def _position(self) -> dict[Address, int]:
        return {address: position for position, address in enumerate(self.nodes)}

    def in_order(self, nodes: NodeSet) -> tuple[Address, ...]:
        """Return *nodes* in the order of `nodes`."""
        # Sorting what is most of the graph takes as long as the walk that found it.
        if len(nodes) * 8 > len(self.nodes):
            return tuple([one for one in self.nodes if one in nodes])
        return tuple(sorted(nodes, key=self._position.__getitem__))


@lru_cache(maxsize=4)  # What `a & b` selects of 100,000 nodes takes 0.4 of `set &` with it.
def graphs_of(graph: RunGraph) -> Graphs:
    """Return *graph* without an older one, as queries ask it; kept for the last few graphs."""
    return Graphs(graph)


@dataclass(slots=True)
class Work:
    """What queries that are asked together have cost so far.

    Attributes:
        visited: Nodes and edges, counted roughly: it bounds the time.
    """

    visited: float = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What a query is asked of.

    Attributes:
        graphs: The graph, and the older one.
        edges: Which edges walks follow.
        status: The status of nodes, for ``status:``; None when there is none to ask.
        durations: Seconds that nodes took to start, for ``critical``; None to count nodes.
        selectors: Queries by the names that ``selector:`` finds them by.
        unmatched: Called with a selector that matches nothing, which is then empty, and its error;
            by default the error is raised.
        work: What all that is asked in this context has cost so far.
    """

    graphs: Graphs
    edges: Edges = "all"
    status: Mapping[Address, str] | None = None
    durations: Mapping[Address, float] | None = None
    selectors: Mapping[str, str] = field(default_factory=dict[str, str])
    unmatched: Callable[[str, QueryError], None] | None = None
    work: Work = field(default_factory=Work)

    def walkable(self, *, with_dropped: bool = False) -> nx.DiGraph[Address]:
        """Return the graph with the edges that walks follow."""
        return walkable(self.graphs.new, self.edges, with_dropped=with_dropped)


def glob_of(glob: str) -> re.Pattern[str]:
    """Return what matches the texts that a glob means: ``*``, ``?``, ``[…]``; ``*`` any text.

    Raises:
        PatternError: If it is too long: a text is compared with all of it at each character.
    """
    if len(glob) > LONGEST_PATTERN and not is_literal(glob):
        msg = f"longer than {LONGEST_PATTERN:,} characters"
        raise PatternError(msg)
    # A bracket that nothing closes is itself: `translate` looks for the end of each anew.
    closed = glob.rfind("]") + 1
    signs = (*_SIGN.findall(glob, 0, closed), *glob[closed:])
    return re.compile(translate("".join("[[]" if one == "[" else one for one in signs)))


def is_literal(glob: str) -> bool:
    """Whether a glob means one text only."""
    return not any(sign in glob for sign in "*?[")
