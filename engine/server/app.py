"""The ASGI application of a stack: finds what serves a request, and tells what went wrong."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from dataclasses import dataclass
from functools import partial
from html import unescape
from http import HTTPStatus
from itertools import count
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote

from rungraph.engine.apis.routes import routes_of
from rungraph.engine.errors import NotServedError, unknown
from rungraph.engine.events import ReloadEnded
from rungraph.engine.interruption import cancelled_from_within
from rungraph.engine.request import CallData, come_through, member_of_call
from rungraph.engine.server.endpoint import Endpoint
from rungraph.engine.server.exchange import BODY_SECONDS, BrokenOff, Exchange
from rungraph.engine.server.failures import RequestError, failure_of, is_unforeseen
from rungraph.engine.server.feed import Feed
from rungraph.engine.server.graph_routes import GraphRoutes
from rungraph.engine.server.guards import PREFLIGHT, PROVIDER_DATA, Guard, provider_data_of
from rungraph.engine.server.keys import ANY, CALL, INSPECT, REGISTER, Permission
from rungraph.engine.server.login import LOGIN, Login
from rungraph.engine.server.metrics import Metrics
from rungraph.engine.server.openapi import openapi_document
from rungraph.engine.server.probes import Probes
from rungraph.engine.server.running import Running
from rungraph.engine.server.stack_routes import groups_in
from rungraph.engine.server.traffic import Traffic
from rungraph.engine.server.v1 import v1_routes
from rungraph.engine.tracing import begin_call
from rungraph.engine.waiting import guarded
from rungraph.graph.errors import RungraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.events import Event
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Handler, Receive, Scope, Send

    Page = tuple[str, Callable[[Stack], bytes]]
    Phase = Literal["starting", "serving", "draining"]

_POLICY = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]+)"')
_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")
_ALONG = frozenset({*PROVIDER_DATA, b"traceparent", b"via"})
"""The headers with what goes along with a call; most have none of them."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What a server allows its callers.

    Attributes:
        most_bytes: How long the body of a request may be.
        drain_seconds: How long running answers may go on when the server stops.
        most_calls: How many requests may be answered at the same time, probes apart.
        trace_ratio: How many of the calls make spans whose callers do not say whether theirs do.
    """

    most_bytes: int = 16 * 1024 * 1024
    drain_seconds: float = 30.0
    most_calls: int = 2048
    trace_ratio: float = 1.0


class _Served(NamedTuple):
    """What serves a method of a path.

    Attributes:
        route: The path as the server writes it.
        handler: Answers.
        needs: The permissions of which a key must have one; none for what everybody may ask.
        is_always: Whether it answers while the stack starts or stops, and under any load, too.
    """

    route: str
    handler: Handler
    needs: frozenset[Permission]
    is_always: bool = False


class StackApp:
    """Serves one stack, whose start and stop are somebody else's.

    It answers from the beginning: until `open` is called with 503 and how far the start has come,
    and so again after `drain`.

    Args:
        stack: What answers.
        settings: What callers may do.
        guard: Lets them in.
        pages: What else there is to see, by path: the media type, and what draws it of the stack.

    Attributes:
        endpoints: The methods of the stack's APIs, by API, in the order of the Protocol.
    """

    def __init__(
        self,
        stack: Stack,
        settings: ServerSettings | None = None,
        guard: Guard | None = None,
        pages: Mapping[str, Page] = MappingProxyType({}),
    ) -> None:
        self._stack = stack
        self._settings = settings or ServerSettings()
        self._guard = guard or Guard()
        self._phase: Phase = "starting"
        self._running = Running()
        self._ids = count(1)
        self._process = secrets.token_hex(4)
        self._name = f"rungraph-{secrets.token_hex(8)}"
        come_through(self._name)  # So does what the stack asks of others when it starts.
        self._probes = Probes(stack, lambda: self._phase)
        self._metrics = Metrics(lambda: self.running_calls, lambda: groups_in(stack))
        traffic = Traffic()
        stack.observe = traffic.along
        self._graph_routes, self._feed = GraphRoutes(stack, traffic), Feed(stack)
        self._login, self._pages = Login(self._guard), pages
        self._v1 = tuple(v1_routes(stack, self._masked))
        self._serve()
        stack.events.subscribe(self._follow)

    def _follow(self, event: Event) -> None:
        if isinstance(event, ReloadEnded) and not event.problem:
            self._serve()

    def _serve(self) -> None:
        """Serve what the graph of the stack has, and nothing else any more."""
        stack, catalog = self._stack, self._stack.graph.catalog
        self.endpoints = tuple(
            Endpoint(
                *(api, name, route, getattr(protocol, name), stack.__getitem__),
                catalog.pair_of_router(api),
                # Resources can hold secrets, which their providers alone need.
                self._masked if catalog.pair_of_table(api) and route.method == "GET" else None,
            )
            for api in stack.graph.apis
            for protocol in [resolve_name(catalog.apis[api].protocol)]
            for name, route in routes_of(protocol)
        )
        self._document: bytes | None = None
        self._served: dict[str, dict[str, _Served]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, _Served]]] = []
        for endpoint in self.endpoints:
            needs = self._permissions_for(endpoint)
            self._add(endpoint.route.method, endpoint.route.path, endpoint, needs)
        for one in self._v1:
            self._add(*one)
        graph, everybody = self._graph_routes, frozenset[Permission]()
        plain: list[tuple[str, Handler, frozenset[Permission]]] = [
            ("/openapi.json", self._openapi, ANY),
            ("/upstreams", graph.upstreams, ANY),
            ("/graph", graph.graph, INSPECT),
            ("/graph/plan", graph.graph, INSPECT),
            ("/graph/status", graph.status, INSPECT),
            ("/graph/abilities", graph.abilities, INSPECT),
            ("/graph/traffic", graph.traffic, INSPECT),
            ("/timeline", graph.timeline, INSPECT),
            ("/metrics", self._metrics.metrics, INSPECT),
        ]
        always: list[tuple[str, Handler, frozenset[Permission]]] = [
            ("/livez", self._probes.livez, everybody),
            ("/readyz", self._probes.readyz, everybody),
            *((f"/readyz/{api}", self._probes.readyz, everybody) for api in stack.graph.apis),
            *((path, partial(_without_parameters, it), needs) for path, it, needs in plain),
            ("/graph/query", graph.query, INSPECT),
            ("/graph/why", graph.why, INSPECT),
            ("/events", self._feed.events, INSPECT),
            (LOGIN, self._login.show, everybody),
            *((path, partial(self._page, page), everybody) for path, page in self._pages.items()),
        ]
        for path, handler, needs in always:
            self._add("GET", path, handler, needs, is_always=True)
        self._add("POST", LOGIN, self._login.log_in, everybody, is_always=True)

    # --- the life of a server ------------------------------------------------------------------

    @property
    def running_calls(self) -> int:
        """How many requests are being answered, but for those that watch the server."""
        return self._running.calls

    def open(self) -> None:
        """Serve, now that the stack runs."""
        self._phase = "serving"

    async def drain(self) -> None:
        """Take no new calls, and wait for the running ones; end those that take too long."""
        self._phase = "draining"
        await self._running.drain(self._settings.drain_seconds)

    async def watch(self) -> None:
        """Look again and again how the event loop is; never returns."""
        await self._metrics.watch_lag()

    # --- a request -----------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(
            scope,
            receive,
            send,
            request_id=f"req_{self._process}{next(self._ids):08x}",
            most_bytes=self._settings.most_bytes,
        )
        data: CallData | None = None
        self._running.add(exchange)
        try:
            self._guard.check_source(exchange)
            if exchange.method == "OPTIONS" and exchange.more_headers:
                await exchange.answer(b"", status=204, headers=PREFLIGHT)
            else:
                handler = self._handler_of(exchange)
                trace, via = ("", ""), ""
                if not _ALONG.isdisjoint(exchange.headers):
                    if (sent := provider_data_of(exchange)) is not None:
                        data = CallData(sent)
                    trace = exchange.header(b"traceparent"), exchange.header(b"tracestate")
                    via = exchange.header(b"via")
                begin_call(*trace, ratio=self._settings.trace_ratio)
                come_through(self._name, via)
                await guarded(handler(exchange))
        except (Exception, asyncio.CancelledError) as error:
            if exchange.take_back_cancellation():  # Whatever a provider has made of it.
                if exchange.broken_off is BrokenOff.DRAINED:
                    text = "the server stops and ends this call"
                    await self._fail(exchange, RequestError(503, text))
                elif exchange.broken_off is BrokenOff.BODY_LATE:
                    text = f"the body did not come within {BODY_SECONDS:g} seconds"
                    await self._fail(exchange, RequestError(408, text))
            elif isinstance(error, Exception):
                await self._fail(exchange, error)
            elif exchange.is_call or self._phase == "serving":
                # A provider has cancelled whoever called it.
                await self._fail(exchange, cancelled_from_within(error))
            else:
                raise
        finally:
            if data is not None:
                data.end()
            if exchange.key is not None:
                exchange.key.streams.discard(exchange)
            if exchange.called is not None and not exchange.called.provider:
                exchange.called = exchange.called._replace(provider=member_of_call())
            self._metrics.count(exchange)
            self._running.discard(exchange)

    def _handler_of(self, exchange: Exchange) -> Handler:
        """Return what serves the request.

        Raises:
            RequestError: If nothing does, or not now.
        """
        methods = self._served.get(exchange.path)
        if methods is None or "{" in exchange.path:  # How a route is written is no path of it.
            methods = self._matching(exchange)
        if methods is None:
            raise self._not_found(exchange)
        method = "GET" if exchange.method == "HEAD" else exchange.method
        served = methods.get(method)
        if served is None:
            allowed = ", ".join(methods)
            text = f"{exchange.path} takes {allowed}, not {exchange.method}"
            raise RequestError(405, text, headers=((b"allow", allowed.encode()),))
        exchange.route = served.route
        if served.needs:
            self._guard.check_key(exchange, served.needs)
        if served.is_always:
            return served.handler
        if self._phase != "serving":
            raise self._unavailable()
        if self._running.calls >= self._settings.most_calls:
            raise RequestError(503, f"{self._settings.most_calls} calls run already")
        exchange.is_call = True
        self._running.calls += 1
        return served.handler

    def _matching(self, exchange: Exchange) -> dict[str, _Served] | None:
        """Return what serves paths of the form that the request's has, its parameters taken."""
        for pattern, methods in self._patterns:
            if found := pattern.fullmatch(exchange.raw_path):
                values = found.groupdict()
                exchange.path_values = {name: unquote(value) for name, value in values.items()}
                return methods
        return None

    async def _fail(self, exchange: Exchange, error: Exception) -> None:
        if is_unforeseen(error):
            _logger.error("request %s failed", exchange.request_id, exc_info=error)
        failure = failure_of(error, exchange.request_id, self._stack.scrubbed)
        if exchange.has_begun:
            exchange.status = failure.status  # What it came to, whatever it began with.
            await exchange.end(b"data: " + failure.body + b"\n\n" + exchange.last_event)
        else:
            await exchange.answer(failure.body, status=failure.status, headers=failure.headers)

    def _unavailable(self) -> RequestError:
        if self._phase == "draining":
            return RequestError(503, "the server stops and takes no new calls")
        return RequestError(503, self._probes.progress())

    def _not_found(self, exchange: Exchange) -> Exception:
        """Return what is said of a path that nothing serves: perhaps another stack would."""
        graph = self._stack.graph
        for api, spec in graph.catalog.apis.items():
            if api not in graph.apis and any(
                route.path == exchange.path for _, route in routes_of(resolve_name(spec.protocol))
            ):
                return NotServedError(api, graph.apis)
        text = unknown(
            f"there is nothing at {exchange.path!r}", "served", exchange.path, self._served
        )
        return RequestError(404, text, code="unknown_route")

    # --- what is served ------------------------------------------------------------------------

    def _permissions_for(self, endpoint: Endpoint) -> frozenset[Permission]:
        catalog = self._stack.graph.catalog
        if catalog.pair_of_table(endpoint.api) is not None:
            return ANY if endpoint.route.method == "GET" else REGISTER
        if catalog.apis[endpoint.api].builtin:
            return INSPECT
        return CALL

    def _add(
        self,
        method: str,
        path: str,
        handler: Handler,
        needs: frozenset[Permission],
        *,
        is_always: bool = False,
    ) -> None:
        """Serve *path*; ``{name}`` in it is a parameter, ``{name:path}`` one with slashes."""
        methods = self._served.setdefault(path, {})
        methods[method] = _Served(path, handler, needs, is_always)
        if "{" in path and len(methods) == 1:
            pattern = _PARAMETER.sub(
                lambda found: f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})", path
            )
            self._patterns.append((re.compile(pattern), methods))

    def _masked(self, value: Any) -> Any:
        """Return JSON values without the secrets of the config that runs now."""
        return self._stack.graph.masked(value)

    async def _page(self, page: Page, exchange: Exchange) -> None:
        try:
            self._guard.check_key(exchange, INSPECT)
        except RequestError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            await exchange.answer(b"", status=303, headers=((b"location", LOGIN.encode()),))
            return
        media, draw = page
        try:
            # Drawing takes long; calls go on meanwhile.
            content = await asyncio.to_thread(draw, self._stack)
        except RungraphError as error:  # Such as that there is too much to draw.
            raise RequestError(501, str(error)) from error
        headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        if found := _POLICY.search(content):
            policy = unescape(found[1].decode()) + "; frame-ancestors 'none'"
            headers.append((b"content-security-policy", policy.encode()))
        await exchange.answer(content, media=media.encode(), headers=headers)

    async def _openapi(self, exchange: Exchange) -> None:
        if self._document is None:
            self._document = openapi_document(self.endpoints)
        await exchange.answer(self._document)


async def _without_parameters(handler: Handler, exchange: Exchange) -> None:
    exchange.parameters()
    await handler(exchange)
