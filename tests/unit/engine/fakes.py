"""APIs and providers made up on the spot, graphs of them, and telemetry."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType, UnionType
from typing import Any, Protocol, TypeVar

import pytest

from rungraph.engine.apis.telemetry import (
    SpanEndPayload,
    SpanStartPayload,
    SpanStatus,
    StructuredLogEvent,
)
from rungraph.engine.catalog import CATALOG
from rungraph.engine.events import Event
from rungraph.engine.run.settings import StackSettings
from rungraph.graph import RunGraph, compile_config
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec

_E = TypeVar("_E", bound=BaseException)
IMPORTING = threading.Event()
"""Set by a module when its import has begun."""
GATE = threading.Event()
"""What a module waits for while it is imported."""


QUICK = StackSettings(start_timeout=5, stop_timeout=5, cancel_timeout=1, health_timeout=0.05)


class Pinging(Protocol):
    async def ping(self) -> str: ...


class Pinger:
    """Implements ``Pinging``; remembers what it was created with and whether it was shut down."""

    def __init__(self, config: object = None, deps: Mapping[str, object] | None = None) -> None:
        self.config = config
        self.deps = dict(deps or {})
        self.shutdowns = 0

    async def ping(self) -> str:
        return "pong"

    async def shutdown(self) -> None:
        self.shutdowns += 1


async def create_pinger(config: object, deps: Mapping[str, object]) -> Pinger:
    """Return a pinger; an entry point."""
    return Pinger(config, deps)


@dataclass
class Offer:
    """A provider of an API of its own.

    Attributes:
        create: Its entry point.
        needs: The APIs without which it cannot start.
        uses: The APIs that it uses when they are there.
        config: Its config.
        spec: More of its spec, such as ``packages``.
    """

    create: Callable[..., Any] = create_pinger
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    spec: dict[str, Any] = field(default_factory=dict[str, Any])


Modules = Callable[[Mapping[str, str]], None]
"""What the fixture ``modules`` is: it writes modules by their paths."""


def install_module(patch: pytest.MonkeyPatch, name: str, **content: object) -> None:
    """Let a module with this content be imported until the end of the test."""
    module = ModuleType(name)
    vars(module).update(content)
    patch.setitem(sys.modules, name, module)


class GraphOf(Protocol):
    """What the fixture ``graph_of`` is: it makes a graph of one provider for each API."""

    def __call__(self, **offers: Offer) -> RunGraph: ...


def graph_of(monkeypatch: pytest.MonkeyPatch, **offers: Offer) -> RunGraph:
    """Return a graph with one provider, ``one``, for each API, which is what *offers* are named."""
    apis: list[ApiSpec] = []
    specs: list[ProviderSpec] = []
    providers: dict[str, list[dict[str, Any]]] = {}
    for api, offer in offers.items():
        name = f"rungraph_fake_{api}"
        install_module(monkeypatch, name, get_provider_impl=offer.create, Pinging=Pinging)
        apis.append(ApiSpec(api, f"{name}:Pinging"))
        needs, uses = offer.needs, offer.uses
        spec: dict[str, Any] = {"module": name, "dependencies": needs}
        spec |= {"optional_dependencies": uses, **offer.spec}
        specs.append(ProviderSpec(api, "inline::fake", **spec))
        one = {"provider_id": "one", "provider_type": "inline::fake", "config": offer.config}
        providers[api] = [one]
    catalog = CATALOG.merged(Catalog.of(apis=apis, providers=specs))
    return compile_config({"providers": providers}, catalog=catalog, environment={})


async def raised_by(stack: AbstractAsyncContextManager[Any], kind: type[_E]) -> _E:
    """Start and stop *stack*; return the error of *kind* that it raises."""
    with pytest.raises(kind) as caught:
        async with stack:
            pass
    return caught.value


def told(events: Iterable[Event], kind: type[Event] | UnionType) -> list[Any]:
    """Return the events of a kind."""
    return [event for event in events if isinstance(event, kind)]


def failing(error: BaseException) -> Callable[..., Awaitable[Any]]:
    """Return an entry point that raises *error*."""

    async def create(config: object, deps: object) -> Any:
        raise error

    return create


def making(cls: type[Any]) -> Callable[..., Awaitable[Any]]:
    """Return an entry point that creates a *cls*."""

    async def create(config: object, deps: Any) -> Any:
        return cls(config, deps)

    return create


class Span:
    """What telemetry was told of one span."""

    def __init__(self, event: StructuredLogEvent, payload: SpanStartPayload) -> None:
        self.name = payload.name
        self.parent = payload.parent_span_id
        self.trace_id = event.trace_id
        self.span_id = event.span_id
        self.attributes = event.attributes
        self.start = event.timestamp
        self.end: datetime | None = None
        self.status: SpanStatus | None = None
        self.end_attributes: dict[str, Any] = {}


class Telemetry:
    """Keeps the spans that it is told."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.failure: BaseException | None = None
        self.gate: asyncio.Event | None = None
        self.ends_of_nothing = 0

    async def log_event(self, event: Any) -> None:
        """Take an event; the end of a span must follow its beginning."""
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        assert isinstance(event, StructuredLogEvent)
        if isinstance(event.payload, SpanStartPayload):
            self.spans[event.span_id] = Span(event, event.payload)
            return
        assert isinstance(event.payload, SpanEndPayload)
        if event.span_id not in self.spans:
            self.ends_of_nothing += 1
            return
        span = self.spans[event.span_id]
        assert span.status is None
        span.end, span.status = event.timestamp, event.payload.status
        span.end_attributes = event.attributes

    def named(self, name: str) -> Span:
        (span,) = (span for span in self.spans.values() if span.name == name)
        return span
