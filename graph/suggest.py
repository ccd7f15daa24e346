"""The nearest of the names that exist, for help texts; must not decide anything."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rungraph.graph.budgets import LONGEST_NEAR, MOST_NEAR

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_NEAR, _NEAR_SHORT, _SHORT = 0.8, 0.65, 4
"""How much of two words must be alike, and of short ones: of eight letters two may be swapped."""


def closest(word: str, known: Iterable[str], n: int = 1) -> tuple[str, ...]:
    """Return at most *n* names of *known* that *word* may have meant, best first.

    Only what a person would have mistyped, or left unfinished, is near. Case does not count, and
    neither does the choice between ``-``, ``_`` and ``.``, nor what two words have alike before
    ``::``. Equally near names come in alphabetical order, whatever order *known* has.

    Examples:
        >>> closest("inferense", ["safety", "inference"])
        ('inference',)
        >>> closest("Memory-Banks", ["memory", "memory_banks"])
        ('memory_banks',)
        >>> closest("telemetry", ["safety", "models"]) + closest("remote::x", ["remote::y"])
        ()
    """
    if len(word) > LONGEST_NEAR:
        return ()
    kind, colons, _ = word.rpartition("::")
    before = len(kind + colons)
    wanted = _plain(word[before:])
    scored: list[tuple[float, str]] = []
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    cutoff = _NEAR if len(wanted) > _SHORT else _NEAR_SHORT
    for name in _candidates(wanted, set(known)):
        plain = _plain(name[before:] if name.startswith(word[:before]) else name)
        if len(wanted) >= _SHORT and plain.startswith(f"{wanted}_"):
            scored.append((1.0, name))
            continue
        if plain == wanted:
            scored.append((2.0, name))
            continue
        matcher.set_seq1(plain)
        if matcher.real_quick_ratio() < cutoff or matcher.quick_ratio() < cutoff:
            continue
        ratio = matcher.ratio()
        if ratio >= cutoff:
            scored.append((ratio, name))
    scored.sort(key=lambda item: (-item[0], item[1]))
    return tuple(name for _, name in scored[:n])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question such as ``did you mean 'inference'?``; empty when nothing is near.

    Examples:
        >>> did_you_mean("memroy", ["memory", "models"])
        "did you mean 'memory'?"
        >>> did_you_mean("x", ["memory"])
        ''
    """
    near = closest(word, known)
    return f"did you mean {near[0]!r}?" if near else ""


def near_or_all(word: str, known: Collection[str]) -> str:
    """Return what `did_you_mean` asks, or what there is where nothing is near.

    Examples:
        >>> near_or_all("x", ["memory", "models"])
        'there is: memory, models'
    """
    return did_you_mean(word, known) or f"there is: {', '.join(known)}"


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(".", "_")


def _candidates(wanted: str, known: set[str]) -> Iterable[str]:
    """Return the names worth comparing: those of a similar length, nearest length first."""
    known = {name for name in known if len(name) <= 2 * LONGEST_NEAR}
    if len(known) <= MOST_NEAR:
        return known
    return sorted(known, key=lambda name: (abs(len(name) - len(wanted)), name))[:MOST_NEAR]
