"""Compile run configs into explicit graphs of API providers; check, show and run them.

Names are loaded when they are first used: importing this package alone costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph._lazy import lazy_names

if TYPE_CHECKING:
    from rungraph._version import __version__
    from rungraph.engine.errors import EngineError, StartError, StopError
    from rungraph.engine.events import Event, EventLog, State
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
        graph_from_json,
        graph_to_json,
        load_catalog,
    )
    from rungraph.graph.query import query
    from rungraph.viz import draw, render

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
    "graph_from_json",
    "graph_to_json",
    "load_catalog",
    "query",
    "render",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "_version": ["__version__"],
        "engine.errors": ["EngineError", "StartError", "StopError"],
        "engine.events": ["Event", "EventLog", "State"],
        "engine.run.settings": ["StackSettings"],
        "engine.run.stack": ["Stack"],
        "graph.query": ["query"],
        "viz": ["draw", "render"],
    },
    otherwise="graph",
)
