"""What a word looks like: one of a sentence, or one that nobody has thought of."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"<?[^\W\d_]+(?:[-'][^\W\d_]+)*>?[.,:;!?…)]*|(?:[^\W\d_]\.){2,9}")
_WORDED = re.compile(r"[a-z]{1,14}(?:[-_.](?:[a-z]{1,14}|v?\d{1,3}[a-z]?))+")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Z][a-z]+[A-Z]")
_OPAQUE = re.compile(r"""[\s"'`\\]{0,9}([\w.~+/-]{16,4000})={0,2}(?=$|[\s"'`\\,;\]}])""")
_KINDS = re.compile(r"(?P<capitals>[A-Z]+)|(?P<small>[a-z]+)|(?P<digits>[0-9]+)")
# Nix writes its digests in base 32.
_PART = re.compile(r"(?<![A-Za-z0-9])(?<!/nix/store/)[A-Za-z0-9]{3,}")
_RANDOM = re.compile(r"(?:[A-Za-z]+\d+|\d+[A-Za-z]+){2}")
_SHORTEST_DRAWN = 20
_SHORTEST_OF_ONE_CASE = 24
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")


def is_plain_word(text: str) -> bool:
    """Whether *text* is a word of a sentence rather than a secret: letters alone, of one case.

    Examples:
        >>> [is_plain_word(word) for word in ("ask", "don't", "hunter2", "aGk6eW91", "ab-12")]
        [True, True, False, False, False]
    """
    return _PLAIN.fullmatch(text) is not None and _CAMEL.search(text) is None


def is_worded(text: str) -> bool:
    """Whether *text* is made of words and versions, as names of models and programs are.

    Examples:
        >>> [is_worded(word) for word in ("sk-learn-model-v2", "sk-hunter2-value", "word")]
        [True, False, False]
    """
    return _WORDED.fullmatch(text) is not None


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
    62, in runs of more than two in what people write. In letters of one case and digits they are
    longer, up to five, so more of them are asked for; ULIDs, which have 26 and no small letters,
    and digests, which are hexadecimal, are names. What base64 has besides does not count.

    Examples:
        >>> [is_drawn(word) for word in ("q7zWk93xTb2LmQ0n4Rf8", "MetaLlama31For8BInstruct2")]
        [True, False]
        >>> [is_drawn(word) for word in ("0sj3k735u4rs4zjhy8l5vlf5", "0b7c22a6b14a4c1f9d3e07b1")]
        [True, False]
    """
    kinds = _kinds(run)
    length = sum(map(str.isalnum, run))
    if len(set(kinds)) == 3:
        return _SHORTEST_DRAWN <= length < 2 * len(kinds)
    if len(set(kinds)) != 2 or "digits" not in kinds or not run.isalnum() or _HEX.fullmatch(run):
        return False
    shortest = _SHORTEST_OF_ONE_CASE + 3 * ("capitals" in kinds)
    return shortest <= length <= 5 * len(kinds)


def drawn_in(word: str) -> tuple[int, int] | None:
    """Return where in *word* the letters and digits stand that look drawn, from first to last.

    Examples:
        >>> word = "keys/q7zWk93xTb+2LmQ0n4Rf8/v1"
        >>> start, end = drawn_in(word)
        >>> word[start:end]
        'q7zWk93xTb+2LmQ0n4Rf8'
    """
    runs = [*_PART.finditer(word)]
    parts = [run for run in runs if len(run[0]) < 2.5 * len(_kinds(run[0]))]
    is_sure = any(10 <= len(part[0]) < 2 * len(_kinds(part[0])) for part in parts)
    if is_sure and is_drawn(word[parts[0].start() : parts[-1].end()]):
        return parts[0].start(), parts[-1].end()
    return next((run.span() for run in runs if is_drawn(run[0])), None)


def _kinds(run: str) -> list[str | None]:
    """Return which kind of letters, or digits, each stretch of *run* is of."""
    return [match.lastgroup for match in _KINDS.finditer(run)]
