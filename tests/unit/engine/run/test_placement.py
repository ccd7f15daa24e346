"""Providers in a process of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.builders import entry
from tests.placed import Bound
from tests.unit.engine.fakes import told
from tests.unit.engine.run.models import until

from rungraph.engine import Stack, StackSettings
from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.errors import BackgroundError, StartError, StopError
from rungraph.engine.events import NodeFailed, State
from rungraph.engine.request import (
    CallData,
    ProviderDataError,
    begin_session,
    come_through,
    headers_of_way,
)
from rungraph.engine.routing.errors import BusyError, CallTimeoutError
from rungraph.engine.run.signals import SIGNALS
from rungraph.engine.tracing import begin_call
from rungraph.graph import Address, RunGraph, compile_config


def _graph(tmp_path: Path, *, limits: Any = None, **config: Any) -> RunGraph:
    said = str(tmp_path / "said")
    unruly = entry("u", "inline::unruly", "tests.placed", file=said, **config)
    unruly |= {"placement": "process", "restart": "never", "limits": limits or {}}
    faiss = entry("f", "inline::faiss", db_path=str(tmp_path / "faiss.db"))
    faiss["placement"] = "process"
    bank = {"memory_bank_id": "notes", "type": "vector", "embedding_model": "letters"}
    providers = {"inference": [unruly], "memory": [faiss]}
    return compile_config({"providers": providers, "memory_banks": [bank]}, environment={})


def _stack(tmp_path: Path, **config: Any) -> Stack:
    how = StackSettings(stop_timeout=2, cancel_timeout=1, on_failure="degrade")
    return Stack(_graph(tmp_path, **config), how)


async def _said(tmp_path: Path) -> str:
    said = tmp_path / "said"
    await until(lambda: said.exists() and said.read_text())  # It is there before its text is.
    return said.read_text()


async def test_calls_go_to_another_process_and_back(tmp_path: Path) -> None:
    """The memory's process asks the stack for vectors, which come from a third one."""
    async with _stack(tmp_path) as stack:
        pid = await stack["inference"].completion("letters", "pid")
        assert pid != os.getpid()
        assert os.getsid(pid) == pid  # Ctrl-C reaches the processes of the terminal's session.
        document = MemoryBankDocument(document_id="d", content="a banana")
        await stack["memory"].insert_documents("notes", [document])
        found = await stack["memory"].query_documents("notes", "banana")
        assert [one.content for one in found.chunks] == ["a banana"]
        with pytest.raises(ValueError, match=r"^not that$"):
            await stack["inference"].completion("letters", "refuse")
        answers = await stack.health()
        assert {one.status for one in answers.values()} == {"OK"}


async def test_what_a_process_logs_shows_no_secret_and_commands_no_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in the process of the stack."""
    async with _stack(tmp_path, api_key="hunter2-of-u") as stack:
        await stack["inference"].completion("letters", "log")
    assert "WARNING: unruly: with ********\\x1b[2J\n" in capfd.readouterr().err


async def test_of_a_provider_its_methods_are_asked_for_alone(tmp_path: Path) -> None:
    """A property of its own may fail, or take long, as long as nobody wants to know it."""
    async with _stack(tmp_path) as stack:
        assert stack.status()[Address.provider("inference", "u")] is State.READY


async def test_signals_are_for_the_stack(tmp_path: Path) -> None:
    """Systemd sends them to all processes: one that has gone could not be stopped in order."""
    async with _stack(tmp_path) as stack:
        call = stack["inference"].completion
        pid, forked = await call("letters", "pid"), await call("letters", "fork")
        for number in SIGNALS:
            os.kill(pid, number)
        assert await call("letters", "pid") == pid
        while _runs(forked):  # It may not have its own signals yet.
            os.kill(forked, signal.SIGTERM)
            await asyncio.sleep(0.02)


async def test_standard_input_is_empty_there(tmp_path: Path) -> None:
    """Neither the provider nor a program that it starts can take calls away."""
    async with _stack(tmp_path) as stack:
        assert await stack["inference"].completion("letters", "stdin") == ""


async def test_what_a_caller_leaves_out_the_provider_there_decides(tmp_path: Path) -> None:
    """Its own default counts, as it would in the process of the stack."""
    async with _stack(tmp_path) as stack:
        assert await stack["inference"].completion("letters", "logprobs") == "own"
        assert await stack["inference"].completion("letters", "logprobs", logprobs=None) is None


async def test_a_stream_comes_item_by_item_and_ends_with_its_reader(tmp_path: Path) -> None:
    """What nobody reads is not made, and a generator that is closed ends in its process."""
    async with _stack(tmp_path) as stack:
        stream = await stack["inference"].completion("letters", "count", stream=True)
        assert [(await anext(stream)).delta for _ in range(3)] == ["0", "1", "2"]
        await stream.aclose()
        assert await _said(tmp_path) == "closed after 2"


async def test_what_a_call_carries_goes_along(tmp_path: Path) -> None:
    """The caller's data, for the call and its stream alone, and the way that it has come."""
    async with _stack(tmp_path) as stack:
        call = stack["inference"].completion
        assert await call("letters", "data") == ["", headers_of_way()]
        data = CallData({"letter": "b", "other": 1})
        come_through("here")
        assert await call("letters", "data") == ["b", {"Via": "1.1 here"}]
        stream = await call("letters", "count", stream=True)
        assert [(await anext(stream)).delta for _ in range(2)] == ["b0", "b1"]
        await stream.aclose()
        data.sent = {"letter": 7}
        with pytest.raises(ProviderDataError, match=r"^provider data\.letter: "):
            await call("letters", "data")
        data.end()
        assert (await call("letters", "data"))[0] == ""


async def test_what_a_call_carries_comes_back_with_it(tmp_path: Path) -> None:
    """From the memory's process into the stack, and from there into the next one."""
    async with _stack(tmp_path) as stack:
        begin_session("mine")
        begin_call(parent := f"00-{'1' * 32}-{'2' * 16}-01")
        document = MemoryBankDocument(document_id="d", content="a banana")
        await stack["memory"].insert_documents("notes", [document])
        carried = await stack["inference"].completion("letters", "carried")
        assert carried == ("mine", {"traceparent": parent})


def _asking(tmp_path: Path) -> Stack:
    inner = entry("u", "inline::unruly", "tests.placed", file=str(tmp_path / "said"))
    asker = entry("a", "inline::asker", "tests.asker") | {"dependencies": ["inference"]}
    asker |= {"placement": "process", "restart": "never"}
    providers = {"inference": [inner], "safety": [asker]}
    graph = compile_config({"providers": providers}, environment={})
    return Stack(graph, StackSettings(on_failure="degrade"))


async def test_a_process_reads_streams_of_the_stack(tmp_path: Path) -> None:
    """They have the data of its caller, and end with their reader."""
    async with _asking(tmp_path) as stack:
        CallData({"letter": "b"})
        answer = await stack["safety"].run_shield("asking", [])
        assert answer.violation.user_message == "b0 b1"
        assert await _said(tmp_path) == "closed after 1"


async def test_streams_of_the_stack_end_with_the_process_that_reads_them(tmp_path: Path) -> None:
    """Nobody else would end them, and their provider would not be free for others."""
    stack = _asking(tmp_path)
    await stack.__aenter__()
    with pytest.raises(ConnectionError):
        await stack["safety"].run_shield("asking", [], {"ends": True})
    assert await _said(tmp_path) == "closed after 1"
    with pytest.raises(StopError):
        await stack.__aexit__(None, None, None)


async def test_a_call_that_is_cancelled_is_cancelled_there(tmp_path: Path) -> None:
    """Its process goes on with other calls."""
    async with _stack(tmp_path) as stack:
        call = asyncio.create_task(stack["inference"].completion("letters", "wait"))
        while not call.done():
            await asyncio.sleep(0.2)
            call.cancel()
            await asyncio.wait([call])
        assert call.cancelled()
        assert await _said(tmp_path) == "cancelled"
        assert await stack["inference"].completion("letters", "pid") > 0


@pytest.mark.parametrize("given_up", ["deaf", "lasting"])
async def test_a_call_that_is_given_up_keeps_its_place_until_it_has_ended_there(
    tmp_path: Path, given_up: str
) -> None:
    """As it would in the process of the stack: a limit is for what runs."""
    limits = {"concurrent_calls": 1, "queued_calls": 0, "call_timeout": 0.5}
    async with _stack(tmp_path, limits=limits) as stack:
        call = stack["inference"].completion
        if given_up == "deaf":
            with pytest.raises(CallTimeoutError):
                await call("letters", "deaf")
        else:
            stream = await call("letters", "lasting", stream=True)
            await anext(stream)
            await stream.aclose()
        with pytest.raises(BusyError, match=r"1 running, 0 waiting"):
            await call("letters", "pid")
        async with asyncio.timeout(10):
            while True:
                with suppress(BusyError):
                    assert await call("letters", "pid") > 0
                    break
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("content", ["cancel", "cancel task"])
async def test_a_call_that_cancels_itself_there_has_failed(tmp_path: Path, content: str) -> None:
    """Its caller would wait for ever."""
    async with _stack(tmp_path) as stack:
        with pytest.raises(BackgroundError, match=r"^it was cancelled from within$"):
            await asyncio.wait_for(stack["inference"].completion("letters", content), 20)


async def test_the_death_of_a_process_is_that_providers_failure(tmp_path: Path) -> None:
    """The call that it happened under says so, and nobody else is taken along."""
    stack = _stack(tmp_path)
    await stack.__aenter__()
    with pytest.raises(ConnectionError, match=r"process of the provider has ended|failed|stopped"):
        await stack["inference"].completion("letters", "exit")
    await until(lambda: told(stack.events, NodeFailed))
    with pytest.raises(StopError, match=r"the process of the provider has ended \(exit code 7\)"):
        await stack.__aexit__(None, None, None)


async def test_a_process_whose_event_loop_has_ended_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever it has left behind, such as a thread: nobody there would answer any more."""
    stack = _stack(tmp_path)
    with suppress(StopError):
        async with stack:
            with pytest.raises(ConnectionError, match="the process of the provider has ended"):
                async with asyncio.timeout(60):
                    await stack["inference"].completion("letters", "end loop")
    said = "the event loop of a provider's process has ended: SystemExit: enough\n"
    assert capfd.readouterr().err.endswith(f": {said}")


async def test_how_a_process_ended_that_was_to_start_is_told(tmp_path: Path) -> None:
    """Such as one that the system has killed because its model is too large."""
    async with _stack(tmp_path, exits=4) as stack:
        error = told(stack.events, NodeFailed)[0].error
        assert str(error) == "the process of the provider has ended (exit code 4)"


async def test_what_cannot_be_read_there_fails_its_call_alone(tmp_path: Path) -> None:
    """An argument, or an answer, that the other process cannot make is no end of a process."""
    async with _stack(tmp_path) as stack:
        call = stack["inference"].completion
        pid = await call("letters", "pid")
        for content in (Bound(), "bound"):
            with pytest.raises(TypeError, match="cannot be read: RuntimeError: made elsewhere"):
                await call("letters", content)
        assert await call("letters", "pid") == pid


@pytest.mark.parametrize("content", ["exit", "pid"])
async def test_what_a_process_has_forked_neither_hides_its_end_nor_outlives_it(
    tmp_path: Path, content: str
) -> None:
    """Though it holds the pipes: calls fail, a stop goes well, and nothing is left."""
    stack = _stack(tmp_path)
    await stack.__aenter__()
    forked = await stack["inference"].completion("letters", "fork")
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            await stack["inference"].completion("letters", content)
    with suppress(StopError) if content == "exit" else nullcontext():
        await stack.__aexit__(None, None, None)
    await until(lambda: not _runs(forked))


def _runs(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("content", ["hog", "pid"])
async def test_a_process_that_ignores_its_stop_is_killed(tmp_path: Path, content: str) -> None:
    """The event loop of the stack never waits for one that is held."""
    stack = _stack(tmp_path, stubborn=True)
    await stack.__aenter__()
    pid = await stack["inference"].completion("letters", "pid")
    call = asyncio.create_task(stack["inference"].completion("letters", content))
    await asyncio.sleep(0.1)  # It is to be at it.
    with pytest.raises(StopError, match="did not stop within 2 s"):
        await stack.__aexit__(None, None, None)
    await asyncio.gather(call, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_what_a_process_does_at_its_end_is_done(tmp_path: Path) -> None:
    """Although a thread holds it up."""
    async with _stack(tmp_path) as stack:
        await stack["inference"].completion("letters", "at exit")
    assert await _said(tmp_path) == "at exit"


async def test_a_start_that_fails_there_fails_here(tmp_path: Path) -> None:
    """With the error of the entry point, and without leaving a process."""
    stack = Stack(_graph(tmp_path, refusal="no way"))
    with pytest.raises(StartError, match=r"provider:inference/u .*: ConnectionError: no way"):
        await stack.__aenter__()


_OWNER = """
import asyncio, sys
from pathlib import Path
from tests.unit.engine.run.test_placement import _stack

async def main():
    async with _stack(Path(sys.argv[1])) as stack:
        print(await stack["inference"].completion("letters", "pid"), flush=True)
        await stack["inference"].completion("letters", "hog")

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere busy code outlives its owner")
async def test_no_process_outlives_its_owner(tmp_path: Path) -> None:
    """Not even one that never looks up, when the owner is killed."""
    path = os.pathsep.join(filter(None, sys.path))
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _OWNER, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    await asyncio.sleep(0.1)  # It is to be at it.
    owner.kill()
    await owner.wait()
    async with asyncio.timeout(10):
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.01)
