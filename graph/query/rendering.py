"""Selections as text and as JSON values. No value of a config is in either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.diagnostic_text import plain
from rungraph.graph.nodes import Node, ProviderNode
from rungraph.graph.paths import walkable
from rungraph.graph.wording import padded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostic_text import Style
    from rungraph.graph.model import RunGraph
    from rungraph.graph.paths import Edges
    from rungraph.graph.query.selection import Selection

FORMAT_VERSION = "1.0"
"""Of the JSON: a new minor version adds keys, a new major breaks."""


class Shown(NamedTuple):
    """What is shown of a selection, and what it was selected from.

    Attributes:
        graph: The graph.
        addresses: The nodes, in the order in which they are listed.
        edges: Which edges were walked.
        old: The older graph, where nodes may come from.
        status: The status of nodes, where it is known.
    """

    graph: RunGraph
    addresses: Sequence[Address]
    edges: Edges = "all"
    old: RunGraph | None = None
    status: Mapping[Address, str] | None = None

    def source(self, address: Address) -> RunGraph:
        """Return the graph that a node is of: the older one if only that has it."""
        return self.old if address not in self.graph and self.old is not None else self.graph

    def node(self, address: Address) -> Node:
        """Return a node of either graph."""
        return self.source(address).nodes[address]

    def generation(self, address: Address) -> int | None:
        """Return the generation that a node starts in; None for one that only the old graph has."""
        return self.graph.generation_of(address) if address in self.graph else None

    def needs(self) -> dict[Address, list[Address]]:
        """Return what each of the nodes needs of the others, sorted."""
        wanted = frozenset(self.addresses)
        found: dict[Address, set[Address]] = {}
        for graph in (self.graph, self.old):
            if graph is None:
                continue
            for dependency, dependent in walkable(graph, self.edges).subgraph(wanted).edges:
                # Of the older graph only the edges of what is gone.
                is_shown = (
                    graph is self.graph or not {dependency, dependent} <= self.graph.nodes.keys()
                )
                if is_shown and dependency != dependent:
                    found.setdefault(dependent, set()).add(dependency)
        return {dependent: sorted(some) for dependent, some in found.items()}


def _label(address: Address) -> str:
    return printable(str(address))


def render_labels(shown: Shown) -> str:
    """Return one address a line."""
    return "".join(f"{_label(address)}\n" for address in shown.addresses)


def render_locations(shown: Shown) -> str:
    """Return where each node stands, a line each, as compilers do: ``file:line:column: address``.

    Tables and routers stand nowhere; they have the file alone.
    """

    def place_of(address: Address) -> object:
        place = getattr(shown.node(address), "place", None)
        return place or printable(shown.source(address).file)

    return "".join(f"{place_of(one)}: {_label(one)}\n" for one in shown.addresses)


def render_path(path: Iterable[Address]) -> str:
    """Return a path, a node a line; each needs the one below it."""
    return "".join(
        f"{'  needs ' if number else ''}{_label(address)}\n" for number, address in enumerate(path)
    )


def render_table(shown: Shown, style: Style = plain) -> str:
    """Return one line a node: address, type, generation, status and place."""
    rows = [["ADDRESS", "TYPE", "GENERATION", "STATUS", "PLACE"]]
    for address in shown.addresses:
        node = shown.node(address)
        generation = shown.generation(address)
        rows.append(
            [
                _label(address),
                printable(getattr(node, "provider_type", "")),
                "gone" if generation is None else str(generation),
                (shown.status or {}).get(address, ""),
                str(getattr(node, "place", None) or ""),
            ]
        )
    columns = zip(*rows, strict=True)
    # A column that says nothing is left out.
    wanted = [column for number, column in enumerate(columns) if not number or any(column[1:])]
    lines = ["  ".join(row).rstrip() for row in padded([*zip(*wanted, strict=True)])]
    return "".join(
        f"{style(line, '' if number else 'place')}\n" for number, line in enumerate(lines)
    )


def render_tree(shown: Shown) -> str:
    """Return the nodes as trees: below each node what it needs of them, once.

    What has been shown above is named again without what it needs, so a tree has no more lines
    than there are edges and nodes.
    """
    needs = shown.needs()
    needed = {one for some in needs.values() for one in some}
    tops = [address for address in shown.addresses if address not in needed]
    lines: list[str] = []
    done: set[Address] = set()
    # In a cycle no node is at the top: what is left over begins a tree of its own.
    for top in (*tops, *shown.addresses):
        if top in done:
            continue
        todo: list[tuple[str, str, Address]] = [("", "", top)]
        while todo:
            mark, indent, address = todo.pop()
            below = needs.get(address, [])
            is_known = address in done
            lines.append(f"{mark}{_label(address)}{' (see above)' if is_known and below else ''}\n")
            if is_known:
                continue
            done.add(address)
            last = len(below) - 1
            todo += [
                (
                    f"{indent}{'└── ' if n == last else '├── '}",
                    f"{indent}{'    ' if n == last else '│   '}",
                    one,
                )
                for n, one in reversed([*enumerate(below)])
            ]
    return "".join(lines)


def selection_to_dict(shown: Shown, queries: Sequence[str], selection: Selection) -> dict[str, Any]:
    """Return a selection as JSON values; equal selections give equal values."""
    path = selection.path
    return {
        "format_version": FORMAT_VERSION,
        "kind": "selection",
        "file": shown.graph.file,
        "catalog": shown.graph.catalog.to_json(),
        "queries": list(queries),
        "edges": shown.edges,
        "count": len(selection),
        "path": None if path is None else [str(address) for address in path],
        "nodes": [_node_to_dict(shown, address) for address in shown.addresses],
    }


def _node_to_dict(shown: Shown, address: Address) -> dict[str, Any]:
    node = shown.node(address)
    found: dict[str, Any] = {
        "address": str(address),
        "kind": address.kind.value,
        "api": address.api,
        "generation": shown.generation(address),
    }
    if isinstance(node, ProviderNode):
        place = node.place
        found |= {
            "provider_id": node.provider_id,
            "provider_type": node.provider_type,
            "tags": node.masked_tags,
            "place": place._asdict() if place else None,
        }
    if shown.status is not None:
        found["status"] = shown.status.get(address)
    return found
