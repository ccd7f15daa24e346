"""The colours of a page, by day and by night, from those of all pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.viz.model.theme import DARK, LIGHT, Theme

if TYPE_CHECKING:
    from collections.abc import Sequence


def colours_css(families: Sequence[str]) -> str:
    """Return what the page's style asks for, and a rule for each of *families*: ``.f0`` and on.

    Paper is light, whatever the screen is.
    """
    dark = "\n".join(f"  {rule}" for rule in _rules(DARK, families, "[data-theme=dark]"))
    return "\n".join([*_rules(LIGHT, families, ":root"), "@media screen {", dark, "}"])


def _rules(theme: Theme, families: Sequence[str], root: str) -> list[str]:
    error, warning = theme.badges
    names = {
        "paper": theme.page,
        "ground": theme.band,
        "ink": theme.ink,
        "soft": theme.detail,
        "faint": theme.note,
        "cycle": theme.cycle,
        "error": error,
        "warning": warning,
        **{f"line-{strength.value}": colour for strength, colour in theme.lines.items()},
    }
    values = "; ".join(f"--{name}: {colour}" for name, colour in names.items())
    marks = {role.value.replace(" ", "-"): colour for role, colour in theme.roles.items()}
    palette = theme.palette_of(families)
    fills = [f"--fill: {palette[one].fill}; --line: {palette[one].line}" for one in families]
    return [
        f"{root} {{ {values} }}",
        *(f"{root} .m-{name} {{ --mark: {colour} }}" for name, colour in marks.items()),
        *(f"{root} .f{index} {{ {fill} }}" for index, fill in enumerate(fills)),
    ]
