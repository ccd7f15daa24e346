"""A plan as JSON and back. pydantic stands here and in the schema only."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from rungraph.graph.errors import RungraphError
from rungraph.graph.invalid_values import invalid_values
from rungraph.graph.json_format import FORMAT_VERSION, JsonObject
from rungraph.graph.plan.model import Plan
from rungraph.graph.source.positions import path_text
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import SchemaSerializer


class PlanError(RungraphError, ValueError):
    """Raised when what should be the JSON of a plan is none that can be read."""


def plan_to_json(plan: Plan) -> str:
    """Return *plan* as JSON without secrets or times; equal plans, equal bytes.

    Infinity and NaN, which JSON does not have, become the texts ``Infinity`` and ``NaN``.
    """
    return plan_to_bytes(plan).decode()


def plan_to_bytes(plan: Plan) -> bytes:
    """Return `plan_to_json` as UTF-8, which it is written in."""
    from pydantic_core import PydanticSerializationError

    try:
        return _writer().to_json(plan, indent=2) + b"\n"
    except PydanticSerializationError:
        # Half of a surrogate pair, which only a config made in Python can hold, is no UTF-8.
        plain = json.loads(json.dumps(asdict(plan)), parse_constant=str)
        return json.dumps(plain, indent=2).encode() + b"\n"


def load_plan(text: str | bytes) -> Plan:
    """Return the plan that *text* is the JSON of.

    What a later minor version has added is passed over.

    Raises:
        PlanError: If *text* is no JSON, not that of a plan, of an unknown major version, or of
            another shape; the text says which.
    """
    from pydantic import ValidationError

    try:
        data: Any = json.loads(text)
    except UnicodeDecodeError as error:
        msg = "not a plan: it is not text"
        raise PlanError(msg) from error
    except ValueError as error:
        msg = f"not a plan: it is not JSON: {error}"
        raise PlanError(msg) from error
    except RecursionError as error:
        msg = "not a plan: it is nested too deeply"
        raise PlanError(msg) from error
    if not isinstance(data, dict) or data.get("kind") != "plan":
        kind = data.get("kind") if isinstance(data, dict) else None
        what = (
            f"it is the JSON of a {printable(kind)}"
            if isinstance(kind, str)
            else "'kind' is not 'plan'"
        )
        old = " of an older rungraph; write it anew, as a plan" if kind == "graph" else ""
        msg = f"not a plan: {what}{old}"
        raise PlanError(msg)
    version, known = str(data.get("format_version")), FORMAT_VERSION.partition(".")[0]
    if version.partition(".")[0] != known:
        msg = (
            f"its format version {printable(version)} is not known to this rungraph "
            f"(known: {known}.x); make the plan anew"
        )
        raise PlanError(msg)
    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        msg = f"not a plan: {_first_of(error)}"
        raise PlanError(msg) from error


def is_plan(text: str | bytes) -> bool:
    """Whether *text* is the JSON of a plan, of whatever version."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("kind") == "plan"


@cache
def _writer() -> SchemaSerializer:
    from pydantic_core import SchemaSerializer

    writer = SchemaSerializer(
        {"type": "any", "serialization": {"type": "function-plain", "function": vars}},
        {"ser_json_inf_nan": "strings"},
    )
    # pydantic looks here for how an object is written: as its attributes. Without it, each field
    # of each object is asked what it is, which takes twice as long.
    JsonObject.__pydantic_serializer__ = writer  # type: ignore[attr-defined]
    return writer


@cache
def _adapter() -> TypeAdapter[Plan]:
    from pydantic import TypeAdapter

    return TypeAdapter(Plan)


def _first_of(error: ValidationError) -> str:
    [first, *others] = invalid_values(error)
    more = f" (and {len(others)} more)" if others else ""
    return f"{path_text(first.path)}: {first.text}{more}"
