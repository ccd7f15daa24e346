"""Resources that several providers serve together: which belong together, and that in words."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.nodes import Routing

_HOW = {"least_loaded": "by load", "round_robin": "in turn", "sticky": "by session"}


class Shared(Protocol):
    """What is known of one member of a group."""

    @property
    def identifier(self) -> str:
        """The name that callers use."""
        ...

    @property
    def provider_id(self) -> str:
        """The provider that serves it."""
        ...

    @property
    def routing(self) -> Routing | None:
        """How it shares its calls; None for what is no member."""
        ...

    @property
    def order(self) -> int:
        """Calls go to members of the lowest order that can take them."""
        ...


_Shared = TypeVar("_Shared", bound=Shared)


def member_groups(resources: Iterable[_Shared]) -> dict[str, list[_Shared]]:
    """Return the members of each group, by its identifier; what is alone is no group."""
    found: dict[str, list[_Shared]] = {}
    for one in resources:
        if one.routing is not None:
            found.setdefault(one.identifier, []).append(one)
    return {name: members for name, members in found.items() if len(members) > 1}


def in_words(members: Iterable[Shared]) -> str:
    """Return to which providers the calls of a group go.

    Examples:
        >>> from rungraph.graph.nodes import ResourceConfig, Routing
        >>> orders = {"foo": 0, "bar": 0, "cloud": 1}
        >>> in_words(
        ...     ResourceConfig("models", "small", one, routing=Routing(), order=order)
        ...     for one, order in orders.items()
        ... )
        'bar or foo by load, then cloud'
    """
    ordered = sorted(members, key=attrgetter("order", "provider_id"))
    routing = ordered[0].routing
    steps: list[str] = []
    for _, group in groupby(ordered, attrgetter("order")):
        names = [one.provider_id for one in group]
        how = f" {_HOW[routing.policy]}" if routing and len(names) > 1 else ""
        steps.append(" or ".join(filter(None, [", ".join(names[:-1]), names[-1]])) + how)
    after = routing.hedge_after if routing else None
    wait = f"{after:g} s" if isinstance(after, int | float) else after
    hedge = f"; a second one after {wait}" if after is not None else ""
    return ", then ".join(steps) + hedge
