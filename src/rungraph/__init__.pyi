from ._version import __version__ as __version__
from .engine.errors import (
    EngineError as EngineError,
    StartError as StartError,
    StopError as StopError,
)
from .engine.events import Event as Event, EventLog as EventLog, State as State
from .engine.run.settings import StackSettings as StackSettings
from .engine.run.stack import Stack as Stack
from .graph import (
    Address as Address,
    ApiSpec as ApiSpec,
    Catalog as Catalog,
    Diagnostic as Diagnostic,
    Edge as Edge,
    InvalidGraph as InvalidGraph,
    NodeKind as NodeKind,
    Place as Place,
    ProviderSpec as ProviderSpec,
    RoutedPair as RoutedPair,
    RunGraph as RunGraph,
    RungraphError as RungraphError,
    Severity as Severity,
    Strength as Strength,
    compile_config as compile_config,
    graph_from_json as graph_from_json,
    graph_to_json as graph_to_json,
    load_catalog as load_catalog,
)
from .graph.query import query as query
from .viz import draw as draw, render as render
