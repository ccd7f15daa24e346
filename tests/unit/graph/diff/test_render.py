"""How a difference is shown, as text and as Markdown."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.graph.diff.builders import config, graph

from rungraph.graph.diff import diff_graphs, diff_to_json, diff_to_markdown, render_diff


def test_resources_of_a_table_come_go_and_change() -> None:
    """A model is told by its name and its provider."""
    old, new = config(), config()
    old["models"] = [
        {"model_id": "gone", "provider_id": "foo"},
        {"model_id": "kept", "provider_id": "foo", "metadata": {"size": 1}},
    ]
    new["models"] = [
        {"model_id": "kept", "provider_id": "foo", "metadata": {"size": 2}},
        {"model_id": "added", "provider_id": "foo", "provider_model_id": "org/x"},
    ]
    text = render_diff(diff_graphs(graph(old), graph(new)), old="a", new="b")
    assert text == (
        "a → b\n"
        "\n"
        "nodes\n"
        "  ~ table:models\n"
        "      + resource 'added' on foo as org/x\n"
        "      - resource 'gone' on foo\n"
        "      ~ resource 'kept' on foo: metadata.size: 1 → 2\n"
        "\n"
        "affected\n"
        "    provider:agents/ref    because of table:models\n"
        "    provider:memory/faiss  because of table:models\n"
        "    router:inference       because of table:models\n"
        "    router:memory          because of table:models\n"
        "    table:memory_banks     because of table:models\n"
        "\n"
        "1 node changed; 5 affected\n"
    )


def test_an_id_cannot_forge_a_line() -> None:
    """What cannot be printed is escaped, so that a line stays a line."""
    diff = diff_graphs(graph(config()), graph(config(provider_id="x\n  + provider:y\x1b[2J")))
    assert "  + provider:inference/x\\n  + provider:y\\x1b[2J  remote::tgi" in render_diff(diff)
    assert "\x1b" not in diff_to_markdown(diff)


def test_markdown_is_a_coloured_block_with_what_is_affected_folded_up() -> None:
    """What a pull request shows."""
    old, new = (graph(config(config={"url": url})) for url in ("http://a", "http://```"))
    assert diff_to_markdown(diff_graphs(old, new), old="a.yaml", new="b.yaml") == (
        "### `a.yaml` → `b.yaml`\n"
        "\n"
        "**1 node changed; 6 affected**\n"
        "\n"
        "nodes:\n"
        "\n"
        "````diff\n"
        "! provider:inference/foo  remote::tgi\n"
        '!     config.url: "http://a" → "http://```"\n'
        "````\n"
        "\n"
        "<details>\n"
        "<summary>6 affected</summary>\n"
        "\n"
        "- `provider:agents/ref` because of `provider:inference/foo`\n"
        "- `provider:memory/faiss` because of `provider:inference/foo`\n"
        "- `router:inference` because of `provider:inference/foo`\n"
        "- `router:memory` because of `provider:inference/foo`\n"
        "- `table:memory_banks` because of `provider:inference/foo`\n"
        "- `table:models` because of `provider:inference/foo`\n"
        "\n"
        "</details>\n"
    )


def test_many_affected_nodes_are_counted() -> None:
    """Text and Markdown name the first of them; JSON has all."""
    old = config(config={"x": 1})
    old["providers"]["agents"] = [
        {"provider_id": f"a{number:02}", "provider_type": "inline::ref"} for number in range(70)
    ]
    new = json.loads(json.dumps(old))
    new["providers"]["inference"][0]["config"] = {"x": 2}
    diff = diff_graphs(graph(old), graph(new))
    assert "\n    and 15 more\n" in render_diff(diff)
    assert "<summary>75 affected</summary>" in diff_to_markdown(diff)
    assert "\n- and 15 more\n" in diff_to_markdown(diff)
    assert len(json.loads(diff_to_json(diff))["affected"]) == 75


def test_a_problem_that_comes_several_times_is_told_once() -> None:
    """With how often it comes."""
    apis: dict[str, Any] = config()["providers"]
    named = ["odd", "agents", "memory", "inference"]
    new = {**config(), "apis": named, "providers": {**apis, "odd": []}}
    text = render_diff(diff_graphs(graph(config()), graph(new)))
    assert "  + error[C020] unknown API 'odd' (2 times)\n" in text
