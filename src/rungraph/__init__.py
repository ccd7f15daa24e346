"""Compile run configs into explicit graphs of API providers; check, show and run them.

Names are loaded when they are first used: importing this package alone costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rungraph.engine.errors import EngineError, StartError, StopError
    from rungraph.engine.run.events import Event, EventLog, State
    from rungraph.engine.run.settings import StackSettings
    from rungraph.engine.run.stack import Stack
    from rungraph.graph import (
        Address,
        ApiSpec,
        Catalog,
        Diagnostic,
        Edge,
        InvalidGraph,
        NodeKind,
        Place,
        ProviderSpec,
        RoutedPair,
        RunGraph,
        RungraphError,
        Severity,
        Strength,
        compile_config,
        load_catalog,
    )
    from rungraph.viz import draw, render

    __version__: str

__all__ = [
    "Address",
    "ApiSpec",
    "Catalog",
    "Diagnostic",
    "Edge",
    "EngineError",
    "Event",
    "EventLog",
    "InvalidGraph",
    "NodeKind",
    "Place",
    "ProviderSpec",
    "RoutedPair",
    "RunGraph",
    "RungraphError",
    "Severity",
    "Stack",
    "StackSettings",
    "StartError",
    "State",
    "StopError",
    "Strength",
    "__version__",
    "compile_config",
    "draw",
    "load_catalog",
    "render",
]

_MODULES = {
    "EngineError": "engine.errors",
    "Event": "engine.run.events",
    "EventLog": "engine.run.events",
    "Stack": "engine.run.stack",
    "StackSettings": "engine.run.settings",
    "StartError": "engine.errors",
    "State": "engine.run.events",
    "StopError": "engine.errors",
    "draw": "viz",
    "render": "viz",
}
"""Where a name is; everything else is in ``rungraph.graph``."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object
    if name == "__version__":
        from importlib.metadata import version

        value = version("rungraph")
    else:
        value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'graph')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
