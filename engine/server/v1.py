"""Every route below ``/v1``, for clients of the OpenAI API and of later contracts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_type_hints

from rungraph.engine.server.exchange import to_json
from rungraph.engine.server.keys import ANY, CALL, INSPECT, REGISTER
from rungraph.engine.server.openai_routes import OpenAIRoutes, body_of
from rungraph.engine.server.stack_routes import StackRoutes
from rungraph.engine.server.stores import StoreRoutes
from rungraph.engine.server.translation import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange, Handler
    from rungraph.engine.server.keys import Permission
    from rungraph.engine.server.translation import Sent

_MEMBER = "/members/{provider:path}"
_SHIELD = "/v1/shields/{shield:path}"
_STORE = "/v1/vector_stores/{store_id}"
_STORE_FILE = f"{_STORE}/files/{{file_id}}"
_FILE = "/v1/files/{file_id}"


def v1_routes(
    stack: Stack, mask: Callable[[Any], Any]
) -> Iterator[tuple[str, str, Handler, frozenset[Permission]]]:
    """Yield the routes for *stack*: method, path, what answers, and the permissions to ask.

    What may hold secrets of the config is told as *mask* leaves it.
    """
    openai, stack_routes, stores = OpenAIRoutes(stack), StackRoutes(stack), StoreRoutes(stack)
    for path in openai.paths:
        yield "POST", f"/v1/{path}", partial(openai.answer, path), CALL
    yield "POST", "/v1/responses", openai.responses, CALL

    showing = partial(_answering, mask=mask)
    yield "GET", "/v1/models", showing(stack_routes.list_models), ANY
    yield "GET", "/v1/models/{model:path}", showing(stack_routes.get_model), ANY
    for prefix in ("/v1", "/v1alpha/admin"):
        yield "GET", f"{prefix}/health", _answering(stack_routes.health), INSPECT
        yield "GET", f"{prefix}/version", _answering(stack_routes.version), INSPECT
        yield "GET", f"{prefix}/inspect/routes", _answering(stack_routes.routes), INSPECT
        yield "GET", f"{prefix}/providers", _answering(stack_routes.providers), INSPECT
        path = f"{prefix}/providers/{{provider_id:path}}"
        yield "GET", path, _answering(stack_routes.get_provider), INSPECT

    yield "GET", "/members", _answering(stack_routes.members), INSPECT
    yield "POST", f"{_MEMBER}/drain", _answering(stack_routes.drain), REGISTER
    yield "POST", f"{_MEMBER}/undrain", _answering(stack_routes.undrain), REGISTER

    yield "GET", "/v1/shields", showing(stack_routes.list_shields), ANY
    yield "POST", "/v1/shields", _answering(stack_routes.register_shield), REGISTER
    yield "GET", _SHIELD, showing(stack_routes.get_shield), ANY
    yield "DELETE", _SHIELD, _answering(stack_routes.unregister_shield), REGISTER
    yield "POST", "/v1/safety/run-shield", _answering(stack_routes.run_shield), CALL
    yield "POST", "/v1/moderations", _answering(stack_routes.moderate), CALL

    yield "GET", "/v1/files", _answering(stores.list_files), ANY
    yield "POST", "/v1/files", stores.upload, CALL
    yield "GET", _FILE, _answering(stores.get_file), ANY
    yield "GET", f"{_FILE}/content", stores.download, CALL
    yield "DELETE", _FILE, _answering(stores.delete_file), CALL

    yield "GET", "/v1/vector_stores", showing(stores.list_stores), ANY
    yield "POST", "/v1/vector_stores", _answering(stores.create), REGISTER
    yield "GET", _STORE, showing(stores.get_store), ANY
    yield "DELETE", _STORE, _answering(stores.delete_store), REGISTER
    yield "POST", f"{_STORE}/search", _answering(stores.search), CALL
    yield "GET", f"{_STORE}/files", _answering(stores.list_store_files), ANY
    yield "POST", f"{_STORE}/files", _answering(stores.put_file), CALL
    yield "GET", _STORE_FILE, _answering(stores.get_store_file), ANY
    yield "GET", f"{_STORE_FILE}/content", _answering(stores.store_file_content), ANY
    yield "DELETE", _STORE_FILE, _answering(stores.take_file), CALL


def _answering(
    function: Callable[..., Awaitable[Any]], mask: Callable[[Any], Any] = lambda found: found
) -> Handler:
    """Return what answers with the JSON of what *function* returns, once *mask* has seen it.

    It takes the parameters of the path by name. What it takes as *asked* is read from the query of
    a GET, and from the body of others; other queries are passed over, for clients of the OpenAI API
    say there what they are.
    """
    asked: type[Sent] | None = get_type_hints(function).get("asked")

    async def answer(exchange: Exchange) -> None:
        arguments: dict[str, Any] = dict(exchange.path_values)
        if asked is not None:
            is_read = exchange.method in {"GET", "HEAD"}
            given = exchange.query_values() if is_read else await body_of(exchange)
            arguments["asked"] = read(asked, given)
        with exchange.watched():
            found = await function(**arguments)
        await exchange.answer(to_json(mask(found)))

    return answer
