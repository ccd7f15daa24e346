"""Regular expressions of a config or a query, matched in time that is linear in the text.

Python's own `re` can take years for a pattern such as ``(.+)+!``; RE2 cannot, and refuses what it
could not match in linear time: look-around and back-references.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

from rungraph.graph.budgets import LONGEST_PATTERN, MOST_INSTRUCTIONS


class PatternError(ValueError):
    """Raised when a text is no regular expression that can be matched in linear time."""


@dataclass(frozen=True, slots=True)
class LinearPattern:
    """A regular expression in RE2's syntax.

    Attributes:
        pattern: Its text.
        size: How many instructions it is compiled to: what a character can take.
    """

    pattern: str
    size: int
    _compiled: Any = field(repr=False)

    def search(self, text: str) -> bool:
        """Whether some part of *text* matches."""
        return self._compiled.search(_encoded(text)) is not None

    def fullmatch(self, text: str) -> bool:
        """Whether all of *text* matches."""
        return self.groups_in(text) is not None

    def groups_in(self, text: str) -> tuple[str, ...] | None:
        """Return what the groups hold when all of *text* matches, else None."""
        match = self._compiled.fullmatch(_encoded(text))
        if match is None:
            return None
        return tuple(group.decode(errors="surrogatepass") for group in match.groups())


@lru_cache(maxsize=256)
def linear_pattern(text: str) -> LinearPattern:
    """Return the regular expression that *text* is; ``.`` matches line breaks as well.

    Raises:
        PatternError: If it is none, is too long, or needs more than linear time.

    Examples:
        >>> linear_pattern("(.+)+!").search("a" * 10_000)
        False
    """
    if len(text) > LONGEST_PATTERN:
        msg = f"longer than {LONGEST_PATTERN:,} characters"
        raise PatternError(msg)
    # Not at the top: most commands match no pattern. By name, because it has no types.
    re2: Any = import_module("re2")
    options: Any = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        compiled = re2.compile(_encoded(text), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternError(reason) from None
    size: int = compiled.programsize
    if size > MOST_INSTRUCTIONS:
        msg = f"it repeats too much: {size:,} instructions, at most {MOST_INSTRUCTIONS:,}"
        raise PatternError(msg)
    return LinearPattern(text, size, compiled)


def escaped(text: str) -> str:
    r"""Return the regular expression that matches *text* alone.

    Examples:
        >>> escaped("a.b-é")
        'a\\.b\\-é'
    """
    return re.escape(text).replace("\0", r"\x00")


def _encoded(text: str) -> bytes:
    # A command line can hold halves of characters.
    return text.encode(errors="surrogatepass")
