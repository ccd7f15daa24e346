"""The errors of routing tables, routers and the registration store.

::

    EngineError (rungraph.engine.errors)
    ├── NodeError
    │   └── PairError                   a routed pair or its resources in a config make no sense
    ├── RegistrationStoreError          the file that keeps registrations cannot be used
    └── RoutingError                    (rungraph.engine.errors) also a ValueError
        ├── ProviderNeededError         several providers could be meant, or there is none
        ├── UnknownProviderError        a registration names a provider that is not there
        └── RegistrationRefusedError    a provider does not take what is to be registered
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.engine.errors import EngineError, NodeError, RoutingError
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable


class PairError(NodeError):
    """Raised when a table or router cannot be made from what a catalog and a config say."""


class RegistrationStoreError(EngineError):
    """Raised when the file that keeps registrations cannot be used, or is something else."""


class ProviderNeededError(RoutingError):
    """Raised when a provider has to be named because there is not exactly one.

    Attributes:
        purpose: What it is needed for, such as ``that model 'small' could be registered with``.
        providers: The providers that are there, sorted.
        way_out: What to do when there are several.
    """

    def __init__(self, purpose: str, providers: Iterable[str], way_out: str) -> None:
        self.purpose = purpose
        self.providers = tuple(sorted(providers))
        self.way_out = way_out
        super().__init__(purpose, self.providers, way_out)

    def __str__(self) -> str:
        if not self.providers:
            return f"there is no provider {self.purpose}"
        names = ", ".join(map(repr, self.providers))
        return f"there are several providers {self.purpose}: {names}\nhelp: {self.way_out}"


class UnknownProviderError(RoutingError):
    """Raised when a registration names a provider that is not there.

    Attributes:
        provider_id: The provider that was named.
        api: The API that it should implement.
        known: The providers that are there, sorted.
    """

    def __init__(self, provider_id: str, api: str, known: Iterable[str]) -> None:
        self.provider_id = provider_id
        self.api = api
        self.known = tuple(sorted(known))
        super().__init__(provider_id, api, self.known)

    def __str__(self) -> str:
        lines = [
            f"provider {self.provider_id!r} of {self.api} is not running",
            f"running: {', '.join(map(repr, self.known)) or 'none'}",
        ]
        if question := did_you_mean(self.provider_id, self.known):
            lines.append(f"help: {question}")
        return "\n".join(lines)


class RegistrationRefusedError(RoutingError):
    """Raised when a provider does not take, or give up, a resource.

    Attributes:
        provider_id: The provider.
        resource: What it is: ``model``, ``shield``, ``memory_bank``.
        identifier: Which one.
        reason: What the provider says.
    """

    def __init__(self, provider_id: str, resource: str, identifier: str, reason: str) -> None:
        self.provider_id = provider_id
        self.resource = resource
        self.identifier = identifier
        self.reason = reason
        super().__init__(provider_id, resource, identifier, reason)

    def __str__(self) -> str:
        kind = self.resource.replace("_", " ")
        return f"provider {self.provider_id!r} refused {kind} {self.identifier!r}: {self.reason}"
