"""Strategies for queries: syntax trees of every form, and texts that are almost queries."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rungraph.graph.query.functions import FUNCTIONS
from rungraph.graph.query.lexer import is_plain
from rungraph.graph.query.syntax import (
    ALL,
    Around,
    Call,
    Expression,
    Let,
    Not,
    Number,
    Select,
    Variable,
    Walk,
    both,
    joined,
)

NAMES = st.sampled_from(["a", "b", "in", "_x1", "größe"])
TEXTS = st.sampled_from(
    ["*", "router:safety", "config.a[0].b:1", "in", "not", "let", "8b", "a b", "it's", "x+", "a-b"]
) | st.text(min_size=1, max_size=6).filter(
    lambda text: text.strip() != "" and not ("'" in text and '"' in text)
)
LEVELS = st.none() | st.just(ALL) | st.integers(0, 999_999_999)
NUMBERS = st.builds(Number, st.integers(0, 999_999_999))
"""What can stand in a selector: text that is not blank and holds at most one kind of quotes."""
_IN_QUOTES = TEXTS.filter(lambda text: any(sign in text for sign in "*?[:"))
SELECTS = TEXTS.map(
    lambda text: Select(text, is_name=not is_plain(text) and any(one in text for one in "*?[:"))
) | _IN_QUOTES.map(lambda text: Select(text, is_name=True))

SCRAPS = st.lists(
    st.sampled_from(
        [
            *"()+@,&|!-$='\" \n12ab",
            "deps(",
            "let ",
            " in ",
            "x",
            "not ",
            "router:safety",
            "\x00",
            "ü",
        ]
    ),
    max_size=30,
).map("".join)
"""Pieces of queries in any order."""


@st.composite
def trees(draw: st.DrawFn, depth: int = 4, names: tuple[str, ...] = ()) -> Expression:
    """Syntax trees as the parser makes them; variables stand only inside their ``let``."""
    leaves = ["select", "select", *(["variable"] if names else [])]
    forms = ["call", "walk", "around", "not", "both", "joined", "let"] if depth else []
    form = draw(st.sampled_from([*leaves, *forms]))

    def inner(more: tuple[str, ...] = ()) -> Expression:
        return draw(trees(depth - 1, (*names, *more)))

    match form:
        case "variable":
            return Variable(draw(st.sampled_from(names)))
        case "call":
            return _call(draw, depth, names)
        case "walk":
            needs, needed_by = draw(LEVELS), draw(LEVELS)
            walked = inner()
            if needs is None and needed_by is None:
                return walked
            return Walk(walked, needs, needed_by)
        case "around":
            return Around(inner())
        case "not":
            return Not(inner())
        case "both":
            return both(inner(), *(inner() for _ in range(draw(st.integers(1, 2)))))
        case "joined":
            signs: Any = draw(st.lists(st.sampled_from("|-"), min_size=1, max_size=2))
            return joined(inner(), *((sign, inner()) for sign in signs))
        case "let":
            name = draw(NAMES)
            return Let(name, inner(), inner((name,)))
        case _:
            return draw(SELECTS)


def _call(draw: st.DrawFn, depth: int, names: tuple[str, ...]) -> Call:
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    function = FUNCTIONS[name]
    count = draw(st.integers(function.required, len(function.parameters)))
    texts = SELECTS
    kinds: dict[str, st.SearchStrategy[Expression]] = {
        "x": trees(depth - 1, names),
        "n": NUMBERS,
        "x|n": NUMBERS | trees(depth - 1, names),
    }
    parameters = function.parameters[:count]
    return Call(name, tuple(draw(kinds.get(kind, texts)) for kind in parameters))
