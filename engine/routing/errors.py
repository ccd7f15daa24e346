"""The errors of routing tables, routers and the registration store.

::

    EngineError (rungraph.engine.errors)
    ├── NodeError
    │   └── PairError                   a routed pair or its resources in a config make no sense
    │       └── LackingError            providers do not take what a config has their table offer
    ├── BusyError                   a provider takes no more calls now; also a ConnectionError
    ├── CallTimeoutError            a call takes longer than it may; also a TimeoutError
    ├── RegistrationStoreError          the file that keeps registrations cannot be used
    └── RoutingError                    (rungraph.engine.errors) also a ValueError
        ├── ProviderNeededError         several providers could be meant, or there is none
        ├── UnknownProviderError        a registration names a provider that is not there
        ├── RegistrationRefusedError    a provider does not take what is to be registered
        └── UnstorableError             what is to be registered cannot be kept
"""

from __future__ import annotations

from dataclasses import dataclass

from rungraph.engine.errors import EngineError, NodeError, RoutingError, unknown
from rungraph.graph.wording import duration


class PairError(NodeError):
    """Raised when a table or router cannot be made from what a catalog and a config say."""


class LackingError(PairError):
    """Raised when a table goes by its config, but a provider does not take some of it."""


class RegistrationStoreError(EngineError):
    """Raised when the file that keeps registrations cannot be used, or is something else."""


@dataclass(eq=False)
class BusyError(EngineError, ConnectionError):
    """Raised when a call is refused because so many others of its provider run and wait.

    Attributes:
        provider: The provider's address.
        running: How many calls run.
        waiting: How many wait for their turn.
        retry_after: Seconds after which one more would have its turn; None when nobody knows.
        has_waited: Whether it is refused only after it has waited for its turn, in vain.
    """

    provider: str
    running: int
    waiting: int
    retry_after: float | None = None
    has_waited: bool = False

    def __str__(self) -> str:
        text = f"'{self.provider}' is busy: {self.running} running, {self.waiting} waiting"
        known = self.retry_after
        return text if known is None else f"{text}; retry after {duration(known)}"


@dataclass(eq=False)
class CallTimeoutError(EngineError, TimeoutError):
    """Raised when a call takes longer than the limits of its provider allow.

    Attributes:
        provider: The provider's address.
        action: What it did not do in time.
        seconds: The limit.
    """

    provider: str
    action: str
    seconds: float

    def __str__(self) -> str:
        return f"'{self.provider}' did not {self.action} within {self.seconds:g} s"


@dataclass(eq=False)
class ProviderNeededError(RoutingError):
    """Raised when a provider has to be named because there is not exactly one.

    Attributes:
        purpose: What it is needed for, such as ``that model 'small' could be registered with``.
        providers: The providers that are there, sorted.
        way_out: What to do when there are several.
    """

    purpose: str
    providers: tuple[str, ...]
    way_out: str

    def __str__(self) -> str:
        if not self.providers:
            return f"there is no provider {self.purpose}"
        names = ", ".join(map(repr, self.providers))
        return f"there are several providers {self.purpose}: {names}\nhelp: {self.way_out}"


@dataclass(eq=False)
class UnknownProviderError(RoutingError):
    """Raised when a registration names a provider that is not there.

    Attributes:
        provider_id: The provider that was named.
        api: The API that it should implement.
        known: The providers that are there, sorted.
    """

    provider_id: str
    api: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        text = f"provider {self.provider_id!r} of {self.api} is not running"
        return unknown(text, "running", self.provider_id, self.known)


@dataclass(eq=False)
class RegistrationRefusedError(RoutingError):
    """Raised when a provider does not take, or give up, a resource.

    Attributes:
        provider_id: The provider.
        resource: What it is: ``model``, ``shield``, ``memory bank``.
        identifier: Which one.
        reason: What the provider says.
    """

    provider_id: str
    resource: str
    identifier: str
    reason: str

    def __str__(self) -> str:
        refused = f"provider {self.provider_id!r} refused {self.resource} {self.identifier!r}"
        return f"{refused}: {self.reason}"


@dataclass(eq=False)
class UnstorableError(RoutingError):
    """Raised when a resource holds what cannot be written down, and so would be lost.

    Attributes:
        identifier: The resource.
        reason: What cannot be written.
    """

    identifier: str
    reason: str

    def __str__(self) -> str:
        return f"{self.identifier!r} cannot be registered: it cannot be stored: {self.reason}"
