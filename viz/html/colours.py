"""The colours of a page's APIs, for light and for dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.viz.palette import Colour, by_night, palette_of

if TYPE_CHECKING:
    from collections.abc import Sequence


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
