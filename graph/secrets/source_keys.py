"""The keys of a source text, right or wrong, as whoever wrote them means them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from rungraph.graph.secrets.escapes import unescaped
from rungraph.graph.secrets.keys import HELD_KEYS, NAME_KEYS, opaque_head, secret_head
from rungraph.graph.secrets.known import is_naming
from rungraph.graph.secrets.masking import is_no_name

if TYPE_CHECKING:
    from collections.abc import Iterator

# What nobody sees in a key does not end it.
_BARE = r"[\w.\-\0\xad\u200b-\u200f\u2060-\u2064\ufeff]"
KEY = re.compile(
    rf"""(?:"(?P<double>(?:[^"\\\r\n]|\\(?:.|\r?\n)){{0,200}})"\s*:|'(?P<single>(?:[^'\r\n]|''){{0,200}}+)'\s*:
        |(?<!{_BARE})(?P<bare>{_BARE}++)["']?[^\S\r\n]*(?:\r?\n[^\S\r\n]*)?:+(?=[\s"'\[{{]|$))""",
    re.VERBOSE | re.MULTILINE,
)
_NAME_VALUE = re.compile(r"""[ \t]*["']?([^"'\s,\[\]{}#][^"'\r\n,\[\]{}#]{0,200})""")
# In double quotes: a line that goes on, NUL, and what is not seen.
_UNSEEN = re.compile(r"\\(?:\r?\n[^\S\r\n]*|0|u(?:00ad|200[b-f]|206[0-4]|feff))", re.IGNORECASE)


def names_in_text(text: str) -> Iterator[str]:
    """Yield the keys of a text that are no secrets, and the plain values under keys for names."""
    for key in KEY.finditer(text):
        name = name_of(key)
        if not is_no_name(name):
            yield name
        if is_naming(name) and (value := _NAME_VALUE.match(text, key.end())):
            yield value[1].strip()


def name_of(key: re.Match[str]) -> str:
    """Return the text of a key, what is written with escapes as it is read."""
    return unescaped(_UNSEEN.sub("", key["double"] or ""))[0] or key["single"] or key["bare"] or ""


@lru_cache(maxsize=8192)
def is_telling(name: str) -> bool:
    """Whether a key can make a secret of a value: its own, or one beside it."""
    if name in HELD_KEYS or name.lower() in NAME_KEYS:
        return True
    return bool(secret_head(name) or opaque_head(name))
