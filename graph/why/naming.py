"""The one node that a name on the command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import Address
from rungraph.graph.errors import RungraphError
from rungraph.graph.query import parse, query
from rungraph.graph.query.syntax import Select
from rungraph.graph.wording import listed, printable

if TYPE_CHECKING:
    from rungraph.graph.model import RunGraph

_MOST_LISTED = 8


class AmbiguousNameError(RungraphError):
    """Raised when a name that must mean one node means several, or none."""


def node_named(graph: RunGraph, name: str) -> Address:
    """Return the node that *name* means: an address, or a query that selects one node.

    A resource means the provider that serves it, or its table if there are several.

    Raises:
        QueryError: If *name* is no query, or nothing has that name; it says what is near.
        AmbiguousNameError: If it selects several nodes, or none.
    """
    try:
        address = Address.parse(name)
    except ValueError:
        address = None
    if address is not None and address in graph:
        return address
    found = query(graph, name, may_count=False)
    if len(found) == 1:
        return found[0]
    asked = parse(name)
    if found and isinstance(asked, Select):
        # What several providers serve stands on its table.
        for pair in graph.catalog.pairs:
            if asked.text.startswith(f"{pair.resource}:"):
                return Address.table(pair.table_api)
    msg = f"'{name}' selects no node"
    if found:
        shown = listed(found, _MOST_LISTED)
        msg = f"'{name}' means {len(found):,} nodes: {shown}; name one of them"
    raise AmbiguousNameError(printable(msg))
