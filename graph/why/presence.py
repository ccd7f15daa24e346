"""Why a node is in a graph: where it is configured, why it is served, who needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx

from rungraph.graph.groups import in_words, member_groups
from rungraph.graph.nodes import ProviderNode, RouterNode
from rungraph.graph.paths import shortest_paths, walkable
from rungraph.graph.placeholders import pattern_of
from rungraph.graph.source.positions import path_text
from rungraph.graph.why.chains import Chain, Hop, chain_along, hop_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.model import RunGraph
    from rungraph.graph.place import Place
    from rungraph.graph.source.positions import Path


class Reason(NamedTuple):
    """One reason, in words.

    Attributes:
        text: What it is.
        place: Where the config says so; None where it does not.
    """

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.text} ({self.place})" if self.place and self.place.line else self.text


class Presence(NamedTuple):
    """Why a node is in a graph.

    Attributes:
        address: The node.
        what: Its provider type, or what else it is.
        origin: Where it comes from: its entry in the config, or the routed pair that brings it.
        served: Why its API is served.
        is_requested: Whether the config asks for its API.
        pulled_in: From the nearest node that the config asks for to this one; None when the config
            asks for this one.
        needed_by: The nodes that need or use it directly.
        needed_in_the_end: The nodes that need it, directly or not, and that no node needs.
        problems: The diagnostics about it.
        resources: What it is known to serve, or a table to have: each with where it is configured.
    """

    address: Address
    what: str
    origin: Reason
    served: Reason
    is_requested: bool
    pulled_in: Chain | None
    needed_by: tuple[Hop, ...]
    needed_in_the_end: tuple[Address, ...]
    problems: tuple[Diagnostic, ...]
    resources: tuple[Reason, ...] = ()


def why_present(graph: RunGraph, address: Address) -> Presence:
    """Return why *address* is in *graph*."""
    asked = asked_for(graph, address.api)
    pulled_in = None if asked else _pulled_in(graph, address)
    links = graph.nx.succ[address]
    return Presence(
        address,
        graph.nodes[address].label,
        _origin(graph, address),
        asked or _pulled_reason(address.api, pulled_in),
        asked is not None,
        pulled_in,
        tuple(hop_of(graph, links[one]["edge"]) for one in graph.dependents_of(address)),
        tuple(one for one in graph.descendants(address) if not graph.nx.succ[one]),
        tuple(one for one in graph.diagnostics if one.address == address),
        tuple(_resources(graph, address)),
    )


def _resources(graph: RunGraph, address: Address) -> Iterator[Reason]:
    known = graph.known_resources
    groups = member_groups(known.configured.values())
    for resource, config in known.configured.items():
        is_member = config.routing is not None and resource.identifier in groups
        shared = f" ({in_words(groups[resource.identifier])})" if is_member else ""
        if address == resource.provider:
            yield Reason(f"{resource.kind}:{resource.identifier}{shared}", config.place)
        elif address == known.table_of(resource):
            yield Reason(f"{resource}{shared}", config.place)
    for resource in known.needs:
        if resource not in known.configured:
            named = f"{resource.kind}:{resource.identifier}"
            if address == resource.provider:
                yield Reason(f"{named}, which the config need not register")
            elif address == known.table_of(resource):
                yield Reason(f"{resource}, which the config need not register")
    for one in known.references():
        if any(address in (each, getattr(each, "provider", None)) for each in one.candidates):
            may = "may name" if one.candidates[0] == address else "names"
            text = f"{one.resource}, which {may} {one.table.pair.resource}:{one.name} here"
            yield Reason(f"{text} as its {one.field}", one.config.place)


def asked_for(graph: RunGraph, api: str) -> Reason | None:
    """Return how the config asks for *api* to be served; None if it does not."""
    spec, pair = graph.catalog.apis.get(api), graph.catalog.pair_of(api)
    if spec and spec.builtin:
        return Reason(f"every stack has {api}")
    names = (api, pair.router_api, pair.table_api) if pair else (api,)
    listed = listed_apis(graph)
    if listed:
        for name in names:
            for index, written in listed:
                pattern = pattern_of(written)
                if written == name or (pattern and pattern.fullmatch(name)):
                    return Reason(f"'apis' lists {name}", place_at(graph, ("apis", index)))
        return None
    for name in names:
        if name in configured(graph):
            place = place_at(graph, ("providers", name), key=True)
            return Reason(f"'providers' has the key {name}", place)
    # Read from JSON, which tells what is served but not why; or of a catalog of older files.
    return Reason(f"{api} is served") if api in graph.apis else None


def listed_apis(graph: RunGraph) -> list[tuple[int, str]]:
    """Return the entries of the config's ``apis``, each with its number; none if it has no such."""
    document = graph.document
    found = document.value.get("apis") if document else None
    entries: list[Any] = found if isinstance(found, list) else []
    return [(index, one) for index, one in enumerate(entries) if isinstance(one, str)]


def configured(graph: RunGraph) -> Mapping[str, Any]:
    """Return what stands under ``providers``, as written; empty if nothing usable does."""
    document = graph.document
    found = document.value.get("providers") if document else None
    return found if isinstance(found, dict) else {}


def place_at(graph: RunGraph, path: Path, *, key: bool = False) -> Place | None:
    """Return where *path* stands in the file; None if the graph has no file."""
    return graph.document.place_of(path, key=key) if graph.document else None


def _origin(graph: RunGraph, address: Address) -> Reason:
    node = graph.nodes[address]
    if isinstance(node, ProviderNode):
        if not node.path:
            return Reason(f"every stack has {address.api}")
        return Reason(f"configured as {path_text(node.path)}", node.place)
    other = node.pair.table_api if isinstance(node, RouterNode) else node.pair.router_api
    return Reason(f"{address.api} is served, and has a {node.label} with {other}: a routed pair")


def _pulled_reason(api: str, chain: Chain | None) -> Reason:
    if chain is None:
        return Reason(f"'apis' does not list {api}, but its provider is of no known API")
    return Reason(f"'apis' does not list {api}; {chain.nodes[0]} needs it")


def _pulled_in(graph: RunGraph, address: Address) -> Chain | None:
    """Return the shortest chain to *address* from a node whose API the config asks for."""
    hard = walkable(graph, "hard")
    above = nx.descendants(hard, address)
    apis = {api for api in {one.api for one in above} if asked_for(graph, api)}
    starts = [one for one in above if one.api in apis]
    path = next(shortest_paths(hard, starts, [address]), None)
    return chain_along(graph, hard, path) if path else None
