"""Laws of starting and stopping, whatever the graph is and whatever fails when.

That nothing starts without what it needs, and all ends once, is a law of `schedules`.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies_graphs import (
    Conduct,
    FakeGraph,
    FakeInstances,
    NodeCrashError,
    graphs,
    run_virtually,
)

from rungraph.engine.errors import DeadlineError, StartError, StopError
from rungraph.engine.events import EventLog, NodeEvent, NodeReady, NodeSkipped, State
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.address import Address

_MANY = settings(max_examples=200, deadline=None)
_SETTINGS = st.builds(
    StackSettings,
    schedule=st.sampled_from(["generations", "ready"]),
    parallelism=st.sampled_from([None, 1, 2, 3]),
    on_failure=st.sampled_from(["rollback", "degrade"]),
    start_timeout=st.just(5.0),
    stop_timeout=st.just(5.0),
    cancel_timeout=st.just(1.0),
)
_MOMENTS = st.one_of(st.none(), st.floats(min_value=0, max_value=12, allow_nan=False))


@dataclass
class Run:
    """What came of running a graph."""

    instances: FakeInstances
    log: EventLog
    end: Literal["fine", "start", "stop", "cancelled"] = "fine"
    start_error: StartError | None = None
    stop_error: StopError | None = None
    left: list[str] = field(default_factory=list[str])


def run(
    graph: FakeGraph,
    how: StackSettings,
    *,
    cancel_at: float | None = None,
    kill_at: float | None = None,
) -> Run:
    """Start *graph*, run it for a second and stop it, with a cancellation or a kill on the way."""

    async def main() -> Run:
        loop = asyncio.get_running_loop()
        result = Run(FakeInstances(graph), EventLog())
        lifecycle = Lifecycle(graph.nx, result.instances, how, result.log.append)

        async def work() -> None:
            await lifecycle.start()
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                with suppress(StopError):
                    await lifecycle.stop()
                raise
            await lifecycle.stop()

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        if cancel_at is not None:
            loop.call_later(cancel_at, task.cancel)
        if kill_at is not None:
            loop.call_later(kill_at, lifecycle.kill)
        try:
            await task
        except asyncio.CancelledError:
            result.end = "cancelled"
        except StartError as error:
            result.end, result.start_error = "start", error
        except StopError as error:
            result.end, result.stop_error = "stop", error
        await asyncio.sleep(60)
        result.left = [t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        return result

    return run_virtually(main())


def _ordered(result: Run, first: tuple[str, Address], then: tuple[str, Address]) -> bool:
    """Whether *first* happened before *then*, if *then* happened at all."""
    later = result.instances.index(*then)
    earlier = result.instances.index(*first)
    return later is None or (earlier is not None and earlier < later)


def _stubborn(graph: FakeGraph, *, stops: bool) -> set[Address]:
    bad = {Conduct.SWALLOW, Conduct.STUBBORN}
    return {
        address
        for address, does in graph.behaviours.items()
        if (does.stop if stops else does.start) in bad
    }


@_MANY
@given(graphs(), _SETTINGS, _MOMENTS)
def test_nothing_stops_before_what_needs_it(
    graph: FakeGraph, how: StackSettings, moment: float | None
) -> None:
    """A node closes only when every node that was given it has closed or was left behind."""
    result = run(graph, how, cancel_at=moment)
    ignoring = _stubborn(graph, stops=True) | _stubborn(graph, stops=False)
    for user, needs in result.instances.given.items():
        if user in ignoring or result.instances.index("opened", user) is None:
            continue
        for need in needs:
            assert _ordered(result, ("closed", user), ("close", need))


@_MANY
@given(graphs(), _SETTINGS, _MOMENTS, _MOMENTS)
def test_no_task_and_no_thread_is_left(
    graph: FakeGraph, how: StackSettings, cancel_at: float | None, kill_at: float | None
) -> None:
    """Whatever fails, is cancelled or is killed, nothing of a stack goes on afterwards."""
    threads = threading.active_count()
    result = run(graph, how, cancel_at=cancel_at, kill_at=kill_at)
    assert result.left == []
    assert threading.active_count() == threads


@_MANY
@given(graphs(), _SETTINGS)
def test_the_error_names_every_culprit(graph: FakeGraph, how: StackSettings) -> None:
    """A start error names exactly the nodes that failed to start, a stop error all that failed."""
    result = run(graph, how)
    log = list(result.log)
    failed = {e.address for e in log if isinstance(e, NodeEvent) and e.state is State.FAILED}
    late = {Conduct.HANG, Conduct.SWALLOW, Conduct.STUBBORN}
    for address in failed:
        does = graph.behaviours[address]
        assert does.start is not Conduct.WELL or does.start_seconds > how.start_timeout
    if how.on_failure == "rollback":
        assert (result.start_error is not None) == bool(failed)
    if result.start_error is not None:
        named = [failure.address for failure in result.start_error.failures]
        assert set(named) == failed
        assert named == sorted(named, key=lambda a: (graph.generation_of(a), a))
        for failure in result.start_error.failures:
            assert str(failure.address) in str(result.start_error)
            crashed = graph.behaviours[failure.address].start is Conduct.CRASH
            slow = graph.behaviours[failure.address].start_seconds > how.start_timeout
            assert isinstance(failure.error, DeadlineError) == (not crashed or slow)
            assert isinstance(failure.error, NodeCrashError | DeadlineError)
    ended_badly = {
        e.address
        for e in log
        if isinstance(e, NodeEvent) and e.state in {State.STOP_FAILED, State.KILLED}
    }
    # An instance that comes after its start was given up is disposed of and not heard of again.
    for address in result.instances.count("close").keys() - failed - _stubborn(graph, stops=False):
        does = graph.behaviours[address]
        badly = does.stop in {Conduct.CRASH, *late} or does.stop_seconds > how.stop_timeout
        assert badly == (address in ended_badly)
    error = result.stop_error or result.start_error
    noted = (
        error.failures
        if isinstance(error, StopError)
        else (error.stop_failures if error is not None else ())
    )
    assert sorted(failure.address for failure in noted) == sorted(ended_badly)


@_MANY
@given(graphs(), _SETTINGS, _MOMENTS)
def test_a_cancellation_comes_out_after_an_orderly_stop(
    graph: FakeGraph, how: StackSettings, moment: float | None
) -> None:
    """A caller cancelled while the stack starts, runs or stops gets its cancellation back."""
    calm = run(graph, how)
    ends = [e.at for e in calm.log]
    result = run(graph, how, cancel_at=moment)
    if moment is not None and moment < ends[-1]:
        assert result.end == "cancelled"
    states = result.log.states.values()
    assert not {State.WAITING, State.STARTING, State.READY, State.STOPPING} & set(states)


@_MANY
@given(graphs(), _SETTINGS, _MOMENTS)
def test_parallelism_is_never_exceeded(
    graph: FakeGraph, how: StackSettings, moment: float | None
) -> None:
    """No more nodes start at the same time than may, not counting those that were left behind."""
    result = run(graph, how, cancel_at=moment)
    if how.parallelism is not None:
        late = _stubborn(graph, stops=False) & set(result.instances.count("open"))
        assert result.instances.most <= how.parallelism + len(late)


@_MANY
@given(graphs(), _SETTINGS)
def test_degrading_runs_all_that_can_run(graph: FakeGraph, how: StackSettings) -> None:
    """A degraded stack runs exactly the nodes whose needs run; the others name the failures."""
    if how.on_failure != "degrade":
        return
    result = run(graph, how)
    states = result.log.states
    up: set[Address] = set()
    causes: dict[Address, set[Address]] = {}
    for address, does in graph.behaviours.items():
        hard = [u for u in graph.dependencies_of(address) if graph.edges[u, address] == "hard"]
        some = [u for u in graph.dependencies_of(address) if graph.edges[u, address] == "member"]
        down = {u for u in hard if u not in up}
        if some and not set(some) & up:
            down |= set(some)
        if down:
            causes[address] = {cause for u in down for cause in causes[u]}
            assert states[address] is State.SKIPPED
        elif does.start is Conduct.WELL and does.start_seconds <= how.start_timeout:
            up.add(address)
        else:
            causes[address] = {address}
            assert states[address] is State.FAILED
    skipped = {e.address: set(e.root_causes) for e in result.log if isinstance(e, NodeSkipped)}
    assert skipped == {a: c for a, c in causes.items() if c != {a}}
    assert {a for a in graph.behaviours if states[a] not in {State.FAILED, State.SKIPPED}} == up


@_MANY
@given(graphs(sound=True), _SETTINGS)
def test_sound_nodes_take_no_longer_than_they_must(graph: FakeGraph, how: StackSettings) -> None:
    """Without a limit, a start takes its critical path, or its generations' slowest nodes."""
    if how.parallelism is not None:
        return
    with suppress(StartError):
        result = run(graph, StackSettings(schedule=how.schedule))
        ready = max((e.at for e in result.log if isinstance(e, NodeReady)), default=0.0)
        seconds = {a: does.start_seconds for a, does in graph.behaviours.items()}
        if how.schedule == "generations":
            expected = sum(
                max(seconds[a] for a in level) for level in nx.topological_generations(graph.nx)
            )
        else:
            finish: dict[Address, float] = {}
            for address in graph.behaviours:
                needs = [finish[u] for u in graph.dependencies_of(address)]
                finish[address] = max(needs, default=0.0) + seconds[address]
            expected = max(finish.values(), default=0.0)
        assert ready == pytest.approx(expected)
