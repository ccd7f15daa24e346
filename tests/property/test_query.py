"""Laws of queries: they print as they parse; what they select is in `test_oracles`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies_configs import catalogs, configs, reordered
from tests.property.strategies_queries import SCRAPS, trees

from rungraph.graph import Catalog, QueryError, compile_config
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
