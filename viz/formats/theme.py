"""How everything looks in a picture: a light page and a dark one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rungraph.graph.nodes import Strength
from rungraph.viz.model.overlay import Role
from rungraph.viz.model.palette import CYCLE, Colour, by_night, palette_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ThemeName = Literal["auto", "light", "dark"]
"""``auto`` is light, and in an SVG the reader's own."""

DASHED, DOTTED = (4.5, 3.0), (1.2, 2.2)
SYMBOLS = {
    Role.ADDED: "+",
    Role.CHANGED: "~",
    Role.REMOVED: "\N{MINUS SIGN}",
    Role.AFFECTED: "",
    Role.GOOD: "\N{CHECK MARK}",
    Role.BUSY: "\N{HORIZONTAL ELLIPSIS}",
    Role.WAITING: "\N{MIDDLE DOT}",
    Role.WARNED: "!",
    Role.FAILED: "\N{MULTIPLICATION X}",
    Role.LOST: "\N{EN DASH}",
    Role.LEFT_OUT: "",
    Role.CRITICAL: "",
    Role.PLAIN: "",
}
"""What tells marks apart where colours do not."""
LOUD = frozenset(
    {
        *(Role.ADDED, Role.CHANGED, Role.REMOVED, Role.AFFECTED, Role.BUSY),
        *(Role.WARNED, Role.FAILED, Role.LOST, Role.CRITICAL),
    }
)
"""The roles whose colour goes round the box, too."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture, as hexadecimal RGB.

    Attributes:
        page: Behind everything.
        band: Behind a generation.
        ink: Titles.
        detail: What stands below a title.
        note: Captions, headings, the legend.
        pale: The outline of what steps back.
        lines: The arrows.
        cycle: What must not be.
        badges: Behind the codes of errors and of warnings; the codes have the page's colour.
        roles: The marks.
        is_dark: Whether the page is.
    """

    page: str
    band: str
    ink: str
    detail: str
    note: str
    pale: str
    lines: Mapping[Strength, str]
    cycle: str
    badges: tuple[str, str]
    roles: Mapping[Role, str]
    is_dark: bool

    def palette_of(self, apis: Iterable[str]) -> Mapping[str, Colour]:
        """Return a colour for each of *apis*."""
        palette = palette_of(apis)
        if not self.is_dark:
            return palette
        return {api: by_night(colour) for api, colour in palette.items()}


_DAY_ROLES = {
    Role.ADDED: "#0f6b3c",
    Role.CHANGED: "#8a5200",
    Role.REMOVED: "#9d1c4d",
    Role.AFFECTED: "#5b3fa8",
    Role.GOOD: "#0f6b3c",
    Role.BUSY: "#0b5f8a",
    Role.WAITING: "#56657a",
    Role.WARNED: "#8a5200",
    Role.FAILED: "#b31b1b",
    Role.LOST: "#9d1c4d",
    Role.LEFT_OUT: "#56657a",
    Role.CRITICAL: "#9a3d00",
    Role.PLAIN: "#56657a",
}
_NIGHT_ROLES = {
    Role.ADDED: "#6fd39b",
    Role.CHANGED: "#f0b35c",
    Role.REMOVED: "#f28bb3",
    Role.AFFECTED: "#bda6f5",
    Role.GOOD: "#6fd39b",
    Role.BUSY: "#7cc4ea",
    Role.WAITING: "#a3afbf",
    Role.WARNED: "#f0b35c",
    Role.FAILED: "#ff8f8f",
    Role.LOST: "#f28bb3",
    Role.LEFT_OUT: "#a3afbf",
    Role.CRITICAL: "#ff9c5a",
    Role.PLAIN: "#a3afbf",
}
LIGHT = Theme(
    page="#ffffff",
    band="#f5f6f8",
    ink="#0f172a",
    detail="#475569",
    note="#5b6779",
    pale="#c3cad4",
    lines={Strength.HARD: "#4a586c", Strength.MEMBER: "#8592a3", Strength.SOFT: "#65748a"},
    cycle=CYCLE,
    badges=("#b31b1b", "#8a5200"),
    roles=_DAY_ROLES,
    is_dark=False,
)
DARK = Theme(
    page="#12171f",
    band="#1a212b",
    ink="#eef2f7",
    detail="#b9c4d2",
    note="#a0acbc",
    pale="#46515f",
    lines={Strength.HARD: "#b3bfcd", Strength.MEMBER: "#7c8a9b", Strength.SOFT: "#96a3b4"},
    cycle="#ff6b6b",
    badges=("#ff8f8f", "#f0b35c"),
    roles=_NIGHT_ROLES,
    is_dark=True,
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
    names = sorted(set(apis))
    pairs = [
        *((getattr(LIGHT, name), getattr(DARK, name)) for name in _PLAIN_FIELDS),
        *zip(LIGHT.lines.values(), DARK.lines.values(), strict=True),
        *zip(LIGHT.badges, DARK.badges, strict=True),
        *zip(LIGHT.roles.values(), DARK.roles.values(), strict=True),
    ]
    day, night = LIGHT.palette_of(names), DARK.palette_of(names)
    pairs += [pair for name in names for pair in zip(day[name], night[name], strict=True)]
    return dict(pairs)


_PLAIN_FIELDS = ("page", "band", "ink", "detail", "note", "pale", "cycle")
