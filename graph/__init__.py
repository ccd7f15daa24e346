"""Run configs compiled into explicit graphs. Pure: starts nothing, imports no provider.

Names are loaded when they are first used: reading a catalog loads no networkx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph._lazy import lazy_names

if TYPE_CHECKING:
    from rungraph.graph.address import Address, NodeKind
    from rungraph.graph.catalog.discovery import discover_catalog, load_catalog
    from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
    from rungraph.graph.compile import compile_config
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diagnostic_text import render_diagnostics
    from rungraph.graph.diagnostics import Diagnostic, Level, Severity
    from rungraph.graph.errors import CatalogError, InvalidGraph, RungraphError
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import (
        Edge,
        Evidence,
        Node,
        ProviderNode,
        ResourceConfig,
        RouterNode,
        Strength,
        TableNode,
    )
    from rungraph.graph.place import Place
    from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
    from rungraph.graph.query.errors import QueryError
    from rungraph.graph.query.selection import Selection

__all__ = [
    "Address",
    "ApiSpec",
    "Catalog",
    "CatalogError",
    "Diagnostic",
    "Edge",
    "Evidence",
    "Excluded",
    "InvalidGraph",
    "Level",
    "Node",
    "NodeKind",
    "Place",
    "ProviderNode",
    "ProviderSpec",
    "QueryError",
    "ResourceConfig",
    "RoutedPair",
    "RouterNode",
    "RunGraph",
    "RungraphError",
    "Selection",
    "Severity",
    "Strength",
    "TableNode",
    "compile_config",
    "discover_catalog",
    "graph_from_json",
    "graph_to_json",
    "load_catalog",
    "render_diagnostics",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "address": ["Address", "NodeKind"],
        "catalog.discovery": ["discover_catalog", "load_catalog"],
        "catalog.specs": ["ApiSpec", "Catalog", "ProviderSpec", "RoutedPair"],
        "compile": ["compile_config"],
        "diagnostic_text": ["render_diagnostics"],
        "diagnostics": ["Diagnostic", "Level", "Severity"],
        "errors": ["CatalogError", "InvalidGraph", "RungraphError"],
        "plan.graph_json": ["graph_from_json", "graph_to_json"],
        "model": ["RunGraph"],
        "place": ["Place"],
        "query.errors": ["QueryError"],
        "query.selection": ["Selection"],
        "config.run_config": ["Excluded"],
    },
    otherwise="nodes",
)
