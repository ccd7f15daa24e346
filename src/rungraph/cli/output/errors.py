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
    if isinstance(error, OSError):
        return traced(error, _words_of(error))
    return f"{_traceback_of(error)}this is a bug in rungraph: please report the lines above"


def traced(error: BaseException, text: str) -> str:
    """Return *text*, below the traceback of *error* if the user wants tracebacks."""
    return f"{_traceback_of(error)}{text}" if os.environ.get(DEBUG_VARIABLE) else text


def _words_of(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error) or type(error).__name__
    return f"{os.fsdecode(error.filename)}: {error.strerror.lower()}"


def _traceback_of(error: BaseException) -> str:
    return "".join(format_exception(error))
