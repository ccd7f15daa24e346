"""What a provider instance may offer besides the methods of its API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeGuard

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from rungraph.engine.apis.telemetry import SpanEndPayload, SpanStartPayload


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """What a running provider says of itself when its own state changes, or when it works long.

    Attributes:
        state: ``degraded`` when calls may fail, ``ready`` when all is well again; ``working``
            changes nothing about that.
        detail: Why, or how far the work is, for people; never a secret.
    """

    state: Literal["degraded", "ready", "working"]
    detail: str = ""


class HasShutdown(Protocol):
    """A provider that holds something to let go of.

    ``shutdown`` is awaited once, in the task that created the instance, after everything that
    depends on the provider has stopped. It is cancelled when it takes longer than the stack's
    ``stop_timeout``. A plain function is called in a thread.
    """

    async def shutdown(self) -> None:
        """Let go of everything; no call comes after this one."""
        ...


class HasHealth(Protocol):
    """A provider that can say how it is.

    ``health`` may be called at any time while the provider runs, also while calls are served.
    It answers with an object that has ``status`` and, if it likes, ``message``; raising means
    that the provider is not well.
    """

    async def health(self) -> Any:
        """Return how the provider is now."""
        ...


class HasBind(Protocol):
    """A provider that can be handed an optional dependency after it was created.

    Two nodes that use each other cannot both start first. The stack then creates the dependent
    without its optional dependency and calls ``bind`` once both run. The function may be plain or
    ``async def``; what it raises degrades the provider and stops nothing.
    """

    def bind(self, api: str, instance: Any) -> Awaitable[None] | None:
        """Take *instance* as the dependency that serves *api*."""
        ...


class HasReconfigure(Protocol):
    """A provider that can be told another config while it runs.

    ``reconfigure`` takes a config of the class that the provider was created with. What it raises
    means that it goes on with the config that it had. The function may be plain or ``async def``.
    """

    def reconfigure(self, config: Any) -> Awaitable[None] | None:
        """Go on with *config*."""
        ...


class HasReports(Protocol):
    """A provider that tells when its own state changes.

    ``report_to`` is called once, right after the instance was created. What it is given can be
    called from any thread, at any time, also after the stack has stopped.
    """

    def report_to(self, report: Callable[[ProviderReport], None]) -> None:
        """Keep *report* and call it with every change of state, and while work takes long."""
        ...


class HasOpenAIRelay(Protocol):
    """A provider of inference that speaks the OpenAI API itself, so that nothing is lost of it.

    ``relay_openai`` sends *body*, whose ``model`` is the provider's own name for it, to *path*,
    such as ``chat/completions``, and returns once the answer has begun. What it yields is the
    answer's body, byte for byte, in any pieces; closing the generator stops the model. It raises
    what the methods of ``Inference`` raise.
    """

    async def relay_openai(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return the pieces of the answer to *body*."""
        ...


class TakesProviderData(Protocol):
    """A provider that takes data which callers send for it, such as a key of their own.

    While it answers a call, `rungraph.engine.request.provider_data` returns the caller's data as
    an instance of ``provider_data_validator``. The provider must keep it no longer than the call.
    """

    provider_data_validator: type[BaseModel]


class SpanEvent(NamedTuple):
    """What a ``StructuredLogEvent`` of the telemetry API says, at less cost."""

    trace_id: str
    span_id: str
    timestamp: datetime
    attributes: Mapping[str, Any]
    payload: SpanStartPayload | SpanEndPayload


class TakesSpans(Protocol):
    """A telemetry provider that takes what the engine itself tells of spans as it is.

    ``take_span`` does what ``log_event`` does with an event that says the same, and raises the
    same. It is called in the loop, and must return at once.
    """

    def take_span(self, event: SpanEvent) -> None:
        """Take the beginning or the end of a span."""
        ...


class HasUpstreams(Protocol):
    """A provider that is a stack, which may stand in front of further ones."""

    async def upstreams(self) -> Mapping[str, Any]:
        """Return which stack it is, and those behind that."""
        ...


# ``isinstance`` with such a Protocol takes ten times as long, and every node is asked.


def has_shutdown(instance: object) -> TypeGuard[HasShutdown]:
    """Whether *instance* holds something to let go of."""
    return callable(getattr(instance, "shutdown", None))


def has_health(instance: object) -> TypeGuard[HasHealth]:
    """Whether *instance* can say how it is."""
    return callable(getattr(instance, "health", None))


def has_bind(instance: object) -> TypeGuard[HasBind]:
    """Whether *instance* can be handed a dependency later."""
    return callable(getattr(instance, "bind", None))


def has_reconfigure(instance: object) -> TypeGuard[HasReconfigure]:
    """Whether *instance* can be told another config while it runs."""
    return callable(getattr(instance, "reconfigure", None))


def has_openai_relay(instance: object) -> TypeGuard[HasOpenAIRelay]:
    """Whether *instance* speaks the OpenAI API itself."""
    return callable(getattr(instance, "relay_openai", None))


def takes_provider_data(instance: object) -> TypeGuard[TakesProviderData]:
    """Whether *instance* takes data that callers send for it."""
    return isinstance(getattr(instance, "provider_data_validator", None), type)


def has_upstreams(instance: object) -> TypeGuard[HasUpstreams]:
    """Whether *instance* is a stack behind this one."""
    return callable(getattr(instance, "upstreams", None))


def has_reports(instance: object) -> TypeGuard[HasReports]:
    """Whether *instance* tells when its own state changes."""
    return callable(getattr(instance, "report_to", None))
