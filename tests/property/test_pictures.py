"""Laws of pictures made of text: nothing is missing, and what was written can be read."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.property.strategies_configs import catalogs, configs, reordered

from rungraph.graph import Catalog, RunGraph, compile_config
from rungraph.graph.plan.graph_json import graph_to_json
from rungraph.viz import render_dot, render_graphml, render_json, render_mermaid, render_text
from rungraph.viz.formats.text import lanes_of
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.overlay import plan_overlay


@st.composite
def graphs(draw: st.DrawFn) -> RunGraph:
    """Graphs of random configs and catalogs, with and without mistakes."""
    return compile_config(draw(configs()), catalog=draw(catalogs()), environment={})


@given(graphs())
def test_every_address_is_in_every_full_picture(graph: RunGraph) -> None:
    """The full view leaves no node out, whatever the graph."""
    pictures = [
        render_text(graph, width=120, view="full"),
        render_dot(graph, view="full"),
        render_json(graph),
        render_graphml(graph),
    ]
    for address in graph:
        assert all(str(address) in picture for picture in pictures)
    mermaid = render_mermaid(graph, view="full")
    assert sum("<b>" in line for line in mermaid.splitlines()) == len(graph)
    arrows = sum(
        any(arrow in line for arrow in (" --> ", " --o ", ".->")) for line in mermaid.splitlines()
    )
    assert arrows == len({one[:2] for one in (*graph.edges, *graph.dropped)})


@given(graphs())
def test_data_can_be_read_back(graph: RunGraph) -> None:
    """JSON and GraphML give the same nodes and edges to networkx."""
    ends = {(str(a), str(b)) for a, b, *_ in (*graph.edges, *graph.dropped)}
    for read in (
        nx.node_link_graph(json.loads(render_json(graph)), edges="edges"),
        nx.read_graphml(BytesIO(render_graphml(graph).encode())),
    ):
        assert set(read) == set(map(str, graph))
        assert set(read.edges) == ends


@given(configs(), catalogs(), st.randoms(use_true_random=False))
def test_pictures_depend_on_the_meaning_alone(
    config: dict[str, Any], catalog: Catalog, order: Any
) -> None:
    """Another order of the YAML gives the same bytes, where it gives the same graph."""
    one = compile_config(config, catalog=catalog, environment={})
    other = compile_config(reordered(config, order), catalog=catalog, environment={})
    if graph_to_json(one) == graph_to_json(other):
        for render in (render_text, render_dot, render_json, render_graphml, render_mermaid):
            assert render(one) == render(other)
        overlays = plan_overlay(one), plan_overlay(other)
        assert render_text(one, overlay=overlays[0]) == render_text(other, overlay=overlays[1])


@given(graphs(), st.integers(40, 130), st.sampled_from(["full", "factored", "collapsed"]))
def test_text_keeps_to_its_width(graph: RunGraph, width: int, view: Any) -> None:
    """No line is wider than asked, and every box has its line."""
    text = render_text(graph, width=width, view=view)
    assert max(map(cell_len, text.split("\n"))) <= width


@given(graphs(), st.integers(0, 6))
def test_every_arrow_has_a_lane_or_is_said(graph: RunGraph, most: int) -> None:
    """Lanes and words together say every arrow once, and no two lanes overlap."""
    diagram = diagram_of(graph, view="full")
    rows = [key for column in diagram.columns for key in column.boxes]
    lanes, rest = lanes_of(rows, diagram.arrows, most)
    drawn = [(rows[s], rows[t]) for lane in lanes for s in lane.sources for t in lane.targets]
    assert sorted([*drawn, *(one[:2] for one in rest)]) == sorted(
        arrow[:2] for arrow in diagram.arrows
    )
    for lane in lanes:
        assert lane.column < most
        assert max(lane.sources) < min(lane.targets)
        for other in lanes:
            if other is not lane and other.column == lane.column:
                assert other.last < lane.first or lane.last < other.first
