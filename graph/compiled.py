"""What the compiler hands to `RunGraph`, and the order of its diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.secrets.values import secret_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.nodes import Edge, Node
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.environment import Substitution, Use
    from rungraph.graph.source.run_config import Excluded, QueryCheck

_SEVERITY_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True)
class Compiled:
    """What the compiler made; `RunGraph` gives access to it."""

    name: str
    file: str
    apis: tuple[str, ...]
    catalog: Catalog
    nodes: Mapping[Address, Node]
    edges: tuple[Edge, ...]
    dropped: tuple[Edge, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    variables: tuple[Use, ...] | None = None
    metadata_store: Mapping[str, Any] | None = field(default=None, repr=False)
    written_store: Mapping[str, Any] | None = field(default=None, repr=False)
    selectors: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[QueryCheck, ...] = ()
    document: Document | None = field(default=None, repr=False)
    substitution: Substitution | None = field(default=None, repr=False)


def secrets_of(compiled: Compiled) -> frozenset[str]:
    """Return the secrets of a config that are long enough to look for in texts."""
    found = set(secret_values(compiled.written_store, compiled.metadata_store))
    for node in compiled.nodes.values():
        if isinstance(node, ProviderNode) and node.written:
            extra = node.spec.secrets if node.spec else ()
            found |= secret_values(node.written, node.config, secrets=extra)
        elif isinstance(node, TableNode):
            for resource in node.resources:
                found |= secret_values(resource.written, resource.fields)
    return frozenset(found)


def diagnostic_order(diagnostic: Diagnostic) -> tuple[Any, ...]:
    """Return what diagnostics are sorted by: errors first, then by place."""
    place = diagnostic.place
    where = (place.file, place.line, place.column) if place else ("", 0, 0)
    address = str(diagnostic.address or "")
    return (
        _SEVERITY_ORDER[diagnostic.severity],
        where,
        diagnostic.code,
        address,
        diagnostic.path,
        diagnostic.message,
    )
