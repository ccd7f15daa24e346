from .address import Address as Address, NodeKind as NodeKind
from .catalog.discovery import discover_catalog as discover_catalog, load_catalog as load_catalog
from .catalog.specs import (
    ApiSpec as ApiSpec,
    Catalog as Catalog,
    ProviderSpec as ProviderSpec,
    RoutedPair as RoutedPair,
)
from .compile import compile_config as compile_config
from .config.run_config import Excluded as Excluded
from .diagnostic_text import render_diagnostics as render_diagnostics
from .diagnostics import Diagnostic as Diagnostic, Level as Level, Severity as Severity
from .errors import (
    CatalogError as CatalogError,
    InvalidGraph as InvalidGraph,
    RungraphError as RungraphError,
)
from .model import RunGraph as RunGraph
from .nodes import (
    Edge as Edge,
    Evidence as Evidence,
    Node as Node,
    ProviderNode as ProviderNode,
    ResourceConfig as ResourceConfig,
    RouterNode as RouterNode,
    Strength as Strength,
    TableNode as TableNode,
)
from .place import Place as Place
from .plan.graph_json import graph_from_json as graph_from_json, graph_to_json as graph_to_json
from .query.errors import QueryError as QueryError
from .query.selection import Selection as Selection
