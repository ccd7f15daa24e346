"""The stack: what it hands out, what it checks before it starts, and how it ends."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest
from tests.unit.engine.fakes import QUICK, GraphOf, Offer, Pinger, failing, making, raised_by

from rungraph.engine.errors import (
    EngineError,
    NotRunningError,
    NotServedError,
    StartError,
    StopError,
)
from rungraph.engine.events import StackReady, State
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address, InvalidGraph, compile_config

A, B = Address.provider("a", "one"), Address.provider("b", "one")


async def test_an_api_gives_its_provider_with_its_dependencies(graph_of: GraphOf) -> None:
    """A provider is handed the instances of the APIs that it needs, by API."""
    graph = graph_of(a=Offer(), b=Offer(needs=("a",)))
    async with Stack(graph, QUICK) as stack:
        assert await stack["a"].ping() == "pong"
        assert stack["b"].deps == {"a": stack["a"]}
        assert stack[B] is stack["b"] is stack["provider:b/one"]
        assert stack.apis == ("a", "b", "inspect")
        assert stack.status()[A] is State.READY
        assert stack.timeline().total > 0
        assert isinstance(tuple(stack.events)[-1], StackReady)


async def test_a_cancellation_at_the_end_of_the_block_cuts_nothing_short(
    graph_of: GraphOf,
) -> None:
    """All is stopped, even while a provider that is asked how it is lets itself be waited for."""

    class Slow(Pinger):
        async def health(self) -> None:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)

    asked = asyncio.Event()
    made: list[Pinger] = []

    async def main() -> None:
        settings = StackSettings(health_interval=0.001)
        async with Stack(graph_of(a=Offer(making(Slow))), settings) as stack:
            made.append(stack["a"])
            await asked.wait()

    task = asyncio.create_task(main())
    await asked.wait()
    await asyncio.sleep(0.01)  # It is to be at it.
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert made[0].shutdowns == 1


async def test_a_stack_runs_once_and_only_inside_its_block(graph_of: GraphOf) -> None:
    """Leaving the block shuts every instance down; before and after nothing can be asked for."""
    stack = Stack(graph_of(a=Offer(), b=Offer(needs=("a",))), QUICK)
    assert stack.apis == ()
    with pytest.raises(NotRunningError, match="has not been started"):
        stack["a"]
    async with stack:
        instances = [stack["a"], stack["b"]]
    assert [instance.shutdowns for instance in instances] == [1, 1]
    assert stack.apis == ()
    with pytest.raises(NotRunningError, match="'provider:a/one' does not run: it has stopped"):
        stack["a"]
    assert "a stack runs once" in str(await raised_by(stack, EngineError))


async def test_what_is_not_served_is_named_with_the_nearest(graph_of: GraphOf) -> None:
    """An unknown key tells what there is."""
    async with Stack(graph_of(greeting=Offer()), QUICK) as stack:
        with pytest.raises(NotServedError) as caught:
            stack["greting"]
        assert str(caught.value) == (
            "'greting' is not served\nserved: 'greeting', 'inspect'\nhelp: did you mean 'greeting'?"
        )
        with pytest.raises(NotServedError, match="provider:greeting/one"):
            stack["provider:greeting/two"]
        with pytest.raises(NotServedError):
            stack["nothing:at/all"]


async def test_a_skipped_node_is_named_with_the_failure_behind_it(graph_of: GraphOf) -> None:
    """With on_failure="degrade" the rest runs, and asking for what does not says why."""
    graph = graph_of(
        a=Offer(failing(OSError("no disk"))), b=Offer(needs=("a",)), c=Offer(uses=("a",))
    )
    async with Stack(graph, StackSettings(on_failure="degrade")) as stack:
        assert stack.apis == ("c", "inspect")
        assert stack["c"].deps == {}
        with pytest.raises(NotRunningError) as caught:
            stack["b"]
        assert str(caught.value) == (
            "'provider:b/one' does not run: it needs 'provider:a/one', which failed"
        )


async def test_a_graph_with_errors_is_not_started(graph_of: GraphOf) -> None:
    """A stack raises what is wrong with its graph and starts nothing."""
    graph = graph_of(b=Offer(needs=("a",)))
    stack = Stack(graph, QUICK)
    await raised_by(stack, InvalidGraph)
    assert len(stack.events) == 0


async def test_all_import_problems_come_before_anything_starts(graph_of: GraphOf) -> None:
    """Two providers that cannot be imported are both named, and the third does not start."""
    gone = [{"module": f"rungraph_not_there_{number}"} for number in range(2)]
    graph = graph_of(a=Offer(spec=gone[0]), b=Offer(spec=gone[1]), c=Offer())
    stack = Stack(graph, QUICK)
    wrong = (await raised_by(stack, InvalidGraph)).diagnostics
    assert [(one.code, one.address) for one in wrong] == [("I001", A), ("I001", B)]
    assert len(stack.events) == 0


async def test_the_start_error_shows_the_place_in_the_config(
    graph_of: GraphOf, tmp_path: Any
) -> None:
    """A provider that fails to start is named with file, line and column, and its cause."""
    graph = graph_of(a=Offer(failing(ConnectionError("refused"))))
    file = tmp_path / "run.yaml"
    text = "providers:\n  a:\n  - {provider_id: one, provider_type: 'inline::fake', config: {}}\n"
    file.write_text(text, encoding="utf-8")
    compiled = compile_config(file, catalog=graph.catalog, environment={})
    error = await raised_by(Stack(compiled, QUICK), StartError)
    assert str(error) == (
        "the stack did not start: 1 node failed\n"
        f"  provider:a/one ({file}:3:5): ConnectionError: refused"
    )
    assert isinstance(error.__cause__, ConnectionError)


class BadlyStopped(Pinger):
    async def shutdown(self) -> None:
        msg = "cannot flush"
        raise OSError(msg)


async def test_a_stop_error_is_raised_or_noted(graph_of: GraphOf) -> None:
    """It comes out of a block that was fine; else the block's own error carries it as a note."""
    graph = graph_of(a=Offer(making(BadlyStopped)))
    shown = str(await raised_by(Stack(graph, QUICK), StopError))
    assert re.search(r"provider:a/one.*OSError: cannot flush", shown)
    with pytest.raises(KeyError) as caught:
        async with Stack(graph, QUICK):
            raise KeyError
    assert "OSError: cannot flush" in caught.value.__notes__[0]


async def test_a_cancelled_block_is_stopped_in_order(graph_of: GraphOf) -> None:
    """A timeout around the stack comes out as such, after everything has stopped."""
    graph = graph_of(a=Offer(), b=Offer(needs=("a",)))
    stack = Stack(graph, QUICK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), stack:
            await asyncio.Event().wait()
    assert set(stack.status().values()) == {State.STOPPED}


async def test_a_blocking_factory_runs_in_a_thread_and_blocks_nobody(graph_of: GraphOf) -> None:
    """A plain entry point does not keep others from starting at the same time."""
    other = threading.Event()

    def create(config: object, deps: object) -> Pinger:
        assert other.wait(5), "the other node did not start"
        assert threading.current_thread() is not threading.main_thread()
        return Pinger(config)

    async def release(config: object, deps: object) -> Pinger:
        other.set()
        return Pinger(config)

    async with Stack(graph_of(a=Offer(create), b=Offer(release)), QUICK) as stack:
        assert await stack["a"].ping() == "pong"


async def test_a_blocking_factory_that_is_too_late_gives_its_instance_back(
    graph_of: GraphOf,
) -> None:
    """A thread cannot be cancelled: what it returns after the deadline is shut down."""
    late = threading.Event()
    made: list[Pinger] = []

    def create(config: object, deps: object) -> Pinger:
        late.wait(5)
        made.append(Pinger(config))
        return made[0]

    settings = StackSettings(start_timeout=0.05, cancel_timeout=5)
    asyncio.get_running_loop().call_later(0.2, late.set)
    error = await raised_by(Stack(graph_of(a=Offer(create)), settings), StartError)
    assert "did not start within 0.05 s" in str(error)
    assert made[0].shutdowns == 1
