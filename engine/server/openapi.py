"""The OpenAPI document of what a server serves, from the types that validate the calls."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.engine.server.endpoint import Endpoint

_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def openapi_document(endpoints: Sequence[Endpoint]) -> bytes:
    """Return the OpenAPI 3.1 document of *endpoints* as JSON."""
    adapters: list[tuple[tuple[int, str], Any, TypeAdapter[Any]]] = []
    for number, endpoint in enumerate(endpoints):
        adapters.append(((number, "arguments"), "validation", endpoint.arguments))
        adapters.append(((number, "result"), "serialization", endpoint.result))
        if endpoint.chunk is not None:
            adapters.append(((number, "chunk"), "serialization", endpoint.chunk))
    schemas, definitions = TypeAdapter.json_schemas(
        adapters, ref_template="#/components/schemas/{model}"
    )
    # pydantic names the mode besides the key.
    by_key: dict[tuple[int, str], Any] = {key: schema for (key, _), schema in schemas.items()}
    components = definitions.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for number, endpoint in enumerate(endpoints):
        media = {"application/json": {"schema": by_key[number, "result"]}}
        if endpoint.chunk is not None:
            media["text/event-stream"] = {"schema": by_key[number, "chunk"]}
        operation: dict[str, Any] = {
            "operationId": f"{endpoint.api}.{endpoint.name}",
            "tags": [endpoint.api],
            "summary": endpoint.summary,
            **_takes(endpoint, by_key[number, "arguments"], components),
            "responses": {
                "200": {"description": "the answer", "content": media},
                "default": {
                    "description": "what went wrong",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                },
            },
        }
        paths.setdefault(endpoint.route.path, {})[endpoint.route.method.lower()] = operation
    document = {
        "openapi": "3.1.0",
        "info": {"title": "rungraph", "version": version("rungraph")},
        "paths": paths,
        "components": {"schemas": {**components, "Error": _ERROR}},
    }
    return to_json(document)


def _takes(
    endpoint: Endpoint, schema: dict[str, Any], components: dict[str, Any]
) -> dict[str, Any]:
    """Return how the arguments that *schema* describes are sent."""
    if endpoint.route.method == "POST":
        return {
            "requestBody": {
                "required": "required" in schema,
                "content": {"application/json": {"schema": schema}},
            }
        }
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return {
        "parameters": [
            {"name": name, "in": "query", "required": name in required, "schema": one}
            for name, one in schema.get("properties", {}).items()
        ]
    }
