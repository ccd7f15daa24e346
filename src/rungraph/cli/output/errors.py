"""How an error that ends a command, or a call, is shown."""

from __future__ import annotations

import os
from traceback import format_exception

from rungraph.graph.errors import RungraphError

DEBUG_VARIABLE = "RUNGRAPH_DEBUG"
"""Set to anything: what is shown without a traceback is shown with one."""


def text_of(error: BaseException) -> str:
    """Return what is shown of an error that ends a command.

    Errors of rungraph and of the operating system are the user's to mend: one message. Anything
    else is a bug, and what is known of it must not be lost.
    """
    if isinstance(error, RungraphError):
        return traced(error, str(error))
    if not isinstance(error, OSError):
        return f"{_traceback_of(error)}this is a bug in rungraph: please report the lines above"
    if error.filename is None or error.strerror is None:
        return traced(error, str(error) or type(error).__name__)
    return traced(error, f"{os.fsdecode(error.filename)}: {error.strerror.lower()}")


def exit_code_of(error: BaseException) -> int:
    """Return 2 for an error in what the user typed, which a query is, and 1 for all others."""
    from rungraph.graph.query.errors import QueryError
    from rungraph.graph.why import AmbiguousNameError

    return 2 if isinstance(error, QueryError | AmbiguousNameError) else 1


def traced(error: BaseException, text: str) -> str:
    """Return *text*, below the traceback of *error* if the user wants tracebacks."""
    return f"{_traceback_of(error)}{text}" if os.environ.get(DEBUG_VARIABLE) else text


def _traceback_of(error: BaseException) -> str:
    return "".join(format_exception(error))
