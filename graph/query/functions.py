"""What the functions of the language select."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.query.attributes import ATTRIBUTES, CONFIG, groups_of
from rungraph.graph.query.syntax import ALL
from rungraph.graph.query.walks import longest_chain, on_circles, reached, shortest_path
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rungraph.graph.query.context import Context
    from rungraph.graph.query.errors import QueryError
    from rungraph.graph.query.index import NodeSet


class Found(NamedTuple):
    """What a part of a query selects.

    Attributes:
        nodes: The nodes.
        path: Their order, where they are a path.
    """

    nodes: NodeSet
    path: Sequence[int] | None = None


def deps(context: Context, start: NodeSet, levels: int = ALL) -> NodeSet:
    """Return the nodes of *start* and what they need; what only the old graph has, walks there."""
    return _walked(context, start, levels, lambda links: links.needs)


def rdeps(context: Context, start: NodeSet, levels: int = ALL) -> NodeSet:
    """Return the nodes of *start* and what needs them."""
    return _walked(context, start, levels, lambda links: links.needed_by)


def _walked(
    context: Context, start: NodeSet, levels: int, step: Callable[[Any], Sequence[Sequence[int]]]
) -> NodeSet:
    index = context.index
    live = start & index.everything
    found = reached(index, step(index.links(context.edges)), live, levels) if live else 0
    if gone := start ^ live:
        found |= reached(index, step(index.links(context.edges, of_old=True)), gone, levels)
    return found


def allpaths(context: Context, start: NodeSet, goal: NodeSet) -> NodeSet:
    """Return the nodes on any path from *start* to a node of *goal* that it needs."""
    # As a set of nodes, however many paths there are: below the one and above the other.
    return deps(context, start) & rdeps(context, goal)


def somepath(context: Context, start: NodeSet, goal: NodeSet) -> Found:
    """Return a shortest path from *start* to *goal*; of several the first by address."""
    index = context.index
    key = index.addresses.__getitem__
    starts, goals = index.numbers_of(start), index.numbers_of(goal)
    path = shortest_path(index.links(context.edges), starts, goals, key)
    if not path and index.old is not None:
        path = shortest_path(index.links(context.edges, of_old=True), starts, goals, key)
    return Found(index.set_of(path), path)


def critical(context: Context, ends: NodeSet) -> Found:
    """Return the longest chain that ends in *ends*, by nodes or by seconds if they are known."""
    index = context.index
    weights = None
    if context.durations is not None:
        weights = {
            index.number_of[address]: seconds
            for address, seconds in context.durations.items()
            if address in index.number_of
        }
    key = index.addresses.__getitem__
    path = longest_chain(index, index.links(context.edges), ends, weights, key)
    return Found(index.set_of(path), path)


def cycles(context: Context) -> NodeSet:
    """Return the nodes on circles.

    All edges include the soft ones that were dropped, because those closed a circle; hard ones
    tell of the circles that keep a graph from being run.
    """
    index = context.index
    return index.set_of(on_circles(index.links(context.edges, with_dropped=True)))


def roots(context: Context, nodes: NodeSet) -> NodeSet:
    """Return the nodes that no other of *nodes* needs."""
    return _ends(context, nodes, needed=True)


def leaves(context: Context, nodes: NodeSet) -> NodeSet:
    """Return the nodes that need no other of *nodes*."""
    return _ends(context, nodes, needed=False)


def _ends(context: Context, nodes: NodeSet, *, needed: bool) -> NodeSet:
    index = context.index
    links = index.links(context.edges)
    step = links.needed_by if needed else links.needs
    marks = index.marks_of(nodes)
    return index.set_of(
        number
        for number in index.numbers_of(nodes)
        if not any(marks[one] and one != number for one in step[number])
    )


def siblings(context: Context, nodes: NodeSet) -> NodeSet:
    """Return the nodes of the same kind and API as one of *nodes*, which are among them."""
    index = context.index
    wanted = {address[:2] for address in index.addresses_of(nodes)}
    found = index.set_of(
        number
        for number, address in enumerate(index.addresses[: index.live])
        if address[:2] in wanted
    )
    return found | nodes


def some(context: Context, nodes: NodeSet, count: int = 1) -> NodeSet:
    """Return the first *count* of *nodes* in start order."""
    return context.index.set_of(context.index.numbers_of(nodes)[:count])


def filtered(
    context: Context, pattern: str, nodes: NodeSet, fail: Callable[..., QueryError]
) -> NodeSet:
    """Return those of *nodes* in whose address the regular expression *pattern* is found."""
    index = context.index
    search, texts = compiled(pattern, fail).search, index.texts
    return index.set_of([number for number in index.numbers_of(nodes) if search(texts[number])])


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
    values = [value for value in groups if search(value)]
    return context.index.set_of(n for value in values for n in groups[value]) & nodes


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
