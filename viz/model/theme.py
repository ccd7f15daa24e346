"""How everything looks: the colours of a light page and a dark one, and the look of each mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from rungraph.graph.nodes import Strength
from rungraph.viz.model.overlay import Role
from rungraph.viz.model.palette import CYCLE, Colour, by_night, palette_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ThemeName = Literal["auto", "light", "dark"]
"""``auto`` is light, and in an SVG the reader's own."""


class RoleLook(NamedTuple):
    """How the marks of one role look.

    Attributes:
        glyph: What stands for it in text; empty for none.
        symbol: What tells it from others in a picture where colours do not; empty for none.
        tone: Its colour in a terminal.
        day: Its colour on a light page.
        night: Its colour on a dark page.
        is_loud: Whether its colour goes round the box, too.
    """

    glyph: str
    symbol: str
    tone: str
    day: str
    night: str
    is_loud: bool = True


LOOKS = {
    Role.ADDED: RoleLook("+", "+", "green", "#0f6b3c", "#6fd39b"),
    Role.CHANGED: RoleLook("~", "~", "yellow", "#8a5200", "#f0b35c"),
    Role.REMOVED: RoleLook("-", "\N{MINUS SIGN}", "red", "#9d1c4d", "#f28bb3"),
    Role.AFFECTED: RoleLook("≈", "", "cyan", "#5b3fa8", "#bda6f5"),
    Role.GOOD: RoleLook("✓", "\N{CHECK MARK}", "green", "#0f6b3c", "#6fd39b", is_loud=False),
    Role.BUSY: RoleLook("*", "\N{HORIZONTAL ELLIPSIS}", "cyan", "#0b5f8a", "#7cc4ea"),
    Role.WAITING: RoleLook("·", "\N{MIDDLE DOT}", "faint", "#56657a", "#a3afbf", is_loud=False),
    Role.WARNED: RoleLook("!", "!", "yellow", "#8a5200", "#f0b35c"),
    Role.FAILED: RoleLook("✗", "\N{MULTIPLICATION X}", "error", "#b31b1b", "#ff8f8f"),
    Role.LOST: RoleLook("✗", "\N{EN DASH}", "red", "#9d1c4d", "#f28bb3"),
    Role.LEFT_OUT: RoleLook("○", "", "faint", "#56657a", "#a3afbf", is_loud=False),
    Role.CRITICAL: RoleLook("*", "", "magenta", "#9a3d00", "#ff9c5a"),
    Role.PLAIN: RoleLook("", "", "faint", "#56657a", "#a3afbf", is_loud=False),
}


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture, as hexadecimal RGB.

    Attributes:
        is_dark: Whether the page is.
        page: Behind everything.
        band: Behind a generation.
        ink: Titles.
        detail: What stands below a title.
        note: Captions, headings, the legend.
        pale: The outline of what steps back.
        cycle: What must not be.
        badges: Behind the codes of errors and of warnings; the codes have the page's colour.
        lines: The arrows.
        roles: The marks.
    """

    is_dark: bool
    page: str
    band: str
    ink: str
    detail: str
    note: str
    pale: str
    cycle: str
    badges: tuple[str, str]
    lines: Mapping[Strength, str]
    roles: Mapping[Role, str]

    def palette_of(self, apis: Iterable[str]) -> Mapping[str, Colour]:
        """Return a colour for each of *apis*."""
        palette = palette_of(apis)
        if not self.is_dark:
            return palette
        return {api: by_night(colour) for api, colour in palette.items()}

    def colours(self, apis: Iterable[str]) -> tuple[str, ...]:
        """Return every colour of a picture with *apis*: in each theme at the same place."""
        return (
            *(self.page, self.band, self.ink, self.detail, self.note, self.pale, self.cycle),
            *(*self.lines.values(), *self.badges, *self.roles.values()),
            *(one for colour in self.palette_of(apis).values() for one in colour),
        )


LIGHT = Theme(
    is_dark=False,
    page="#ffffff",
    band="#f5f6f8",
    ink="#0f172a",
    detail="#475569",
    note="#5b6779",
    pale="#c3cad4",
    cycle=CYCLE,
    badges=("#b31b1b", "#8a5200"),
    lines={Strength.HARD: "#4a586c", Strength.MEMBER: "#8592a3", Strength.SOFT: "#65748a"},
    roles={role: look.day for role, look in LOOKS.items()},
)
DARK = Theme(
    is_dark=True,
    page="#12171f",
    band="#1a212b",
    ink="#eef2f7",
    detail="#b9c4d2",
    note="#a0acbc",
    pale="#46515f",
    cycle="#ff6b6b",
    badges=("#ff8f8f", "#f0b35c"),
    lines={Strength.HARD: "#b3bfcd", Strength.MEMBER: "#7c8a9b", Strength.SOFT: "#96a3b4"},
    roles={role: look.night for role, look in LOOKS.items()},
)


def theme_of(name: ThemeName) -> Theme:
    """Return the colours of a theme.

    Raises:
        ValueError: If there is no such theme.
    """
    if name not in ("auto", "light", "dark"):
        msg = f"unknown theme '{name}'; known: auto, dark, light"
        raise ValueError(msg)
    return DARK if name == "dark" else LIGHT


def night_of_day(apis: Iterable[str]) -> dict[str, str]:
    """Return for each colour of a light picture with *apis* the one that a dark picture has."""
    names = tuple(apis)
    return dict(zip(LIGHT.colours(names), DARK.colours(names), strict=True))
