"""Which colour an API has, in every picture, by day and by night."""

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

_DAY, _NIGHT = "#ffffff", "#12171f"
_KNOWN = {
    "inference": "#1f66b8",
    "memory": "#3e8a64",
    "safety": "#a87d19",
    "agents": "#8970d9",
    "telemetry": "#5b6778",
    "inspect": "#9a9a7b",
}
# Far from each other also for those who see no red or no green, as Machado, Oliveira and Fernandes
# (2009) simulate it: the tests hold the least distance, in Oklab.
_OTHERS = (
    *("#154d66", "#2d750c", "#66102a", "#29298a", "#ac7595", "#4f9fc4", "#7a3110", "#b89631"),
)


def palette_of(apis: Iterable[str]) -> Mapping[str, Colour]:
    """Return a colour for each of *apis*; the well-known ones look the same in every picture.

    With many others some share a colour.

    Examples:
        >>> palette_of(["inference"])["inference"]
        Colour(fill='#e0eaf5', line='#1f66b8')
    """
    names = sorted(set(apis))
    rest = [name for name in names if name not in _KNOWN]
    free = (*_OTHERS, *(line for name, line in _KNOWN.items() if name not in names))
    given = {name: free[index % len(free)] for index, name in enumerate(rest)}
    lines = {name: _KNOWN.get(name) or given[name] for name in names}
    return {name: Colour(mixed(line, _DAY, 0.14), line) for name, line in lines.items()}


def by_night(colour: Colour) -> Colour:
    """Return the colour of the same hue for a dark page.

    Examples:
        >>> by_night(Colour("#e0eaf5", "#1f66b8"))
        Colour(fill='#162d4a', line='#76a2d4')
    """
    return Colour(mixed(colour.line, _NIGHT, 0.28), mixed(colour.line, _DAY, 0.61))


def mixed(colour: str, other: str, share: float) -> str:
    """Return so much of *colour*, and of *other* the rest.

    Examples:
        >>> mixed("#000000", "#ffffff", 0.5)
        '#808080'
    """

    def channel(at: int) -> int:
        mine, theirs = int(colour[at : at + 2], 16), int(other[at : at + 2], 16)
        return round(mine * share + theirs * (1 - share))

    return f"#{channel(1):02x}{channel(3):02x}{channel(5):02x}"
