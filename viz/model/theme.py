"""How everything looks, by day and by night: APIs, marks, pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from zlib import crc32

from rungraph.graph.nodes import Strength
from rungraph.viz.model.overlay import Role

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
PALE_INK = "#94a3b8"
"""The text of what steps back, where a format colours text."""

_DAY, _NIGHT = "#ffffff", "#12171f"
# Far from each other and from the colour of cycles, also for those who see no red or no green, as
# Machado, Oliveira and Fernandes (2009) simulate it: the tests hold the least distance, in Oklab.
_LINES = {
    "inference": "#1f66b8",
    "memory": "#3e8a64",
    "safety": "#a87d19",
    "agents": "#8970d9",
    "telemetry": "#5b6778",
    "inspect": "#9a9a7b",
    "vector_io": "#489cc0",
    "tool_runtime": "#a87890",
    "datasetio": "#6c6c00",
    "eval": "#0c0ca8",
    "scoring": "#904854",
    "files": "#004848",
    "batches": "#6c3c84",
    "responses": "#b424a8",
    "post_training": "#540060",
    "providers": "#48480c",
    "prompts": "#3c2484",
    "conversations": "#4884fc",
    "admin": "#3c243c",
    "connectors": "#003ccc",
    "file_processors": "#900060",
    "skills": "#f054b4",
    "messages": "#5400fc",
    "interactions": "#f00cfc",
    "containers": "#9c0024",
    "container_runtime": "#600c18",
}
"""The colours of the APIs of all catalogs that come with rungraph; a table has its router's."""
_ROUTERS = {
    "benchmarks": "eval",
    "datasets": "datasetio",
    "eval_tasks": "eval",
    "memory_banks": "memory",
    "models": "inference",
    "scoring_functions": "scoring",
    "shields": "safety",
    "tool_groups": "tool_runtime",
    "vector_dbs": "vector_io",
    "vector_stores": "vector_io",
}
WELL_KNOWN = tuple(_LINES)
"""The APIs that have a colour of their own."""


def colour_number(api: str) -> int:
    """Return which of the colours is that of *api*, whatever else is drawn.

    An API that no catalog of ours has shares the colour of another one, always the same.

    Examples:
        >>> [colour_number(api) for api in ("inference", "models", "echo")]
        [0, 0, 10]
    """
    api = _ROUTERS.get(api, api)
    return WELL_KNOWN.index(api) if api in _LINES else crc32(api.encode()) % len(_LINES)


def palette_of(apis: Iterable[str]) -> Mapping[str, Colour]:
    """Return the colour of each of *apis*, the same in every picture.

    Examples:
        >>> palette_of(["inference"])["inference"]
        Colour(fill='#e0eaf5', line='#1f66b8')
    """
    lines = {api: _LINES[WELL_KNOWN[colour_number(api)]] for api in sorted(set(apis))}
    return {api: Colour(mixed(line, _DAY, 0.14), line) for api, line in lines.items()}


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
    Role.WAITING: RoleLook("·", "\N{MIDDLE DOT}", "faint", "#536277", "#a3afbf", is_loud=False),
    Role.WARNED: RoleLook("!", "!", "yellow", "#8a5200", "#f0b35c"),
    Role.FAILED: RoleLook("✗", "\N{MULTIPLICATION X}", "error", "#b31b1b", "#ff8f8f"),
    Role.LOST: RoleLook("✗", "\N{EN DASH}", "red", "#9d1c4d", "#f28bb3"),
    Role.LEFT_OUT: RoleLook("○", "", "faint", "#536277", "#a3afbf", is_loud=False),
    Role.CRITICAL: RoleLook("*", "", "magenta", "#9a3d00", "#ff9c5a"),
    Role.PLAIN: RoleLook("", "", "faint", "#536277", "#a3afbf", is_loud=False),
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
    if name not in get_args(ThemeName):
        msg = f"unknown theme '{name}'; known: auto, dark, light"
        raise ValueError(msg)
    return DARK if name == "dark" else LIGHT


def night_of_day(apis: Iterable[str]) -> dict[str, str]:
    """Return for each colour of a light picture with *apis* the one that a dark picture has."""
    names = tuple(apis)
    return dict(zip(LIGHT.colours(names), DARK.colours(names), strict=True))
