"""How two nodes hang together."""

from __future__ import annotations

from tests.builders import graph_of_needs

from rungraph.graph import Address, RunGraph
from rungraph.graph.why import between_to_dict, render_between, why_between


def _between(graph: RunGraph, first: str, second: str, most: int = 1) -> str:
    ends = Address.parse(first), Address.parse(second)
    return render_between(graph, why_between(graph, *ends, most=most))


def test_the_shortest_path_says_why_each_node_needs_the_next(graph: RunGraph) -> None:
    """Each line has a node, its place and the evidence; which is named first does not matter."""
    one, other = "provider:inference/bar", "provider:agents/ref"
    assert (
        _between(graph, one, other)
        == _between(graph, other, one)
        == (
            "provider:agents/ref needs provider:inference/bar, or another member of table:models "
            "(over 3 steps)\n"
            "\n"
            "    provider:agents/ref     <text>:14:5      'inline::ref' needs inference\n"
            "  ▼ router:inference        (router)         looks up models\n"
            "  ▼ table:models            (routing table)  needs any of 3 members\n"
            "  ▼ provider:inference/bar  <text>:5:5\n"
            "\n"
            "+2 more paths\n"
        )
    )


def test_all_paths_come_shortest_first_and_the_rest_is_counted(graph: RunGraph) -> None:
    """Of equal length the first by its addresses; the step names the catalog that says so."""
    text = _between(graph, "provider:agents/ref", "provider:inference/bar", most=9)
    assert text.count("▼ provider:inference/bar") == 3
    assert text.index("'inline::ref' needs inference") < text.index("'inline::ref' needs memory")
    assert "'inline::faiss' needs inference, says the catalog of the-package" in text
    between = why_between(
        graph, Address.parse("provider:agents/ref"), Address.parse("table:models"), most=1
    )
    assert render_between(graph, between).endswith("+2 more paths\n")
    assert between_to_dict(graph, between)["total"] == 3


def test_an_edge_that_is_bound_late_is_told_as_such(graph: RunGraph) -> None:
    """Telemetry and agents use each other: one of the two edges was dropped."""
    assert [tuple(map(str, edge[:2])) for edge in graph.dropped] == [
        ("provider:agents/ref", "provider:telemetry/otel")
    ]
    text = _between(graph, "provider:agents/ref", "provider:telemetry/otel")
    assert text.startswith("provider:agents/ref uses provider:telemetry/otel, if it is there (dir")
    assert (
        "and, the other way round, provider:telemetry/otel uses provider:agents/ref, if it is "
        "there (directly)\n"
    ) in text
    other = _between(graph, "provider:telemetry/otel", "provider:agents/ref")
    assert other.startswith("provider:telemetry/otel uses provider:agents/ref, if it is there")
    assert "and, the other way round, provider:agents/ref uses provider:telemetry/otel" in other
    assert "agents; bound late, because they need each other" in text
    only = why_between(graph, Address.parse("provider:agents/ref"), Address.parse("table:models"))
    assert not only.back.listed


def test_neither_needs_the_other(graph: RunGraph) -> None:
    """Then what both need and what needs both are named."""
    assert _between(graph, "provider:inference/foo", "provider:inference/bar") == (
        "neither provider:inference/foo nor provider:inference/bar needs the other\n"
        "\n"
        "both are needed by table:models, router:inference, provider:memory/faiss, "
        "provider:telemetry/otel, table:banks, router:memory, provider:agents/ref\n"
    )


def test_a_node_and_itself(graph: RunGraph) -> None:
    """One node is no pair."""
    assert _between(graph, "table:models", "table:models") == (
        "table:models is one node; name another one to see what lies between\n"
    )


def test_cycles_on_the_way_leave_the_shortest_path() -> None:
    """A graph with hard cycles can be asked as well."""
    graph = graph_of_needs({"a": "b", "b": "c", "c": "a"})
    text = _between(graph, "provider:a/p", "provider:b/p", most=5)
    assert "provider:a/p needs provider:b/p (directly)" in text
    assert "and, the other way round, provider:b/p needs provider:a/p (over 2 steps)" in text
    assert "cycles lie on the way" not in text
