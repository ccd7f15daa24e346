"""Cutting text into overlapping chunks that are measured in tokens. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Scripts that are written without spaces: a word is not to be seen, a character is a token.
_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_IDEOGRAPHS}]|(?:(?![{_IDEOGRAPHS}])\w){{1,16}}|[^\w\s]")
_IDEOGRAPH = re.compile(rf"[{_IDEOGRAPHS}]")


class TextChunk(NamedTuple):
    """One chunk of a text.

    Attributes:
        text: A slice of the text, its inner white space kept, none at its ends.
        token_count: How many tokens it has.
    """

    text: str
    token_count: int


def count_tokens(text: str) -> int:
    """Return how many tokens *text* has.

    A token is a word, a punctuation mark, or one character of a script without spaces; of a word
    longer than 16 characters, each 16 are a token. No model counts just so, but all count
    something near, and the measure does not change with the model.

    Examples:
        >>> count_tokens("It isn't far.")
        6
        >>> count_tokens("東京 tower")
        3
    """
    return sum(1 for _ in _TOKEN.finditer(text))


def spaced(text: str) -> str:
    """Return *text* with every character of a script without spaces standing alone.

    Examples:
        >>> spaced("東京tower").split()
        ['東', '京', 'tower']
    """
    return _IDEOGRAPH.sub(r" \g<0> ", text)


def chunk_text(text: str, *, size: int, overlap: int) -> Iterator[TextChunk]:
    """Yield the chunks of *text* in order.

    Every token is in a chunk; each chunk but the last has *size* tokens, and begins with the last
    *overlap* tokens of the one before. Text without a token has no chunk.

    Args:
        text: What to cut.
        size: The tokens of a chunk, at least 1.
        overlap: The tokens that two neighbours share, less than *size*.

    Raises:
        ValueError: If *overlap* is not less than *size*.

    Examples:
        >>> [chunk.text for chunk in chunk_text("one two  three four", size=2, overlap=1)]
        ['one two', 'two  three', 'three four']
    """
    if not 0 <= overlap < size:
        msg = f"an overlap of {overlap} tokens does not fit into chunks of {size} tokens"
        raise ValueError(msg)
    spans = [match.span() for match in _TOKEN.finditer(text)]
    for start in range(0, len(spans), size - overlap):
        taken = spans[start : start + size]
        yield TextChunk(text[taken[0][0] : taken[-1][1]], len(taken))
        if start + size >= len(spans):
            return
