"""What a word looks like: one of a sentence, or one that nobody has thought of."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"<?[A-Za-z]+(?:[-'][A-Za-z]+)*>?[.,:;!?…)]*")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Z][a-z]+[A-Z]")
_OPAQUE = re.compile(r"""[\s"'`\\]{0,9}([\w.~+/-]{16,4000})={0,2}(?=$|[\s"'`\\,;\]}])""")
_KINDS = re.compile(r"(?P<capitals>[A-Z]+)|(?P<small>[a-z]+)|(?P<digits>[0-9]+)")
_RANDOM = re.compile(r"(?:[A-Za-z]+\d+|\d+[A-Za-z]+){2}")


def is_plain_word(text: str) -> bool:
    """Whether *text* is a word of a sentence rather than a secret: letters alone, of one case.

    Examples:
        >>> [is_plain_word(word) for word in ("ask", "don't", "hunter2", "aGk6eW91", "ab-12")]
        [True, True, False, False, False]
    """
    return _PLAIN.fullmatch(text) is not None and _CAMEL.search(text) is None


def is_mixed(text: str) -> bool:
    """Whether *text* has letters and digits, as few names and hardly a word of a sentence has."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def is_random(text: str, start: int = 0) -> bool:
    """Whether *text* has from *start* on a long word in which letters and digits go to and fro.

    Examples:
        >>> [is_random(word) for word in ("q7zWk93xTb2LmQ0n", "db1.us-east2.net", "orders-2024-v2")]
        [True, False, False]
    """
    word = _OPAQUE.match(text, start)
    return word is not None and _RANDOM.search(word[1]) is not None


def is_drawn(run: str) -> bool:
    """Whether the letters and digits of *run* look drawn at random, whatever stands around them.

    Capitals, small letters and digits follow each other in runs of 1.6 characters in random base
    62, in runs of more than two in what people write. Digests and UUIDs have no capitals or no
    small letters, host names neither.

    Examples:
        >>> [is_drawn(word) for word in ("q7zWk93xTb2LmQ0n4Rf8", "MetaLlama31For8BInstruct2")]
        [True, False]
    """
    kinds = [match.lastgroup for match in _KINDS.finditer(run)]
    return len(set(kinds)) == 3 and len(run) < 2 * len(kinds)
