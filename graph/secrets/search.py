"""Where in a text secrets stand that show: by their shapes, and after their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rungraph.graph.secrets.escapes import unescaped
from rungraph.graph.secrets.keys import is_no_secret_in_text
from rungraph.graph.secrets.looks import drawn_in
from rungraph.graph.secrets.pairs import Hit, hits_after_flags, hits_after_names
from rungraph.graph.secrets.services import SERVICE_KEYS
from rungraph.graph.secrets.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SERVICE_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(SERVICE_KEYS)})")
_LONG_WORD = re.compile(r"[\w.=+/-]{14}")
# Digests are written after what they are made by.
_LONG_RUN = re.compile(
    r"\bsha(?:1-[\w+/]{27}=|256-[\w+/]{43}=|384-[\w+/]{64}|512-[\w+/]{86}==)(?![\w+/=])"
    r"|(?P<run>[A-Za-z0-9+/_-]{20,})"
)
# Elsewhere, as in a URL, a word such as ``required`` is a poor password.
_TOLD = frozenset(("authorization", "bearer", "flag", "name"))
# Asked once of each text, because most texts need no more.
_NEEDS = frozenset(need for one in SHAPES for need in one.needs)
_FEWEST = tuple(one for one in sorted(_NEEDS) if not any(map(one.__contains__, _NEEDS - {one})))


def hits_in(text: str, *, has_pairs: bool = True) -> Iterator[Hit]:
    """Yield the secrets that *text* shows by its shapes, in no order; they can overlap.

    What is escaped for a URL, HTML or JSON is looked at unescaped, too, and again if that is.

    Args:
        text: Any text; its placeholders are best made of a character that means nothing.
        has_pairs: Whether ``name: value`` counts without quotes, which in YAML its syntax tells.
    """
    offsets: Sequence[int] = range(len(text) + 1)
    for _ in range(3):  # A query in a query is escaped twice.
        for start, end, rule in _hits_as_written(text, has_pairs=has_pairs):
            told = rule.partition(" ")[0] in _TOLD
            if not (told and is_no_secret_in_text(text[start:end])):
                yield Hit(offsets[start], offsets[end], rule)
        plain, before = unescaped(text)
        if plain == text:
            return
        text, offsets = plain, [offsets[one] for one in before]


def _hits_as_written(text: str, *, has_pairs: bool) -> Iterator[Hit]:
    lower = text.lower()
    if any(map(lower.__contains__, _FEWEST)):
        for shape in SHAPES:
            if any(need in lower for need in shape.needs):
                for match in shape.pattern.finditer(text):
                    if shape.holds is None or shape.holds(match):
                        group = match.lastgroup if shape.rule == "hook" else "value"
                        span = match.span(group if group in match.groupdict() else 0)
                        yield Hit(*span, shape.rule)
    if _LONG_WORD.search(text):
        for match in _SERVICE_KEY.finditer(text):
            yield Hit(*match.span(), "key of a service")
        for match in _LONG_RUN.finditer(text):
            if match["run"] and (drawn := drawn_in(match["run"])):
                start, end = drawn
                yield Hit(match.start() + start, match.start() + end, "random characters")
    if "-" in text:
        yield from hits_after_flags(text)
    yield from hits_after_names(text, has_pairs=has_pairs)
