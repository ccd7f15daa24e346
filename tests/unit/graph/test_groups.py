"""Models that several providers serve together: read, planned, compared, drawn and lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rungraph.graph import Address, compile_config
from rungraph.graph.diff import diff_graphs, render_diff
from rungraph.graph.failures import assume_failed, blast_radii
from rungraph.graph.groups import in_words, member_groups
from rungraph.graph.model import RunGraph
from rungraph.graph.nodes import ResourceConfig, Routing, TableNode
from rungraph.graph.plan import make_plan, plan_to_json
from rungraph.graph.plan.graph_json import graph_from_json
from rungraph.graph.plan.text import render_plan
from rungraph.graph.why import render_presence, why_present
from rungraph.viz import render_dot

FOO, BAR, CLOUD = ("foo", "bar", "cloud")


def graph_with(*entries: dict[str, Any], **more: Any) -> RunGraph:
    """Return the graph of three providers of inference and these models."""
    providers = [
        {"provider_id": one, "provider_type": "remote::openai", "config": {"base_url": "http://a"}}
        for one in (FOO, BAR, CLOUD)
    ]
    inference = {"inference": providers, **more.pop("providers", {})}
    return compile_config({"providers": inference, "models": [*entries], **more}, environment={})


def members(*names: str, **orders: int) -> list[dict[str, Any]]:
    """Return the members of an entry."""
    return [
        {"provider_id": one, **({"order": orders[one]} if one in orders else {})} for one in names
    ]


SHARED = {"model_id": "small", "members": members(FOO, BAR, CLOUD, cloud=1)}


def shared_by(graph: RunGraph) -> list[ResourceConfig]:
    """Return the members of the model ``small``."""
    table = graph["table:models"]
    assert isinstance(table, TableNode)
    return member_groups(table.resources)["small"]


def test_each_member_is_a_resource_of_its_provider() -> None:
    """A member has the name that callers use, its provider's own, its order and the routing."""
    entry = {
        "model_id": "small",
        "provider_model_id": "org/small",
        "metadata": {"size": 8},
        "members": [
            {"provider_id": FOO},
            {"provider_id": BAR, "provider_model_id": "b", "order": 2},
        ],
    }
    graph = graph_with(entry)
    assert not graph.diagnostics
    found = [
        (one.provider_id, one.provider_resource_id, one.order, one.routing, dict(one.fields))
        for one in shared_by(graph)
    ]
    assert found == [
        (BAR, "b", 2, Routing("least_loaded"), {"metadata": {"size": 8}}),
        (FOO, "org/small", 0, Routing("least_loaded"), {"metadata": {"size": 8}}),
    ]


def test_first_takes_members_as_they_are_listed() -> None:
    """With ``first`` every member has an order of its own: that of the list."""
    graph = graph_with({"model_id": "small", "routing": "first", "members": members(FOO, CLOUD)})
    assert in_words(shared_by(graph)) == "foo, then cloud"
    entry = {"model_id": "small", "routing": "first", "members": members(CLOUD, FOO, BAR, cloud=1)}
    assert in_words(shared_by(graph_with(entry))) == "foo, then bar, then cloud"


@pytest.mark.parametrize(
    ("routing", "words"),
    [
        ("least_loaded", "bar or foo by load, then cloud"),
        ("round_robin", "bar or foo in turn, then cloud"),
        ({"policy": "sticky"}, "bar or foo by session, then cloud"),
        ({"hedge": {"after": "p95"}}, "bar or foo by load, then cloud; a second one after p95"),
        ({"hedge": {"after": 0.5}}, "bar or foo by load, then cloud; a second one after 0.5 s"),
    ],
)
def test_routing_in_words(routing: Any, words: str) -> None:
    """Plans and pictures tell who gets calls first, and how those of one order share them."""
    graph = graph_with({**SHARED, "model_type": "embedding", "routing": routing})
    assert not graph.diagnostics
    assert in_words(shared_by(graph)) == words
    assert f"models: small: {words}" in render_plan(make_plan(graph))
    presence = why_present(graph, Address.parse("provider:inference/foo"))
    assert f"model:small ({words})" in render_presence(graph, presence)


def test_the_box_of_the_table_lists_its_groups() -> None:
    """A picture shows which models several providers serve, and in which order."""
    assert "small: bar or foo by load, then cloud" in render_dot(graph_with(SHARED))
    several = [{**SHARED, "model_id": f"m{number}"} for number in range(5)]
    assert "3 more with members" in render_dot(graph_with(*several))


def test_a_switched_off_member_is_left_out() -> None:
    """A member whose id comes out empty is none, as a provider whose id does is none."""
    entry = {"model_id": "small", "members": [*members(FOO, BAR), {"provider_id": "${env.X:+c}"}]}
    assert [one.provider_id for one in shared_by(graph_with(entry))] == [BAR, FOO]


def test_members_are_lost_only_together() -> None:
    """A failure takes down what several providers serve only when it takes all of them."""
    graph = graph_with(SHARED)
    names = [f"provider:inference/{one}" for one in (FOO, BAR, CLOUD)]
    assert not assume_failed(graph, names[:2]).resources
    assert [str(one) for one in assume_failed(graph, names).resources] == [
        "model:small on bar",
        "model:small on cloud",
        "model:small on foo",
    ]
    radii = {str(address): radius for address, radius in blast_radii(graph).items()}
    assert not radii[names[0]].resources
    assert len(radii["table:models"].resources) == 3


def test_what_names_a_group_needs_any_member() -> None:
    """A memory bank that embeds with a shared model is there as long as one member is."""
    graph = graph_with(
        {**SHARED, "model_type": "embedding"},
        providers={"memory": [{"provider_id": "faiss", "provider_type": "inline::faiss"}]},
        memory_banks=[
            {"memory_bank_id": "notes", "type": "vector", "embedding_model": "small"},
        ],
    )
    assert not [one for one in graph.diagnostics if one.code == "C042"]
    names = [f"provider:inference/{one}" for one in (FOO, BAR, CLOUD)]
    assert not assume_failed(graph, names[1:]).resources
    lost = [str(one) for one in assume_failed(graph, names).resources]
    assert lost[0] == "memory_bank:notes on faiss"


def test_the_order_of_the_file_does_not_matter() -> None:
    """The same members in another order give the same plan, byte for byte."""
    other = {**SHARED, "members": SHARED["members"][::-1]}
    plans = []
    for entry in (SHARED, other):
        plan = json.loads(plan_to_json(make_plan(graph_with(entry))))
        for node in plan["nodes"]:
            for one in node.get("resources", ()):
                del one["place"]
        plans.append({key: one for key, one in plan.items() if key != "hash"})
    assert plans[0]["nodes"] == plans[1]["nodes"]


def test_groups_survive_json() -> None:
    """The graph that is read from a plan's JSON has the same members."""
    graph = graph_with({**SHARED, "model_type": "embedding", "routing": {"hedge": {"after": 2}}})
    again = graph_from_json(plan_to_json(make_plan(graph)), environment={})
    assert in_words(shared_by(again)) == in_words(shared_by(graph))


def test_a_change_of_sharing_is_a_difference() -> None:
    """Another policy, and another order, are changes of the table."""
    old = graph_with(SHARED)
    new = graph_with({**SHARED, "routing": "sticky", "members": members(FOO, BAR, CLOUD)})
    text = render_diff(diff_graphs(old, new))
    assert "resource 'small' on cloud: order: 1 → 0" in text
    assert 'resource \'small\' on foo: policy: "least_loaded" → "sticky"' in text
