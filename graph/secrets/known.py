"""What is a secret anywhere in a file is a secret everywhere in it.

A config often has one secret twice: under a key that tells, and where nothing tells. So the words
that are secret somewhere are masked wherever else they stand, unless they are ordinary there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.budgets import MOST_COMPARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rungraph.graph.secrets.pairs import Span

SHORTEST: Final = 8
"""Characters of a secret that is looked for elsewhere."""
_ORDINARY = re.compile(r"[A-Za-z]?[a-z]{0,11}|[A-Z]{1,12}")
_WORD = re.compile(r"\w+")
_ENDS = re.compile(r"(?<!\w)|(?!\w)")
_NAMING = re.compile(
    r"(?!x[_-])(?:.*[_-])?(?:apis?|class|collection|database|db|db_name|host|id|identifier|image|kind|model"
    r"|module|name|namespace|region|type|user|username)",
    re.IGNORECASE,
)
"""Keys whose values are names: they stand in every picture. What begins with ``x_`` or ``x-`` only
holds what anchors repeat elsewhere, such as ``x_db: &db …``."""


def is_ordinary(word: str) -> bool:
    """Whether *word* is one of a dictionary, as far as its looks tell: up to twelve letters.

    Examples:
        >>> [is_ordinary(word) for word in ("llamastack", "Postgres", "hunter2", "aBcDeFgH")]
        [True, True, False, False]
    """
    return _ORDINARY.fullmatch(word) is not None


def findable(secrets: Iterable[str]) -> frozenset[str]:
    """Return those of *secrets* that texts by others are searched for.

    A short word of a dictionary is in every text; whoever has one as a secret has none.
    """
    return frozenset(one for one in secrets if len(one) >= SHORTEST or not is_ordinary(one))


@lru_cache(maxsize=8192)
def is_naming(key: str) -> bool:
    """Whether the value under *key* is a name, which cannot be a secret.

    Examples:
        >>> [is_naming(key) for key in ("provider_id", "user", "image_name", "note", "x_db")]
        [True, True, True, False, False]
    """
    return len(key) < 100 and _NAMING.fullmatch(key) is not None


class KnownSecrets:
    """The secrets of one file that are looked for everywhere in it.

    Args:
        secrets: Returns what is secret somewhere; asked when it is first needed.
        names: Returns what is a key or a name, and so no secret.
    """

    def __init__(
        self, secrets: Callable[[], Iterable[str]], names: Callable[[], Iterable[str]]
    ) -> None:
        self._secrets = secrets
        self._names = names

    def __repr__(self) -> str:
        return "<KnownSecrets>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep nothing: what is known of secrets is not written down."""
        return KnownSecrets, (tuple, tuple)

    @cached_property
    def _by_first_word(self) -> Mapping[str, Mapping[Span, set[str]]]:
        """By their first word: where in them it stands and how long they are, and the secrets.

        The longest come first. Keys of one service share their first word and their length.
        """
        found: defaultdict[str, dict[Span, set[str]]] = defaultdict(dict)
        wanted = {
            one
            for one in self._secrets()
            if len(one) >= SHORTEST and not is_ordinary(one) and one.strip("*")
        }
        if wanted:
            wanted.difference_update(self._names())
        for one in sorted(wanted, key=lambda secret: (-len(secret), secret)):
            if word := _WORD.search(one):
                found[word[0]].setdefault((word.start(), len(one)), set()).add(one)
        return found

    @cached_property
    def _crowded(self) -> frozenset[str]:
        """The first words of so many secrets that a text with one of them is all masked."""
        return frozenset(
            word
            for word, kinds in self._by_first_word.items()
            if sum(length for _, length in kinds) > MOST_COMPARED
        )

    def spans_in(self, text: str) -> list[Span]:
        """Return where the secrets stand in *text*, as whole words."""
        known = self._by_first_word
        spans: list[Span] = []
        if not known or len(text) < SHORTEST:
            return spans
        for word in _WORD.finditer(text):
            if word[0] in self._crowded:
                return [(0, len(text))]
            for (offset, length), secrets in known.get(word[0], {}).items():
                start = word.start() - offset
                end = start + length
                if start >= 0 and text[start:end] in secrets and _ENDS.match(text, end):
                    spans.append((start, end))
                    break
        return spans


NOTHING_KNOWN: Final = KnownSecrets(tuple, tuple)
"""Where no file is known."""
