"""``rungraph providers API TYPE``: what a person needs to write an entry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.contract.command_line import rungraph

from rungraph.graph.catalog.discovery import discover_catalog

TYPES = [spec for spec in discover_catalog().providers.values() if spec.config_class]


@pytest.mark.parametrize("spec", TYPES, ids=lambda spec: spec.provider_type)
def test_every_key_of_a_type_is_told(spec: object, tmp_path: Path) -> None:
    """Each has a type, and a default or the word that it is required; the entry is a config."""
    api, name = getattr(spec, "api", ""), getattr(spec, "provider_type", "")
    told = json.loads(rungraph("providers", api, name, "--format", "json").out)
    text = rungraph("providers", api, name).out
    for key in told["config"]:
        assert key["type"]
        assert key["key"] in text
        assert not (key["secret"] and key.get("default"))
    path = tmp_path / "run.yaml"
    path.write_text(told["entry"])
    assert text.endswith(told["entry"] + "\n")
    [entry] = yaml.safe_load(told["entry"])["providers"][api]
    assert entry["provider_type"] == name
    ended = rungraph("validate", "--level", "graph", path)
    assert ended.code in (0, 1)
    assert "error[C" not in ended.err


def test_secrets_come_from_the_environment() -> None:
    """The entry to paste names a variable for each secret, and what must be given."""
    ended = rungraph("providers", "inference", "remote::openai")
    assert "api_key                      secret, optional  string or null\n" in ended.out
    assert ended.out.endswith("""\
providers:
  inference:
  - provider_id: openai
    provider_type: remote::openai
    config:
      base_url: <string>
      api_key: ${env.OPENAI_API_KEY:=}
""")


def test_a_type_that_there_is_not_is_named_with_the_nearest() -> None:
    """So is an API; both end with 2."""
    ended = rungraph("providers", "inference", "remote::opnai")
    assert ended.code == 2
    assert (
        "no provider type of inference is called 'remote::opnai'; did you mean 'remote::openai'?"
        in ended.err
    )
