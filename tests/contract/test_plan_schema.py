"""The published shape of plans: the frozen schema, and plans of the past that must keep validating.

A change of the classes that a new minor version allows needs a new frozen schema, which
``python -m tests.contract.test_plan_schema`` writes; one that breaks a fixture needs a new major
version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from tests.builders import assert_kept
from tests.contract.command_line import ROOT

from rungraph.graph import Address, compile_config
from rungraph.graph.json_format import FORMAT_VERSION, JsonObject
from rungraph.graph.plan import Plan, PlanError, load_plan, make_plan, plan_to_json
from rungraph.graph.plan.fingerprints import sealed

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("plan-2.0-*.json"))
PUBLISHED = ROOT / "src/rungraph/schemas/plan.schema.json"
FROZEN = PUBLISHED.read_text()
VALIDATOR = Draft202012Validator(json.loads(FROZEN))


class WithoutTitles(GenerateJsonSchema):
    """A schema whose fields have no titles; their names are enough."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def plan_schema() -> str:
    """Return the JSON Schema that the classes have now; the published one is equal to it."""
    # Not in the class: pydantic would read its source for them whenever the program starts.
    JsonObject.__pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[attr-defined]
    schema = TypeAdapter(Plan).json_schema(schema_generator=WithoutTitles) | {
        "$id": f"urn:rungraph:schema:plan:{FORMAT_VERSION}",
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "A plan of rungraph",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def full() -> str:
    """Return the JSON of a plan with every part that there is."""
    graph = compile_config(
        {
            "image_name": "full",
            "metadata_store": {"type": "sqlite", "db_path": "${env.STORE:=x.db}"},
            "providers": {
                "inference": [{"provider_id": "w", "provider_type": "inline::wordllama"}],
                "telemetry": [{"provider_id": "t", "provider_type": "inline::opentelemetry"}],
            },
            "models": [{"model_id": "m", "provider_id": "w"}],
            "modls": 1,
            "checks": [{"name": "local", "query": "type:remote::*"}],
            "selectors": {"tables": "kind:table"},
        },
        environment={},
    )
    plan = make_plan(
        graph,
        failed=[Address.parse("provider:telemetry/t")],
        durations={Address.parse("table:models"): 0.5},
        against=compile_config({"providers": {}}, environment={}),
        against_name="old.yaml",
    )
    return plan_to_json(sealed(plan, graph, b"0123456789abcdef", {}))


def test_the_frozen_schema_is_the_one_that_the_classes_have() -> None:
    """Nobody changes the shape of plans without saying so."""
    assert plan_schema() == FROZEN
    assert json.loads(FROZEN)["$id"] == f"urn:rungraph:schema:plan:{FORMAT_VERSION}"


def test_every_field_is_described() -> None:
    """No property of any part is without a description."""
    schema = json.loads(FROZEN)
    for part in (schema, *schema["$defs"].values()):
        assert part["description"]
        for name, field in part["properties"].items():
            assert "$ref" in field or field.get("description"), name


def test_a_full_plan_validates_and_comes_back_as_it_was() -> None:
    """Whatever was asked for; reading and writing changes no byte."""
    text = full()
    VALIDATOR.validate(json.loads(text))
    assert plan_to_json(load_plan(text)) == text
    assert None not in [json.loads(text)[key] for key in ("against", "failures", "timings")]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_plans_of_the_past_keep_validating(path: Path) -> None:
    """Each is valid, can be read, and has lost nothing when it is written again."""
    assert len(FIXTURES) > 3
    text = path.read_text()
    data = json.loads(text)
    VALIDATOR.validate(data)
    assert_kept(data, json.loads(plan_to_json(load_plan(text))))


def test_what_a_later_minor_version_adds_is_passed_over() -> None:
    """Unknown fields, and unknown words in fields that are open."""
    data = json.loads(full())
    data |= {"format_version": "2.9", "news": [1]}
    data["nodes"][0] |= {"mood": "good", "kind": "oracle"}
    data["edges"][0]["strength"] = "elastic"
    VALIDATOR.validate(data)
    plan = load_plan(json.dumps(data))
    assert plan.nodes[0].kind == "oracle"
    assert plan.edges[0].strength == "elastic"


def _changed(**values: Any) -> str:
    return json.dumps({**json.loads(full()), **values})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a plan: it is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "not a plan: 'kind' is not 'plan'"),
        ('{"kind": "graph"}',
         "not a plan: it is the JSON of a graph of an older rungraph; write it anew, as a plan"),
        (b"{\xff\x80}", "not a plan: it is not text"),
        ("[" * 100_000, "not a plan: it is nested too deeply"),
        (_changed(format_version="1.0"),
         "its format version 1.0 is not known to this rungraph (known: 2.x); make the plan anew"),
        (_changed(nodes={}), "not a plan: nodes: input should be a valid list"),
        (_changed(summary={}), "not a plan: summary.create: field required (and 13 more)"),
    ],
    ids=["empty", "list", "graph", "binary", "deep", "major", "type", "missing"],
)  # fmt: skip
def test_what_is_no_plan_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    """The text says what it is instead, or where it is not as it should be."""
    with pytest.raises(PlanError) as raised:
        load_plan(text)
    assert str(raised.value) == message


if __name__ == "__main__":
    PUBLISHED.write_text(plan_schema())
