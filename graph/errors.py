"""The errors that rungraph raises on purpose.

::

    RungraphError
    ├── InvalidGraph       the config has problems that keep it from being run
    ├── CatalogError       a catalog says things that cannot be
    ├── QueryError         (rungraph.graph.query.errors) a query cannot be read or answered
    ├── PictureError       (rungraph.viz) a graph is too large for a picture
    └── EngineError        (rungraph.engine.errors) starting, routing and stopping
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.budgets import LONGEST_MESSAGE
from rungraph.graph.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.diagnostics import Diagnostic


class RungraphError(Exception):
    """Base of every error that rungraph raises on purpose."""


class CatalogError(RungraphError):
    """Raised when a catalog contradicts itself or cannot be read."""


class InvalidGraph(RungraphError):  # noqa: N818 (the name is part of the public contract)
    """Raised when a graph with errors is to be run.

    Attributes:
        diagnostics: Every problem of the graph, errors first.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from rungraph.graph.diagnostic_text import render_diagnostics

        return render_diagnostics(self.diagnostics)


def message_of(error: BaseException) -> str:
    """Return the text of any error; that of foreign code is cut where it is very long.

    Examples:
        >>> message_of(ValueError("no such thing"))
        'no such thing'
    """
    if isinstance(error, RungraphError):
        return str(error)
    try:
        return shortened(str(error), LONGEST_MESSAGE)
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 (making the text is foreign code, too)
        return f"(its text cannot be made: {type(failure).__name__})"
