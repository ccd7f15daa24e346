"""Run a graph: start it, route calls through it, stop it.

Names are loaded when they are first used, so that reading the catalog costs no event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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
    from rungraph.engine.preflight.configs import validated_config
    from rungraph.engine.preflight.imports import check_imports
    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.run.compliance import check_compliance
    from rungraph.engine.run.events import Event, EventLog, State
    from rungraph.engine.run.settings import StackSettings
    from rungraph.engine.run.signals import run_until_signal
    from rungraph.engine.run.stack import Stack
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

_MODULES = {
    "Event": "run.events",
    "EventLog": "run.events",
    "ProviderReport": "provider",
    "Stack": "run.stack",
    "StackSettings": "run.settings",
    "State": "run.events",
    "Timeline": "run.timeline",
    "check_compliance": "run.compliance",
    "check_imports": "preflight.imports",
    "run_until_signal": "run.signals",
    "validated_config": "preflight.configs",
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
