"""The colours of a page, by day and by night, from those of all pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.viz.formats.theme import DARK, LIGHT, SYMBOLS, Theme

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
    palette = theme.palette_of(families)
    return [
        f"{root} {{ {values} }}",
        *(
            f"{root} .m-{role.value.replace(' ', '-')} {{ --mark: {colour} }}"
            for role, colour in theme.roles.items()
        ),
        *(
            f"{root} .f{index} {{ --fill: {palette[family].fill}; --line: {palette[family].line} }}"
            for index, family in enumerate(families)
        ),
    ]


SIGNS = {role.value: symbol for role, symbol in SYMBOLS.items()}
"""What tells marks apart where colours do not."""
