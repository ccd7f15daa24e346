"""Texts, templates and source lines without their secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rungraph.graph.placeholders import Placeholder, has_placeholder, placeholders
from rungraph.graph.secrets.keys import is_secret_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK: Final = "********"
"""What stands for a secret; it tells nothing about it, not even its length."""

_Span = tuple[int, int]

# While a text is searched, each placeholder in it is one character that no text holds otherwise.
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
_KEY = re.compile(
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"\s*:|'(?P<single>(?:[^']|'')*)'\s*:
        |(?P<bare>[A-Za-z_][\w.-]*)\s*:(?=[\s"'\[{]|$))""",
    re.VERBOSE,
)
_BEFORE_VALUE = re.compile(r"\s*(?:[&!][^\s,\[\]{}]*\s+)*")
_BEFORE_CONTENT = re.compile(r"[\s?-]*(?=\S|$)")
_QUOTED_VALUE = re.compile(r"""(?:"((?:[^"\\]|\\.)*)|'((?:[^']|'')*))""")
_FLOW_END = re.compile(r"[,\[\]{}]|\s#|$")
_BLOCK_END = re.compile(r"\s+#|\s*$")
_BLOCK_HEADER = re.compile(r"[|>][0-9+-]*\s*(?:#|$)")


def masked_text(text: str) -> str:
    """Return *text* without what is secret in any text: passwords in URLs, secret parameters."""
    packed, held = _packed(text)
    return _rendered(packed, held, _spans_of_text(packed))


def masked_secret(text: str) -> str:
    """Return what can be shown of a text that is a secret as a whole.

    That is its placeholders, without their words, and a scheme such as ``Bearer``.
    """
    packed, held = _packed(text)
    return _rendered(packed, held, [_span_of_secret(packed)])


def masked_line(line: str, *, is_secret: bool = False, keeps_keys: bool = False) -> str:
    """Return a line of YAML or JSON with its secret values masked.

    What stands before the first secret stays where it is.

    Args:
        line: One source line.
        is_secret: Whether it stands inside a secret value that began on an earlier line.
        keeps_keys: Whether, then, its keys are no part of the secret.
    """
    packed, held = _packed(line)
    # What follows a colon is for the rules of the line, which know where a value ends.
    spans = _spans_of_text(packed, _ASSIGNMENT)
    if not is_secret or keeps_keys:
        spans += _spans_of_line(packed, is_secret=is_secret)
    if is_secret and not (keeps_keys and _KEY.search(packed)):
        start = _BEFORE_CONTENT.match(packed)
        spans.append((start.end() if start else 0, len(packed.rstrip())))
    return _rendered(packed, held, spans)


def secrets_of_text(text: str, *, is_secret: bool) -> Iterator[str]:
    """Yield the secrets in a text, of which it is one as a whole when *is_secret*."""
    packed, _ = _packed(text)
    spans = _spans_of_text(packed)
    if is_secret:
        spans.append(_span_of_secret(packed))
        if _HELD not in packed:
            spans.append((0, len(packed)))
    for start, end in spans:
        yield from filter(None, packed[start:end].split(_HELD))


def secrets_of_template(written: str, resolved: object, *, is_secret: bool) -> Iterator[str]:
    """Yield the secrets that the placeholders of *written* hold and that they became."""
    packed, held = _packed(written)
    secret = [is_secret or is_secret_key(one.name) for one in held]
    for placeholder, one_is_secret in zip(held, secret, strict=True):
        if one_is_secret:
            yield from secrets_of_text(placeholder.word, is_secret=True)
        yield from secrets_of_template(placeholder.word, None, is_secret=one_is_secret)
    if not any(secret) or not isinstance(resolved, str) or resolved == written:
        return
    pattern = "(.*?)".join(map(re.escape, packed.split(_HELD)))
    match = re.fullmatch(pattern, resolved, re.DOTALL)
    if match is None:
        # The text has changed in another way too; no telling which part of it is the secret.
        yield resolved
        return
    yield from (value for value, is_one in zip(match.groups(), secret, strict=True) if is_one)


def _packed(text: str) -> tuple[str, tuple[Placeholder, ...]]:
    """Return *text* with one character for each placeholder, and the placeholders."""
    text = text.replace(_HELD, "\ufffd")
    if not has_placeholder(text):
        return text, ()
    held = placeholders(text)
    parts: list[str] = []
    position = 0
    for placeholder in held:
        parts += text[position : placeholder.start], _HELD
        position = placeholder.end
    return "".join((*parts, text[position:])), held


def _rendered(packed: str, held: Iterable[Placeholder], spans: Iterable[_Span]) -> str:
    """Return the text with what is in *spans* masked and its placeholders back in place."""
    left = iter(held)
    parts: list[str] = []

    def append(text: str, *, is_secret: bool) -> None:
        first, *others = text.split(_HELD)
        parts.append(MASK if is_secret and first else first)
        for other in others:
            parts.append(_shown(next(left), is_secret=is_secret))
            parts.append(MASK if is_secret and other else other)

    position = 0
    for start, end in _united(spans):
        append(packed[position:start], is_secret=False)
        append(packed[start:end], is_secret=True)
        position = end
    append(packed[position:], is_secret=False)
    return "".join(parts)


def _united(spans: Iterable[_Span]) -> list[_Span]:
    """Return *spans* in order, one for those that overlap or touch."""
    united: list[_Span] = []
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


def _span_of_secret(packed: str) -> _Span:
    scheme = _SCHEME.match(packed)
    return (scheme.end() if scheme else 0, len(packed))


def _spans_of_text(packed: str, assignments: re.Pattern[str] = _ASSIGNMENT_OR_PAIR) -> list[_Span]:
    spans = [match.span("value") for match in _URL_PASSWORD.finditer(packed)]
    spans += [match.span(str(match.lastgroup)) for match in _KNOWN_SHAPES.finditer(packed)]
    spans += [
        match.span(str(match.lastgroup))
        for match in _FLAG.finditer(packed)
        if is_secret_key(match["name"])
    ]
    position = 0
    while (assignment := assignments.search(packed, position)) is not None:
        name = assignment["name"]
        if is_secret_key(name) or (assignment["query"] and name.lower() in _QUERY_SECRETS):
            start, end = assignment.span(str(assignment.lastgroup))
            scheme = _SCHEME.match(packed, start, end)
            spans.append((scheme.end() if scheme else start, end))
            position = assignment.end()
        else:
            # The value can hold an assignment itself, such as the query of a URL.
            position = assignment.end("name")
    return spans


def _spans_of_line(packed: str, *, is_secret: bool) -> list[_Span]:
    spans: list[_Span] = []
    position = 0
    while match := _KEY.search(packed, position):
        position = match.end()
        if not is_secret and not is_secret_key(_name(match)):
            continue
        before = _BEFORE_VALUE.match(packed, position)
        start = before.end() if before else position
        span = _span_of_value(packed, start)
        if span is not None:
            spans.append(span)
            position = max(position, span[1])
    return spans


def _span_of_value(packed: str, start: int) -> _Span | None:
    """Return where the value that begins at *start* stands; None when it is on other lines."""
    first = packed[start : start + 1]
    if not first or first in "*#" or _BLOCK_HEADER.match(packed, start):
        return None
    if (quoted := _QUOTED_VALUE.match(packed, start)) is not None:
        scheme = _SCHEME.match(packed, start + 1, quoted.end())
        return (scheme.end() if scheme else start + 1), quoted.end()
    if first in "[{":
        return start, _end_of_collection(packed, start)
    before = packed[:start]
    is_flow = sum(map(before.count, "[{")) > sum(map(before.count, "]}"))
    end = (_FLOW_END if is_flow else _BLOCK_END).search(packed, start)
    scheme = _SCHEME.match(packed, start)
    return (scheme.end() if scheme else start, len(packed) if end is None else end.start())


def _end_of_collection(packed: str, start: int) -> int:
    depth = 0
    for position in range(start, len(packed)):
        if packed[position] in "[{":
            depth += 1
        elif packed[position] in "]}":
            depth -= 1
            if depth == 0:
                return position + 1
    return len(packed)


def _name(key: re.Match[str]) -> str:
    return key["double"] or key["single"] or key["bare"] or ""
