"""Where something stands in the document it was read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from pathlib import Path

CUT: Final = "…"
"""What stands where a source line is cut."""
CARET_WHEN_CUT: Final = 40
"""The column of the place in an excerpt whose beginning is cut."""


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
        file = printable(self.file)
        return f"{file}:{self.line}:{self.column}" if self.line else file


def absolute(path: Path) -> Path:
    """Return *path* as it is to be found wherever the process goes: it begins at the root."""
    try:
        return path.absolute()
    except OSError:  # What the process is in has been removed, and all in it.
        return path


def caret_column(excerpt: str, place: Place) -> int:
    """Return the column of *place* within its *excerpt*, counted from 1.

    It is the place's own column unless the excerpt had to be cut on the left, which its first
    character tells.
    """
    return CARET_WHEN_CUT if excerpt.startswith(CUT) else max(place.column, 1)
