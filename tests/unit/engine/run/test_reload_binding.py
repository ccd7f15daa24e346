"""Who is handed another instance by a reload, and who is said to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.builders import entry
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, making, told
from tests.unit.engine.run.models import quick

from rungraph.engine.events import NodeBound, State
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address, compile_config
from rungraph.graph.reload import Action


class _Binding(Pinger):
    def bind(self, api: str, instance: Any) -> None: ...


@pytest.mark.parametrize(
    ("apis", "changed", "rebound"),
    [("abcd", "a", "b"), ("abcd", "b", "a"), ("abc", "", ""), (["models", *"abcd"], "", "c")],
)
async def test_those_are_rebound_that_are_handed_something_new(
    graph_of: GraphOf, apis: Sequence[str], changed: str, rebound: str
) -> None:
    """Also late, where two use each other, and a table; what goes is handed to nobody."""
    uses = {"a": ("b",), "b": ("a",), "c": ("d", "models"), "d": ()}
    make = making(_Binding)
    catalog = graph_of(**{api: Offer(make, uses=used) for api, used in uses.items()}).catalog

    def graph(apis: Sequence[str], changed: str = "") -> Any:
        kind = {"provider_id": "one", "provider_type": "inline::fake"}
        written: dict[str, Any] = {api: [{**kind, "config": {"x": api == changed}}] for api in apis}
        if written.pop("models", None):
            written["inference"] = [
                entry("foo", "inline::fake", "rungraph_fake_models", serves="m")
            ]
        return compile_config({"providers": written}, catalog=catalog, environment={})

    async with Stack(graph("abcd"), quick()) as stack:
        before = len(stack.events)
        steps = await stack.apply(graph(apis, changed))
        bound = {one.address.api for one in told(list(stack.events)[before:], NodeBound)}
        assert {one.api for one in steps if steps[one].action is Action.REBIND} == set(rebound)
        assert bound - {changed} == set(rebound)


async def test_what_could_not_be_handed_over_ails_nobody_once_it_is_gone(graph_of: GraphOf) -> None:
    """Who failed to take it lacks nothing any more."""

    class Fickle(Pinger):
        def bind(self, api: str, instance: Any) -> None:
            raise OSError(api)

    def graph(**more: Any) -> Any:
        return graph_of(a=Offer(**more), b=Offer(making(Fickle), uses=("a",)))

    catalog, kind = graph().catalog, {"provider_id": "one", "provider_type": "inline::fake"}
    async with Stack(graph(), quick()) as stack:
        await stack.apply(graph(config={"x": 1}))
        assert stack.status()[Address.provider("b", "one")] is State.DEGRADED
        written = {"providers": {"b": [kind]}}
        await stack.apply(compile_config(written, catalog=catalog, environment={}))
        assert set(stack.status().values()) == {State.READY}
