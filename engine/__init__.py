"""Run a graph: start it, route calls through it, stop it.

Names are loaded when they are first used, so that reading the catalog costs no event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph._lazy import lazy_names

if TYPE_CHECKING:
    from rungraph.engine.errors import (
        AmbiguousResourceError,
        ComplianceError,
        EngineError,
        MissingPackageError,
        NotRunningError,
        NotServedError,
        RoutingError,
        StartError,
        StopError,
        UnknownResourceError,
    )
    from rungraph.engine.events import Event, EventLog, State
    from rungraph.engine.preflight.configs import validated_config
    from rungraph.engine.preflight.imports import check_imports
    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.run.compliance import check_compliance
    from rungraph.engine.run.settings import StackSettings
    from rungraph.engine.run.stack import Stack, run_until_signal
    from rungraph.engine.run.timeline import Timeline

__all__ = [
    "AmbiguousResourceError",
    "ComplianceError",
    "EngineError",
    "Event",
    "EventLog",
    "MissingPackageError",
    "NotRunningError",
    "NotServedError",
    "ProviderReport",
    "RoutingError",
    "Stack",
    "StackSettings",
    "StartError",
    "State",
    "StopError",
    "Timeline",
    "UnknownResourceError",
    "check_compliance",
    "check_imports",
    "run_until_signal",
    "validated_config",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "preflight.configs": ["validated_config"],
        "preflight.imports": ["check_imports"],
        "provider": ["ProviderReport"],
        "run.compliance": ["check_compliance"],
        "events": ["Event", "EventLog", "State"],
        "run.settings": ["StackSettings"],
        "run.stack": ["Stack", "run_until_signal"],
        "run.timeline": ["Timeline"],
    },
    otherwise="errors",
)
