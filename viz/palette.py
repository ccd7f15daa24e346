"""Which colour an API has, in every picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Colour(NamedTuple):
    """How the boxes of one API look, as hexadecimal RGB.

    Attributes:
        fill: Inside a box.
        line: Around it.
    """

    fill: str
    line: str


CYCLE = "#d92626"
"""What must not be; no API has a colour like it."""

_KNOWN = {
    "inference": Colour("#e1edfb", "#2b6cb0"),
    "memory": Colour("#ddf3e6", "#2a8354"),
    "safety": Colour("#fdf0d0", "#b07a10"),
    "agents": Colour("#ece4fa", "#7048b8"),
    "telemetry": Colour("#e4eaf0", "#56677a"),
    "inspect": Colour("#f3f3f1", "#8c8c84"),
}
_OTHERS = (
    Colour("#d6f1f1", "#12807f"),
    Colour("#eff3d2", "#728216"),
    Colour("#fbe3f2", "#a83f86"),
    Colour("#f3e6db", "#8a5a34"),
    Colour("#e2e4fb", "#4650b0"),
    Colour("#e9f0e4", "#5a7050"),
    Colour("#fce8da", "#b8611c"),
    Colour("#dcecf7", "#35789c"),
)


def palette_of(apis: Iterable[str]) -> Mapping[str, Colour]:
    """Return a colour for each of *apis*; the well-known ones look the same in every picture.

    With many others some share a colour.

    Examples:
        >>> palette_of(["inference"])["inference"].line
        '#2b6cb0'
    """
    names = sorted(set(apis))
    rest = [name for name in names if name not in _KNOWN]
    given = {name: _OTHERS[index % len(_OTHERS)] for index, name in enumerate(rest)}
    return {name: _KNOWN.get(name) or given[name] for name in names}
