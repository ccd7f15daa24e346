"""Whether a stack is ready, as its engine knows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.asgi import ask
from tests.unit.engine.run.models import FOO, install, instance, models_graph, quick, state_is

from rungraph.engine.apis.common import HealthStatus
from rungraph.engine.events import State
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import StackApp


async def test_an_api_is_ready_as_long_as_one_of_its_providers_is_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The engine's own watch says who is ill; readiness names it and asks nobody."""
    install(monkeypatch)
    settings = quick(tmp_path, health_interval=0.01, health_failures=2)
    async with Stack(models_graph("foo", "bar"), settings) as stack:
        app = StackApp(stack)
        app.open()
        instance("foo").status = HealthStatus.ERROR
        await state_is(stack, FOO, State.DEGRADED)
        ready = await ask(app, "GET", "/readyz/inference")
        lack = {"api": "inference", "node": str(FOO), "state": "degraded", "cause": "no GPU"}
        assert (ready.status, json.loads(ready.body)["lacks"]) == (200, [lack])
        instance("bar").status = HealthStatus.ERROR
        for address in stack.graph:
            if address.name == "bar":
                await state_is(stack, address, State.DEGRADED)
        ready = await ask(app, "GET", "/readyz/inference")
        assert (ready.status, len(json.loads(ready.body)["lacks"])) == (503, 2)
