"""Tests for the types of the fields of sections."""

from __future__ import annotations

import pytest

from rungraph.graph.config.field_types import fields_of, misfits
from rungraph.graph.config.run_config import CheckSection, ProviderSection, RunSection, Section


def test_a_field_without_a_default_is_required() -> None:
    """The fields come in their order, each with whether a section must have it."""
    required = [name for name, one in fields_of(CheckSection).items() if one.is_required]
    assert required == ["name", "query"]


@pytest.mark.parametrize(
    ("section", "value", "expected"),
    [
        (RunSection, {"version": 2, "apis": ["inference"], "image_name": None}, []),
        (RunSection, {"version": True}, [(("version",), True, "text")]),
        (RunSection, {"apis": "inference"}, [(("apis",), "inference", "a list")]),
        (RunSection, {"apis": [1, "a", None]},
         [(("apis", 0), 1, "text"), (("apis", 2), None, "text")]),
        (RunSection, {"selectors": {"a": 1, 2: "b"}},
         [(("selectors", 2), 2, "text"), (("selectors", "a"), 1, "text")]),
        (ProviderSection, {"provider_id": None}, [(("provider_id",), None, "text")]),
        (ProviderSection, {"provider_id": ""},
         [(("provider_id",), "", "text of at least one character")]),
        (ProviderSection, {"config": {"url": 1}}, []),
        (ProviderSection, {"config": []}, [(("config",), [], "a mapping")]),
    ],
)  # fmt: skip
def test_every_value_that_its_field_does_not_take_is_told(
    section: type[Section], value: dict[str, object], expected: list[object]
) -> None:
    """Types are held strictly, each wrong item of a list or mapping is told with its path."""
    assert [tuple(one) for one in misfits(section, value)] == expected
