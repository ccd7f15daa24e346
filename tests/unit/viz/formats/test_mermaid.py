"""Facts about Mermaid text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tests.unit.viz.graphs import graph_of

from rungraph.graph.address import Address
from rungraph.graph.compile import compile_config
from rungraph.graph.model import RunGraph
from rungraph.graph.query import query
from rungraph.viz import render_mermaid
from rungraph.viz.formats.mermaid import mermaid_of
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.elements import Box
from rungraph.viz.model.overlay import Mark, Overlay, Role, status_overlay


def test_a_graph_as_a_whole() -> None:
    """Shapes tell kinds, dashes tell strength, arrows run from dependency to dependent."""
    graph = graph_of({"inference": [("a", "inline::local")], "telemetry": [("t", "inline::otel")]})
    assert render_mermaid(graph) == (
        "flowchart LR\n"
        '  subgraph api0_box ["inference"]\n'
        '    n0("<b>a</b><br/>inference<br/>inline::local"):::api0\n'
        '    n3(["<b>inference</b><br/>router"]):::api0\n'
        '    n4["<b>models</b><br/>routing table"]:::api0\n'
        "  end\n"
        '  n1("<b>builtin</b><br/>inspect<br/>inline::inspect"):::api1\n'
        '  n2("<b>t</b><br/>telemetry<br/>inline::otel"):::api2\n'
        "  n0 --o n4\n"
        "  n2 -.-> n0\n"
        "  n2 -.-> n3\n"
        "  n4 --> n3\n"
        "  classDef api0 fill:#e0eaf5,stroke:#1f66b8,color:#0f172a\n"
        "  style api0_box fill:none,stroke:#1f66b8,stroke-width:1px\n"
        "  classDef api1 fill:#f1f1ed,stroke:#9a9a7b,color:#0f172a\n"
        "  classDef api2 fill:#e8eaec,stroke:#5b6778,color:#0f172a\n"
    )


def test_what_is_left_out_is_told() -> None:
    """Above the chart, as in every format: like providers in one box are not all there is."""
    graph = graph_of({"inference": [("a", "inline::local"), ("b", "inline::local")]})
    text = render_mermaid(graph, view="factored")
    note = "providers with the same neighbours share a box; the full view shows all"
    assert text.startswith(f'---\ntitle: "{note}"\n---\nflowchart LR\n')


def test_cycles_are_red_and_the_rest_is_pale(knotted: RunGraph) -> None:
    """The links of a cycle are named by their numbers, its nodes by a class."""
    text = render_mermaid(knotted)
    links = [line for line in text.splitlines() if re.search(r"--[>o] |-\.->", line)]
    found = re.search(r"linkStyle ([\d,]+) stroke:#d92626", text)
    assert found
    assert len([links[int(number)] for number in found[1].split(",")]) == 6
    assert "  class n1,n5,n7,n9,n11,n12 cycle\n" in text
    assert "  classDef pale stroke:#c3cad4,color:#94a3b8\n" in text
    assert len(re.findall(r"linkStyle [\d,]+ stroke:#c3cad4", text)) == 1


def test_a_large_graph_stays_far_below_what_mermaid_draws(large: RunGraph) -> None:
    """Many like providers are one node; a dropped edge is labelled."""
    assert render_mermaid(large).count(" --> ") < 30
    assert render_mermaid(large, view="full", reduced=False).count("\n") > 130
    assert render_mermaid(large).count('-. "bound late" .->') == 2


def test_hostile_ids_stay_labels() -> None:
    """Nothing in an id ends its label or becomes markup; a name with underscores stays readable."""
    names = ('"]; x', "__x__", "`y`", "<script>", "a&b#c", "snake_case", "%%{x}%% 5%")
    text = render_mermaid(graph_of({"inference": [(name, "remote::tgi") for name in names]}))
    titles = re.findall(r'"<b>(.*?)</b>', text)
    assert titles[:7] == [
        "#34;]; x",
        "#37;#37;{x}#37;% 5%",
        "#60;script#62;",
        "#95;#95;x#95;#95;",
        "#96;y#96;",
        "a#38;b#35;c",
        "snake_case",
    ]


def test_marks_direction_and_selection(small: RunGraph) -> None:
    """A mark is a line of its box, a chart can go down, and a selection leaves out the rest."""
    overlay = status_overlay(dict.fromkeys(small, "failed"))
    text = render_mermaid(
        small, direction="TB", select=query(small, "models"), depth=0, overlay=overlay
    )
    assert text == (
        '---\ntitle: "status: 9 failed; a selection: 1 of 9 nodes"\n---\n'
        "flowchart TB\n"
        '  n0["<b>models</b><br/>routing table<br/>✗ failed"]:::api0\n'
        "  classDef api0 fill:#e0eaf5,stroke:#1f66b8,color:#0f172a\n"
        "  classDef failed stroke:#b31b1b,stroke-width:2px\n"
        "  class n0 failed\n"
    )


def test_a_mark_without_words_says_what_its_role_means(small: RunGraph) -> None:
    """A chart has no legend: the words stand in the box, where anything is said at all."""
    router = Address.router("inference")
    marks = {address: Mark(Role.PLAIN) for address in small} | {router: Mark(Role.AFFECTED)}
    meanings = {Role.AFFECTED: "touched", Role.PLAIN: "the same"}
    text = render_mermaid(small, overlay=Overlay(marks, meanings=meanings))
    assert "<b>inference</b><br/>router<br/>≈ touched" in text
    assert "the same" not in text


def test_the_boxes_are_gone_through_a_few_times_however_many_apis_there_are() -> None:
    """A config of thousands of APIs costs what as many providers do."""

    class Counted(dict[Address, Box]):
        asked = 0

        def values(self) -> Any:
            self.asked += 1
            return super().values()

    providers = {f"api{n}": [{"provider_id": "p", "provider_type": "t"}] for n in range(50)}
    diagram = diagram_of(compile_config({"providers": providers}, environment={}))
    boxes = Counted(diagram.boxes)
    assert mermaid_of(replace(diagram, boxes=boxes), "LR")
    assert boxes.asked < 20
