"""Ask a compiled run config with networkx: the graph is a frozen `networkx.DiGraph` of addresses.

Edges point from a dependency to what needs it. Nothing is started, imported or asked.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import networkx as nx

from rungraph import Address, compile_config, query

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def main() -> None:
    """Print what may start together, what needs one provider, and by which chain."""
    compiled = compile_config(CONFIG).check()
    graph = compiled.nx
    for number, generation in enumerate(nx.topological_generations(graph)):
        print(f"generation {number}:", *sorted(map(str, generation)))

    llm = Address.provider("inference", "llm")
    print("needs llm:", *sorted(map(str, nx.descendants(graph, llm))))
    print("a chain:", *nx.shortest_path(graph, llm, Address.router("memory")))
    strengths = Counter(data["edge"].strength.value for _, _, data in graph.edges(data=True))
    print("edges:", dict(sorted(strengths.items())))

    # rungraph's own query language asks the same; the command line speaks it as well.
    print("routers:", *query(compiled, "provider:inference/llm+ & kind:router"))


if __name__ == "__main__":
    main()
