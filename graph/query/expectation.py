"""How many nodes a query is expected to select."""

from __future__ import annotations

from typing import NamedTuple

from rungraph.graph.wording import counted

FORMS = "'empty', 'nonempty' or a number of nodes"
"""What an expectation can be."""
_MOST_DIGITS = 9


class Expectation(NamedTuple):
    """How many nodes a query is expected to select.

    Attributes:
        least: At least so many.
        most: At most so many; None for any number.
    """

    least: int
    most: int | None

    def holds(self, count: int) -> bool:
        """Whether *count* nodes are what is expected."""
        return self.least <= count and (self.most is None or count <= self.most)

    def __str__(self) -> str:
        if self.most is None:
            return "at least one node"
        return counted(self.most, "node") if self.most else "no node"


def parse_expectation(text: str) -> Expectation | None:
    """Return what ``empty``, ``nonempty`` or a number means; None for anything else.

    Examples:
        >>> str(parse_expectation("nonempty")), str(parse_expectation("2"))
        ('at least one node', '2 nodes')
        >>> parse_expectation("-1")
    """
    if text == "empty":
        return Expectation(0, 0)
    if text == "nonempty":
        return Expectation(1, None)
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return Expectation(int(text), int(text))
    return None
