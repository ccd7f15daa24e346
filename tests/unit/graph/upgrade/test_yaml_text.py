"""How a rewritten config looks: anchors, indents and comments stay, and the first format goes."""

from __future__ import annotations

import pytest
import yaml
from tests.unit.graph.catalog.eras import ERAS

from rungraph.graph.source.document import parse_document
from rungraph.graph.upgrade.make import Upgrade, upgraded


def _upgraded(text: str) -> Upgrade:
    return upgraded(parse_document(text, "run.yaml"), "ogx@1.5.0")


STYLED = """\
version: 2
image_name: demo
x-remote: &remote
    url: http://a:1
x-mcp: &mcp {}
apis:
    - agents  # who acts
    - inference
    - tool_runtime
providers:
    inference:  # all of them
        - provider_id: one
          provider_type: remote::ollama
          config:
              <<: *remote  # alike
        - provider_id: two
          provider_type: remote::tgi  # gone
          config: *remote
    tool_runtime:
        - provider_id: a
          provider_type: remote::model-context-protocol
          config: *mcp
        - provider_id: b
          provider_type: remote::model-context-protocol
          config:
              <<: *mcp
              timeout: 5
metadata_store:
    type: sqlite
    db_path: /data/kv.db  # the big disk
"""


def test_anchors_indents_and_comments_stay_where_nothing_has_changed() -> None:
    """What a repeated part becomes in one place does not reach the others."""
    text = _upgraded(STYLED).text
    assert (
        text
        == """\
version: 2
distro_name: demo
x-remote: &remote
    url: http://a:1
x-mcp: &mcp {}
apis:
    - responses # who acts
    - inference
    - tool_runtime
providers:
    inference:  # all of them
        - provider_id: one
          provider_type: remote::ollama
          config:
              base_url: http://a:1
    tool_runtime:
        - provider_id: a
          provider_type: remote::model-context-protocol
          config: *mcp
        - provider_id: b
          provider_type: remote::model-context-protocol
          config:
              <<: *mcp
              timeout: 5
storage:
    backends:
        kv_default:
            type: kv_sqlite
            db_path: /data/kv.db # the big disk
        sql_default:
            type: sql_sqlite
            db_path: /data/sql_store.db
    stores:
        metadata:
            namespace: registry
            backend: kv_default
        inference:
            table_name: inference
            backend: sql_default
        conversations:
            table_name: conversations
            backend: sql_default
        prompts:
            table_name: prompts
            backend: sql_default
        connectors:
            table_name: connectors
            backend: sql_default

# Not taken over: ogx 1.5.0 has no successor of these.
# 'remote::tgi' of inference:
#   inference:
#       - provider_id: two
#         provider_type: remote::tgi      # gone
#         config: &remote
#             url: http://a:1

# Comments of what is moved or taken out:
#   <<: *remote  # alike
"""
    )


@pytest.mark.parametrize("release", ERAS)
def test_no_comment_is_lost(release: str) -> None:
    """One behind each line of a config is somewhere in what is written, which is the same else."""
    plain = "".join(line for line in ERAS[release].splitlines(keepends=True) if "#" not in line)
    lines = plain.splitlines()
    marked = "".join(f"{line}  # {number}.\n" for number, line in enumerate(lines) if line.strip())
    found = _upgraded(marked).text
    assert [n for n, line in enumerate(lines) if line.strip() and f"# {n}." not in found] == []
    assert yaml.safe_load(found) == yaml.safe_load(_upgraded(plain).text)


def test_the_first_format_is_rewritten_with_its_comments() -> None:
    """Instances are named by their type, as they are where it is read, and places stay."""
    found = _upgraded(
        """\
image_name: old
apis_to_serve: [inference, models, memory, memory_banks]
routing_table:
  inference:  # here
  # the big one
  - provider_type: remote::ollama  # local
    routing_key: Llama3.1-8B-Instruct
    config: {url: "http://a:11434"}
  - {provider_type: "remote::tgi", routing_key: nope, config: {}}
provider_map:
  memory: {provider_type: "meta-reference", config: {}}
"""
    )
    assert found.text.startswith("""\
distro_name: old
apis: [inference, models, vector_io, vector_stores]
providers:
  inference:  # here
  # the big one
  - provider_id: remote::ollama-00
    provider_type: remote::ollama  # local
    config: {base_url: "http://a:11434"}
  vector_io:
  - {provider_id: "meta-reference", provider_type: "inline::faiss", config: {}}
""")
    assert [(str(place), what) for place, what in found.dropped] == [
        ("run.yaml:9:5", "'remote::tgi' of inference")
    ]
    for text in ("routing_table:\n", "provider_map: {inference: [5, {}]}\n"):
        assert "providers" in yaml.safe_load(_upgraded(f"image_name: a\n{text}").text)


def test_what_looks_like_a_key_in_a_text_is_no_indent() -> None:
    """Lines of a text in quotes stand where they like: nothing is written further left for them."""
    text = (
        "image_name: demo\nproviders:\n  inference:\n  - provider_id: a\n"
        '    provider_type: remote::ollama\n    config: {x: "one\n    two:\n  three"}\n  # last\n'
        'y: "a\n    b:\n  c"\n'
    )
    assert "providers:\n  inference:\n  - provider_id: a\n" in _upgraded(text).text
