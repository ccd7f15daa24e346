"""What the instances behind the nodes are handed of the stack that they are part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.events import Event
    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.routing.gate import Observe
    from rungraph.engine.routing.names import Absence
    from rungraph.graph.address import Address


@dataclass(frozen=True, slots=True)
class StackAccess:
    """What instances are handed of the stack that they are part of.

    Attributes:
        view: The running stack, for the providers that every stack has.
        emit: Takes events.
        clock: Tells the seconds since the stack began to start.
        reporter: Tells what the instance of an address calls when its state changes.
        absence: Tells why nothing of an address can be requested, such as ``which failed``; empty
            when it runs.
        observe: Tells what is told of the calls along edges; None where nobody wants to know.
    """

    view: object
    emit: Callable[[Event], None]
    clock: Callable[[], float]
    reporter: Callable[[Address], Callable[[ProviderReport], None]]
    absence: Callable[[Address], Absence]
    observe: Callable[..., Observe | None]
