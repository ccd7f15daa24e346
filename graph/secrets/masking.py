"""Texts and templates without their secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rungraph.graph.placeholders import Placeholder, has_placeholder, placeholders, segments
from rungraph.graph.regex import PatternError, escaped, linear_pattern
from rungraph.graph.secrets.keys import is_secret_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK: Final = "********"
"""What stands for a secret; it tells nothing about it, not even its length."""

Span = tuple[int, int]
"""Two offsets in a text, with a secret between them."""

# While a text is searched, its placeholders are made of this character, which no text holds.
_HELD = "\ud800"
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|ApiKey)\s+", re.IGNORECASE)

_URL_PASSWORD = re.compile(
    r"""[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:]*:(?P<value>(?!\d+(?:[/?#\s]|$))[^\s@"']+)@"""
)
_VALUE = r"""
        (?:"(?P<double>(?:[^"\\]|\\.)+)"?|'(?P<single>[^']+)'?
          |(?P<plain>(?:(?:Bearer|Basic|Token)\s+)?[^\s&;"'{\[][^\s&;"']*))"""
_NAME = r"(?P<query>[?&])?(?P<name>[A-Za-z_][\w.-]*)"
_ASSIGNMENT = re.compile(rf"{_NAME}\s*=\s*{_VALUE}", re.VERBOSE | re.IGNORECASE)
_ASSIGNMENT_OR_PAIR = re.compile(
    rf"""{_NAME}(?:\s*=\s*|["']\s*:\s*|:\s+){_VALUE}""", re.VERBOSE | re.IGNORECASE
)
# A flag of a command line and what follows it, as words of one text or as items of a list.
_FLAG = re.compile(
    r"""(?<![\w-])--?(?P<name>[A-Za-z][\w-]*)(?:["']?\s*,\s*|["']?[ \t]+)
        (?:"(?P<double>[^"]+)"?|'(?P<single>[^']+)'?|(?P<plain>[^\s"',\]}-][^\s"',\]}]*))""",
    re.VERBOSE,
)
# In a query these are secrets: keys of Google's APIs, signatures of presigned URLs.
_QUERY_SECRETS = frozenset(("key", "sig", "signature"))
_KNOWN_SHAPES = re.compile(
    r"""(?P<value>\bsk-[\w-]{16,} | \bgh[pousr]_\w{16,} | \bgithub_pat_\w{16,}
      | \bglpat-[\w-]{16,} | \bhf_[A-Za-z0-9]{16,} | \bgsk_\w{16,} | \bnvapi-[\w-]{16,}
      | \bxox[abprs]-[\w-]{10,} | \bAKIA[0-9A-Z]{16}\b | \bAIza[\w-]{30,}
      | \beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?
      | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z))
      | \bBearer\s+(?P<bearer>[\w.~+/=-]{8,})""",
    re.VERBOSE | re.DOTALL,
)


def masked_text(text: str) -> str:
    """Return *text* without what is secret in any text: passwords in URLs, secret parameters."""
    return _rendered(text, _spans_of_text(packed(text)))


def masked_secret(text: str) -> str:
    """Return what can be shown of a text that is a secret as a whole.

    That is its placeholders, without their words, and a scheme such as ``Bearer``.
    """
    return _rendered(text, [without_scheme(text, 0, len(text))])


def masked_line(line: str, spans: Iterable[Span], column: int) -> tuple[str, int]:
    """Return a source line without its secrets, and what *column*, counted from 0, is in it.

    Args:
        line: One line of YAML or JSON.
        spans: Where in it the values of secret keys stand.
        column: An offset in the line; inside a secret, the secret's beginning is meant.
    """
    # What follows a colon is in *spans*, for which it is known where a value ends.
    spans = _united([*spans, *_spans_of_text(packed(line), _ASSIGNMENT)])
    shown = _rendered(line, spans)
    if shown.startswith(line[:column]):
        return shown, column
    for start, end in (*spans, *((one.start, one.end) for one in placeholders(line))):
        if start < column < end:
            column = start
    before = [(start, end) for start, end in spans if end <= column]
    return shown, len(_rendered(line[:column], before))


def secrets_of_text(text: str, *, is_secret: bool) -> Iterator[str]:
    """Yield the secrets in a text, of which it is one as a whole when *is_secret*."""
    spans = _spans_of_text(packed(text))
    if is_secret:
        spans.append(without_scheme(text, 0, len(text)))
        if not placeholders(text):
            spans.append((0, len(text)))
    for start, end in spans:
        literals = (one for one in segments(text[start:end]) if isinstance(one, str))
        yield from filter(None, literals)


def secrets_of_template(written: str, resolved: object, *, is_secret: bool) -> Iterator[str]:
    """Yield the secrets that the placeholders of *written* hold and that they became."""
    pattern = ""
    has_secret = False
    for one in segments(written):
        if isinstance(one, str):
            pattern += escaped(one)
            continue
        one_is_secret = is_secret or is_secret_key(one.name)
        has_secret = has_secret or one_is_secret
        pattern += "(.*?)" if one_is_secret else ".*?"
        if one_is_secret:
            yield from secrets_of_text(one.word, is_secret=True)
        yield from secrets_of_template(one.word, None, is_secret=one_is_secret)
    if not has_secret or not isinstance(resolved, str) or resolved == written:
        return
    try:
        found = linear_pattern(pattern).groups_in(resolved)
    except PatternError:  # It is too long.
        found = None
    # A text that has changed in another way too is secret as a whole.
    yield from (resolved,) if found is None else found


def packed(text: str) -> str:
    """Return *text* with its placeholders made of a character that means nothing to a search."""
    text = text.replace(_HELD, "\ufffd")
    if not has_placeholder(text):
        return text
    return "".join(
        one if isinstance(one, str) else _HELD * (one.end - one.start) for one in segments(text)
    )


def without_scheme(text: str, start: int, end: int) -> Span:
    """Return the span from *start* to *end* without a scheme, such as ``Bearer``, at its start."""
    scheme = _SCHEME.match(text, start, end)
    return (scheme.end() if scheme else start, end)


def _rendered(text: str, spans: Iterable[Span]) -> str:
    """Return *text* with what is in *spans* masked, and of placeholders the secret words."""
    shown = ""
    position = 0
    for start, end in (*_united(spans), (len(text), len(text))):
        for one in segments(text[position:start]):
            shown += one if isinstance(one, str) else _shown(one, is_secret=False)
        for one in segments(text[start:end]):
            shown += (one and MASK) if isinstance(one, str) else _shown(one, is_secret=True)
        position = end
    return shown.replace(_HELD, "\ufffd")


def _united(spans: Iterable[Span]) -> list[Span]:
    """Return *spans* in order, one for those that overlap or touch."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        elif end > start:
            united.append((start, end))
    return united


def _shown(placeholder: Placeholder, *, is_secret: bool) -> str:
    name, operator, word, *_ = placeholder
    shown = masked_secret(word) if is_secret or is_secret_key(name) else masked_text(word)
    return f"${{env.{name}{operator}{shown}}}"


def _spans_of_text(text: str, assignments: re.Pattern[str] = _ASSIGNMENT_OR_PAIR) -> list[Span]:
    """Return where the secrets of a packed text stand."""
    spans = [match.span("value") for match in _URL_PASSWORD.finditer(text)]
    spans += [match.span(str(match.lastgroup)) for match in _KNOWN_SHAPES.finditer(text)]
    spans += [
        match.span(str(match.lastgroup))
        for match in _FLAG.finditer(text)
        if is_secret_key(match["name"])
    ]
    position = 0
    while (assignment := assignments.search(text, position)) is not None:
        name = assignment["name"]
        if is_secret_key(name) or (assignment["query"] and name.lower() in _QUERY_SECRETS):
            spans.append(without_scheme(text, *assignment.span(str(assignment.lastgroup))))
            position = assignment.end()
        else:
            # The value can hold an assignment itself, such as the query of a URL.
            position = assignment.end("name")
    return spans
