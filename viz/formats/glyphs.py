"""What stands for kinds, marks and problems in pictures made of text, and the terminal colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.viz.model.theme import LOOKS, colour_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.viz.model.elements import Box
    from rungraph.viz.model.overlay import Role

KIND_GLYPHS = {NodeKind.PROVIDER: "●", NodeKind.TABLE: "■", NodeKind.ROUTER: "◆"}
_SEVERITY_GLYPHS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
_TONES = ("blue", "green", "yellow", "magenta", "cyan", "bright_black")
_OTHER_TONES = ("bright_cyan", "bright_yellow", "bright_magenta", "bright_green", "bright_blue")


def problems_text(box: Box) -> str:
    """Return the codes of what is wrong with *box*, behind a glyph; empty for nothing."""
    return f"{_SEVERITY_GLYPHS[box.severity]} {' '.join(box.problems)}" if box.severity else ""


def mark_text(box: Box) -> str:
    """Return what the overlay says of *box*, behind a glyph; empty for nothing."""
    return f"{LOOKS[box.mark.role].glyph} {box.mark.text}".strip() if box.mark else ""


def legend_of(meanings: Mapping[Role, str]) -> list[str]:
    """Return the entries of a legend of marks."""
    return [f"{LOOKS[role].glyph or 'pale:'} {meaning}" for role, meaning in meanings.items()]


def tones_of(families: Iterable[str]) -> Mapping[str, str]:
    """Return the terminal colour of each API, the same in every picture; none is red.

    Red says that something is wrong. The colours are the sixteen that a terminal's user has chosen,
    so they can be read on any background. Besides the best known APIs, some share one.

    Examples:
        >>> tones_of(["eval", "inference"])
        {'eval': 'bright_blue', 'inference': 'blue'}
    """
    numbers = {name: colour_number(name) for name in sorted(set(families))}
    return {
        name: _TONES[number] if number < len(_TONES) else _OTHER_TONES[number % len(_OTHER_TONES)]
        for name, number in numbers.items()
    }
