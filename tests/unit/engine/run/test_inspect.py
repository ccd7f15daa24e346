"""The inspect API of a running stack."""

from __future__ import annotations

from typing import Any

from tests.unit.engine.fakes import GraphOf, Offer, Pinger

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph.secrets.values import MASK


class Ill(Pinger):
    async def health(self) -> HealthResponse:
        return HealthResponse(status=HealthStatus.ERROR, message="no disk")


async def create_ill(config: object, deps: Any) -> Ill:
    """Return one that is not well; an entry point."""
    return Ill(config, deps)


async def create_talkative(config: Any, deps: Any) -> Ill:
    """Return one that says what its config has as it tells how it is; an entry point."""

    class Talkative(Ill):
        async def health(self) -> HealthResponse:
            if config["raises"]:
                raise PermissionError(config["api_key"])
            text = f"no access with {config['api_key']}"
            return HealthResponse(status=HealthStatus.ERROR, message=text)

    return Talkative(config, deps)


async def fail(config: object, deps: Any) -> Any:
    """Raise; an entry point."""
    raise OSError


async def test_providers_are_listed_with_their_health(graph_of: GraphOf) -> None:
    """The configured providers come by API, each with its type and how it is."""
    async with Stack(graph_of(a=Offer(), b=Offer(create_ill))) as stack:
        listed = await stack["inspect"].list_providers()
    assert sorted(listed) == ["a", "b"]
    (one,) = listed["b"]
    assert (one.provider_id, one.provider_type) == ("one", "inline::fake")
    assert one.health == HealthResponse(status=HealthStatus.ERROR, message="no disk")
    assert listed["a"][0].health.status is HealthStatus.OK


async def test_no_health_shows_a_secret(graph_of: GraphOf) -> None:
    """Whether a provider says it or raises it."""
    keys = [{"api_key": "hunter2-of-a", "raises": raises} for raises in (False, True)]
    says, raises = (Offer(create_talkative, config=config) for config in keys)
    async with Stack(graph_of(a=says, b=raises)) as stack:
        texts = [one.message for one in (await stack.health()).values() if one.message]
        texts.append(str(await stack["inspect"].list_providers()))
        texts.append(str(await stack["inspect"].health()))
    assert [MASK in text for text in texts] == [True] * 4
    assert "hunter2" not in " ".join(texts)


async def test_only_routes_of_what_can_be_called_are_listed(graph_of: GraphOf) -> None:
    """An API whose provider failed is not listed; the builtin's own routes are."""
    graph = graph_of(a=Offer(), b=Offer(fail))
    async with Stack(graph, StackSettings(on_failure="degrade")) as stack:
        routes = await stack["inspect"].list_routes()
    assert sorted(routes) == ["a", "inspect"]
    assert [(one.method, one.route) for one in routes["inspect"]] == [
        ("GET", "/providers/list"),
        ("GET", "/routes/list"),
        ("GET", "/health"),
        ("GET", "/version"),
    ]
    assert routes["inspect"][0].provider_types == ["inline::inspect"]


async def test_the_stack_is_well_when_all_its_nodes_are(graph_of: GraphOf) -> None:
    """The stack's own health names every node that is ill."""
    async with Stack(graph_of(a=Offer())) as stack:
        assert (await stack["inspect"].health()).status is HealthStatus.OK
    async with Stack(graph_of(a=Offer(), b=Offer(create_ill))) as stack:
        health = await stack["inspect"].health()
    assert health.status is HealthStatus.ERROR
    assert health.message == "'provider:b/one': no disk"


async def test_the_version_is_that_of_the_software(graph_of: GraphOf) -> None:
    """The version is the distribution's."""
    async with Stack(graph_of(a=Offer())) as stack:
        assert (await stack["inspect"].version()).version.count(".") >= 1
