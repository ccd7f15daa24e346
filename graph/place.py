"""Where something stands in the document it was read from."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A position in a run config.

    Attributes:
        file: The path as the user gave it, or ``<text>`` or ``<mapping>``.
        line: Counted from 1; 0 where there are no lines (a mapping handed over in Python).
        column: Counted from 1, in characters; 0 where there are no lines.

    Examples:
        >>> str(Place("run.yaml", 3, 5))
        'run.yaml:3:5'
        >>> str(Place("<mapping>", 0, 0))
        '<mapping>'
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file
