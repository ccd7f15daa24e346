"""Diagnostics that stand at a provider's entry, or at a key of its config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import ProviderNode


def at_provider(
    node: ProviderNode,
    code: str,
    message: str,
    *ways_out: str,
    severity: Severity = Severity.ERROR,
    detail: str = "",
) -> Diagnostic:
    """Return a diagnostic at the entry of *node*."""
    path = path_text(node.path)
    return Diagnostic(
        code, message, severity, node.place, ways_out, node.address, path, detail=detail
    )


def at_config(
    graph: RunGraph,
    node: ProviderNode,
    keys: Sequence[str | int],
    code: str,
    message: str,
    *ways_out: str,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    """Return a diagnostic at the place that *keys* lead to in the config of *node*."""
    place = graph.place_of_config(node.address, tuple(keys))
    path = path_text((*node.path, "config", *keys))
    return Diagnostic(code, message, severity, place, ways_out, node.address, path)
