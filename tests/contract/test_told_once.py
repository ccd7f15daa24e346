"""One mistake in a run config is one problem, without what follows from it."""

from __future__ import annotations

import os

import pytest

from rungraph.engine.preflight.held_configs import check_installed
from rungraph.graph import Severity, compile_config

_FOO = '{provider_id: foo, provider_type: "remote::openai", config: {base_url: "http://h/v1"}}'
_BAR = '{provider_id: bar, provider_type: "remote::tgi", config: {url: "http://b:8080"}}'
_CONFIG = f"""\
providers:
  inference:
  - {_FOO}
  - {_BAR}
  memory:
  - {{provider_id: faiss, provider_type: "inline::faiss"}}
models:
- {{model_id: small, provider_id: bar, model_type: llm}}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            "base_url",
            "base_ulr",
            "'remote::openai' rejects its config: 'base_ulr': unknown key",
        ),
        ("provider_id: bar, provider_type", "id: bar, provider_type", "unknown key 'id'"),
        ("  inference:", "  infrence:", "unknown API 'infrence'"),
        (
            '{url: "http://b:8080"}',
            "http://b:8080",
            "'providers.inference[1].config' must be a mapping, not text",
        ),
        (
            "  - {provider_id: bar, ",
            "  - bar\n  - {provider_id: baz, ",
            (
                "'providers.inference[1]' must be a mapping with provider_id, provider_type and "
                "config, not text"
            ),
        ),
        (
            "{provider_id: bar, ",
            "{",
            "the key 'provider_id' is missing",
        ),
        (
            "provider_id: bar, model_type",
            "routing: first, model_type",
            "model 'small' has no members whose calls could be routed",
        ),
        (
            "provider_id: bar, model_type",
            "members: [], model_type",
            "model 'small' has no members",
        ),
    ],
)
def test_what_follows_from_a_mistake_is_not_told(right: str, wrong: str, message: str) -> None:
    """Neither of the key that is missing, nor by those who need what could not be made out."""
    assert _CONFIG.count(right) == 1
    graph = compile_config(_CONFIG.replace(right, wrong), environment={**os.environ})
    found = [*graph.diagnostics, *check_installed(graph)]
    assert [one.message for one in found if one.severity is not Severity.NOTE] == [message]
