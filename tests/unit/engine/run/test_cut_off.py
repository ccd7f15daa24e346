"""What is under way when a provider or its stack ends: it fails at once, and leaves nothing."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import Any

import pytest
from tests.unit.engine.run.models import (
    FOO,
    FakeModel,
    install,
    instance,
    models_graph,
    quick,
)

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError, StopError
from rungraph.engine.run.stack import Stack


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


class Deaf:
    """A method that goes on until it is let go, whoever cancels it."""

    def __init__(self) -> None:
        self.is_called, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self, *_: object, **__: object) -> Any:
        self.is_called.set()
        while not self.may_end.is_set():
            with suppress(asyncio.CancelledError):
                await self.may_end.wait()


async def _end(stack: Stack, how: str) -> None:
    if how == "kill":
        stack.kill()
    with suppress(StopError):  # What is killed, or has failed, is named.
        await stack.__aexit__(None, None, None)


def _others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {one for one in [asyncio.current_task()] if one}


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("stop", "'table:models' has stopped"),
        ("kill", "'table:models' has stopped"),
        ("crash", "'provider:inference/foo' has failed"),
        ("drain", "'provider:inference/foo' is drained"),
    ],
)
async def test_a_registration_that_is_under_way(how: str, why: str) -> None:
    """Whoever registers waits for no answer any more, and nothing more is asked."""
    stack = Stack(models_graph("foo"), quick(restart_delay=50))
    await stack.__aenter__()
    foo, deaf = instance("foo"), Deaf()
    vars(foo).update(register_model=deaf, unregister_model=None)
    mine = Model(identifier="mine", provider_id="foo")
    call = asyncio.create_task(stack["models"].register_model(mine))
    await deaf.is_called.wait()
    if how == "crash":
        foo.crash()
    elif how == "drain":
        await stack.drain("foo")
    else:
        await _end(stack, how)
    with pytest.raises(NotRunningError) as caught:
        await asyncio.wait_for(call, 20)
    assert str(caught.value) == why
    if how in {"crash", "drain"}:
        await _end(stack, "stop")
    assert not _others()
    deaf.may_end.set()


@pytest.mark.parametrize("asked", ["list_models", "embeddings"])
async def test_what_a_kill_leaves_behind(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing, or a call with limits, is none of the tasks that whoever runs the loop awaits."""
    limits, interval = ({"concurrent_calls": 1}, None) if asked == "embeddings" else (None, 0.01)
    stack = Stack(models_graph("foo", limits=limits), quick(refresh_interval=interval))
    deaf = Deaf()

    async def embeddings(_: object, model: str, contents: Any) -> Any:
        return await deaf() if asked == "embeddings" else contents

    monkeypatch.setattr(FakeModel, "embeddings", embeddings)
    await stack.__aenter__()
    if asked == "list_models":
        vars(instance("foo"))["list_models"] = deaf
    call = asyncio.create_task(stack["inference"].embeddings("foo-model", ["x"]))
    try:
        await deaf.is_called.wait()
        await _end(stack, "kill")
        assert _others() <= {call}
    finally:
        deaf.may_end.set()
        await asyncio.wait([call])
        call.exception()


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("is_forgotten", [True, False])
async def test_a_stream_that_was_cut_is_closed_in_silence(how: str, is_forgotten: bool) -> None:
    """Whoever has enough of it, or forgets it, need not know that; its provider closes it."""
    stack, closed = Stack(models_graph("foo"), quick()), asyncio.Event()
    await stack.__aenter__()

    async def letters() -> Any:
        try:
            yield "a"
            yield "b"
        finally:
            closed.set()

    vars(instance("foo"))["stream"] = letters
    stream = await stack[str(FOO)].chat_completion("foo-model", [], stream=True)
    assert await anext(stream) == "a"
    await _end(stack, how)
    await asyncio.sleep(0.01)  # For a moment until a killed provider's calls end.
    if is_forgotten:
        del stream
        gc.collect()
        await asyncio.wait_for(closed.wait(), 20)
    else:
        await stream.aclose()
    assert closed.is_set()
