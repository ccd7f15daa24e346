"""Texts and templates without their secrets."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.placeholders import Placeholder, has_placeholder, placeholders, segments
from rungraph.graph.regex import PatternError, escaped, linear_pattern
from rungraph.graph.secrets.keys import is_no_secret, is_secret_key
from rungraph.graph.secrets.known import NOTHING_KNOWN
from rungraph.graph.secrets.looks import is_mixed, is_plain_word, is_random
from rungraph.graph.secrets.pairs import Span, without_scheme
from rungraph.graph.secrets.search import hits_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.secrets.known import KnownSecrets
    from rungraph.graph.secrets.pairs import Hit

MASK: Final = "********"
"""What stands for a secret; it tells nothing about it, not even its length."""


# While a text is searched, its placeholders are made of this character, which no text holds.
_HELD = "\ud800"
# Words, and numbers after them: nearly every key, and none with the shape of a secret.
_PLAIN_KEY = re.compile(
    r"[\w.-]{0,13}|[A-Za-z]{1,12}\d{0,3}(?:[_.-]{1,2}(?:[A-Za-z]{1,12}\d{0,3}|\d{1,6}))*"
)
is_plain_name = re.compile(
    r"[\w.-]{0,13}|(?>(?:[A-Za-z]{0,12}\d{0,8}|\d{1,4}[A-Za-z]{1,12})(?:[._/-]|::|$))+"
).fullmatch
"""Tells whether a name holds no credentials, as nearly all.

They are short, or words with numbers, such as ``inline::a-b`` and ``org/b-3.1-8B``.
"""
_NO_CREDENTIALS = frozenset(("random characters", "secret in words"))
_OF_SENTENCES = frozenset(
    (
        *("authorization", "basic credentials", "bearer token", "login of Redis"),
        *("login of Oracle", "attached password", "password of a client", "user and password"),
    )
)
"""Rules that words and names meet, too: ``Token classification-v2``, ``org/model@host:80/v1``."""
_TO_AND_FRO = re.compile(r"[A-Za-z]\d+[A-Za-z]|\d[A-Za-z]+\d")
# What follows a login in an address; without a port, a name such as ``model:8b@eu`` can be meant.
_PORT = re.compile(r"@[^\s@:]{1,200}:\d")


def masked_text(text: str, known: KnownSecrets = NOTHING_KNOWN) -> str:
    """Return *text* without what is secret in any text: passwords in URLs, secret parameters.

    Nor is what is secret elsewhere in the same file, as far as that is *known*.
    """
    return rendered(text, [*_spans_of_text(text), *known.spans_in(text)])


def masked_keys(
    keys: Mapping[Any, Any], known: KnownSecrets = NOTHING_KNOWN, *, is_secret: bool = False
) -> Mapping[Any, str]:
    """Return how those of *keys* are shown that are secrets or hold some; most mappings have none.

    No two keys of a mapping are shown alike: those that would be are numbered.

    Examples:
        >>> secrets = ["sk-abcdefghijklmnop1234567", "sk-abcdefghijklmnop1234568"]
        >>> masked_keys(dict.fromkeys([*secrets, "url"], ""))
        {'sk-abcdefghijklmnop1234567': '********', 'sk-abcdefghijklmnop1234568': '********#2'}

    Args:
        keys: The mapping.
        known: What is secret elsewhere in the file.
        is_secret: Whether it is a secret, which random keys show, too, and the elements of a set.
    """
    elements = elements_of(keys) if is_secret else ()
    if not elements and all(map(is_plain_key, keys)):
        return {}
    hidden = {
        key: shown for key in keys if (shown := masked_key(key, known, is_secret=is_secret)) != key
    }
    hidden |= dict.fromkeys(elements, MASK)
    return kept_apart(hidden, keys) if hidden else hidden


def elements_of(value: Mapping[Any, Any]) -> list[str]:
    """Return the elements of a set, which YAML reads as keys without values, that are no words."""
    is_set = all(item is None for item in value.values())
    return [key for key in value if isinstance(key, str) and is_mixed(key)] if is_set else []


def kept_apart(hidden: Mapping[Any, str], keys: Iterable[Any]) -> Mapping[Any, str]:
    """Return how some of *keys* are shown, numbered where others are shown alike.

    Args:
        hidden: How each is shown by itself.
        keys: All keys of the mapping, those that are shown as they are among them.
    """
    labels: dict[Any, str] = {}
    taken = {*keys} - hidden.keys()
    numbers: Counter[str] = Counter()
    for key, shown in sorted(hidden.items()):
        label = shown
        while label in taken:
            numbers[shown] += 1
            label = f"{shown}#{numbers[shown] + 1}"
        taken.add(label)
        labels[key] = label
    return labels


def masked_texts(
    texts: Mapping[str, str], known: KnownSecrets = NOTHING_KNOWN
) -> Mapping[str, str]:
    """Return texts by their names without what is secret in either; no name makes its text one."""
    hidden = masked_keys(texts, known)
    return {hidden.get(name, name): masked_text(text, known) for name, text in texts.items()}


def masked_key(key: str, known: KnownSecrets = NOTHING_KNOWN, *, is_secret: bool = False) -> str:
    """Return *key* without what is secret in it, as `masked_keys` has it without a number."""
    if is_plain_key(key):
        return key
    if is_secret and is_random(key):
        return MASK
    key = _with_words(key, masked_key)
    spans = [*_spans_of_text(key), *known.spans_in(key)]
    return rendered(key, spans) if spans else key


@lru_cache(maxsize=8192)
def masked_name(name: str) -> str:
    """Return an id, a type or a name without the credentials that it holds; hardly any does.

    What merely may be a secret is none here: many names are random, or are like sentences.

    Examples:
        >>> [masked_name(name) for name in ("git+https://me:pw12@host/", "a:b::q7zWk93xTb2")]
        ['git+https://me:********@host/', 'a:b::q7zWk93xTb2']
    """
    if is_plain_name(name):
        return name
    name = _with_words(name, masked_name)
    found = hits_in(packed(name), has_pairs=False)
    spans = [hit[:2] for hit in found if _is_credential(name, hit)]
    return rendered(name, spans) if spans else name


def _is_credential(name: str, hit: Hit) -> bool:
    """Whether a *hit* in a *name* is one for sure, rather than part of the name."""
    start, end, rule = hit
    if rule == "login":
        return "//" in name[:start] or _PORT.match(name, end) is not None
    if rule in _OF_SENTENCES:
        return _TO_AND_FRO.search(name, start, end) is not None
    return rule not in _NO_CREDENTIALS


def secrets_of_key(key: str, *, is_secret: bool = False) -> list[str]:
    """Return the secrets in a key, which is one as a whole if it is a random one of a secret."""
    if is_plain_key(key):
        return []
    found = [key[start:end] for start, end in _spans_of_text(key)]
    return [*found, key] if is_secret and is_random(key) else found


def _with_words(text: str, shown: Callable[[str], str]) -> str:
    """Return *text* with the words of its placeholders as they are *shown*."""

    def part(one: str | Placeholder) -> str:
        if isinstance(one, str):
            return one
        word = masked_secret(one.word) if hides_word(one) else shown(one.word)
        return str(one._replace(word=word))

    return "".join(map(part, segments(text))) if has_placeholder(text) else text


def secret_variable(text: str) -> str:
    """Return the variable with the name of a secret whose value *text* becomes; else nothing."""
    for one in placeholders(text):
        if not one.has_alternative and is_secret_key(one.name):
            return one.name
        if name := secret_variable(one.word):  # It can become its word.
            return name
    return ""


def hides_word(one: Placeholder) -> bool:
    """Whether the word of a placeholder is a secret because its variable is one by its name.

    A plain word in ``${env.A_KEY:+word}`` is none: it only says what there is with that key.
    """
    return is_secret_key(one.name) and not (one.has_alternative and is_plain_word(one.word))


def is_no_name(key: Any) -> bool:
    """Whether *key* looks like a secret, so that it can be one elsewhere in the file."""
    return not is_plain_key(key) and (bool(_spans_of_text(key)) or is_random(key))


@lru_cache(maxsize=8192)
def is_plain_key(key: Any) -> bool:
    """Whether *key* is made of words, as nearly all are: it is no secret."""
    return not isinstance(key, str) or _PLAIN_KEY.fullmatch(key) is not None


def masked_secret(text: str) -> str:
    """Return what can be shown of a text that is a secret as a whole.

    That is its placeholders, without their words, and a scheme such as ``Bearer``.
    """
    if is_no_secret(text):
        return text
    return rendered(text, [without_scheme(text, 0, len(text))])


def masked_after_flag(flag: str, text: str, known: KnownSecrets = NOTHING_KNOWN) -> str:
    """Return *text* without its secrets, given the flag of a command line before it."""
    return masked_text(f"{flag} {text}", known).removeprefix(f"{flag} ")


def masked_line(line: str, spans: Iterable[Span], column: int) -> tuple[str, int]:
    """Return a source line without its secrets, and what *column*, counted from 0, is in it.

    Args:
        line: One line of YAML or JSON.
        spans: Where in it the values of secret keys stand.
        column: An offset in the line; inside a secret, the secret's beginning is meant.
    """
    # What follows a colon is in *spans*, for which it is known where a value ends.
    spans = _united([*spans, *_spans_of_text(line, has_pairs=False)])
    shown = rendered(line, spans)
    if shown.startswith(line[:column]):
        return shown, column
    for start, end in (*spans, *((one.start, one.end) for one in placeholders(line))):
        if start < column < end:
            column = start
    before = [(start, end) for start, end in spans if end <= column]
    return shown, len(rendered(line[:column], before))


def secrets_of_text(text: str, *, is_secret: bool) -> list[str]:
    """Return the secrets in a text, of which it is one as a whole when *is_secret*."""
    spans = _spans_of_text(text)
    if not spans and not is_secret:
        return []  # Most texts hold none.
    if is_secret:
        spans += (without_scheme(text, 0, len(text)),)
    found = [one for span in spans for one in _literals(text, *span)]
    return [*found, text] if is_secret and text and not placeholders(text) else found


def _literals(text: str, start: int, end: int) -> list[str]:
    """Return what stands between the placeholders of a part of *text*."""
    return [one for one in segments(text[start:end]) if isinstance(one, str) and one]


def secrets_of_template(written: str, resolved: object, *, is_secret: bool) -> Iterator[str]:
    """Yield the secrets that the placeholders of *written* hold and that they became."""
    if not has_placeholder(written):
        return
    secret = {one for one in placeholders(written) if is_secret or hides_word(one)}
    for one in placeholders(written):
        if one in secret:
            yield from secrets_of_text(one.word, is_secret=True)
        yield from secrets_of_template(one.word, None, is_secret=one in secret)
    if not secret or not isinstance(resolved, str) or resolved == written:
        return
    pattern = "".join(
        escaped(one) if isinstance(one, str) else "(.*?)" if one in secret else ".*?"
        for one in segments(written)
    )
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


def rendered(text: str, spans: Sequence[Span]) -> str:
    """Return *text* with what is in *spans* masked, and of placeholders the secret words."""
    if not spans and not has_placeholder(text):
        return text.replace(_HELD, "\ufffd")
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
    is_secret = is_secret or hides_word(placeholder)
    shown = masked_secret(word) if is_secret else masked_text(word)
    return f"${{env.{name}{operator}{shown}}}"


def spans_in_lines(text: str) -> Sequence[Span]:
    """Return where secrets stand in a whole text of YAML or JSON that only their shape tells."""
    return _spans_of_text(text, has_pairs=False)


@lru_cache(maxsize=65536)  # Each text is asked for by its place, and for what is known.
def _spans_of_text(text: str, *, has_pairs: bool = True) -> tuple[Span, ...]:
    """Return where the secrets of a text stand."""
    return tuple((hit.start, hit.end) for hit in hits_in(packed(text), has_pairs=has_pairs))
