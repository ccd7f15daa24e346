"""The functions of the language: their names, and what each takes."""

from __future__ import annotations

from typing import Final, NamedTuple


class Signature(NamedTuple):
    """What a function takes.

    Attributes:
        parameters: The kind of each argument in its order: ``x`` (a selection), ``n`` (a number),
            ``text``, or ``x|n`` (either).
        required: How many of them there must be.
        usage: How it is written.
        text: What it selects.
    """

    parameters: tuple[str, ...]
    required: int
    usage: str
    text: str


SIGNATURES: Final = {
    "deps": Signature(("x", "n"), 1, "deps(x[, n])", "x and what it needs, n levels deep"),
    "rdeps": Signature(
        ("x", "x|n"), 1, "rdeps(x[, n])", "x and what needs it, n levels; rdeps(u, x): within +u"
    ),
    "somepath": Signature(
        ("x", "x"), 2, "somepath(a, b)", "a shortest path from a to b that it needs"
    ),
    "allpaths": Signature(("x", "x"), 2, "allpaths(a, b)", "all that is on a path from a to b"),
    "filter": Signature(("text", "x"), 2, "filter(re, x)", "those whose address has a match"),
    "attr": Signature(
        ("text", "text", "x"), 3, "attr(path, re, x)", "those whose attribute has a match"
    ),
    "siblings": Signature(("x",), 1, "siblings(x)", "all of the same kind and API, x among them"),
    "roots": Signature(("x",), 1, "roots(x)", "those that no other of x needs"),
    "leaves": Signature(("x",), 1, "leaves(x)", "those that need no other of x"),
    "some": Signature(("x", "n"), 1, "some(x[, n])", "the first n of x, or one, in start order"),
    "cycles": Signature((), 0, "cycles()", "all that is on a circle"),
    "critical": Signature(("x",), 0, "critical([x])", "the longest chain that ends in x"),
    "kind": Signature(("text", "x"), 2, "kind(k, x)", "those of a kind; the same as x & kind:k"),
}
"""The functions by name."""
