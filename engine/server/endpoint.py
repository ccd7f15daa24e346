"""One method of one API over HTTP: reads and validates a request, calls, writes the answer."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any, NotRequired, Required, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict

from rungraph.engine.apis.routes import answers_of
from rungraph.engine.server.exchange import OBJECT, Called, to_json, usage_at_end
from rungraph.engine.server.failures import invalid
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.apis.routes import Route
    from rungraph.engine.server.exchange import Exchange
    from rungraph.graph.catalog.specs import RoutedPair


class Endpoint:
    """Serves one method of an API's Protocol.

    The parameters of the method are validated in one step, and what a caller leaves out stays left
    out, so that the provider's own default decides. A caller who asks for a stream gets events
    ``data: {…}``, one a chunk; what fails before the first chunk is a plain error.

    Args:
        api: The API.
        name: The method.
        route: Where it is served.
        function: The method as the Protocol has it.
        instance: Returns what answers for the API now.
        pair: The routed pair of the API; None for one that is not routed.
        mask: Takes the secrets of the config out of the JSON values of a whole answer; None where
            an answer holds none of the config.

    Attributes:
        arguments: Validates the parameters.
        result: Writes a whole answer.
        chunk: Writes one chunk of a stream; None when the method has none.
        summary: The first line of the method's docstring.
    """

    def __init__(
        self,
        api: str,
        name: str,
        route: Route,
        function: Callable[..., Any],
        instance: Callable[[str], Any],
        pair: RoutedPair | None = None,
        mask: Callable[[Any], Any] | None = None,
    ) -> None:
        self._routing_key = pair.routing_key if pair is not None else None
        self._mask = mask
        self.api = api
        self.name = name
        self.route = route
        self._has_body = route.method == "POST"
        self.summary = (inspect.getdoc(function) or "").partition("\n")[0]
        self._instance = instance
        hints = get_type_hints(function, include_extras=True)
        _, *parameters = inspect.signature(function).parameters.values()  # Without self.
        # pydantic reads this TypedDict alone before Python 3.12.
        fields: dict[str, Any] = {}
        for one in parameters:
            hint = hints.get(one.name, Any)
            fields[one.name] = Required[hint] if one.default is one.empty else NotRequired[hint]
        # It is made of what the Protocol says.
        kind = cast("Any", TypedDict)(name, fields)
        kind.__pydantic_config__ = ConfigDict(extra="forbid")
        self._known = tuple(one.name for one in parameters)
        self.arguments: TypeAdapter[Any] = TypeAdapter(kind)
        self._whole, chunks = answers_of(function)
        self.result: TypeAdapter[Any] = TypeAdapter(self._whole)
        self.chunk: TypeAdapter[Any] | None = TypeAdapter(chunks) if chunks is not None else None
        self._dump = _writer(self.result)
        self._dump_chunk = _writer(self.chunk or self.result)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        arguments = self._read(exchange, await exchange.json_body() if self._has_body else b"")
        instance = self._instance(self.api)
        method = getattr(instance, self.name)
        # A call that is not routed, or that will fail, goes to nobody.
        if self._routing_key in arguments:
            found = instance.resource_of(arguments[self._routing_key])
            if found is not None:
                exchange.called = Called(self.api, self.name, found.identifier, found.provider_id)
        if arguments.get("stream") is True:
            exchange.expect_stream()
        with exchange.watched():
            result = await method(**arguments)
            # To ask an abstract class takes longer than to see that it is what is declared.
            if result.__class__ is not self._whole and isinstance(result, AsyncIterator):
                chunks = cast("AsyncGenerator[Any, None]", result)
                last = await exchange.stream(chunks, self._dump_chunk)
                exchange.usage = usage_at_end(last)
                return
            exchange.usage = getattr(result, "usage", None)
            content = self._dump(result)
            if self._mask is not None:
                content = to_json(self._mask(from_json(content)))
        await exchange.answer(content)

    def _read(self, exchange: Exchange, body: bytes) -> dict[str, Any]:
        """Return the arguments of the call that the request means.

        Raises:
            RequestError: If it means none.
        """
        query = self._named(exchange.query_values()) if exchange.query else {}
        validator = self.arguments.validator
        try:
            if not self._has_body:
                return validator.validate_strings(query)  # type: ignore[no-any-return]
            if not query and not self.route.aliases:
                return validator.validate_json(body or b"{}")  # type: ignore[no-any-return]
            fields = OBJECT.validate_json(body or b"{}")
            return validator.validate_python({**query, **self._named(fields)})  # type: ignore[no-any-return]
        except ValidationError as error:
            raise invalid(error, self._suggest) from error

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return *given* by the names that the method has for its parameters."""
        aliases = self.route.aliases
        return {aliases.get(name, name): value for name, value in given.items()}

    def _suggest(self, name: str) -> str:
        known = ", ".join(map(repr, self._known)) or "none"
        return did_you_mean(name, self._known) or f"there is: {known}"


def _writer(adapter: TypeAdapter[Any]) -> Callable[[Any], bytes]:
    """Return what writes values as JSON."""
    to_json = adapter.serializer.to_json
    # What a foreign provider returns may be of another class with the same fields. A function, for
    # a partial takes a fifth more of a chunk's time.
    return lambda value: to_json(value, warnings=False)
