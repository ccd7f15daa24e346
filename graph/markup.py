"""Lines of plans and differences, each written as text for a terminal or as Markdown.

Whatever a config, a provider or the environment has a say in is `Code`: text escapes it, and
Markdown puts it into code spans and fences, where GitHub makes nothing of pipes, tags and mentions.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.wording import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.graph.diagnostic_text import Style

ROLES = {"+": "help", "-": "error", "~": "warning"}
"""The roles of the marks of what was added, removed and changed."""
_FENCE_MARKS = {"~": "!"}
"""What a line that changed begins with where a fence is coloured as a diff."""
_LONGEST_SPAN = 1_000
"""Characters of the longest code span."""
_NARROWEST = 40
"""Columns that a wrapped list has at least."""
_BACKTICKS = re.compile(r"`+")


class Code(str):
    """Text that is not rungraph's own, such as an address."""

    __slots__ = ()


class Strong(NamedTuple):
    """A word that stands out: coloured by its role in text, bold in Markdown."""

    word: str
    role: str


Spans = tuple[str | Strong, ...]
"""A line: plain text, `Code` and `Strong` words."""


class MarkedLine(NamedTuple):
    """A line about something that differs.

    Attributes:
        mark: ``+``, ``-``, ``~`` or empty.
        text: What it says, not yet escaped.
        depth: 0 for a node or an edge, 1 for a fact of a node.
    """

    mark: str
    text: str
    depth: int = 0


def marked_text(line: MarkedLine, style: Style) -> str:
    """Return *line* as text."""
    mark = style(line.mark, ROLES[line.mark]) if line.mark else " "
    return f"{'      ' if line.depth else '  '}{mark} {printable(line.text)}".rstrip()


def marked_markdown(line: MarkedLine) -> str:
    """Return *line* for a fence of the language ``diff``."""
    mark = _FENCE_MARKS.get(line.mark, line.mark)
    return f"{mark} {'    ' * line.depth}{printable(line.text)}"


def spans_text(spans: Spans, style: Style, width: int | None = None) -> list[str]:
    """Return a line as text, indented by two columns.

    Args:
        spans: The line.
        style: Colours it.
        width: Columns that it should not go beyond: the last span is then wrapped under its
            beginning. None for a line as long as it is.
    """
    *first, last = spans
    start = "".join(
        style(one.word, one.role) if isinstance(one, Strong) else printable(one) for one in first
    )
    indent = 2 + sum(len(one.word if isinstance(one, Strong) else one) for one in first)
    end = style(last.word, last.role) if isinstance(last, Strong) else printable(last)
    if width is None or isinstance(last, Strong) or indent + len(end) <= width:
        return [f"  {start}{end}"]
    [head, *rest] = textwrap.wrap(
        end, max(width - indent, _NARROWEST), break_long_words=False, break_on_hyphens=False
    )
    return [f"  {start}{head}", *(" " * indent + line for line in rest)]


def spans_markdown(spans: Spans) -> str:
    """Return a line as Markdown."""
    return "".join(
        f"**{one.word}**"
        if isinstance(one, Strong)
        else code(one)
        if isinstance(one, Code)
        else re.sub(" +", " ", one)
        for one in spans
    )


def code(text: str) -> str:
    """Return *text* as a code span of Markdown, whatever it holds."""
    text = shortened(printable(text), _LONGEST_SPAN)
    ticks = _ticks(text, 1)
    pad = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}" if text else ""


def fence(lines: Sequence[str], language: str) -> tuple[str, str]:
    """Return the lines that open and close a fence around *lines*."""
    ticks = _ticks("\n".join(lines), 3)
    return f"{ticks}{language}", ticks


def folded(title: str, head: str = "") -> tuple[str, str]:
    """Return what opens and closes lines that are shown on a click; *head* is that of a table."""
    # GitHub wants blank lines around Markdown in HTML.
    return f"<details>\n<summary>{title}</summary>\n{head and chr(10)}{head}", "\n</details>"


def table_row(*cells: str) -> str:
    """Return a row of a table."""
    # A pipe ends a cell even in a code span, unless it is escaped.
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _ticks(text: str, least: int) -> str:
    """Return as many backticks as *text* does not have in a row, at least *least*."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
