"""Queries as text: what they parse to, how they print, and what is said of what is no query."""

from __future__ import annotations

import pytest

from rungraph.graph import QueryError
from rungraph.graph.query import parse, to_text
from rungraph.graph.query.syntax import (
    ALL,
    Around,
    Both,
    Call,
    Joined,
    Let,
    Not,
    Number,
    Select,
    Variable,
    Walk,
)

A, B, C = Select("a"), Select("b"), Select("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a | b - c", Joined(A, (("|", B), ("-", C)))),
        ("a or b except c", Joined(A, (("|", B), ("-", C)))),
        ("a union b", Joined(A, (("|", B),))),
        ("a | b & c", Joined(A, (("|", Both((B, C))),))),
        ("(a | b) & c", Both((Joined(A, (("|", B),)), C))),
        ("a and b intersect c", Both((A, B, C))),
        ("not a & b", Both((Not(A), B))),
        ("!+a", Not(Walk(A, ALL))),
        ("2+a+3", Walk(A, 2, 3)),
        ("0+a", Walk(A, 0)),
        ("a+", Walk(A, None, ALL)),
        ("a+2-b", Joined(Walk(A, None, 2), (("-", B),))),
        ("a-b", Select("a-b")),
        ("(a)-b", Joined(A, (("-", B),))),
        ("@a", Around(A)),
        ("(@a)+", Walk(Around(A), None, ALL)),
        ("deps(a, 2)", Call("deps", (A, Number(2)))),
        ("deps(2+a)", Call("deps", (Walk(A, 2),))),
        ("rdeps(a, b)", Call("rdeps", (A, B))),
        ("cycles ( )", Call("cycles")),
        ("let x = a in $x | b", Let("x", A, Joined(Variable("x"), (("|", B),)))),
        ("let x=a in $x", Let("x", A, Variable("x"))),
        ("type:remote::*", Select("type:remote::*")),
        ("config.exporters[0].path:/tmp/*", Select("config.exporters[0].path:/tmp/*")),
        ("'a + b'", Select("a + b")),
        ('"it\'s"', Select("it's")),
        ("a\n|\tb", Joined(A, (("|", B),))),
        ("modèle:größe", Select("modèle:größe")),
    ],
)
def test_the_grammar(text: str, tree: object) -> None:
    """Each form of the language has its tree."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("((a))", "a"),
        ("(a & b) | c", "a & b | c"),
        ("a | (b & c)", "a | b & c"),
        ("(a | b) | c", "a | b | c"),
        ("a | (b | c)", "a | (b | c)"),
        ("a - (b - c)", "a - (b - c)"),
        ("!(a & b)", "!(a & b)"),
        ("(!a) & (+b)", "!a & +b"),
        ("(+a)+", "(+a)+"),
        ("a & (let x = b in $x)", "a & let x = b in $x"),
        ("(let x = b in $x) & a", "(let x = b in $x) & a"),
        ("!(let x = b in $x) & a", "!(let x = b in $x) & a"),
        ("let x = (let y = a in $y) in ($x)", "let x = let y = a in $y in $x"),
        ("'a'", "a"),
        ("'in' | \"8b\"", "'in' | '8b'"),
        ("a union b except not c", "a | b - !c"),
        ("(a & (let x = b in $x))+", "(a & let x = b in $x)+"),
    ],
)
def test_printing_leaves_out_what_is_not_needed(written: str, printed: str) -> None:
    """Parentheses and quotes are printed where the text would mean something else without."""
    assert to_text(parse(written)) == printed


def test_a_tree_that_no_text_means_is_not_printed() -> None:
    """There is no way to write a name with both kinds of quotes."""
    with pytest.raises(ValueError, match="both kinds of quotes"):
        to_text(Select("'\""))


FUNCTIONS = (
    "there are deps, rdeps, somepath, allpaths, filter, attr, siblings, roots, sinks, serves, "
    "leaves, some, count, cycles, critical, kind"
)
NEEDS_OPERATOR = (
    "two selections need an operator between them",
    (
        "write '|' for what either selects, '&' for what both select, '-' for the first without "
        "the second"
    ),
)


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("a + b", 3,
         "two selections need an operator between them; '+' is the graph operator, not union",
         "write '|' for what either selects, '&' for what both select"),
        ("api:safety, kind:router", 11, "',' only separates function arguments: use '&'",
         "'&' is what both select, '|' what either selects"),
        ("(a, b)", 3, "',' only separates function arguments: use '&'",
         "'&' is what both select, '|' what either selects"),
        ("a b", 3, *NEEDS_OPERATOR),
        ("a (b)", 1, "no function 'a'", FUNCTIONS),
        ("a !b", 3, *NEEDS_OPERATOR),
        ("", 1, "the query is empty", "write '*' for all nodes"),
        (" \n\t", 1, "the query is empty", "write '*' for all nodes"),
        ("a &", 4, "expected a selection after '&', not the end", ""),
        ("| a", 1, "expected a selection, not '|'", ""),
        ("a or", 5, "expected a selection after 'or', not the end", ""),
        ("a && b", 4, "write '&' once", ""),
        ("a || b", 4, "write '|' once", ""),
        ("(a", 1, "'(' is not closed", ""),
        ("a)", 2, "')' closes nothing", ""),
        ("()", 2, "expected a selection after '(', not ')'", ""),
        ("a++", 3, "'+' stands once on each side", "a walk is written +x, x+, 2+x, x+2 or +x+"),
        ("@a+", 3, "'@x' walks both ways already", "to walk on from it, write (@x)+"),
        ("2", 1, "a number is no selection",
         "write it in quotes to name a node, or 2+x for two levels of a walk"),
        ("8b & a", 1, "a name that begins with a digit needs quotes", "write it in quotes: '8b'"),
        ("1234567890+a", 1, "a number of 10 digits is too large", ""),
        ("'a", 1, "the quote ' is not closed", ""),
        ("a | ''", 5, "the name in quotes is empty", ""),
        ("a | /b/", 5, "a selection does not begin with '/'",
         "write it as text in a function: filter('…', *)"),
        ("a ^ b", 3, "'^' is no operator", "write '&' for what both select"),
        ("a;b", 2, "unexpected character ';'", "put names that hold it in quotes"),
        ("a \x07", 3, "unexpected character U+0007", "a query is plain text"),
        ("$x", 1, "'$x' has no 'let' around it", "write: let x = … in …"),
        ("(let x = a in $x) | $x", 21, "'$x' has no 'let' around it", "write: let x = … in …"),
        ("let abc = a in $abd", 16, "'$abd' has no 'let' around it", "did you mean '$abc'?"),
        ("$ a", 1, "'$' begins the name of a 'let', such as $a", ""),
        ("let x = a", 10, "'let x = …' has no 'in'", "write: let x = … in …"),
        ("let x = a b", 11, *NEEDS_OPERATOR),
        ("let x", 1, "'let' needs a name, '=', a selection, 'in' and a selection",
         "write it like let a = api:safety in $a+ - $a"),
        ("a in b", 3, "'in' belongs to a 'let'", "put it in quotes to name a node: 'in'"),
        ("dep(a)", 1, "no function 'dep'", "did you mean 'deps'?"),
        ("deps()", 6, "'deps' needs one argument",
         "write deps(x[, n]): x and what it needs, n levels deep"),
        ("somepath(a)", 11, "'somepath' needs 2 arguments",
         "write somepath(a, b): a shortest path from a to b that it needs"),
        ("cycles(a)", 8, "'cycles' takes no arguments", "write cycles(): all that is on a cycle"),
        ("deps(a, 1, 2)", 12, "'deps' takes 2 arguments",
         "write deps(x[, n]): x and what it needs, n levels deep"),
        ("deps(a,)", 8, "expected a selection after ',', not ')'", ""),
        ("deps(a, b)", 9, "here stands a number, not a selection", "write deps(x[, n])"),
        ("deps(2)", 6, "here stands a selection, not a number", "write deps(x[, n])"),
        ("filter(a | b, c)", 8, "here stands text, not a selection", "write filter(re, x)"),
        ("deps(a", 5, "'(' is not closed", ""),
    ],
)  # fmt: skip
def test_what_is_no_query(text: str, column: int, message: str, hint: str) -> None:
    """The error names the column, what is wrong there, and what to write."""
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert (error.column, error.message) == (column, message) or text.count("\n")
    assert (error.help[0] if error.help else "") == hint


@pytest.mark.parametrize("opening", ["(", "!", "let a = ", "deps(", "deps(*, (", "a & (b | !"])
def test_deep_nesting_is_refused_in_words(opening: str) -> None:
    """Ten thousand levels are an error with a column, and forty are read."""
    with pytest.raises(QueryError, match="the query is nested more than 40 levels deep"):
        parse(opening * 10_000)
    assert parse("(" * 40 + "a" + ")" * 40) == A
    for part in ("!a", "(a)", "deps(a)", "(let x = a in $x)"):
        parse(" | ".join([part] * 100))


def test_a_huge_query_is_refused_in_words() -> None:
    """A megabyte is no query; many operands in a row within the limit are one."""
    with pytest.raises(QueryError) as caught:
        parse("a|" * 500_000)
    assert str(caught.value) == (
        "column 1: the query has 1,000,000 characters, more than 100,000\n"
        "  help: split it, or name parts of it under 'selectors:'"
    )
    tree = parse("|".join(["a"] * 50_000))
    assert isinstance(tree, Joined)
    assert len(tree.rest) == 49_999


def test_the_caret_stands_under_the_column_of_its_line() -> None:
    """Of several lines the one that is wrong is shown, cut when long, masked where unprintable."""

    def text_of(query: str) -> str:
        with pytest.raises(QueryError) as caught:
            parse(query)
        return str(caught.value)

    assert text_of("a\n& b c\n| d") == (
        "line 2, column 5: two selections need an operator between them\n"
        "  & b c\n"
        "      ^\n"
        "  help: write '|' for what either selects, '&' for what both select, '-' for the first "
        "without the second"
    )
    assert text_of("a\t\x1b[31m") == (
        "column 3: unexpected character U+001B\n  a \ufffd[31m\n    ^\n"
        "  help: a query is plain text"
    )
    _, line, caret, *_ = text_of("a | " * 100 + ") | " + "a | " * 100).split("\n")
    assert len(line) < 110
    assert line[2] == line[-1] == "…"
    assert line[caret.index("^")] == ")"


def test_an_error_is_safe_to_print() -> None:
    """Names of a config can hold what a terminal obeys; an error has it escaped, line by line."""
    error = QueryError("no 'a\x1b[2J'", "x\x9b", 1, ("did you mean 'b\x1b'?",), "c\u202e")
    assert str(error).split("\n") == [
        "selector 'c\\u202e', column 2: no 'a\\x1b[2J'",
        "  x\ufffd",
        "   ^",
        "  help: did you mean 'b\\x1b'?",
    ]


def test_trees_compare_by_what_they_say() -> None:
    """Where a selector stands does not count."""
    assert parse("a | b") == parse("  a|b")
    assert hash(parse("a")) == hash(parse(" a"))
