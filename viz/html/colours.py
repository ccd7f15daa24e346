"""The colours of a page's APIs, for light and for dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.viz.palette import Colour, palette_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_NIGHT, _DAY = "#12171f", "#ffffff"


def palette_css(families: Sequence[str]) -> str:
    """Return a rule for each of *families*: ``.f0`` for the first, and so on."""
    palette = palette_of(families)
    light = [_rule(index, palette[family]) for index, family in enumerate(families)]
    dark = [_rule(index, by_night(palette[family])) for index, family in enumerate(families)]
    return "\n".join(
        [
            *light,
            "@media screen {",
            *(f"[data-theme=dark] {rule}" for rule in dark),
            "}",
        ]
    )


def _rule(index: int, colour: Colour) -> str:
    return f".f{index} {{ --fill: {colour.fill}; --line: {colour.line} }}"


def by_night(colour: Colour) -> Colour:
    """Return the colour of the same hue for a dark page.

    Examples:
        >>> by_night(Colour("#e1edfb", "#2b6cb0"))
        Colour(fill='#192f48', line='#7ea5cf')
    """
    return Colour(_mixed(colour.line, _NIGHT, 0.28), _mixed(colour.line, _DAY, 0.61))


def _mixed(colour: str, other: str, share: float) -> str:
    def channel(at: int) -> int:
        mine, theirs = int(colour[at : at + 2], 16), int(other[at : at + 2], 16)
        return round(mine * share + theirs * (1 - share))

    return f"#{channel(1):02x}{channel(3):02x}{channel(5):02x}"
