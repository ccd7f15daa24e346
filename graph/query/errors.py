"""The error of a query: what is wrong, under which column, and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.errors import RungraphError
from rungraph.graph.secrets.known import NOTHING_KNOWN
from rungraph.graph.secrets.masking import masked_line, masked_text
from rungraph.graph.suggest import closest
from rungraph.graph.wording import in_place, printable

if TYPE_CHECKING:
    from collections.abc import Collection

    from rungraph.graph.secrets.known import KnownSecrets

_MOST_BEFORE = 60
_MOST_AFTER = 40
_MOST_LISTED = 12
_CUT = "…"


class QueryError(RungraphError):
    """Raised when a query cannot be read, or asks for what there is not.

    Attributes:
        message: What is wrong, in one line.
        expression: The query.
        position: The offset of the character that is wrong; ``len(expression)`` at its end.
        help: The ways out, one sentence each.
        selector: The name of the selector whose query this is; empty for the query itself.
        known: The secrets of the config that the selector is of, none of which is shown.

    Examples:
        >>> print(QueryError("no function 'dep'", "dep(*)", 0, ("did you mean 'deps'?",)))
        column 1: no function 'dep'
          dep(*)
          ^
          help: did you mean 'deps'?
    """

    def __init__(
        self,
        message: str,
        expression: str = "",
        position: int = 0,
        help: tuple[str, ...] = (),  # noqa: A002 (the word that diagnostics use)
        selector: str = "",
        known: KnownSecrets = NOTHING_KNOWN,
    ) -> None:
        super().__init__(message, expression, position, help, selector, known)
        self.message = message
        self.expression = expression
        self.position = position
        self.help = help
        self.selector = selector
        self.known = known

    @property
    def line(self) -> int:
        """The number of the line that is wrong, from 1."""
        return self.expression.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """The column that is wrong, in its line, from 1."""
        return self.position - self.expression.rfind("\n", 0, self.position)

    @property
    def spot(self) -> str:
        """Where in its query it is wrong: ``column 3`` or ``line 2, column 3``."""
        line = f"line {self.line}, " if "\n" in self.expression else ""
        return f"{line}column {self.column}"

    @property
    def where(self) -> str:
        """Where it is wrong in words: `spot`, after the selector whose query it is."""
        return f"selector '{self.selector}', {self.spot}" if self.selector else self.spot

    def picture(self, known: KnownSecrets = NOTHING_KNOWN) -> str:
        """Return the line that is wrong without its secrets, and below it a caret."""
        start = self.expression.rfind("\n", 0, self.position) + 1
        end = self.expression.find("\n", start)
        line = self.expression[start : end if end >= 0 else len(self.expression)]
        # First, because of a secret that is cut nobody could tell that it is one.
        line, column = masked_line(line, known.spans_in(line), self.position - start)
        before, after = line[:column], line[column:]
        if len(before) > _MOST_BEFORE:
            before = _CUT + before[1 - _MOST_BEFORE :]
        if len(after) > _MOST_AFTER:
            after = after[: _MOST_AFTER - 1] + _CUT
        shown = in_place(f"{before}{after}").replace("\t", " ")
        return f"{shown}\n{' ' * len(before)}^"

    def __repr__(self) -> str:
        """Return what is shown: the query can be the config's own, with a secret in it."""
        return f"QueryError({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep what is shown, and nothing that is known of secrets."""
        spans = self.known.spans_in(self.expression)
        expression, position = masked_line(self.expression, spans, self.position)
        message, *ways_out = (masked_text(text, self.known) for text in (self.message, *self.help))
        return QueryError, (message, expression, position, tuple(ways_out), self.selector)

    def __str__(self) -> str:
        lines = [f"{self.where}: {masked_text(self.message, self.known)}"]
        if self.expression.strip():
            lines += [f"  {line}".rstrip() for line in self.picture(self.known).split("\n")]
        lines += [f"  help: {masked_text(text, self.known)}" for text in self.help if text]
        return "\n".join(map(printable, lines))


def near_or_all(
    word: str, known: Collection[str], prefix: str = "", *, most: int = _MOST_LISTED
) -> str:
    """Return the way out from *word*: the nearest of the *known* names, or *most* of them."""
    near = closest(word, known)
    if near:
        return f"did you mean '{prefix}{near[0]}'?"
    more = f", {_CUT}" if len(known) > most else ""
    return f"there is {', '.join([*known][:most])}{more}" if known else ""
