"""Two graphs compared: what differs, and what that affects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.builders import entry, graph_of_needs
from tests.diff_patch import applied
from tests.unit.graph.diff.builders import CATALOG, SECRETS, catalog, config, graph

from rungraph.graph import Excluded, RunGraph, compile_config
from rungraph.graph.diff import (
    Change,
    FactChange,
    GraphDiff,
    diff_graphs,
    diff_to_json,
    diff_to_markdown,
    render_diff,
    snapshot_of,
)
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
from rungraph.graph.source.positions import path_text


def facts_of(diff: GraphDiff) -> list[FactChange]:
    """Return the facts of the one node that differs."""
    [node] = diff.nodes
    return list(node.facts)


def test_a_config_differs_by_path() -> None:
    """Each path tells what it was and what it is; tags and types are paths, too."""
    old = graph(config(config={"url": "http://a", "port": 1, "hosts": ["a"]}, tags=["x"]))
    new = graph(config(config={"url": "http://b", "hosts": ["a", "b"], "n": {"deep": 1}}))
    assert facts_of(diff_graphs(old, new)) == [
        FactChange(("config", "hosts"), Change.CHANGED, ["a"], ["a", "b"]),
        FactChange(("config", "n", "deep"), Change.ADDED, None, 1),
        FactChange(("config", "port"), Change.REMOVED, 1, None),
        FactChange(("config", "url"), Change.CHANGED, "http://a", "http://b"),
        FactChange(("tags",), Change.REMOVED, ["x"], None),
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([1, {"k": 1}], [1], [("config.x[1]", {"k": 1}, None)]),
        ([{"k": 1}, {"k": 2}], [{"k": 2}], [("config.x[0]", {"k": 1}, None)]),
        ([{"k": 1}], [{"k": 0, "j": 1}, {"k": 1}], [("config.x[0]", None, {"k": 0, "j": 1})]),
        ([{"k": 1}], [{"k": 2}], [("config.x[0].k", 1, 2)]),
        (
            [{"name": "a", "v": 1}, {"name": "b", "v": 1}],
            [{"name": "b", "v": 2}],
            [("config.x[0]", {"name": "a", "v": 1}, None), ("config.x[0].v", 1, 2)],
        ),
        (
            [{"name": "a", "v": 1}, {"name": "b", "v": 1}, {"name": "c"}],
            [{"name": "n"}, {"name": "b", "v": 1}, {"name": "a", "v": 2}],
            [
                ("config.x", ["a", "b"], ["b", "a"]),
                ("config.x[0]", None, {"name": "n"}),
                ("config.x[2]", {"name": "c"}, None),
                ("config.x[2].v", 1, 2),
            ],
        ),
        ([{"token": "first-secret"}, {"token": "other"}], [{"token": "other"}], [0]),
        ({"a": {"b": 1}}, {"a": 1}, [("config.x.a", {"b": 1}, 1)]),
        (["a", "b"], ["b"], [("config.x", ["a", "b"], ["b"])]),
        ([], [{"k": 1}], [("config.x[0]", None, {"k": 1})]),
        ([{"k": 1}] * 999, [{"k": 1}] * 998, [("config.x[998]", {"k": 1}, None)]),
    ],
)
def test_one_change_of_a_list_is_told_once(old: Any, new: Any, found: list[Any]) -> None:
    """Elements are known by their ids, else by being equal; what lies between has changed."""
    before, after = (graph(config(config={"x": value})) for value in (old, new))
    facts = facts_of(diff_graphs(before, after))
    if found == [0]:
        [fact] = facts
        assert (path_text(fact.path), fact.change, fact.is_secret) == ("config.x[0]", "removed", 0)
    else:
        assert [(path_text(one.path), one.old, one.new) for one in facts] == found
    assert applied(diff_graphs(before, after), snapshot_of(before)) == snapshot_of(after)


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), ("1", 1), (None, ""), ([], {})])
def test_a_value_of_another_type_is_another_value(old: Any, new: Any) -> None:
    """What Python takes as equal, a config does not."""
    diff = diff_graphs(graph(config(config={"x": old})), graph(config(config={"x": new})))
    assert [repr((fact.old, fact.new)) for fact in facts_of(diff)] == [repr((old, new))]


def test_everything_downstream_is_affected_by_the_nearest_cause() -> None:
    """What depends on what differs is named with the nearest node that differs."""
    old, new = (graph(config(config={"url": url})) for url in ("http://a", "http://b"))
    diff = diff_graphs(old, new)
    assert [(str(one.address), str(one.because_of), one.distance) for one in diff.affected] == [
        ("provider:agents/ref", "provider:inference/foo", 6),
        ("provider:memory/faiss", "provider:inference/foo", 3),
        ("router:inference", "provider:inference/foo", 2),
        ("router:memory", "provider:inference/foo", 5),
        ("table:memory_banks", "provider:inference/foo", 4),
        ("table:models", "provider:inference/foo", 1),
    ]
    assert [
        str(one) for one in diff.unchanged if one not in {a.address for a in diff.affected}
    ] == []


@pytest.mark.parametrize("change", ["config", "models"])
def test_what_a_resource_stands_on_affects_its_table(change: str) -> None:
    """A bank embeds with a model: the tables are no neighbours, but what fails the one the other.

    That holds for a model that is gone, too.
    """

    def told(*, is_new: bool) -> RunGraph:
        more: dict[str, Any] = {"max_retries": int(is_new)} if change == "config" else {}
        models = [{"model_id": "m", "provider_id": "llm"}]
        return compile_config(
            {
                "providers": {
                    "inference": [entry("llm", "remote::tgi", url="http://b", **more)],
                    "memory": [entry("far", "remote::rungraph", url="http://a")],
                },
                "models": [] if is_new and change == "models" else models,
                "memory_banks": [
                    {"memory_bank_id": "b", "provider_id": "far", "embedding_model": "m"}
                ],
            },
            environment={},
        )

    affected = diff_graphs(told(is_new=False), told(is_new=True)).affected
    found = {str(one.address): str(one.because_of) for one in affected}
    cause = "provider:inference/llm" if change == "config" else "table:models"
    assert found["table:memory_banks"] == found["router:memory"] == cause


def test_of_equally_near_causes_the_first_by_address_is_named() -> None:
    """Which of several changes is named does not depend on the order of anything."""
    configs = [config(config={"x": number}) for number in (1, 2)]
    for number, one in enumerate(configs):
        more = {"provider_id": "bar", "provider_type": "remote::tgi", "config": {"x": number}}
        one["providers"]["inference"].append(more)
    diff = diff_graphs(*map(graph, configs))
    assert {str(one.because_of) for one in diff.affected} == {"provider:inference/bar"}


def test_the_states_are_for_queries_and_pictures() -> None:
    """Each node of both graphs has its state; what is affected is also as it was."""
    new = config()
    new["providers"]["inference"] = [{"provider_id": "bar", "provider_type": "remote::tgi"}]
    new["providers"]["telemetry"] = [{"provider_id": "t", "provider_type": "inline::otel"}]
    del new["providers"]["agents"]
    states = diff_graphs(graph(config()), graph(new)).states
    assert {str(address): sorted(marks) for address, marks in states.items()} == {
        "provider:agents/ref": ["removed"],
        "provider:inference/bar": ["new"],
        "provider:inference/foo": ["removed"],
        "provider:memory/faiss": ["affected", "same"],
        "provider:telemetry/t": ["new"],
        "router:inference": ["affected", "same"],
        "router:memory": ["affected", "same"],
        "table:memory_banks": ["affected", "same"],
        "table:models": ["affected", "same"],
    }


@pytest.mark.parametrize(
    ("written", "secrets"),
    [
        ({"api_key": "{}"}, SECRETS),
        ({"url": "http://me:{}@host/"}, SECRETS),
        ({"args": ["--api-key", "{}"]}, SECRETS),
        ({"key": "${{env.X:=fine}}", "token": "${{env.X:={}}}"}, SECRETS),
        ({"headers": [{"name": "api_key", "value": "{}"}]}, SECRETS),
        ({"password": {"deep": ["{}"]}}, SECRETS),
    ],
)
def test_a_secret_is_found_wherever_it_stands(
    written: dict[str, Any], secrets: tuple[str, str]
) -> None:
    """URLs, flags, defaults, headers and what is nested below a secret key."""

    def filled(value: Any, secret: str) -> Any:
        if isinstance(value, dict):
            return {key: filled(item, secret) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item, secret) for item in value]
        return value.format(secret)

    old, new = (graph(config(config=filled(written, secret))) for secret in secrets)
    diff = diff_graphs(old, new)
    assert [fact.is_secret for fact in facts_of(diff)] == [True]
    assert ": (secret changed)" in render_diff(diff)
    for text in (render_diff(diff), diff_to_json(diff), diff_to_markdown(diff), repr(diff)):
        assert not any(secret in text for secret in secrets)


def test_the_value_of_a_variable_differs_by_its_name() -> None:
    """The same text in two environments is a change that names the variable and no value."""
    written = config(config={"url": "http://${env.HOST:=${env.OTHER:=x}}", "x": "${env.SAME}"})
    diff = diff_graphs(graph(written, HOST="one", SAME="1"), graph(written, HOST="two", SAME="1"))
    [fact] = facts_of(diff)
    assert fact.path == ("config", "url")
    assert fact.variables == ("HOST", "OTHER")
    assert "one" not in render_diff(diff, old="a", new="b").replace("one node", "")
    assert "(HOST and OTHER have other values)" in render_diff(diff)


def test_values_that_differ_in_capitals_alone_differ() -> None:
    """A password has capitals, and so has a path; quotes around a placeholder change neither."""
    written = config(config={"password": "${env.P}", "url": "http://h/${env.U}", "on": "${env.B}"})
    old = graph(written, P="hunterX2", U="a", B="true")
    diff = diff_graphs(old, graph(written, P="hunterx2", U="A", B="TRUE"))
    assert [fact.variables for fact in facts_of(diff)] == [("P",), ("U",)]


_ENTRY = "providers:\n  inference:\n  - provider_id: a\n    provider_type: remote::tgi\n"


@pytest.mark.parametrize(
    "other",
    [
        (
            "# a comment\n\nproviders:\n  inference:\n  - config: {port: '${env.PORT}'}\n"
            '    provider_type: "remote::tgi"\n    provider_id: "a"\n'
        ),
        f"{_ENTRY}    config: {{port: '${{env.PORT}}'}}\n",
        f"{_ENTRY}    config:\n      port: ${{env.PORT}}\n",
    ],
    ids=["order, comments and places", "quotes", "a number"],
)
def test_the_same_config_written_otherwise_is_no_difference(other: str) -> None:
    """What the environment gives is compared as text, whatever type the quotes make of it."""
    one = f'{_ENTRY}    config: {{port: "${{env.PORT}}"}}\n'
    graphs = (
        compile_config(text, catalog=CATALOG, environment={"PORT": "80"}) for text in (one, other)
    )
    assert diff_graphs(*graphs).is_empty


def test_another_catalog_changes_what_a_type_needs() -> None:
    """A node whose spec has other dependencies has changed, and its edges with it."""
    diff = diff_graphs(graph(config()), graph(config(), catalog(needs=())))
    assert facts_of(diff) == [FactChange(("dependencies",), Change.REMOVED, ["inference"], None)]
    [edge] = diff.edges
    assert edge.change is Change.REMOVED
    assert (str(edge.dependency), str(edge.dependent)) == (
        "router:inference",
        "provider:memory/faiss",
    )


@pytest.mark.parametrize(
    ("old_id", "new_id", "old_url", "new_url", "reason"),
    [
        ("${env.URL:+foo}", "${env.URL:+foo}", "", "x", "switched on: URL is now set"),
        ("${env.URL:+foo}", "${env.URL:+foo}", "x", "", "switched off: URL is not set any more"),
        ("${env.URL:+foo}", "foo", "", "", "switched on"),
        ("foo", "${env.URL:+foo}", "", "", "switched off"),
        ("__disabled__", "foo", "", "", ""),
    ],
)
def test_what_was_switched_on_or_off_says_why(
    old_id: str, new_id: str, old_url: str, new_url: str, reason: str
) -> None:
    """A provider that was left out on the other side says which variable made the difference."""
    old = graph(config(provider_id=old_id), URL=old_url)
    new = graph(config(provider_id=new_id), URL=new_url)
    diff = diff_graphs(old, new)
    [node] = diff.nodes
    assert str(node.address) == "provider:inference/foo"
    assert node.reason == reason


def test_served_apis_settings_and_problems_are_compared() -> None:
    """What is said of no node counts as well."""
    new = {**config(), "image_name": "two", "selectors": {"s": "*"}, "apis": ["inference", "odd"]}
    diff = diff_graphs(graph(config()), graph(new))
    assert diff.apis_removed == ("agents", "memory", "memory_banks")
    assert [(fact.path, fact.new) for fact in diff.settings if fact.path[0] != "providers"] == [
        (("apis",), ["odd"]),
        (("image_name",), "two"),
        (("selectors", "s"), "*"),
    ]
    assert [one.code for one in diff.problems_added] == ["C020", "G005", "G005"]
    assert list(diff.excluded_added) == [
        Excluded("agents", "ref", "inline::ref", "not_served"),
        Excluded("memory", "faiss", "inline::faiss", "not_served"),
    ]
    assert [one.reason for one in diff.nodes if one.change is Change.REMOVED][:2] == [
        "agents is not served any more",
        "memory is not served any more",
    ]


def test_a_soft_edge_that_is_dropped_has_changed() -> None:
    """An edge that is bound late is another link than one that orders the start."""
    old, new = (graph_of_needs({"a": "", "b": needs}, {"a": "b"}) for needs in ("", "a"))
    line = "  ~ provider:b/p → provider:a/p  soft → soft, bound late"
    assert line in render_diff(diff_graphs(old, new))


def test_only_the_wanted_edges_lead_to_what_is_affected() -> None:
    """With hard edges, who only uses what changed is not affected."""
    old = config()
    old["providers"]["telemetry"] = [{"provider_id": "t", "provider_type": "inline::otel"}]
    new = json.loads(json.dumps(old))
    new["providers"]["telemetry"][0]["config"] = {"x": 1}
    graphs = graph(old), graph(new)
    assert [str(one.address) for one in diff_graphs(*graphs, edges="soft").affected] == [
        "provider:agents/ref"
    ]
    assert diff_graphs(*graphs, edges="hard").affected == ()


def test_a_graph_read_from_its_json_does_not_differ_from_itself() -> None:
    """Secrets are not in the JSON: there is nothing to compare them with, and nothing is said."""
    one = graph(config(config={"api_key": SECRETS[0], "token": "${env.T:=abcdefgh}"}))
    diff = diff_graphs(one, graph_from_json(graph_to_json(one), environment={}))
    assert diff.nodes == ()
    assert diff.edges == ()
    assert {one.code for one in diff.problems_added} == {"C040"}


def test_secrets_from_the_environment_in_resources_and_stores_are_not_shown() -> None:
    """What is shown of a resource and of the store is what is written, not what it became."""
    written = config()
    written["models"] = [
        {"model_id": "m", "provider_id": "foo", "metadata": {"note": "${env.MY_TOKEN}"}}
    ]
    written["metadata_store"] = {"type": "postgres", "dsn": "${env.MY_TOKEN}"}
    old, new = (graph(written, MY_TOKEN=secret) for secret in SECRETS)
    diff = diff_graphs(old, new)
    [fact] = facts_of(diff)
    assert fact.path == ("resources", "m", "foo", "fields", "metadata", "note")
    assert fact.variables == ("MY_TOKEN",)
    again = graph_from_json(graph_to_json(old), environment={"MY_TOKEN": SECRETS[0]})
    assert diff_graphs(old, again).is_empty
    assert again.metadata_store == old.metadata_store
    assert [one.fields for one in again.resources] == [one.fields for one in old.resources]
    shown = [old.scrubbed(f"<{SECRETS[0]}>"), graph_to_json(old), repr(snapshot_of(old)), repr(old)]
    for text in (*shown, repr(old.resources), render_diff(diff), diff_to_json(diff)):
        assert SECRETS[0] not in text
