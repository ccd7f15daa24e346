"""Text as a terminal sets it: measured and cut in cells, of which a wide character takes two."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from rungraph.graph.diagnostic_text import plain
from rungraph.graph.wording import printable, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rungraph.graph.diagnostic_text import Style

_ASCII = str.maketrans("●■◆≈✓·✗↑╭╰├┬┴┼┊│╌─▷▶░█", "o#@~+.x^.'++++:|~->>-#") | {
    ord("○"): "()",
    ord("…"): "...",
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """What text is written for.

    Attributes:
        width: Cells in a line.
        is_ascii: Whether there are no characters but ASCII.
        style: Colours text.
    """

    width: int
    is_ascii: bool = False
    style: Style = plain

    def spelled(self, text: str) -> str:
        """Return *text* in characters that can be shown."""
        text = printable(text)
        if not self.is_ascii:
            return text
        return text.translate(_ASCII).encode("ascii", "backslashreplace").decode()

    def clipped(self, text: str, width: int) -> str:
        """Return *text*, its end left out where it takes more than *width* cells.

        Examples:
            >>> Terminal(80).clipped("meta-reference", 8), Terminal(80).clipped("日本語", 4)
            ('meta-re…', '日…')
        """
        text = self.spelled(text)
        if cell_len(text) <= width:
            return text
        ellipsis = self.spelled("…")
        room = width - len(ellipsis)
        if room < 0:
            return ""
        end = min(len(text), room)
        while cell_len(text[:end]) > room:
            end -= 1
        return text[:end] + ellipsis

    def filled(self, text: str, width: int) -> str:
        """Return *text* in exactly *width* cells."""
        text = self.clipped(text, width)
        return text + " " * (width - cell_len(text))

    def listed(self, names: Sequence[str], width: int) -> str:
        """Return as many *names* as fit into *width* cells, with commas, and how many are left out.

        Examples:
            >>> Terminal(80).listed(["anthropic", "bedrock", "cerebras"], 24)
            'anthropic, bedrock, +1'
            >>> Terminal(80).listed(["anthropic", "bedrock"], 4)
            'ant…'
        """
        for count in range(len(names), 0, -1):
            left = len(names) - count
            text = ", ".join([*names[:count], f"+{left}"] if left else names)
            if cell_len(text) <= width:
                return text
        return self.clipped(", ".join(names), width)

    def notes(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the lines of each of *texts*, faint."""
        for text in texts:
            for line in wrap(self.spelled(text), self.width):
                yield self.style(line, "faint")

    def legend(self, entries: Iterable[str]) -> Iterator[str]:
        """Yield the lines of a legend; none breaks inside an entry."""
        for line in wrapped(map(self.spelled, entries), self.width, "   "):
            yield self.style(line, "faint")
