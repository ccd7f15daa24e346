"""What the functions of the language select."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.digraph import cyclic_sets
from rungraph.graph.query.attributes import ATTRIBUTES, CONFIG, groups_of
from rungraph.graph.query.syntax import ALL
from rungraph.graph.query.walks import longest_chain, reached, shortest_path
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.query.asked import NodeSet
    from rungraph.graph.query.context import Context
    from rungraph.graph.query.errors import QueryError


class Found(NamedTuple):
    """What a part of a query selects.

    Attributes:
        nodes: The nodes.
        path: Their order, where they are a path.
    """

    nodes: NodeSet
    path: Sequence[Address] | None = None


def deps(context: Context, start: NodeSet, levels: int = ALL) -> NodeSet:
    """Return the nodes of *start* and what they need; what only the old graph has, walks there."""
    return _walked(context, start, levels, against_edges=True)


def rdeps(context: Context, start: NodeSet, levels: int = ALL) -> NodeSet:
    """Return the nodes of *start* and what needs them."""
    return _walked(context, start, levels, against_edges=False)


def _walked(context: Context, start: NodeSet, levels: int, *, against_edges: bool) -> NodeSet:
    asked = context.asked
    found: NodeSet = frozenset()
    for nodes, of_old in (
        (start & asked.everything, False),
        (start - asked.everything, True),
    ):
        if nodes:
            graph = asked.edges(context.edges, of_old=of_old)
            found |= reached(graph.reverse(copy=False) if against_edges else graph, nodes, levels)
    return found


def allpaths(context: Context, start: NodeSet, goal: NodeSet) -> NodeSet:
    """Return the nodes on any path from *start* to a node of *goal* that it needs."""
    # As a set of nodes, however many paths there are: below the one and above the other.
    return deps(context, start) & rdeps(context, goal)


def somepath(context: Context, start: NodeSet, goal: NodeSet) -> Found:
    """Return a shortest path from *start* to *goal*; of several the first by address."""
    path = shortest_path(context.asked.edges(context.edges), start, goal)
    if not path and context.asked.old is not None:
        path = shortest_path(context.asked.edges(context.edges, of_old=True), start, goal)
    return Found(frozenset(path), path)


def critical(context: Context, ends: NodeSet) -> Found:
    """Return the longest chain that ends in *ends*, by nodes or by seconds if they are known."""
    path = longest_chain(context.asked.edges(context.edges), ends, context.durations)
    return Found(frozenset(path), path)


def cycles(context: Context) -> NodeSet:
    """Return the nodes on cycles.

    All edges include the soft ones that were dropped, because those closed a cycle; hard ones
    tell of the cycles that keep a graph from being run.
    """
    with_dropped = context.edges != "hard"
    graph = context.asked.edges(context.edges, with_dropped=with_dropped)
    return frozenset().union(*cyclic_sets(graph))


def roots(context: Context, nodes: NodeSet) -> NodeSet:
    """Return the nodes that no other of *nodes* needs."""
    return _ends(context, nodes, needed=True)


def leaves(context: Context, nodes: NodeSet) -> NodeSet:
    """Return the nodes that need no other of *nodes*."""
    return _ends(context, nodes, needed=False)


def _ends(context: Context, nodes: NodeSet, *, needed: bool) -> NodeSet:
    graph = context.asked.edges(context.edges)
    step = graph.succ if needed else graph.pred
    return frozenset(
        node
        for node in nodes
        if not any(one in nodes and one != node for one in step.get(node, ()))
    )


def siblings(context: Context, nodes: NodeSet) -> NodeSet:
    """Return the nodes of the same kind and API as one of *nodes*, which are among them."""
    wanted = {address[:2] for address in nodes}
    return nodes | {one for one in context.asked.everything if one[:2] in wanted}


def some(context: Context, nodes: NodeSet, count: int = 1) -> NodeSet:
    """Return the first *count* of *nodes* in start order."""
    return frozenset(context.asked.in_order(nodes)[:count])


def filtered(
    context: Context, pattern: str, nodes: NodeSet, fail: Callable[..., QueryError]
) -> NodeSet:
    """Return those of *nodes* in whose address the regular expression *pattern* is found."""
    search, texts = compiled(pattern, fail).search, context.asked.texts
    return frozenset(one for one in nodes if search(texts[one]))


def attr(
    context: Context, name: str, pattern: str, nodes: NodeSet, fail: Callable[..., QueryError]
) -> NodeSet:
    """Return those of *nodes* with an attribute in which *pattern* is found.

    Args:
        context: What is asked.
        name: The attribute: a key of ``ATTRIBUTES``, ``status``, or ``config.PATH``.
        pattern: A regular expression.
        nodes: The nodes to look at.
        fail: Makes an error from a message, hints, and the argument that it is about.
    """
    known = (*sorted(ATTRIBUTES), "status", f"{CONFIG}PATH")
    if name not in known[:-1] and not (name.startswith(CONFIG) and name != CONFIG):
        near = closest(name, known)
        hint = f"did you mean '{near[0]}'?" if near else f"there is {', '.join(known)}"
        msg = f"no attribute '{name}'"
        raise fail(msg, hint, argument=0)
    search = compiled(pattern, fail, argument=1).search
    groups = groups_of(context, name)
    return nodes & frozenset().union(*(groups[value] for value in groups if search(value)))


def compiled(
    pattern: str, fail: Callable[..., QueryError], *, argument: int = 0
) -> re.Pattern[str]:
    """Return a regular expression.

    Raises:
        QueryError: If it is none.
    """
    try:
        with warnings.catch_warnings():
            # What a later Python may read differently is not for the user of a query to mend.
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        msg = f"not a regular expression: {error}"
        raise fail(msg, argument=argument) from None
