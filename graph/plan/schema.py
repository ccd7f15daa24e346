"""The JSON Schema of a plan, made from its classes and what they say of each field."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from rungraph.graph.json_format import FORMAT_VERSION, JsonObject
from rungraph.graph.plan.model import Plan


class _WithoutTitles(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  (overridden)
        """Return whether a field gets a title; its name is enough."""
        return False


def plan_schema() -> str:
    """Return the JSON Schema that the classes have now; the published one is equal to it."""
    # Only here: whenever pydantic looks for docstrings, it reads the source, which takes its time.
    JsonObject.__pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[attr-defined]
    schema = TypeAdapter(Plan).json_schema(schema_generator=_WithoutTitles) | {
        "$id": f"urn:rungraph:schema:plan:{FORMAT_VERSION}",
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "A plan of rungraph",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
