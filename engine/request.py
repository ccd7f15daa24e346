"""What a call carries besides its arguments, such as data that its caller sends for the provider.

A caller's own key is such data. It lives as long as the call and its stream: what a call leaves
running in the background finds nothing afterwards, and the next call starts with nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from rungraph.engine.errors import EngineError, LoopError
from rungraph.engine.provider import takes_provider_data
from rungraph.graph.invalid_values import invalid_values
from rungraph.graph.secrets.values import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping


_SHORTEST_SECRET = 8
"""Shorter texts are no keys worth hiding, and would blank out half a line."""


class ProviderDataError(EngineError, ValueError):
    """Raised when the data of a call is not what its provider takes; the text holds no value."""


class CallData:
    """The data of one call, from here on to `end`, in this task and in those that it begins.

    Args:
        sent: What the caller sends.
    """

    def __init__(self, sent: Mapping[str, Any]) -> None:
        self.sent = sent
        # By the identity of the provider; the provider is kept so that no other one can have it.
        self.given: dict[int, tuple[object, BaseModel]] = {}
        _current.set(self)

    def end(self) -> None:
        """Forget everything, also for what still runs."""
        self.sent = {}
        self.given.clear()


class Position(NamedTuple):
    """Where in which trace code runs.

    Attributes:
        trace_id: The trace.
        span_id: The span.
        state: What tracing systems of callers want handed on with it.
        is_sampled: Whether what happens there makes spans.
    """

    trace_id: str
    span_id: str
    state: str = ""
    is_sampled: bool = True


UNSAMPLED = Position("", "", is_sampled=False)
"""Outside of any trace, where nothing makes spans."""


_current: ContextVar[CallData | None] = ContextVar("rungraph_call_data", default=None)
_via: ContextVar[str] = ContextVar("rungraph_via", default="")
_session: ContextVar[str] = ContextVar("rungraph_session", default="")
_tries_once: ContextVar[bool] = ContextVar("rungraph_tries_once", default=False)
trace_position: ContextVar[Position | None] = ContextVar("rungraph_position", default=None)
_ALONG: tuple[ContextVar[Any], ...] = (_via, _session, _tries_once, trace_position)
"""What goes along into another process as it is."""


def come_through(name: str, via: str = "") -> None:
    """Note that what this task asks of others comes through the server *name*, from here on.

    Args:
        name: A name that no other server has.
        via: The header ``Via`` of the request that the task answers.

    Raises:
        LoopError: If the request has come through *name* before.
    """
    way = own = f"1.1 {name}"
    if via:
        if own in (hop.strip() for hop in via.split(",")):
            raise LoopError
        way = f"{via}, {own}"
    if _via.get() != way:  # To set one that a task has from its maker costs more than to look.
        _via.set(way)


def headers_of_way() -> dict[str, str]:
    """Return the header that tells another server through which ones a request has come."""
    via = _via.get()
    return {"Via": via} if via else {}


def provider_data(provider: object) -> Any:
    """Return what the caller sends for *provider*, an instance of its own validator's class.

    A provider asks this with itself, while it answers. None when the caller sends nothing, the
    call was not routed to *provider*, or the call is over.
    """
    current = _current.get()
    _, found = current.given.get(id(provider), (None, None)) if current else (None, None)
    return found


def hand_over(provider: object) -> None:
    """Let *provider*, to which a call is routed now, have what the caller sends for it.

    Only what the provider's validator keeps of it; nothing for a provider that has none.

    Raises:
        ProviderDataError: If it is not valid.
    """
    current = _current.get()
    if current is None or not current.sent or not takes_provider_data(provider):
        return
    try:
        found = provider.provider_data_validator.model_validate(current.sent)
    except ValidationError as error:
        first = invalid_values(error)[0]
        raise ProviderDataError(str(first._replace(path=("provider data", *first.path)))) from None
    current.given[id(provider)] = (provider, found)


def handing_over(method: Callable[..., Any], provider: object) -> Callable[..., Any]:
    """Return *method* of *provider*, called with what the caller sends for the provider."""
    if not takes_provider_data(provider):
        return method

    @wraps(method)
    def called(*args: Any, **kwargs: Any) -> Any:
        hand_over(provider)
        return method(*args, **kwargs)

    return called


class Carried(NamedTuple):
    """What a call carries into another process."""

    sent: Mapping[str, Any]
    along: tuple[Any, ...]


def carried() -> Carried:
    """Return what the running call carries."""
    current = _current.get()
    sent = current.sent if current is not None else {}
    return Carried(sent, tuple(variable.get() for variable in _ALONG))


def carry_in(given: Carried, provider: object) -> CallData:
    """Answer, in this task, a call of *provider* that another process has made.

    Returns:
        What its caller sends, for the call and its stream; it is for the caller of this to end.

    Raises:
        ProviderDataError: If the caller's data is not valid.
    """
    data = CallData(given.sent)
    for variable, value in zip(_ALONG, given.along, strict=True):
        variable.set(value)
    hand_over(provider)
    return data


_member: ContextVar[str] = ContextVar("rungraph_member", default="")


def goes_to_member(name: str) -> None:
    """Say to which of the providers that serve a resource together this task's call goes now."""
    _member.set(name)


def member_of_call() -> str:
    """Return the provider that `goes_to_member` named last; empty if none was named."""
    return _member.get()


def begin_session(name: str) -> None:
    """Say which session the calls of this task belong to, from here on.

    Of a resource that several providers serve with the policy ``sticky``, a session's calls go to
    the same one.
    """
    if _session.get() != name:
        _session.set(name)


def session_of_call() -> str:
    """Return the session that the running call belongs to; empty if none was named."""
    return _session.get()


@contextmanager
def trying_once() -> Generator[None]:
    """Have providers ask their servers only once: who calls them tries others."""
    token = _tries_once.set(True)
    try:
        yield
    finally:
        _tries_once.reset(token)


def is_tried_once() -> bool:
    """Whether whoever calls this provider tries again by itself, elsewhere."""
    return _tries_once.get()


def without_call_data(text: str) -> str:
    """Return *text*, which is for the log, with everything masked that the caller sends."""
    current = _current.get()
    return scrubbed(text, _texts_in(current.sent)) if current is not None else text


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _SHORTEST_SECRET:
            yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(one)
