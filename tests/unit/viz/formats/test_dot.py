"""Facts about DOT text."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from tests.unit.viz.graphs import graph_of

from rungraph.graph.model import RunGraph
from rungraph.viz import render_dot
from rungraph.viz.model.overlay import status_overlay


def test_a_graph_as_a_whole() -> None:
    """A cluster for each API with several nodes, ids that are addresses, dashes for soft edges."""
    graph = graph_of({"inference": [("a", "inline::local")], "telemetry": [("t", "inline::otel")]})
    assert render_dot(graph) == (
        'digraph "pictured" {\n'
        "  graph [rankdir=LR, fontname=Helvetica, labelloc=t, labeljust=l,\n"
        '    label=<<b>pictured</b><br align="left"/><font point-size="9">5 nodes, 4 generations; '
        'arrows run from what is needed to what needs it</font><br align="left"/>>]\n'
        '  node [fontname=Helvetica, fontsize=10, fontcolor="#0f172a", margin="0.12,0.06"]\n'
        "  edge [fontname=Helvetica, fontsize=8, arrowsize=0.6]\n"
        '  subgraph "cluster_inference" {\n'
        '    label="inference, models"; fontsize=9; style=rounded\n'
        '    color="#c3cad4"; fontcolor="#1f66b8"\n'
        '    "provider:inference/a" [label=<<b>a</b><br/><font point-size="8">inference</font><br/>'
        '<font point-size="8">inline::local</font>>, shape="box", style="rounded,filled", '
        'fillcolor="#e0eaf5", color="#1f66b8", tooltip="provider:inference/a"]\n'
        '    "router:inference" [label=<<b>inference</b><br/><font point-size="8">router</font>>, '
        'shape="box", style="rounded,filled", peripheries="2", fillcolor="#e0eaf5", '
        'color="#1f66b8", tooltip="router:inference"]\n'
        '    "table:models" [label=<<b>models</b><br/><font point-size="8">routing table</font>>, '
        'shape="box", style="filled", fillcolor="#e0eaf5", color="#1f66b8", '
        'tooltip="table:models"]\n'
        "  }\n"
        '  "provider:inspect/builtin" [label=<<b>builtin</b><br/><font point-size="8">inspect'
        '</font><br/><font point-size="8">inline::inspect</font>>, shape="box", '
        'style="rounded,filled", fillcolor="#f1f1ed", color="#9a9a7b", '
        'tooltip="provider:inspect/builtin"]\n'
        '  "provider:telemetry/t" [label=<<b>t</b><br/><font point-size="8">telemetry</font><br/>'
        '<font point-size="8">inline::otel</font>>, shape="box", style="rounded,filled", '
        'fillcolor="#e8eaec", color="#5b6778", tooltip="provider:telemetry/t"]\n'
        '  "provider:inference/a" -> "table:models" [color="#8592a3", '
        'arrowhead="dot"]\n'
        '  "provider:telemetry/t" -> "provider:inference/a" [color="#65748a", style="dashed"]\n'
        '  "provider:telemetry/t" -> "router:inference" [color="#65748a", style="dashed"]\n'
        '  "table:models" -> "router:inference" [color="#4a586c"]\n'
        "}\n"
    )


def test_cycles_are_red_and_the_rest_is_pale(knotted: RunGraph) -> None:
    """The six arrows of the cycle are red, and its six boxes."""
    lines = render_dot(knotted).splitlines()
    red = [line for line in lines if 'color="#d92626"' in line]
    assert sum("->" in line for line in red) == 6
    assert len(red) == 12
    assert sum('fontcolor="#94a3b8"' in line for line in lines) == 7


def test_dropped_edges_do_not_rank(large: RunGraph) -> None:
    """An edge that is bound late is dotted, says so, and moves no node."""
    late = [line for line in render_dot(large).splitlines() if "bound late" in line]
    assert len(late) == 2
    assert all('constraint="false"' in line and 'style="dotted"' in line for line in late)


def test_marks_and_direction(small: RunGraph) -> None:
    """A mark is a line of its node, its meaning is in the caption; TB goes down."""
    text = render_dot(small, direction="TB", overlay=status_overlay(dict.fromkeys(small, "failed")))
    assert "rankdir=TB" in text
    assert text.count("<br/>✗ failed>") == 9
    assert '<font point-size="9">✗ failed</font>' in text


HOSTILE = ('"]; x', "a\\", "\\N", "<b>&", "odd\uffff", "日本", 'q"\\"', "--", "{}")


def test_hostile_ids_stay_ids() -> None:
    """Nothing in an id ends its string; markup in a label is escaped."""
    graph = graph_of({"inference": [(name, "remote::tgi") for name in HOSTILE]})
    text = render_dot(graph, view="full")
    ids = re.findall(r'^ *"(provider:inference/(?:[^"\\]|\\.)*)" \[', text, re.MULTILINE)
    assert sorted(one.replace('\\"', '"').replace("\\\\", "\\") for one in ids) == sorted(
        f"provider:inference/{name}".replace("\uffff", r"\uffff") for name in HOSTILE
    )
    assert "<b>&lt;b&gt;&amp;</b>" in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it(knotted: RunGraph, large: RunGraph) -> None:
    """Graphviz lays every text out without a word of complaint, and has as many nodes."""
    hostile = graph_of({"inference": [(name, "remote::tgi") for name in HOSTILE]})
    for graph in (hostile, knotted, large):
        text = render_dot(graph, view="full")
        done = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert sum(line.startswith("node ") for line in done.stdout.splitlines()) == len(graph)
