"""Text as a terminal sets it: measured and cut in cells, of which a wide character takes two."""

from __future__ import annotations

from rich.cells import cell_len

from rungraph.viz.model.labels import printable


def width_of(text: str) -> int:
    """Return how many cells *text* takes.

    Examples:
        >>> width_of("table"), width_of("表")
        (5, 2)
    """
    return cell_len(text)


def clipped(text: str, width: int, ellipsis: str = "…") -> str:
    """Return *text*, its end left out where it takes more than *width* cells; all printable.

    Examples:
        >>> clipped("meta-reference", 8)
        'meta-re…'
        >>> clipped("日本語", 4)
        '日…'
    """
    text = printable(text)
    if width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    if room < 0:
        return ""
    end = min(len(text), room)
    while width_of(text[:end]) > room:
        end -= 1
    return text[:end] + ellipsis


def padded(text: str, width: int) -> str:
    """Return *text* with spaces up to *width* cells."""
    return text + " " * (width - width_of(text))


def joined_within(words: list[str], width: int, ellipsis: str = "…") -> str:
    """Return as many *words* as fit into *width* cells, with commas, and how many are left out.

    Examples:
        >>> joined_within(["anthropic", "bedrock", "cerebras"], 24)
        'anthropic, bedrock, +1'
        >>> joined_within(["anthropic", "bedrock"], 4)
        'ant…'
    """
    for count in range(len(words), 0, -1):
        left = len(words) - count
        text = ", ".join([*words[:count], f"+{left}"] if left else words)
        if width_of(text) <= width:
            return text
    return clipped(", ".join(words), width, ellipsis)
