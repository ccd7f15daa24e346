"""Send calls to the providers that serve them: tables, routers and what they remember."""

from __future__ import annotations

from rungraph.engine.routing.errors import (
    PairError,
    ProviderNeededError,
    RegistrationRefusedError,
    RegistrationStoreError,
    UnknownProviderError,
)
from rungraph.engine.routing.routers import Router, create_router
from rungraph.engine.routing.store import Registration, RegistrationStore
from rungraph.engine.routing.tables import RoutingTable, create_table

__all__ = [
    "PairError",
    "ProviderNeededError",
    "Registration",
    "RegistrationRefusedError",
    "RegistrationStore",
    "RegistrationStoreError",
    "Router",
    "RoutingTable",
    "UnknownProviderError",
    "create_router",
    "create_table",
]
