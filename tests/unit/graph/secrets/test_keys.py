"""Keys of mappings that are secrets themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from rungraph.graph import compile_config
from rungraph.graph.diff import diff_graphs
from rungraph.graph.diff.diff_json import diff_to_json
from rungraph.graph.plan import make_plan
from rungraph.graph.plan.explain_masking import explain_masking
from rungraph.graph.plan.graph_json import graph_of_plan
from rungraph.graph.plan.plan_json import load_plan, plan_to_json
from rungraph.graph.secrets.masking import masked_keys
from rungraph.graph.secrets.values import masked

KEYS = ("sk-zqxhidden1234567endzqx", "ghp_zqxhidden8910111213endzqx")


def config_with(key: str, value: str = "me") -> dict[str, Any]:
    """Return a run config that has *key* wherever a config may have any key."""
    by_key = {key: value}
    entry = {"provider_id": "a", "provider_type": "remote::tgi", "config": {"headers": by_key}}
    model = {"model_id": "m", "provider_id": "a", "metadata": by_key}
    return {
        "providers": {"inference": [{**entry, key: value}]},
        "models": [model],
        "limits": by_key,
        "selectors": {key: "*"},
        "server": {"auth": by_key, "other": by_key},
        key: value,
    }


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_a_secret_is_masked_like_a_value(key: str) -> None:
    """In plans, differences, messages, places and paths, of a file and of a mapping."""
    texts = (json.dumps(config_with(key), indent=1), yaml.safe_dump(config_with(key)))
    for config in (*texts, config_with(key)):
        graph = compile_config(config)
        diff = diff_graphs(graph, compile_config(config_with(key, "you")))
        plan = plan_to_json(make_plan(graph))
        shown = (plan, diff_to_json(diff), explain_masking(graph), *map(str, graph.diagnostics))
        assert not [one for one in shown if key in one]
        assert plan.count("********") > 5


def test_the_elements_of_a_set_of_secrets_are_masked() -> None:
    """YAML reads them as keys without values; words are none, such as what is left empty."""
    config = "{passwords: {zqx7hidden, zqx8hidden}, note: zqx7hidden, auth: {user: , client_id: }}"
    text = f"""providers:
  inference: [{{provider_id: a, provider_type: remote::tgi, config: {config}}}]"""
    graph = compile_config(text)
    diff = diff_graphs(graph, compile_config(text.replace("zqx8hidden", "zqx9hidden")))
    plan = make_plan(graph)
    shown = (plan_to_json(plan), diff_to_json(diff), explain_masking(graph))
    assert not [one for one in shown if "hidden" in one]
    assert plan.nodes[0].config["auth"] == {"client_id": None, "user": None}
    assert [one.is_secret for node in diff.nodes for one in node.facts] == [True]


def test_another_key_that_is_a_secret_is_a_difference() -> None:
    """Of two configs; JSON does not say which key there was."""
    old, new = (compile_config(config_with(key)) for key in KEYS)
    diff = diff_graphs(old, new)
    assert {(one.path, one.is_secret) for node in diff.nodes for one in node.facts} == {
        (("config", "headers", "********"), True),
        (("resources", "m", "a", "fields", "metadata", "********"), True),
    }
    assert diff_graphs(old, old).is_empty
    read = graph_of_plan(load_plan(plan_to_json(make_plan(old))))
    assert not diff_graphs(read, new).nodes
    assert diff_graphs(read, new).not_comparable


def test_a_key_is_a_name_unless_it_looks_like_a_secret() -> None:
    """What is a key elsewhere is shown, but not what is random and a secret as well."""
    config = {"api_key": "q7zWk93xTb2LmQ0n", "tenants": {"q7zWk93xTb2LmQ0n": 1, "llama-3-8b": 2}}
    entry = {"provider_id": "a", "provider_type": "remote::tgi", "config": config}
    graph = compile_config({"providers": {"inference": [entry]}})
    shown = graph.masked_config("provider:inference/a")
    assert shown == {"api_key": "********", "tenants": {"********": 1, "llama-3-8b": 2}}


def test_many_keys_that_are_secrets_stay_apart() -> None:
    """They are numbered by their own order, whatever that of the file is."""
    keys = [f"sk-zqxhidden{number:010}" for number in range(20_000)]
    written = dict.fromkeys(reversed(keys), 1)
    shown = masked_keys(written)
    assert len({*shown.values()}) == len(keys)
    assert (shown[keys[0]], shown[keys[-1]]) == ("********", "********#20000")


def test_selectors_whose_names_are_masked_alike_stay_apart() -> None:
    """In a plan and in a difference."""
    config: dict[str, Any] = {"providers": {}, "selectors": {KEYS[0]: "*", KEYS[1]: "type:a"}}
    graph = compile_config(config)
    shown = json.loads(plan_to_json(make_plan(graph)))["selectors"]
    assert shown == {"********": "type:a", "********#2": "*"}
    config["selectors"] = {**config["selectors"], KEYS[0]: "type:b"}
    diff = diff_graphs(graph, compile_config(config))
    assert [one.path for one in diff.settings] == [("selectors", "********#2")]


def test_a_mask_pasted_as_a_key_is_told() -> None:
    """What it hid is lost, as with a value."""
    graph = compile_config({"providers": {}, "server": {"********": 1}})
    assert [one.code for one in graph.diagnostics if one.code == "C041"] == ["C041"]


def test_of_a_placeholder_only_its_word_is_masked() -> None:
    """What is like it around it stays: keys and names can have such letters anywhere."""
    written = {"model ${env.A_TOKEN:=e}": 1, "e ${env.B:=${env.API_KEY:=e}} ${env.API_KEY:+e}": 2}
    assert [*masked(written)] == [
        "model ${env.A_TOKEN:=********}",
        "e ${env.B:=${env.API_KEY:=********}} ${env.API_KEY:+e}",
    ]
