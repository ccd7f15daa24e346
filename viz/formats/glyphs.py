"""The signs and terminal colours of kinds, APIs and marks, for pictures made of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.viz.model.overlay import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KIND_SIGNS = {NodeKind.PROVIDER: "●", NodeKind.TABLE: "■", NodeKind.ROUTER: "◆"}
ROLE_SIGNS = {
    Role.ADDED: "+",
    Role.CHANGED: "~",
    Role.REMOVED: "-",
    Role.AFFECTED: "≈",
    Role.GOOD: "✓",
    Role.BUSY: "*",
    Role.WAITING: "·",
    Role.WARNED: "!",
    Role.FAILED: "✗",
    Role.LOST: "✗",
    Role.LEFT_OUT: "○",
    Role.CRITICAL: "*",
    Role.PLAIN: "",
}
SEVERITY_SIGNS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
ASCII = {
    "●": "o",
    "■": "#",
    "◆": "@",
    "≈": "~",
    "✓": "+",
    "·": ".",
    "✗": "x",
    "○": "()",
    "…": "...",
    "──▶": "-->",
    "╌╌▷": "~~>",
    "↑": "^",
}
"""What stands for a sign where there is nothing but ASCII."""

ROLE_TONES = {
    Role.ADDED: "green",
    Role.CHANGED: "yellow",
    Role.REMOVED: "red",
    Role.AFFECTED: "cyan",
    Role.GOOD: "green",
    Role.BUSY: "cyan",
    Role.WAITING: "faint",
    Role.WARNED: "yellow",
    Role.FAILED: "error",
    Role.LOST: "red",
    Role.LEFT_OUT: "faint",
    Role.CRITICAL: "magenta",
    Role.PLAIN: "faint",
}
SEVERITY_TONES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}

_KNOWN = {
    "inference": "blue",
    "memory": "green",
    "safety": "yellow",
    "agents": "magenta",
    "telemetry": "cyan",
    "inspect": "bright_black",
}
_OTHERS = ("bright_cyan", "bright_yellow", "bright_magenta", "bright_green", "bright_blue")


def tones_of(families: Iterable[str]) -> Mapping[str, str]:
    """Return the terminal colour of each API; none is red, which says that something is wrong.

    The colours are the sixteen that a terminal's user has chosen, so they can be read on any
    background. With many APIs some share one.

    Examples:
        >>> tones_of(["eval", "inference"])
        {'eval': 'bright_cyan', 'inference': 'blue'}
    """
    names = sorted(set(families))
    rest = [name for name in names if name not in _KNOWN]
    given = {name: _OTHERS[index % len(_OTHERS)] for index, name in enumerate(rest)}
    return {name: _KNOWN.get(name) or given[name] for name in names}
