"""``remote::rungraph``: one API of another stack, as if it were served here."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import to_jsonable_python

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.routes import answers_of, routes_of
from rungraph.engine.errors import EngineError
from rungraph.engine.providers.openai_inference import opened
from rungraph.engine.providers.served_inference import client_settings, started
from rungraph.engine.routing.signatures import LEFT_OUT, methods_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.apis.routes import Route
    from rungraph.engine.providers.remote.rungraph.client import StackClient
    from rungraph.engine.providers.remote.rungraph.config import RemoteStackConfig
    from rungraph.engine.routing.signatures import Method


class AnyProviderData(BaseModel):
    """What callers send for a provider; the other stack knows which one, and what it takes."""

    model_config = ConfigDict(extra="allow")


class RemoteStack:
    """Answers for one API by calling another stack that is served over HTTP.

    It has each method of the API's Protocol and, of a routed API, those by which a table asks for
    resources; what is registered here is registered there.

    Args:
        client: The other stack.
        api: The API's Protocol.
        table: The Protocol of its table API; None for an API that is not routed.
        private: What a table calls on a provider of a routed API.
    """

    provider_data_validator = AnyProviderData

    def __init__(
        self,
        client: StackClient,
        api: type,
        table: type | None = None,
        private: type | None = None,
    ) -> None:
        self._client = client
        client.owner = self
        methods = methods_of(api)
        for name, route in routes_of(api):
            method = methods[name]
            call = self._call_of(method, route)
            setattr(self, name, method.dress(call, method.signature.parameters))
        if table is not None and private is not None:
            self._serve_resources(table, private)

    async def upstreams(self) -> Mapping[str, Any]:
        """Return which stack it is, and those behind that.

        Raises:
            LoopError: If this stack is among them.
        """
        return await self._client.get("upstreams")

    async def check(self) -> None:
        """Return if the other stack is there, takes the key, and is not in front of this one."""
        await self.upstreams()

    async def health(self) -> HealthResponse:
        """Return whether the other stack can be called."""
        try:
            await self.check()
        except (OSError, ValueError, NotImplementedError, EngineError) as error:
            return HealthResponse(status=HealthStatus.ERROR, message=str(error))
        return HealthResponse(status=HealthStatus.OK)

    async def shutdown(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _call_of(self, method: Method, route: Route) -> Callable[..., Any]:
        """Return a function that has *route* of the other stack answer."""
        whole, chunk = answers_of(method.function)
        answer = TypeAdapter[Any](whole)
        chunks = TypeAdapter[Any](chunk) if chunk is not None else None
        path = route.path.lstrip("/")

        async def call(*args: Any, **kwargs: Any) -> Any:
            given = method.signature.bind(*args, **kwargs).arguments
            sent = to_jsonable_python(
                {name: value for name, value in given.items() if value is not LEFT_OUT}
            )
            if chunks is not None and given.get("stream"):
                return await opened(self._stream(path, sent, chunks))
            if route.method == "POST":
                content = await self._client.content("POST", path, sent)
            else:
                query = f"?{urlencode(sent)}" if sent else ""
                content = await self._client.content(route.method, f"{path}{query}")
            return answer.validate_json(content)

        return call

    async def _stream(
        self, path: str, body: Mapping[str, Any], chunk: TypeAdapter[Any]
    ) -> AsyncGenerator[Any, None]:
        async with aclosing(self._client.chunks(path, body)) as events:
            async for event in events:
                yield None if event is None else chunk.validate_json(event)

    def _serve_resources(self, table: type, private: type) -> None:
        """Take on the methods of *private*, by what those of *table* have there."""
        methods = methods_of(table)
        calls = {
            name.partition("_")[0]: self._call_of(methods[name], route)
            for name, route in routes_of(table)
        }
        aliases: dict[str, Resource] = {}

        async def served() -> dict[str, Resource]:
            return {one.identifier: one for one in _as_own(await calls["list"]())}

        async def list_all() -> list[Resource]:
            # Two stacks in front of each other would keep each other's resources alive.
            await self.check()
            found = await served()
            named = {name: one for name, one in aliases.items() if one.native_id in found}
            return list({**found, **named}.values())

        async def register(resource: Resource) -> Resource:
            if resource.native_id not in await served():
                there = {"identifier": resource.native_id, "provider_resource_id": None}
                await calls["register"](resource.model_copy(update={**there, "provider_id": ""}))
            if resource.native_id != resource.identifier:
                aliases[resource.identifier] = resource
            return resource

        async def unregister(resource: Resource) -> None:
            if aliases.pop(resource.identifier, None) is None:
                await calls["unregister"](resource.identifier)

        operations: dict[str, Callable[..., Awaitable[Any]]] = {
            "list": list_all,
            "register": register,
            "unregister": unregister,
        }
        for name, method in methods_of(private).items():
            setattr(self, name, _taking(method, operations[name.partition("_")[0]]))


def _taking(method: Method, function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Return *function* with the name that *method* has for its argument."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        return await function(*method.signature.bind(*args, **kwargs).args)

    return method.dress(call)


class RemoteInference(RemoteStack):
    """The inference API of another stack, whose OpenAI API is handed on as it is."""

    async def relay_openai(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return the other stack's own answer to *body*, in pieces."""
        return await opened(self._client.raw_stream(f"v1/{path}", body))


def _as_own(resources: list[Resource]) -> list[Resource]:
    """Return what another stack lists as a provider lists it: by the names that it takes."""
    count = Counter(one.identifier for one in resources)
    return [
        one.model_copy(
            update={
                "identifier": f"{one.provider_id}/{one.identifier}"
                if count[one.identifier] > 1
                else one.identifier,
                "provider_id": "",
                "provider_resource_id": None,
            }
        )
        for one in resources
    ]


def entry_point(
    *protocols: str, kind: type[RemoteStack] = RemoteStack
) -> Callable[[RemoteStackConfig, Mapping[str, Any]], Awaitable[RemoteStack]]:
    """Return the entry point of a module that serves an API by another stack.

    Args:
        protocols: Where the API's Protocol is, as ``module:Class``; of a routed API also that of
            its table API and its private one.
        kind: What answers.
    """

    async def get_adapter_impl(config: RemoteStackConfig, deps: Mapping[str, Any]) -> RemoteStack:
        """Return a provider whose stack is there and accepts the key.

        Raises:
            MissingPackageError: If ``aiohttp`` is not installed.
            OSError: If the stack cannot be reached or refuses the key.
            LoopError: If it stands in front of this one.
        """

        def make() -> RemoteStack:
            from rungraph.engine.providers.remote.rungraph.client import StackClient

            client = StackClient(config.url, **client_settings(config.api_token, config))
            return kind(client, *map(resolve_name, protocols))

        return await started("remote", make)

    return get_adapter_impl
