"""What a reload does about each node, and why."""

from __future__ import annotations

from typing import Any

import pytest

from rungraph.graph import Address, compile_config
from rungraph.graph.diff import diff_graphs
from rungraph.graph.reload import reload_steps


def _graph(*models: str, **providers: dict[str, dict[str, Any]]) -> Any:
    types = {"inference": "inline::wordllama", "memory": "inline::faiss"}
    written = {
        api: [
            {"provider_id": name, "provider_type": types[api], **more} for name, more in of.items()
        ]
        for api, of in providers.items()
    }
    listed = [{"model_id": one, "provider_id": "a"} for one in models]
    return compile_config({"providers": written, "models": listed}, environment={})


def _steps(old: Any, new: Any, **how: Any) -> list[str]:
    found = reload_steps(diff_graphs(old, new), new, **how)
    return [f"{step.action} {address}: {step.reason}" for address, step in found.items()]


def _nothing_is(address: Address) -> bool:
    return False


OLD = _graph(inference={"a": {}, "b": {}}, memory={"m": {}})


def test_equal_graphs_need_nothing() -> None:
    """Whatever goes on is not named."""
    assert _steps(OLD, OLD) == []


@pytest.mark.parametrize("more", [{"tags": ["x"]}, {"restart": "never"}])
def test_what_a_node_does_not_run_by_changes_nothing(more: dict[str, Any]) -> None:
    """Tags and the restart policy are read from the graph."""
    assert _steps(OLD, _graph(inference={"a": more, "b": {}}, memory={"m": {}})) == []


def test_another_config_class_restarts_its_provider() -> None:
    """What it is given is made by that class."""
    old, new = (_graph(memory={"m": {"module": "x", "config_class": f"x:{name}"}}) for name in "AB")
    assert _steps(old, new)[0] == "restart provider:memory/m: its config_class changes"


def test_a_changed_member_of_a_table_takes_only_itself_along() -> None:
    """The table is handed the new one; its router and what depends on that go on."""
    new = _graph(inference={"a": {"config": {"dimensions": 64}}, "c": {}}, memory={"m": {}})
    assert _steps(OLD, new) == [
        "remove provider:inference/b: removed",
        "restart provider:inference/a: its config changes",
        "create provider:inference/c: new",
        "rebind table:models: depends on 'provider:inference/b', which is removed",
    ]


def test_what_can_be_told_its_config_is_not_restarted() -> None:
    """An update instead of a restart, where the caller knows that it works."""
    new = _graph(inference={"a": {"config": {"dimensions": 64}}, "b": {}}, memory={"m": {}})
    address = Address.provider("inference", "a")
    assert _steps(OLD, new, can_update={address}.__contains__) == [
        "update provider:inference/a: its config changes"
    ]


def test_an_update_says_what_is_handed_over_besides() -> None:
    """One node has one line, with all that is done about it."""
    new = _graph("x", inference={"a": {"config": {"dimensions": 64}}, "b": {}}, memory={"m": {}})
    told = "its resources change; depends on 'provider:inference/a', which is restarted"
    assert _steps(OLD, new) == [
        "restart provider:inference/a: its config changes",
        f"update table:models: {told}",
    ]


def test_what_cannot_be_kept_is_restarted_with_its_cause() -> None:
    """If nothing could be rebound, all that needs a changed node would be restarted."""
    new = _graph(inference={"a": {"config": {"dimensions": 64}}, "b": {}}, memory={"m": {}})
    steps = _steps(OLD, new, can_rebind=_nothing_is)
    assert steps == ["restart provider:inference/a: its config changes"]
    only = _graph(inference={"a": {}}), _graph(inference={"a": {}}, memory={"m": {}})
    assert _steps(*only) == [
        "create provider:memory/m: new",
        "create table:memory_banks: new",
        "create router:memory: new",
    ]
