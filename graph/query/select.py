"""Queries asked of a graph: several texts to one selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from rungraph.graph.paths import Edges
from rungraph.graph.query.context import Context, Graphs, graphs_of
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.evaluator import evaluate
from rungraph.graph.query.functions import Counted
from rungraph.graph.query.selection import Selection
from rungraph.graph.query.selectors import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph


def query(
    graph: RunGraph,
    *expressions: str,
    edges: Edges = "all",
    against: RunGraph | None = None,
    status: Mapping[Address, str] | None = None,
    durations: Mapping[Address, float] | None = None,
    selectors: Mapping[str, str] | None = None,
    may_miss: bool = False,
    may_count: bool = True,
) -> Selection:
    """Return the nodes that any of *expressions* selects, in start order.

    Args:
        graph: What is asked.
        expressions: Queries, such as ``+router:safety``.
        edges: Which edges walks follow; a table's members count as hard.
        against: An older graph, for ``state:``.
        status: The status of nodes, for ``status:``.
        durations: Seconds that nodes took to start; ``critical()`` then adds them up.
        selectors: More selectors by name, before those of the config.
        may_miss: Whether patterns, and names that only the catalog knows, may match nothing.
        may_count: Whether it may be ``count(x)``, of which nodes are no answer.

    Raises:
        QueryError: If one cannot be read or names what there is not, or counts and may not.
    """
    if edges not in get_args(Edges):
        msg = f"edges must be one of {', '.join(get_args(Edges))}, not {edges!r}"
        raise ValueError(msg)
    if not expressions:
        msg = "there is no query"
        raise QueryError(msg, help=("write '*' for all nodes",))
    known = {**graph.selectors, **(selectors or {})}
    graphs = graphs_of(graph) if against is None else Graphs(graph, against)

    def unmatched(text: str, error: QueryError) -> None:
        if not is_known(graph, text):
            raise error

    context = Context(graphs, edges, status, durations, known, unmatched if may_miss else None)
    return selection_of(context, *expressions, may_count=may_count)


def selection_of(context: Context, *expressions: str, may_count: bool = True) -> Selection:
    """Return what any of some queries select.

    Raises:
        QueryError: As `query`; and if one of several counts, or the only one and it may not.
    """
    found = [evaluate(context, expression) for expression in expressions]
    for expression, one in zip(expressions, found, strict=True):
        if isinstance(one, Counted) and len(found) > 1:
            msg = "count(x) is a number, not one of several selections"
            raise QueryError(msg, expression, 0, ("ask count(a | b) for all of them",))
        if isinstance(one, Counted) and not may_count:
            raise QueryError(Counted.IS_NUMBER, expression, 0, ("write x alone for the nodes",))
    path = found[0] if len(found) == 1 and isinstance(found[0], tuple) else None
    nodes = frozenset(found[0]).union(*found[1:])
    return Selection(context.graphs.in_order(nodes), path, isinstance(found[0], Counted))
