"""Laws of queries: they print as they parse, and select as sets and networkx do."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies_configs import catalogs, configs, reordered
from tests.property.strategies_queries import SCRAPS, trees

from rungraph.graph import Address, Catalog, QueryError, RunGraph, Strength, compile_config
from rungraph.graph.query import parse, to_text
from rungraph.graph.query import query as query_graph

if TYPE_CHECKING:
    from rungraph.graph.query.syntax import Expression

# --- text and tree -----------------------------------------------------------------------------


@settings(max_examples=300)
@given(trees())
def test_what_is_printed_parses_to_the_same_tree(tree: Expression) -> None:
    """parse after print is the identity on trees."""
    assert parse(to_text(tree)) == tree


@given(trees())
def test_printing_is_settled_after_one_round(tree: Expression) -> None:
    """A printed query prints as it stands."""
    text = to_text(tree)
    assert to_text(parse(text)) == text


@given(trees(depth=2))
def test_every_pair_of_parentheses_is_needed(tree: Expression) -> None:
    """Without one of its pairs of grouping parentheses a text is another query, or none."""
    text = to_text(tree)
    for start, end in _grouping_pairs(text):
        bare = f"{text[:start]} {text[start + 1 : end]} {text[end + 1 :]}"
        with contextlib.suppress(QueryError):
            assert parse(bare) != tree


def _grouping_pairs(text: str) -> list[tuple[int, int]]:
    """Return where parentheses outside quotes open and close that follow no function's name."""
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    quote = ""
    for position, char in enumerate(text):
        if quote or char in "'\"":
            quote = ("" if char == quote else quote) if quote else char
        elif char == "(":
            opened.append(position)
        elif char == ")":
            start = opened.pop()
            before = text[start - 1 : start]
            if not (before.isalnum() or before == "_"):
                pairs.append((start, position))
    return pairs


@settings(max_examples=300)
@given(SCRAPS | st.text(max_size=20))
def test_no_text_raises_anything_but_a_query_error(text: str) -> None:
    """A text is a query, or the error points into it."""
    error: QueryError | None = None
    try:
        parse(text)
    except QueryError as caught:
        error = caught
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert error.column >= 1
        assert str(error).startswith(error.where)


# --- sets --------------------------------------------------------------------------------------


@st.composite
def asked(draw: st.DrawFn) -> tuple[RunGraph, str, str]:
    """Return a graph and two queries that select some of its nodes."""
    graph = compile_config(draw(configs()), catalog=draw(catalogs()), environment={})
    texts = [str(address) for address in graph]

    def query() -> str:
        chosen = draw(st.lists(st.sampled_from(texts), max_size=4, unique=True)) if texts else ()
        return " | ".join(f"'{text}'" for text in chosen) or "* - *"

    return graph, f"({query()})", f"({query()})"


@given(asked())
def test_operators_are_those_of_sets(case: tuple[RunGraph, str, str]) -> None:
    """Union, intersection, difference and complement, and De Morgan's laws."""
    graph, a, b = case

    def select(query: str) -> set[Address]:
        return set(query_graph(graph, query))

    left, right, every = select(a), select(b), set(graph.nodes)
    assert select(f"{a} | {b}") == left | right == set(query_graph(graph, a, b))
    assert select(f"{a} & {b}") == left & right
    assert select(f"{a} - {b}") == left - right
    assert select(f"!{a}") == every - left
    assert select(f"!({a} | {b})") == select(f"!{a} & !{b}")
    assert select(f"!({a} & {b})") == select(f"!{a} | !{b}")
    assert select(f"{a} - {b} | {b}") == left | right
    assert select(f"let x = {a} in $x - {b} | $x & {b}") == left


@given(asked(), st.sampled_from(["all", "hard", "soft"]), st.integers(0, 3))
def test_walks_are_those_of_networkx(
    case: tuple[RunGraph, str, str], edges: Any, levels: int
) -> None:
    """Walks reach what networkx reaches over the same edges, in as many steps."""
    graph, a, _ = case
    digraph = _walked(graph, edges)
    starts = set(query_graph(graph, a))

    def select(query: str) -> set[Address]:
        return set(query_graph(graph, query, edges=edges))

    needs = {one for start in starts for one in nx.ancestors(digraph, start)} | starts
    needed_by = {one for start in starts for one in nx.descendants(digraph, start)} | starts
    assert select(f"+{a}") == select(f"deps({a})") == needs
    assert select(f"{a}+") == select(f"rdeps({a})") == needed_by
    assert select(f"+{a}+") == needs | needed_by
    assert select(f"@{a}") == select(f"deps(rdeps({a}))")
    near = {
        one
        for start in starts
        for one in nx.single_source_shortest_path_length(digraph, start, cutoff=levels)
    }
    assert select(f"{a}+{levels}") == select(f"rdeps({a}, {levels})") == near
    part = digraph.subgraph(starts)
    loops = {node for node in starts if digraph.has_edge(node, node)}
    assert select(f"roots({a})") == {n for n in starts if not set(part.successors(n)) - {n}}
    assert select(f"leaves({a})") == {n for n in starts if not set(part.predecessors(n)) - {n}}
    cycles = {n for c in nx.strongly_connected_components(digraph) if len(c) > 1 for n in c}
    if edges == "hard":
        assert select(f"cycles() & {a}") == (cycles | loops) & starts


@given(asked(), st.sampled_from(["all", "hard"]))
def test_paths_are_those_of_networkx(case: tuple[RunGraph, str, str], edges: Any) -> None:
    """A path is a shortest one, the first of them by address; all paths are what lies between."""
    graph, a, b = case
    digraph = _walked(graph, edges).reverse()
    found = query_graph(graph, f"somepath({a}, {b})", edges=edges).path
    paths = [
        tuple(path)
        for start in query_graph(graph, a)
        for goal in query_graph(graph, b)
        if nx.has_path(digraph, start, goal)
        for path in nx.all_shortest_paths(digraph, start, goal)
    ]
    assert found == min(paths, key=lambda path: (len(path), path), default=())
    between = set(query_graph(graph, f"allpaths({a}, {b})", edges=edges))
    assert between == set(query_graph(graph, f"+{a} & {b}+", edges=edges))
    assert {node for path in paths for node in path} <= between


@given(asked(), st.booleans())
def test_the_critical_chain_is_the_longest(
    case: tuple[RunGraph, str, str], has_durations: bool
) -> None:
    """No other chain of needs that ends in the selection has more nodes, or takes longer."""
    graph, a, _ = case
    if any(one.code in ("G001", "G006") for one in graph.diagnostics):
        return
    seconds = {node: 1 + (index * 7) % 5 for index, node in enumerate(graph)}
    part = graph.nx.subgraph(query_graph(graph, f"+{a}"))
    path = query_graph(graph, f"critical({a})", durations=seconds if has_durations else None).path
    assert path is not None
    weighed: nx.DiGraph[Any] = nx.DiGraph()
    weighed.add_nodes_from(part)
    weighed.add_weighted_edges_from(
        (u, v, seconds[u] if has_durations else 1) for u, v in part.edges
    )
    for node in query_graph(graph, a):
        weighed.add_edge(node, "end", weight=seconds[node] if has_durations else 1)
    longest = nx.dag_longest_path_length(weighed) if len(part) else 0
    assert sum(seconds[node] if has_durations else 1 for node in path) == longest
    assert all(graph.nx.has_edge(later, earlier) for earlier, later in pairwise(path))


def _walked(graph: RunGraph, edges: str) -> nx.DiGraph[Address]:
    digraph: nx.DiGraph[Address] = nx.DiGraph()
    digraph.add_nodes_from(graph.nodes)
    digraph.add_edges_from(
        edge[:2]
        for edge in graph.edges
        if edges == "all" or (edge.strength is Strength.SOFT) == (edges == "soft")
    )
    return digraph


# --- order -------------------------------------------------------------------------------------

QUERIES = ("*", "roots(*)", "critical()", "somepath(roots(*), leaves(*))", "some(kind:table+, 2)")


@given(configs(), catalogs(), st.randoms(use_true_random=False))
def test_the_order_of_the_config_does_not_count(
    config: dict[str, Any], catalog: Catalog, order: Any
) -> None:
    """The same config in another order answers every query with the same nodes in one order."""
    one = compile_config(config, catalog=catalog, environment={})
    other = compile_config(reordered(config, order), catalog=catalog, environment={})
    for query in QUERIES:
        try:
            expected = query_graph(one, query)
        except QueryError:
            with pytest.raises(QueryError):
                query_graph(other, query)
            continue
        assert query_graph(other, query) == expected
        assert tuple(expected) == tuple(node for node in one if node in expected)
