"""Which values are secret, and configs and texts without them."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cached_property
from itertools import filterfalse, pairwise
from types import NoneType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.secrets.clients import CLIENTS, LOGIN_FLAGS, is_for_password
from rungraph.graph.secrets.keys import (
    HELD_KEYS,
    NAME_KEYS,
    WEAK,
    is_header_name,
    is_no_secret,
    is_reference,
    is_secret_key,
    is_secret_name,
    is_secret_path,
    opaque_head,
    secret_head,
)
from rungraph.graph.secrets.known import NOTHING_KNOWN, KnownSecrets, is_naming
from rungraph.graph.secrets.looks import is_mixed, is_random
from rungraph.graph.secrets.masking import (
    MASK,
    elements_of,
    is_no_name,
    is_plain_key,
    masked_after_flag,
    masked_keys,
    masked_secret,
    masked_text,
    secrets_of_key,
    secrets_of_template,
    secrets_of_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "MASK",
    "Scrubber",
    "is_secret_key",
    "is_secret_path",
    "masked",
    "names_in",
    "scrubbed",
    "secret_values",
]

_SHORTEST: Final = 4
_MANY: Final = 100
"""Forms from which on a text is not searched for one after the other."""
_MAPPINGS: Final = (dict, Mapping)
"""Dictionaries first, which nearly all are: to ask whether a value is a mapping takes long."""
COLLECTIONS: Final = (*_MAPPINGS, list, tuple)
_NO_TEXTS: Final = (int, float, NoneType)


def masked(value: Any, *, secrets: Iterable[str] = (), known: KnownSecrets = NOTHING_KNOWN) -> Any:
    """Return a copy of a config as written, without its secrets.

    A literal secret becomes ``MASK``, and so does a key that is one by its looks; ``${env.X}``
    stays readable, but not the default of a placeholder where a secret belongs. Everywhere, the
    passwords in URLs, the secret parameters of queries and what has the shape of a well-known kind
    of key are masked as well.

    Args:
        value: The config, or part of one.
        secrets: Keys whose values are secret, besides those that look like it.
        known: What is secret elsewhere in the file.

    Examples:
        >>> masked({"url": "http://me:pw12@host/", "api_key": "${env.KEY:=abc}", "port": 80})
        {'url': 'http://me:********@host/', 'api_key': '${env.KEY:=********}', 'port': 80}
    """
    return _masked(value, frozenset(map(plain_key, secrets)), known, "", is_secret=False)


def secret_values(written: Any, resolved: Any, *, secrets: Iterable[str] = ()) -> frozenset[str]:
    """Return the secrets of a config that are long enough to look for in texts.

    Args:
        written: The config as written, ``${env.X}`` unresolved.
        resolved: The same config with the environment filled in.
        secrets: Keys whose values are secret, besides those that look like it.
    """
    found: set[str] = set()
    _collect(found, written, resolved, frozenset(map(plain_key, secrets)), "", is_secret=False)
    return frozenset(one for one in found if len(one) >= _SHORTEST and not is_no_secret(one))


def names_in(value: Any) -> frozenset[str]:
    """Return the keys of a config that are no secrets, and the texts under the keys for names."""
    found: set[str] = set()
    left: list[Any] = [[value]]
    for part in left:
        items: Iterable[Any] = part
        if isinstance(part, _MAPPINGS):
            items = part.values()
            elements = elements_of(part)
            found.update(str(key) for key in part if not (is_no_name(key) or key in elements))
            for key, item in part.items():
                if is_naming(str(key)):
                    texts = item if isinstance(item, list) else [item]
                    found.update(one for one in texts if isinstance(one, str))
        left += [item for item in items if isinstance(item, COLLECTIONS)]
    return frozenset(found)


def scrubbed(text: str, values: Iterable[str]) -> str:
    """Return *text* with ``MASK`` for every occurrence of one of *values*; see `Scrubber`."""
    return Scrubber(values)(text)


class Scrubber:
    """Masks values wherever a text has them, for as many texts as there are.

    A value is also found where it is escaped for a URL, JSON, HTML or a Python literal.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._values = frozenset(values)
        wanted = {form for value in self._values for form in _forms(value) if form.strip("*")}
        # The longest first, so that no part of one that holds another is left over.
        self._forms = sorted(wanted, key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        """Return *text* with ``MASK`` for every occurrence."""
        # A mask and its surroundings can make up a value anew. Each round takes away characters
        # that are no stars, so this ends.
        while found := self._found_in(text):
            for form in found:
                text = text.replace(form, MASK)
        return text

    def __or__(self, other: Scrubber) -> Scrubber:
        """Return what masks the values of both."""
        if other._values <= self._values:
            return self
        return Scrubber(self._values | other._values)

    def _found_in(self, text: str) -> Sequence[str]:
        if len(self._forms) < _MANY:
            return [form for form in self._forms if form in text]
        width, by_beginning = self._index
        found = {
            text[start : start + length]
            for start in range(len(text) - width + 1)
            for length, forms in by_beginning.get(text[start : start + width], {}).items()
            if text[start : start + length] in forms
        }
        return sorted(found, key=lambda form: (-len(form), form))

    @cached_property
    def _index(self) -> tuple[int, Mapping[str, Mapping[int, set[str]]]]:
        """How long the shortest form is, and by as much of its beginning and its length: all."""
        width = len(self._forms[-1])
        index: dict[str, dict[int, set[str]]] = {}
        for form in self._forms:
            index.setdefault(form[:width], {}).setdefault(len(form), set()).add(form)
        return width, index


def plain_key(key: str) -> str:
    """Return *key* as the keys of provider types are compared."""
    return key.lower().replace("-", "_")


def _masked(
    value: Any, extra: frozenset[str], known: KnownSecrets, under: Any, *, is_secret: bool
) -> Any:
    if isinstance(value, str):
        return masked_secret(value) if is_secret else masked_text(value, known)
    if isinstance(value, COLLECTIONS):
        shown = {
            key: _masked(item, extra, known, key, is_secret=is_secret or bool(reason))
            for key, item, reason in items_of(value, extra, under)
        }
        if isinstance(value, _MAPPINGS):
            hidden = masked_keys(value, known, is_secret=is_secret)
            return {hidden.get(key, key): one for key, one in shown.items()} if hidden else shown
        for index, item in () if is_secret else _logins(value):
            shown[index] = masked_after_flag(value[index - 1], item, known)
        return [*shown.values()]
    if value is None or isinstance(value, bool):
        return value
    # A number can be what is secret elsewhere, too.
    return MASK if is_secret or known.spans_in(str(value)) else value


def _collect(
    found: set[str],
    written: Any,
    resolved: Any,
    extra: frozenset[str],
    under: Any,
    *,
    is_secret: bool,
) -> None:
    """Add the secrets of a config, or of part of one, to *found*."""
    if isinstance(written, str) and has_placeholder(written):
        found.update(secrets_of_template(written, resolved, is_secret=is_secret))
    if isinstance(resolved, str):
        found.update(secrets_of_text(resolved, is_secret=is_secret))
    elif isinstance(resolved, COLLECTIONS):
        sources: dict[Any, Any] = {}
        is_same = written is resolved
        if not is_same and isinstance(written, Mapping) == isinstance(resolved, Mapping):
            sources = {key: item for key, item, _ in items_of(written, extra)}
        for key, item, reason in items_of(resolved, extra, under):
            is_hidden = is_secret or bool(reason)
            if is_hidden or not (is_same and isinstance(item, _NO_TEXTS)):
                source = item if is_same else sources.get(key)
                _collect(found, source, item, extra, key, is_secret=is_hidden)
        if isinstance(resolved, _MAPPINGS):
            for key in filterfalse(is_plain_key, resolved):
                found.update(secrets_of_key(key, is_secret=is_secret))
            if is_secret:
                found.update(elements_of(resolved))
        else:
            for index, item in _logins(resolved):
                found.update(secrets_of_text(f"{resolved[index - 1]} {item}", is_secret=False))
    elif is_secret and resolved is not None and not isinstance(resolved, bool):
        found.add(str(resolved))


def items_of(value: Any, extra: frozenset[str], under: Any = "") -> Iterator[tuple[Any, Any, str]]:
    """Yield the keys and values of a mapping or a list, and why a value is secret, if it is.

    Its key says so, or a name beside it, or a flag such as ``--api-key`` or a name before it.

    Args:
        value: The mapping or list.
        extra: Keys whose values are secret, besides those that look like it.
        under: The key that it is the value of.
    """
    if isinstance(value, _MAPPINGS):
        has_holders = not HELD_KEYS.isdisjoint(value)
        for key, item in value.items():
            reason = ""
            if isinstance(key, str):
                is_name = has_holders and key.lower() in NAME_KEYS
                if has_holders and key in HELD_KEYS and _has_secret_name(value):
                    reason = "a name beside it is that of a secret"
                elif head := "" if is_name else _head_of(key, item, under):
                    reason = f"its key is that of a secret: '{head}'"
                elif extra and plain_key(key) in extra:
                    reason = "its provider type says so"
            yield key, item, reason
    elif isinstance(value, list | tuple):
        reason = ""
        for index, item in enumerate(value):
            yield index, item, reason
            is_flag = isinstance(item, str) and item.startswith("-") and "=" not in item
            head = secret_head(item) if is_flag else ""
            if is_flag and not head and f"{item} " in CLIENTS:
                before = [one for one in value[max(0, index - 20) : index] if len(str(one)) < 100]
                head = item if is_for_password(f"{item} ", " ".join(map(str, before))) else ""
            reason = f"the flag before it is that of a secret: '{head}'" if head else ""
            if index == 0 and (head := _head_of_pair(value)):
                reason = f"the name before it is that of a secret: '{head}'"


def _head_of_pair(value: Sequence[Any]) -> str:
    """Return what makes a secret of the second of ``[X-Api-Key, value]``; empty when nothing does.

    Headers are often written so; two names beside each other are not meant.
    """
    if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):
        return secret_head(value[0]) if is_mixed(value[1]) else ""
    return ""


def _head_of(key: str, item: Any, under: Any) -> str:
    head = secret_head(key)
    if head and not (head in WEAK and isinstance(under, str) and is_reference(under)):
        return "" if is_header_name(key, item) else head
    head = opaque_head(key)
    return head if head and isinstance(item, str) and is_random(item) else ""


def _logins(value: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Yield the items of a list that follow a flag for a login, such as ``-u``."""
    for index, (flag, item) in enumerate(pairwise(value), 1):
        if flag in LOGIN_FLAGS and isinstance(item, str):
            yield index, item


def _has_secret_name(value: Mapping[Any, Any]) -> bool:
    """Whether one of the keys for names, or for kinds, has a value that names a secret.

    A list of {name: API_KEY, value: ...} is how environments and headers are often written.
    """
    return any(
        isinstance(key, str) and key.lower() in NAME_KEYS and is_secret_name(name)
        for key, name in value.items()
        if isinstance(name, str)
    )


def _forms(value: str) -> tuple[str, ...]:
    if value.isascii() and value.isalnum():
        return (value,)
    return (
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value)[1:-1].replace("/", r"\/"),
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(value.encode(errors="surrogatepass"))[2:-1],
        html.escape(value),
    )
