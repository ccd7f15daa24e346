"""Whether a stack is ready, and when it will be, as its engine knows it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from tests.asgi import app_of, ask
from tests.unit.engine.run.models import FOO, instance, models_graph, quick, state_is

from rungraph.engine.apis.common import HealthStatus
from rungraph.engine.errors import RateLimitError, RestartingError, StopError
from rungraph.engine.events import State
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.failures import RequestError, failure_of


async def test_an_api_is_ready_as_long_as_one_of_its_providers_is_well() -> None:
    """The engine's own watch says who is ill; readiness names it and asks nobody."""
    settings = quick(health_interval=0.01, health_failures=2)
    async with Stack(models_graph("foo", "bar"), settings) as stack:
        app = app_of(stack)
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


async def test_callers_come_again_when_there_is_a_use() -> None:
    """Of what is being restarted they are told the seconds until it starts."""
    settings = quick(restart_delay=1000.0, restart_delay_most=1000.0)
    with suppress(StopError):  # Which tells of the crash.
        async with Stack(models_graph("foo"), settings) as stack:
            app = app_of(stack)
            instance("foo").crash()
            await state_is(stack, FOO, State.RESTARTING)
            asked = {"model": "foo-model", "messages": [{"role": "user", "content": "x"}]}
            answered = await ask(app, "POST", "/v1/chat/completions", asked)
            assert answered.status == 503
            assert int(answered.headers["retry-after"]) > 100


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitError("slow down"), "1"),
        (RestartingError("provider:inference/foo", 0.3), "1"),
        (RestartingError("provider:inference/foo", 4.1), "5"),
        (RequestError(503, "the stack starts"), "1"),
    ],
)
def test_a_pause_is_as_long_as_is_known(error: Exception, seconds: str) -> None:
    """What nobody knows is a second; less than one cannot be said."""
    assert dict(failure_of(error, "", str).headers)[b"retry-after"] == seconds.encode()
