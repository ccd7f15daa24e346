"""The JSON Schema of a plan: made from the classes and what their docstrings say of each field."""

from __future__ import annotations

import inspect
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rungraph.graph.plan import about, outcomes, parts
from rungraph.graph.plan.model import FORMAT_VERSION, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SCHEMA_ID = f"urn:rungraph:schema:plan:{FORMAT_VERSION}"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILE = f"plan-{FORMAT_VERSION}.schema.json"


def frozen_schema() -> str:
    """Return the published JSON Schema of the present format version, as text."""
    return (files("rungraph.graph.plan") / _FILE).read_text(encoding="utf-8")


def generated_schema() -> str:
    """Return the JSON Schema that the classes have now; equal to the published one."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Plan).json_schema()
    _describe(schema, Plan)
    for name, definition in schema["$defs"].items():
        _describe(definition, _class_of(name))
    schema |= {"$id": SCHEMA_ID, "$schema": _DIALECT, "title": "A plan of rungraph"}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _class_of(name: str) -> type:
    modules: tuple[ModuleType, ...] = (about, outcomes, parts)
    found: set[type] = {getattr(module, name) for module in modules if hasattr(module, name)}
    return found.pop()


def _describe(schema: dict[str, Any], of: type) -> None:
    """Write into *schema* what the docstring of its class says."""
    text, _, attributes = (inspect.getdoc(of) or "").partition("Attributes:\n")
    schema["description"] = " ".join(text.split())
    for name, said in _attributes(attributes):
        field = schema["properties"][name]
        field.pop("title", None)
        field["description"] = said
        for form in (field, *field.get("anyOf", ())):
            # Said by some versions of pydantic only, and what is so anyway.
            if form.get("additionalProperties") is True:
                del form["additionalProperties"]


def _attributes(section: str) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the section of attributes of a docstring."""
    entries: list[list[str]] = []
    for line in section.splitlines():
        if line.startswith(" " * 8):
            entries[-1].append(line.strip())
        elif line.strip():
            entries.append([line.strip()])
    for entry in entries:
        name, _, said = " ".join(entry).partition(": ")
        yield name, said
