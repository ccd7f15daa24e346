"""Which rule masks what in a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rungraph.graph.placeholders import placeholders
from rungraph.graph.secrets.known import NOTHING_KNOWN, KnownSecrets
from rungraph.graph.secrets.masking import packed
from rungraph.graph.secrets.shapes import LOGIN_FLAGS, hits_in
from rungraph.graph.secrets.values import is_secret_key, items_of, masked, plain_key

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
    return _explained(value, shown, (), extra, "")


def _explained(
    value: Any, shown: Any, path: Path, extra: frozenset[str], reason: str
) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping | list | tuple):
        previous: Any = None
        for key, item, own in items_of(value, extra):
            if isinstance(previous, str) and previous in LOGIN_FLAGS and isinstance(item, str):
                own = own or _reason_in(f"{previous} {item}")
            yield from _explained(item, shown[key], (*path, key), extra, reason or own)
            previous = None if isinstance(value, Mapping) else item
    elif value != shown:
        yield path, reason or _reason_in(str(value))


def _reason_in(text: str) -> str:
    rules = dict.fromkeys(hit.rule for hit in hits_in(packed(text)))
    if rules:
        return f"its text: {', '.join(rules)}"
    if names := [one.name for one in placeholders(text) if is_secret_key(one.name)]:
        return f"its variable is that of a secret: '{names[0]}'"
    inner = next((reason for one in placeholders(text) if (reason := _reason_in(one.word))), "")
    return inner or "it is a secret elsewhere in the file"
