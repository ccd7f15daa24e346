"""What is told of values that are not as they must be: all of it, but not the values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from rungraph.graph.invalid_values import invalid_values


class _Vector(BaseModel):
    type: Literal["vector"]
    size: int


class _Graph(BaseModel):
    type: Literal["graph"]


_BANKS: TypeAdapter[Any] = TypeAdapter(
    list[Annotated[_Vector | _Graph, Field(discriminator="type")]]
)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"type": "vector"}, ["0.vector.size: field required"]),
        ({}, ["0.type: field required"]),
        ({"type": "sk-secret"}, ["0.type: input should be one of 'vector', 'graph'"]),
    ],
)
def test_the_place_is_told_and_never_the_value(value: object, told: list[str]) -> None:
    """Of several kinds, the key that says which is told by its own path."""
    with pytest.raises(ValidationError) as caught:
        _BANKS.validate_python([value])
    assert [str(one) for one in invalid_values(caught.value)] == told
