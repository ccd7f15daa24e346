"""Which rule masks what."""

from __future__ import annotations

import json

import pytest
from tests.secret_shapes import HARMLESS, PLACEHOLDER, PLANTED

from rungraph.graph import compile_config
from rungraph.graph.plan.explain_masking import explain_masking
from rungraph.graph.secrets.explain import explained

CONFIG = """
providers:
  inference:
  - provider_id: a
    provider_type: remote::openai
    config:
      base_url: http://me:Pw-12345@h/?key=${env.X:=Pw-12}
      api_key: Key-1234567
      note: use Key-1234567
      args: [curl, -u, "me:Pw-12345", --token, Pw-12345]
      headers: [{name: X-Api-Key, value: Pw-12345}, {name: Accept, value: text/plain}]
      model: ${env.HF_TOKEN:=Pw-12345}
      max_retries: 3
models:
- {model_id: m, provider_id: a, metadata: {pin: 4711}}
metadata_store: {type: sqlite, db_path: x, password: Pw-12345}
server: {auth: {token: Pw-12345}, note: see Key-1234567}
selectors: {all: "*", used: "config.api_key:Key-1234567"}
checks: [{name: none, query: "config.api_key:Key-1234567", expect: empty}]
"""


def test_each_masked_value_is_told_with_its_rule() -> None:
    """By node, in the order of the config; what is shown is not told."""
    assert (
        explain_masking(compile_config(CONFIG, environment={}))
        == """\
provider:inference/a
  base_url: its text: password in a URL, name 'key'
  api_key: its key is that of a secret: 'api key'
  note: it is a secret elsewhere in the file
  args[2]: its text: user and password
  args[4]: the flag before it is that of a secret: 'token'
  headers[0].value: a name beside it is that of a secret
  model: its variable is that of a secret: 'HF_TOKEN'
table:models m
  metadata.pin: its key is that of a secret: 'pin'
beside the graph
  metadata_store.password: its key is that of a secret: 'password'
  server.auth.token: its key is that of a secret: 'auth'
  server.note: it is a secret elsewhere in the file
  selectors.used: its text: name 'api key'
  checks.none: its text: name 'api key'"""
    )
    assert explain_masking(compile_config("providers: {}\n", environment={})) == "nothing is masked"


@pytest.mark.parametrize("value", PLANTED, ids=json.dumps)
def test_whatever_is_masked_has_a_rule(value: object) -> None:
    """None is put down to the rest of the file, which is not there."""
    text = json.dumps(value, ensure_ascii=False).replace(PLACEHOLDER, "Zq7xhidden0End" * 3)
    reasons = {reason for _, reason in explained(json.loads(text))}
    assert reasons
    assert "it is a secret elsewhere in the file" not in reasons


def test_what_is_harmless_has_none() -> None:
    """Nothing is told of what is shown."""
    assert [value for value in HARMLESS if [*explained(value)]] == []
