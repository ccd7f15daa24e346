"""Two graphs compared: what differs, what that touches, and how it is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from rungraph.graph import (
    ApiSpec,
    Catalog,
    Excluded,
    Level,
    ProviderSpec,
    RoutedPair,
    RunGraph,
    compile_config,
)
from rungraph.graph.diff import (
    Change,
    FactChange,
    GraphDiff,
    diff_graphs,
    diff_to_json,
    diff_to_markdown,
    render_diff,
    snapshot_of,
    snapshot_of_plan,
)
from rungraph.graph.graph_json import graph_from_json, graph_to_json

SECRETS = ("sk-first-0123456789", "sk-second-0123456789")


def _catalog(*, needs: tuple[str, ...] = ("inference",)) -> Catalog:
    apis = ("inference", "models", "memory", "memory_banks", "agents", "telemetry")
    return Catalog.of(
        apis=[ApiSpec(name, f"x:{name}") for name in apis],
        pairs=[
            RoutedPair("inference", "models", "model", "model", "x:Model"),
            RoutedPair("memory", "memory_banks", "memory_bank", "bank", "x:Bank"),
        ],
        providers=[
            ProviderSpec("inference", "remote::tgi", "x.tgi"),
            ProviderSpec("memory", "inline::faiss", "x.faiss", dependencies=needs),
            ProviderSpec(
                "agents",
                "inline::ref",
                "x.ref",
                dependencies=("memory",),
                optional_dependencies=("telemetry",),
            ),
            ProviderSpec("telemetry", "inline::otel", "x.otel"),
        ],
    )


CATALOG = _catalog()


def _config(**more: Any) -> dict[str, Any]:
    """Return a config in which agents need memory, which needs inference."""
    return {
        "image_name": "one",
        "providers": {
            "inference": [{"provider_id": "foo", "provider_type": "remote::tgi", **more}],
            "memory": [{"provider_id": "faiss", "provider_type": "inline::faiss"}],
            "agents": [{"provider_id": "ref", "provider_type": "inline::ref"}],
        },
    }


def _graph(config: dict[str, Any], catalog: Catalog = CATALOG, **environment: str) -> RunGraph:
    return compile_config(config, catalog=catalog, environment=environment)


def _facts(diff: GraphDiff) -> list[FactChange]:
    [node] = diff.nodes
    return list(node.facts)


def test_a_config_differs_by_path() -> None:
    """Each path tells what it was and what it is; tags and types are paths, too."""
    old = _graph(_config(config={"url": "http://a", "port": 1, "hosts": ["a"]}, tags=["x"]))
    new = _graph(_config(config={"url": "http://b", "hosts": ["a", "b"], "n": {"deep": 1}}))
    assert _facts(diff_graphs(old, new)) == [
        FactChange(("config", "hosts"), Change.CHANGED, ["a"], ["a", "b"]),
        FactChange(("config", "n", "deep"), Change.ADDED, None, 1),
        FactChange(("config", "port"), Change.REMOVED, 1, None),
        FactChange(("config", "url"), Change.CHANGED, "http://a", "http://b"),
        FactChange(("tags",), Change.REMOVED, ["x"], None),
    ]


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), ("1", 1), (None, ""), ([], {})])
def test_a_value_of_another_type_is_another_value(old: Any, new: Any) -> None:
    """What Python takes as equal, a config does not."""
    diff = diff_graphs(_graph(_config(config={"x": old})), _graph(_config(config={"x": new})))
    assert [repr((fact.old, fact.new)) for fact in _facts(diff)] == [repr((old, new))]


def test_everything_downstream_is_affected_by_the_nearest_cause() -> None:
    """What depends on what differs is named with the nearest node that differs."""
    old, new = (_graph(_config(config={"url": url})) for url in ("http://a", "http://b"))
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


def test_of_equally_near_causes_the_first_by_address_is_named() -> None:
    """Which of several changes is named does not depend on the order of anything."""
    configs = [_config(config={"x": number}) for number in (1, 2)]
    for number, config in enumerate(configs):
        more = {"provider_id": "bar", "provider_type": "remote::tgi", "config": {"x": number}}
        config["providers"]["inference"].append(more)
    diff = diff_graphs(*map(_graph, configs))
    assert {str(one.because_of) for one in diff.affected} == {"provider:inference/bar"}


def test_the_states_are_for_queries_and_pictures() -> None:
    """Each node of both graphs has its state; what is affected is also as it was."""
    new = _config()
    new["providers"]["inference"] = [
        {"provider_id": "bar", "provider_type": "remote::tgi"},
    ]
    new["providers"]["telemetry"] = [{"provider_id": "t", "provider_type": "inline::otel"}]
    del new["providers"]["agents"]
    states = diff_graphs(_graph(_config()), _graph(new)).states
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


def test_a_changed_secret_is_told_and_not_shown() -> None:
    """Two secrets differ; neither is in any form of the diff."""
    old, new = (_graph(_config(config={"api_key": secret})) for secret in SECRETS)
    diff = diff_graphs(old, new)
    [fact] = _facts(diff)
    assert fact.is_secret
    assert "config.api_key: (secret changed)" in render_diff(diff)
    for text in (render_diff(diff), diff_to_json(diff), diff_to_markdown(diff), repr(diff)):
        assert not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize(
    ("written", "secrets"),
    [
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

    old, new = (_graph(_config(config=filled(written, secret))) for secret in secrets)
    diff = diff_graphs(old, new)
    assert [fact.is_secret for fact in _facts(diff)] == [True]
    for text in (render_diff(diff), diff_to_json(diff), diff_to_markdown(diff), repr(diff)):
        assert not any(secret in text for secret in secrets)


def test_the_value_of_a_variable_differs_by_its_name() -> None:
    """The same text in two environments is a change that names the variable and no value."""
    config = _config(config={"url": "http://${env.HOST:=${env.OTHER:=x}}", "x": "${env.SAME}"})
    diff = diff_graphs(_graph(config, HOST="one", SAME="1"), _graph(config, HOST="two", SAME="1"))
    [fact] = _facts(diff)
    assert fact.path == ("config", "url")
    assert fact.variables == ("HOST", "OTHER")
    assert "one" not in render_diff(diff, old="a", new="b").replace("one node", "")
    assert "(HOST and OTHER have other values)" in render_diff(diff)


def test_quotes_around_a_placeholder_are_no_difference() -> None:
    """What the environment gives is compared as text, whatever type the quotes make of it."""
    text = "providers:\n  inference:\n  - provider_id: a\n    provider_type: remote::tgi\n"
    plain, quoted = (
        compile_config(
            f"{text}    config: {{port: {port}}}\n", catalog=CATALOG, environment={"PORT": "80"}
        )
        for port in ("'${env.PORT}'", '"${env.PORT}"')
    )
    unquoted = compile_config(
        f"{text}    config:\n      port: ${{env.PORT}}\n",
        catalog=CATALOG,
        environment={"PORT": "80"},
    )
    assert diff_graphs(plain, quoted).is_empty
    assert diff_graphs(quoted, unquoted).is_empty


def test_comments_quotes_and_places_are_no_difference() -> None:
    """The same config in other words, lines and files is the same graph."""
    one = "providers: {telemetry: [{provider_id: t, provider_type: 'inline::otel'}]}\n"
    other = (
        "# a comment\n\nproviders:\n  telemetry:\n  - provider_type: inline::otel\n"
        '    provider_id: "t"\n'
    )
    diff = diff_graphs(
        compile_config(one, catalog=CATALOG, environment={}),
        compile_config(other, catalog=CATALOG, environment={}),
    )
    assert diff.is_empty


def test_another_catalog_changes_what_a_type_needs() -> None:
    """A node whose spec has other dependencies has changed, and its edges with it."""
    diff = diff_graphs(_graph(_config()), _graph(_config(), _catalog(needs=())))
    assert _facts(diff) == [
        FactChange(("dependencies",), Change.REMOVED, ["inference"], None),
    ]
    [edge] = diff.edges
    assert edge.change is Change.REMOVED
    assert (str(edge.dependency), str(edge.dependent)) == (
        "router:inference",
        "provider:memory/faiss",
    )


def test_resources_of_a_table_come_go_and_change() -> None:
    """A model is told by its name and its provider."""
    old, new = _config(), _config()
    old["models"] = [
        {"model_id": "gone", "provider_id": "foo"},
        {"model_id": "kept", "provider_id": "foo", "metadata": {"size": 1}},
    ]
    new["models"] = [
        {"model_id": "kept", "provider_id": "foo", "metadata": {"size": 2}},
        {"model_id": "added", "provider_id": "foo", "provider_model_id": "org/x"},
    ]
    text = render_diff(diff_graphs(_graph(old), _graph(new)), old="a", new="b")
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
    old = _graph(_config(provider_id=old_id), URL=old_url)
    new = _graph(_config(provider_id=new_id), URL=new_url)
    diff = diff_graphs(old, new)
    [node] = diff.nodes
    assert str(node.address) == "provider:inference/foo"
    assert node.reason == reason


def test_served_apis_settings_and_problems_are_compared() -> None:
    """What is said of no node counts as well."""
    new = {**_config(), "image_name": "two", "selectors": {"s": "*"}, "apis": ["inference", "odd"]}
    diff = diff_graphs(_graph(_config()), _graph(new))
    assert diff.apis_removed == ("agents", "memory", "memory_banks")
    assert [fact.path for fact in diff.settings] == [("image_name",), ("selectors", "s")]
    assert [one.code for one in diff.problems_added] == ["C020", "G005", "G005"]
    assert list(diff.excluded_added) == [
        Excluded("agents", "ref", "inline::ref", "not_served"),
        Excluded("memory", "faiss", "inline::faiss", "not_served"),
    ]
    assert [node.reason for node in diff.of(Change.REMOVED)][:2] == [
        "agents is not served any more",
        "memory is not served any more",
    ]


def test_a_soft_edge_that_is_dropped_has_changed() -> None:
    """An edge that is bound late is another link than one that orders the start."""

    def catalog(*, is_circle: bool) -> Catalog:
        return Catalog.of(
            apis=[ApiSpec(name, "x:y") for name in "ab"],
            providers=[
                ProviderSpec("a", "t", "x", optional_dependencies=("b",)),
                ProviderSpec("b", "t", "x", dependencies=("a",) if is_circle else ()),
            ],
        )

    config = {"providers": {n: [{"provider_id": n, "provider_type": "t"}] for n in "ab"}}
    diff = diff_graphs(
        _graph(config, catalog(is_circle=False)), _graph(config, catalog(is_circle=True))
    )
    assert "  ~ provider:b/b → provider:a/a  soft → soft, bound late" in render_diff(diff)


def test_only_the_wanted_edges_lead_to_what_is_affected() -> None:
    """With hard edges, who only uses what changed is not affected."""
    old = _config()
    old["providers"]["telemetry"] = [{"provider_id": "t", "provider_type": "inline::otel"}]
    new = json.loads(json.dumps(old))
    new["providers"]["telemetry"][0]["config"] = {"x": 1}
    graphs = _graph(old), _graph(new)
    assert [str(one.address) for one in diff_graphs(*graphs, edges="soft").affected] == [
        "provider:agents/ref"
    ]
    assert diff_graphs(*graphs, edges="hard").affected == ()


def test_a_graph_read_from_its_json_does_not_differ_from_itself() -> None:
    """Secrets are not in the JSON: there is nothing to compare them with, and nothing is said."""
    config = _config(config={"api_key": SECRETS[0], "token": "${env.T:=abcdefgh}"})
    graph = _graph(config)
    again = graph_from_json(graph_to_json(graph), environment={})
    diff = diff_graphs(graph, again)
    assert diff.nodes == ()
    assert diff.edges == ()
    assert {one.code for one in diff.problems_added} == {"C040"}


def test_an_id_cannot_forge_a_line() -> None:
    """What cannot be printed is escaped, so that a line stays a line."""
    diff = diff_graphs(_graph(_config()), _graph(_config(provider_id="x\n  + provider:y\x1b[2J")))
    assert "  + provider:inference/x\\n  + provider:y\\x1b[2J  remote::tgi" in render_diff(diff)
    assert "\x1b" not in diff_to_markdown(diff)


def test_markdown_is_a_coloured_block_with_what_is_affected_folded_up() -> None:
    """What a pull request shows."""
    old, new = (_graph(_config(config={"url": url})) for url in ("http://a", "http://```"))
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
    old = _config(config={"x": 1})
    old["providers"]["agents"] = [
        {"provider_id": f"a{number:02}", "provider_type": "inline::ref"} for number in range(70)
    ]
    new = json.loads(json.dumps(old))
    new["providers"]["inference"][0]["config"] = {"x": 2}
    diff = diff_graphs(_graph(old), _graph(new))
    assert "\n    and 15 more\n" in render_diff(diff)
    assert "<summary>75 affected</summary>" in diff_to_markdown(diff)
    assert "\n- and 15 more\n" in diff_to_markdown(diff)
    assert len(json.loads(diff_to_json(diff))["affected"]) == 75


def test_the_json_has_its_documented_shape() -> None:
    """Programs read kind and format_version first."""
    old, new = (_graph(_config(config={"url": url})) for url in ("http://a", "http://b"))
    found = json.loads(diff_to_json(diff_graphs(old, new), old="a", new="b"))
    assert (found["kind"], found["format_version"], found["equal"]) == ("diff", "1.0", False)
    assert found["nodes"] == [
        {
            "address": "provider:inference/foo",
            "change": "changed",
            "provider_type": "remote::tgi",
            "reason": None,
            "facts": [
                {
                    "path": "config.url",
                    "change": "changed",
                    "old": "http://a",
                    "new": "http://b",
                    "secret": False,
                    "variables": [],
                }
            ],
        }
    ]
    assert sorted(found) == [
        *("affected", "apis", "diagnostics", "edges", "equal", "excluded", "format_version"),
        *("kind", "new", "nodes", "not_compared", "old", "settings", "summary"),
    ]


def test_problems_are_compared_up_to_the_level_that_both_sides_have() -> None:
    """A plan that was checked less deeply does not make the deeper problems new."""
    graph = _graph(_config(config={"url": "${env.NOT_SET}"}))
    shallow = replace(snapshot_of(graph.up_to(Level.GRAPH)), checked=Level.GRAPH)
    assert diff_graphs(shallow, graph).is_empty
    deep = replace(snapshot_of(graph.up_to(Level.GRAPH)), checked=Level.ENV)
    assert [one.code for one in diff_graphs(deep, graph).problems_added] == ["E001"]


def test_a_problem_that_comes_several_times_is_told_once() -> None:
    """With how often it comes."""
    config: dict[str, Any] = {**_config(), "apis": ["odd", "agents", "memory", "inference"]}
    config["providers"]["odd"] = []
    text = render_diff(diff_graphs(_graph(_config()), _graph(config)))
    assert "  + error[C020] unknown API 'odd' (2 times)\n" in text


def test_a_plan_without_a_section_is_compared_without_it() -> None:
    """What a plan does not hold is listed, and is no difference."""
    graph = _graph(_config(config={"url": "http://a"}))
    plan = {
        "kind": "plan",
        "format_version": "1.7",
        "name": "one",
        "nodes": [
            {
                "address": str(address),
                "provider_type": getattr(graph[address], "provider_type", None),
                "config": graph.masked_config(address),
            }
            for address in graph
        ],
        "edges": [
            {"dependency": str(e.dependency), "dependent": str(e.dependent), "strength": e.strength}
            for e in graph.edges
        ],
    }
    diff = diff_graphs(snapshot_of_plan(plan), graph)
    assert diff.is_empty
    assert "module" in diff.not_compared


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "graph"}, "it is not the JSON of a plan: 'kind' is not 'plan'"),
        (
            {"kind": "plan", "format_version": "2.0"},
            "its format version 2.0 is not known (known: 1.x)",
        ),
        (
            {"kind": "plan", "format_version": "1.0", "nodes": []},
            "it is not the JSON of a plan: the key 'edges' is missing",
        ),
    ],
)
def test_what_is_no_plan_is_refused(data: dict[str, Any], message: str) -> None:
    """The text says what is wrong with it."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        snapshot_of_plan(data)


def test_a_snapshot_has_no_places_and_no_secrets() -> None:
    """The normal form is what a graph says, and no more."""
    text = repr(snapshot_of(_graph(_config(config={"api_key": SECRETS[0], "url": "http://a"}))))
    assert SECRETS[0] not in text
    assert "<mapping>" not in text


def test_secrets_from_the_environment_in_resources_and_stores_are_not_shown() -> None:
    """What is shown of a resource and of the store is what is written, not what it became."""
    config = _config()
    config["models"] = [
        {"model_id": "m", "provider_id": "foo", "metadata": {"note": "${env.MY_TOKEN}"}}
    ]
    config["metadata_store"] = {"type": "postgres", "dsn": "${env.MY_TOKEN}"}
    old, new = (_graph(config, MY_TOKEN=secret) for secret in SECRETS)
    diff = diff_graphs(old, new)
    [fact] = _facts(diff)
    assert fact.path == ("resources", "m", "foo", "fields", "metadata", "note")
    assert fact.variables == ("MY_TOKEN",)
    again = graph_from_json(graph_to_json(old), environment={"MY_TOKEN": SECRETS[0]})
    assert diff_graphs(old, again).is_empty
    assert again.metadata_store == old.metadata_store
    assert [one.fields for one in again.resources] == [one.fields for one in old.resources]
    shown = [old.scrubbed(f"<{SECRETS[0]}>"), graph_to_json(old), repr(snapshot_of(old)), repr(old)]
    for text in (*shown, repr(old.resources), render_diff(diff), diff_to_json(diff)):
        assert SECRETS[0] not in text
