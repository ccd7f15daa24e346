"""What a caller is told when a request fails: a status, and one shape of JSON for all.

::

    EngineError (rungraph.engine.errors)
    └── RequestError                 the server itself refuses a request
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError
from pydantic_core import to_json

from rungraph.engine.apis.routes import error_type
from rungraph.engine.errors import (
    EngineError,
    KeyRefusedError,
    LoopError,
    NotRunningError,
    NotServedError,
    RateLimitError,
    UnavailableResourceError,
    UnknownResourceError,
)
from rungraph.engine.routing.errors import BusyError
from rungraph.graph.errors import message_of
from rungraph.graph.invalid_values import invalid_values
from rungraph.graph.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_KINDS: tuple[tuple[type[Exception], int], ...] = (
    (UnavailableResourceError, 503),
    (UnknownResourceError, 404),
    (NotServedError, 404),
    (NotRunningError, 503),
    (LoopError, 508),
    (KeyRefusedError, 502),
    (RateLimitError, 429),
    (BusyError, 429),
    # Before their base OSError and before ValueError, of which some are subclasses.
    (PermissionError, 403),
    (TimeoutError, 504),
    (ConnectionError, 502),
    (NotImplementedError, 501),
    (ValueError, 400),
)
_WORTH_ANOTHER_TRY = frozenset({429, 502, 503, 504})
_MOST_PROBLEMS = 5
_RETRY_SECONDS = 1.0


@dataclass(eq=False)
class RequestError(EngineError):
    """Raised when the server itself refuses a request.

    Attributes:
        status: The HTTP status.
        message: What is wrong, for people.
        param: Which parameter is wrong.
        code: What is wrong, for programs.
        headers: Headers of the answer that say more.
    """

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __str__(self) -> str:
        return self.message


class Failure(NamedTuple):
    """What a caller is told."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


def failure_of(error: Exception, request_id: str, scrub: Callable[[str], str]) -> Failure:
    """Return what the caller is told of *error*, without the secrets that *scrub* knows.

    The text of an error that nobody foresaw can hold anything, so only its request id is told.
    """
    status = _status_of(error)
    refused = error if isinstance(error, RequestError) else RequestError(status, "")
    code = refused.code
    if status == 500:
        text = f"internal error; the server's log tells more of request {request_id}"
    else:
        text = scrub(message_of(error)) or type(error).__name__
    if isinstance(error, UnknownResourceError):
        lack = "not_found" if status == 404 else "unavailable"
        code = f"{error.resource.replace(' ', '_')}_{lack}"
    told = {"message": text, "type": error_type(status), "param": refused.param, "code": code}
    again = status in _WORTH_ANOTHER_TRY and not isinstance(error, KeyRefusedError)
    headers = [(b"x-should-retry", b"true" if again else b"false"), *refused.headers]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status in {429, 503}:
        known = getattr(error, "retry_after", None)
        seconds = ceil(max(known or 0.0, _RETRY_SECONDS))
        headers.append((b"retry-after", str(seconds).encode()))
    return Failure(status, to_json({"error": told}), tuple(headers))


def is_unforeseen(error: Exception) -> bool:
    """Whether *error* is a fault in a provider's code or ours, which the log must tell."""
    return _status_of(error) == 500


def is_failure(error: BaseException) -> bool:
    """Whether *error* is the fault of a stack or of what stands behind it, not of its caller.

    So it is where a provider has as many calls as it takes.
    """
    return isinstance(error, Exception) and (_status_of(error) >= 500 or _status_of(error) == 429)


def invalid(error: ValidationError, suggest: Callable[[str], str]) -> RequestError:
    """Return the refusal of arguments that are not valid.

    The values themselves are never part of the text.

    Args:
        error: What validation says.
        suggest: Tells which parameter may be meant by an unknown one; empty for none.
    """
    lines: list[str] = []
    param: str | None = None
    for problem in invalid_values(error):
        if problem.kind == "missing":
            problem = problem._replace(text="is missing")
        elif problem.kind == "extra_forbidden":
            near = suggest(problem.where) if len(problem.path) == 1 else ""
            problem = problem._replace(text=f"unknown parameter{'; ' + near if near else ''}")
        param = param or problem.where or None
        lines.append(str(problem))
    text = "\n".join(first_lines(lines, _MOST_PROBLEMS, "more problems"))
    return RequestError(400, text, param, "invalid_value")


def the_only(names: Iterable[str], param: str) -> str:
    """Return the one of *names* that a caller means who leaves *param* out.

    Raises:
        RequestError: If there is not just one.
    """
    found = sorted(set(names))
    if len(found) == 1:
        return found[0]
    known = ", ".join(map(repr, found)) or "none"
    raise RequestError(400, f"{param}: is missing; there is: {known}", param, "invalid_value")


def _status_of(error: Exception) -> int:
    if isinstance(error, RequestError):
        return error.status
    # A value that a provider's own code finds not valid is not what the caller sent.
    if isinstance(error, ValidationError):
        return 500
    return next((status for kind, status in _KINDS if isinstance(error, kind)), 500)
