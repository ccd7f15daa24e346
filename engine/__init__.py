"""Run a graph: start it, route calls through it, stop it.

Names are loaded when they are first used, so that reading the catalog costs no event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rungraph.engine.compliance import check_compliance
    from rungraph.engine.configs import validated_config
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
    from rungraph.engine.imports import check_imports
    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.settings import StackSettings
    from rungraph.engine.signals import run_until_signal
    from rungraph.engine.stack import Stack
    from rungraph.engine.timeline import Timeline

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

_MODULES = {
    "Event": "events",
    "EventLog": "events",
    "ProviderReport": "provider",
    "Stack": "stack",
    "StackSettings": "settings",
    "State": "events",
    "Timeline": "timeline",
    "check_compliance": "compliance",
    "check_imports": "imports",
    "run_until_signal": "signals",
    "validated_config": "configs",
}
"""The modules of the names; all others are in ``errors``."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
