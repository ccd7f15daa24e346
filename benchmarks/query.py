"""Queries on a graph of 100,000 nodes, against the networkx call that does the heart of each.

Both sides are asked in turn, in one process, of the same graph; the ratio of the medians counts.
A query is measured whole: from its text to a tuple of addresses in start order. The tables that
both sides keep with the graph (networkx's dicts, our index) are made before, and that is measured
apart. Time is the processor's, because both sides only compute.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import networkx as nx
from measuring import medians, seconds

from rungraph.graph import Address, ApiSpec, Catalog, ProviderSpec, RoutedPair, compile_config
from rungraph.graph.query import query as query_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.graph import RunGraph

LAYERS, ROUNDS, MOST_LADDER = 50, 9, 0.010
LIMITS = {200: 2.0, 2_000: 2.5}
"""The ratio that must hold, by the number of providers of each API."""


def layered(width: int) -> RunGraph:
    """Return a graph of 50 routed APIs of *width* providers each, all of which need the API below.

    Walks from the top or the bottom reach all nodes.
    """
    apis = [f"api{index:02d}" for index in range(LAYERS)]
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:X") for api in apis for name in (api, f"{api}s")],
        pairs=[RoutedPair(api, f"{api}s", "r", "key", "x:R") for api in apis],
        providers=[
            ProviderSpec(api, f"{kind}::p", "x", dependencies=(apis[index - 1],) if index else ())
            for index, api in enumerate(apis)
            for kind in ("inline", "remote")
        ],
    )
    config = {
        "providers": {
            api: [
                {
                    "provider_id": f"p{number:05d}",
                    "provider_type": "remote::p" if number % 2 else "inline::p",
                }
                for number in range(width)
            ]
            for api in apis
        }
    }
    return compile_config(config, catalog=catalog, environment={}).check()


def ladder(rungs: int) -> RunGraph:
    """Return a ladder, two ways from rung to rung: 2^(rungs - 2) paths from its top to its foot."""
    names = [f"{side}{rung:03d}" for rung in range(rungs) for side in "ab"]
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:X") for name in names],
        providers=[
            ProviderSpec(
                name,
                "inline::p",
                "x",
                dependencies=tuple(names[index // 2 * 2 - 2 : index // 2 * 2]) if index > 1 else (),
            )
            for index, name in enumerate(names)
        ],
    )
    entry = {"provider_id": "p", "provider_type": "inline::p"}
    config = {"providers": {name: [entry] for name in names}}
    return compile_config(config, catalog=catalog, environment={}).check()


def times_of(*actions: Callable[[], object]) -> list[float]:
    """Return the median time of each action, in seconds."""
    return [*medians(ROUNDS, {str(n): one for n, one in enumerate(actions)}, seconds).values()]


def within_limit(width: int, most: float) -> bool:
    """Measure queries of a layered graph, print the ratios, and return whether all are small."""
    graph = layered(width)
    print(f"{len(graph):,} nodes, {len(graph.edges):,} edges")
    top, bottom = Address.router(f"api{LAYERS - 1:02d}"), Address.provider("api00", "p00000")
    middle = Address.router(f"api{LAYERS // 2:02d}")
    remote = {a for a, n in graph.nx.nodes(data=True) if n.get("provider_type") == "remote::p"}
    providers = {a for a in graph if a.kind == "provider"}
    order = {address: position for position, address in enumerate(graph)}
    pairs: dict[str, tuple[str, str, Callable[[], Any]]] = {
        "+x": (f"+{top}", "nx.ancestors", lambda: nx.ancestors(graph.nx, top)),
        "x+": (f"{bottom}+", "nx.descendants", lambda: nx.descendants(graph.nx, bottom)),
        "x+ of half": (f"{middle}+", "nx.descendants", lambda: nx.descendants(graph.nx, middle)),
        "somepath": (
            f"somepath({top}, {bottom})",
            "nx.shortest_path",
            lambda: nx.shortest_path(graph.nx, bottom, top),
        ),
        "a & b": (
            "type:remote::p & kind:provider",
            "set &, sorted",
            lambda: sorted(remote & providers, key=order.__getitem__),
        ),
    }
    gc.freeze()  # Else every collection between two measurements walks the graph.
    is_good = True
    for name, (query, heart, bare) in pairs.items():

        def ours(query: str = query) -> object:
            return query_graph(graph, query).addresses

        asked, hearts = times_of(ours, bare)
        is_good &= asked <= most * hearts
        print(f"{name:<10} {asked * 1000:7.2f} ms  {asked / hearts:5.2f} x {heart:<20} <= {most}")
    for query in ("critical()", "cycles()", "roots(*)", "filter('p0[01]23', *)", "p00042"):
        [asked] = times_of(lambda query=query: query_graph(graph, query).addresses)
        print(f"{query:<20} {asked * 1000:7.2f} ms")
    return is_good


def main() -> int:
    """Measure, print the ratios, and return 0 when all are within their limits."""
    results = [within_limit(width, most) for width, most in LIMITS.items()]
    rungs = ladder(202)
    last, first = Address.provider("a201", "p"), Address.provider("a000", "p")
    found = query_graph(rungs, f"allpaths({last}, {first})")
    assert len(found) == 2 * 202 - 2
    [asked] = times_of(lambda: query_graph(rungs, f"allpaths({last}, {first})").addresses)
    results.append(asked <= MOST_LADDER)
    print(f"allpaths over 200 rungs of a ladder, 2^200 paths: {asked * 1000:.2f} ms  <= 10 ms")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
