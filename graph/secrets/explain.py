"""Where the secrets of a config are, and which rule masks what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.placeholders import placeholders
from rungraph.graph.secrets.clients import LOGIN_FLAGS
from rungraph.graph.secrets.known import NOTHING_KNOWN, KnownSecrets
from rungraph.graph.secrets.masking import hides_word, packed
from rungraph.graph.secrets.search import hits_in
from rungraph.graph.secrets.values import (
    COLLECTIONS,
    items_of,
    masked,
    plain_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path = tuple[str | int, ...]


def explained(
    value: Any, *, secrets: Iterable[str] = (), known: KnownSecrets = NOTHING_KNOWN
) -> Iterator[tuple[Path, str]]:
    """Yield the path to each value that `masked` changes, and why it does, in their order.

    Examples:
        >>> for path, reason in explained({"url": "http://me:pw12@host/", "pins": 3, "pin": 4711}):
        ...     print(path, reason)
        ('url',) its text: password in a URL
        ('pin',) its key is that of a secret: 'pin'
    """
    extra = frozenset(map(plain_key, secrets))
    shown = masked(value, secrets=extra, known=known)
    for path, reason, text, is_masked in _secrets_in(value, shown, extra):
        if is_masked:
            yield path, reason or _reason_in(text)


def pointers_to_secrets(written: Any, shown: Any, secrets: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the JSON pointers (RFC 6901) to the secrets of a config, sorted.

    Args:
        written: The config as it is written.
        shown: The same as `masked` returns it, in the same order; a placeholder in place of a
            secret counts as one.
        secrets: Keys whose values are secret, besides those that look like it.

    Examples:
        >>> written = {"urls": ["http://me:pw12@host/"], "args": ["--token", "${env.KEY}"]}
        >>> pointers_to_secrets(written, masked(written))
        ('/args/1', '/urls/0')
        >>> written = {"sk-abcdefghijklmnop1234567": "me"}
        >>> pointers_to_secrets(written, masked(written))
        ('/********',)
    """
    found = _secrets_in(written, shown, frozenset(map(plain_key, secrets)))
    return tuple(sorted({"".join(map(_step, path)) for path, *_ in found}))


def _step(key: str | int) -> str:
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


def _secrets_in(
    value: Any,
    shown: Any,
    extra: frozenset[str],
    path: Path = (),
    reason: str = "",
    under: Any = "",
) -> Iterator[tuple[Path, str, str, bool]]:
    """Yield each secret: its path, what its keys say, its text with its flag, if it is masked."""
    if isinstance(value, COLLECTIONS):
        flag = ""
        keys = shown if isinstance(shown, dict) else range(len(shown))
        for (written, item, own), key in zip(items_of(value, extra, under), keys, strict=True):
            if written != key:
                yield (*path, key), "its key holds a secret", written, True
            for found in _secrets_in(item, shown[key], extra, (*path, key), reason or own, written):
                yield found if not flag else (*found[:2], f"{flag} {found[2]}", found[3])
            flag = item if isinstance(value, list | tuple) and item in LOGIN_FLAGS else ""
    elif value != shown or (reason and isinstance(value, str) and value):
        yield path, reason, str(value), value != shown


def _reason_in(text: str) -> str:
    rules = dict.fromkeys(hit.rule for hit in hits_in(packed(text)))
    if rules:
        return f"its text: {', '.join(rules)}"
    if names := [one.name for one in placeholders(text) if hides_word(one)]:
        return f"its variable is that of a secret: '{names[0]}'"
    inner = next((reason for one in placeholders(text) if (reason := _reason_in(one.word))), "")
    return inner or "it is a secret elsewhere in the file"
