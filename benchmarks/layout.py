"""Crossings of a stack's picture against other engines, and how long layouts and a PNG take.

Crossings are counted in what is drawn: the points where two lines meet between their ends, straight
lines, polylines and sampled curves alike. Engines that are not installed are skipped.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from measuring import ROOT, medians, seconds, seconds_of

from rungraph.graph import compile_config
from rungraph.viz.layout.geometry import Point, Size
from rungraph.viz.layout.layered import lay_out, segments_of
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rungraph.viz.model.diagram import Diagram

STARTER = ROOT / "benchmarks" / "starter.yaml"
BOX = Size(100.0, 40.0)
SIZES = ((1_000, 3_000, 2.0), (10_000, 30_000, 30.0))
SAMPLES, RUNS = 10, 7
BASE = "import matplotlib.figure, networkx, pydantic, yaml"
Lines = list[list[tuple[float, float]]]


def crossings(lines: Lines) -> int:
    """Return at how many points two pieces of *lines* cross between their ends."""
    pieces = np.array([(*a, *b) for line in lines for a, b in pairwise(line)])
    start, end = pieces[:, :2], pieces[:, 2:]
    found = 0
    for index in range(len(pieces)):
        a, b, c, d = start[index], end[index], start[index + 1 :], end[index + 1 :]
        sides = (_side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b))
        near = 1e-7 * (1 + np.abs(sides[0] - sides[1]))
        apart = [np.abs(side) > near for side in sides]
        found += int(
            np.sum((sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0) & np.all(apart, axis=0))
        )
    return found


def _side(a: Any, b: Any, c: Any) -> Any:
    """Return on which side of a to b the point c lies."""
    ab, ac = b - a, c - a
    return ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]


def sampled(line: Sequence[Point]) -> list[tuple[float, float]]:
    """Return points along the curve that a layout's line stands for."""
    points: list[tuple[float, float]] = [line[0]]
    for piece in segments_of(line):
        if len(piece) == 1:
            points.append(piece[0])
            continue
        a, (b, c, d) = points[-1], piece
        for step in range(1, SAMPLES + 1):
            t, u = step / SAMPLES, 1 - step / SAMPLES
            weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
            controls = tuple(zip(weights, (a, b, c, d), strict=True))
            x, y = (sum(w * p[axis] for w, p in controls) for axis in (0, 1))
            points.append((x, y))
    return points


class Drawn:
    """A diagram as numbers, its edges forward: what every engine is given."""

    def __init__(self, diagram: Diagram) -> None:
        self.layers = [index for index, column in enumerate(diagram.columns) for _ in column.boxes]
        keys = [key for column in diagram.columns for key in column.boxes]
        number = {key: index for index, key in enumerate(keys)}
        ends = [(number[arrow.dependency], number[arrow.dependent]) for arrow in diagram.arrows]
        self.edges = [(a, b) if self.layers[a] <= self.layers[b] else (b, a) for a, b in ends]
        self.columns = [[number[key] for key in column.boxes] for column in diagram.columns]


def ours(drawn: Drawn) -> Lines:
    sizes = dict.fromkeys(range(len(drawn.layers)), BOX)
    return [sampled(line) for line in lay_out(drawn.columns, sizes, drawn.edges).lines]


def by_networkx(drawn: Drawn) -> Lines:
    graph: Any = nx.DiGraph(drawn.edges)
    graph.add_nodes_from((node, {"layer": layer}) for node, layer in enumerate(drawn.layers))
    at = nx.multipartite_layout(graph, subset_key="layer")
    return [[tuple(at[a]), tuple(at[b])] for a, b in drawn.edges]


def by_igraph(drawn: Drawn) -> Lines:
    igraph: Any = import_module("igraph")
    graph = igraph.Graph(n=len(drawn.layers), edges=drawn.edges, directed=True)
    layout = graph.layout_sugiyama(layers=drawn.layers, maxiter=1000)
    return [
        # The bends come in no order; along the way the layer only grows.
        [tuple(layout[a]), *sorted(map(tuple, bends), key=lambda at: at[1]), tuple(layout[b])]
        for (a, b), bends in zip(drawn.edges, layout.edge_routing, strict=True)
    ]


def by_grandalf(drawn: Drawn) -> Lines:
    graphs: Any = import_module("grandalf.graphs")
    layouts: Any = import_module("grandalf.layouts")
    routing: Any = import_module("grandalf.routing")

    class View:
        def __init__(self) -> None:
            self.w, self.h, self.xy = BOX.height, BOX.width, (0.0, 0.0)

    vertices = [graphs.Vertex(node) for node in range(len(drawn.layers))]
    for vertex in vertices:
        vertex.view = View()
    edges = [graphs.Edge(vertices[a], vertices[b]) for a, b in drawn.edges]
    for edge in edges:
        edge.view = routing.EdgeViewer()
    for part in graphs.Graph(vertices, edges).C:
        layout = layouts.SugiyamaLayout(part)
        layout.route_edge = routing.route_with_lines
        layout.init_all()
        layout.draw(30)
    return [
        [tuple(point) for point in vars(edge.view)["_pts"]]
        for edge in edges
        if "_pts" in vars(edge.view)
    ]


def by_fast_sugiyama(drawn: Drawn) -> Lines:
    engine: Any = import_module("fast_sugiyama")
    lines: Lines = []
    for positions, _, _, edges in engine.from_edges(drawn.edges):
        at = dict(positions)
        lines += [[at[a], at[b]] for a, b in edges]
    return lines


ENGINES: tuple[tuple[str, str, str, Callable[[Drawn], Lines]], ...] = (
    ("networkx multipartite", "networkx", "given", by_networkx),
    ("igraph sugiyama", "igraph", "given", by_igraph),
    ("grandalf", "grandalf", "free", by_grandalf),
    ("fast-sugiyama", "fast_sugiyama", "free", by_fast_sugiyama),
)
"""Name, module, whether it is given the layers or takes its own, and how it draws."""


def compare() -> bool:
    """Print the crossings of the starter graph; return whether they are few enough."""
    graph = compile_config(STARTER, environment={})
    full = Drawn(diagram_of(graph, view="full", reduced=False))
    late = Drawn(diagram_of(graph, view="full", reduced=False, late=True))
    own = {"given": crossings(ours(full)), "free": crossings(ours(late))}
    is_well = own["given"] <= 40
    print(f"crossings of {len(full.layers)} nodes, {len(full.edges)} edges")
    print(f"  ours, generations as layers: {own['given']}  <= 40")
    print(f"  ours, nodes next to what needs them (late): {own['free']}")
    for name, module, layers, engine in ENGINES:
        if find_spec(module) is None:
            print(f"  {name}: not installed, skipped")
            continue
        begun = time.perf_counter()
        lines = engine(full)
        taken = (time.perf_counter() - begun) * 1000
        found = crossings(lines)
        is_well &= own[layers] < found
        ratio = found / max(own[layers], 1)
        print(f"  {name}, layers {layers}: {found}, {ratio:.1f} x ours ({taken:.0f} ms)")
    small = Drawn(diagram_of(graph, view="factored", reduced=True))
    few = crossings(ours(small))
    print(
        f"crossings of it factored and reduced, {len(small.layers)} boxes, "
        f"{len(small.edges)} arrows: {few}  <= 2"
    )
    return is_well and few <= 2


def random_graph(nodes: int, edges: int) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Return the generations and the edges of a graph of no meaning."""
    source = random.Random(1)
    found: set[tuple[int, int]] = set()
    while len(found) < edges:
        a, b = sorted((source.randrange(nodes), source.randrange(nodes)))
        if a != b:
            found.add((a, b))
    level = [0] * nodes
    for a, b in sorted(found):
        level[b] = max(level[b], level[a] + 1)
    columns: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for node in range(nodes):
        columns[level[node]].append(node)
    return columns, sorted(found)


def time_layouts() -> bool:
    """Print how long the processor takes for random graphs; return whether that is short enough."""
    is_well = True
    for nodes, edges, most in SIZES:
        columns, ends = random_graph(nodes, edges)
        sizes = dict.fromkeys(range(nodes), BOX)
        taken = seconds(partial(lay_out, columns, sizes, ends))
        is_well &= taken <= most
        print(
            f"layout of {nodes:,} nodes, {edges:,} edges, {len(columns)} generations: "
            f"{taken:.1f} s  <= {most:.0f}"
        )
    return is_well


def time_png() -> bool:
    """Print the whole process of a PNG over one that only imports; return whether it is short.

    Time is the processor's: both only compute, and other work on the machine must not count.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, "starter.png"))
        commands = {
            "base": [sys.executable, "-c", BASE],
            "png": [sys.executable, "-m", "rungraph", "graph", str(STARTER), "-o", target],
        }
        base, png = medians(RUNS, commands, seconds_of).values()
    limit = 1.5 * base + 0.5
    print(f"PNG of starter, whole process: {png:.2f} s  <= 1.5 x {base:.2f} + 0.5 = {limit:.2f}")
    return png <= limit


def main() -> int:
    """Measure, print the figures, and return 0 when all are within their limits."""
    results = (compare(), time_layouts(), time_png())
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
