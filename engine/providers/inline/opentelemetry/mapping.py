"""From the telemetry API's values to OpenTelemetry's. Pure; does not need the SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, cast

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_MOST_ATTRIBUTES = 128
"""OpenTelemetry keeps no more of one span or log line."""

Scalar = str | bool | int | float
AttributeValue = Scalar | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]

_SCALARS = (str, bool, int, float)


def trace_number(trace_id: str) -> int:
    """Return the 128-bit number of the trace that a caller names *trace_id*.

    It is what the hexadecimal digits say when there are 32 of them (a UUID's hyphens do not
    count), else a number derived from the name, the same each time.

    Examples:
        >>> trace_number("0000000000000000000000000000002a")
        42
    """
    return _number(trace_id.replace("-", ""), size=16)


def span_number(span_id: str) -> int:
    """Return the 64-bit number of the span that a caller names *span_id*.

    Examples:
        >>> span_number("000000000000002a")
        42
        >>> span_number("my span") == span_number("my span") != 0
        True
    """
    return _number(span_id, size=8)


def _number(name: str, *, size: int) -> int:
    if len(name) == 2 * size and _HEX.fullmatch(name) and (number := int(name, 16)):
        return number
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=size).digest()
    return int.from_bytes(digest, "big") or 1


def given_ids(trace_id: str, span_id: str) -> dict[str, AttributeValue]:
    """Return as attributes those of the two names that are not to be seen in their numbers."""
    attributes: dict[str, AttributeValue] = {}
    if trace_id.replace("-", "").lower() != f"{trace_number(trace_id):032x}":
        attributes["rungraph.trace_id"] = trace_id
    if span_id.lower() != f"{span_number(span_id):016x}":
        attributes["rungraph.span_id"] = span_id
    return attributes


def nanoseconds(timestamp: datetime) -> int:
    """Return the nanoseconds from the epoch to *timestamp*.

    Examples:
        >>> nanoseconds(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
        1000005000
    """
    return (timestamp - _EPOCH) // _MICROSECOND * 1000


def attribute_values(attributes: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Return *attributes* with every value one that OpenTelemetry takes.

    None is left out. Sequences of one scalar type stay; everything else becomes JSON.

    Examples:
        >>> attribute_values({"a": 1, "b": None, "c": [1, 2], "d": {"x": [1, "y"]}})
        {'a': 1, 'c': (1, 2), 'd': '{"x": [1, "y"]}'}
    """
    return {
        key: _value(value)
        for key, value in list(attributes.items())[:_MOST_ATTRIBUTES]
        if value is not None
    }


def _value(value: object) -> AttributeValue:
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        kinds = {type(item) for item in items}
        if len(kinds) == 1 and kinds <= set(_SCALARS):
            return cast("Sequence[str]", tuple(items))
    return json.dumps(value, default=str, ensure_ascii=False)
