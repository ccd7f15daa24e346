"""What becomes of a graph when some nodes fail, as a part of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.failures import assume_failed
from rungraph.graph.plan.outcomes import ApiAvailability, DegradedNode, FailedNode, FailuresPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph


def failures_plan(graph: RunGraph, addresses: Iterable[Address]) -> FailuresPlan:
    """Return what becomes of *graph* when *addresses* fail; see `assume_failed`.

    Raises:
        KeyError: If one of them is not in the graph.
    """
    found = assume_failed(graph, addresses)
    return FailuresPlan(
        apis=tuple(ApiAvailability(api=api, availability=word) for api, word in found.apis.items()),
        assumed=tuple(map(str, found.assumed)),
        degraded=tuple(
            DegradedNode(address=str(address), without=tuple(map(str, lacking)))
            for address, lacking in found.without.items()
        ),
        failed=tuple(
            FailedNode(address=str(address), because_of=tuple(map(str, causes)))
            for address, causes in found.causes.items()
        ),
    )
