"""``inline::llama-cpp`` with a real model: answers, and a worker that dies and comes back."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from rungraph.engine.apis.common import (
    HealthStatus,
    Message,
    SamplingParams,
    ToolDefinition,
    ToolParamDefinition,
    UserMessage,
)
from rungraph.engine.apis.inference import (
    ChatCompletionResponse,
    ToolCallDelta,
    ToolCallParseStatus,
)
from rungraph.engine.errors import MissingPackageError
from rungraph.engine.provider import ProviderReport
from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
from rungraph.engine.providers.inline.llama_cpp.process import Worker, WorkerError
from rungraph.engine.providers.inline.llama_cpp.provider import LlamaCppProvider, get_provider_impl

HELLO: list[Message] = [UserMessage(content="Say hi")]
STORY: list[Message] = [UserMessage(content="Write a long story about a sailor.")]
SHORT = SamplingParams(max_tokens=6)
WEATHER = ToolDefinition(
    tool_name="get_weather",
    description="The weather in a city.",
    parameters={"city": ToolParamDefinition(param_type="str", description="the city")},
)

# Starts a worker, tells its process id, and waits to be killed.
OWNER = """
import asyncio, sys
from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
from rungraph.engine.providers.inline.llama_cpp.provider import get_provider_impl

async def main():
    provider = await get_provider_impl(LlamaCppConfig(model=sys.argv[1]), {})
    print(provider.worker.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@asynccontextmanager
async def running(path: Path, **config: Any) -> AsyncGenerator[LlamaCppProvider]:
    """Run a provider of the model at *path*; afterwards its process and tasks are gone."""
    before = asyncio.all_tasks()
    provider = await get_provider_impl(LlamaCppConfig(model=str(path), **config), {})
    pid = worker_of(provider)
    try:
        yield provider
        pid = worker_of(provider)
    finally:
        await provider.shutdown()
    assert not is_alive(pid)
    assert asyncio.all_tasks() == before


def worker_of(provider: LlamaCppProvider) -> int:
    """Return the process id of a provider's worker."""
    assert provider.worker is not None
    return provider.worker.pid


def is_alive(pid: int) -> bool:
    """Return whether there is a process *pid*."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def shown_of(pid: int) -> str:
    """Return what the machine's other users can see of a process: how it was called."""
    return Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()


class Reports:
    """What a provider reports of itself, to be waited for."""

    def __init__(self) -> None:
        self.queue = asyncio.Queue[ProviderReport]()

    async def next(self) -> tuple[str, str]:
        """Return the next report, once it comes."""
        async with asyncio.timeout(30):
            report = await self.queue.get()
        return report.state, report.detail


async def chat(provider: LlamaCppProvider, **more: Any) -> ChatCompletionResponse:
    """Return a short answer of the model."""
    (model, *_) = await provider.list_models()
    options: dict[str, Any] = {"sampling_params": SHORT, **more}
    answer = await provider.chat_completion(model.identifier, HELLO, **options)
    assert isinstance(answer, ChatCompletionResponse)
    return answer


@pytest.mark.real
async def test_the_model_answers_under_each_of_its_names(weights: Path) -> None:
    """All of them are listed, and mean the same."""
    async with running(weights, model_id="small", aliases=("tiny",)) as provider:
        assert [model.identifier for model in await provider.list_models()] == ["small", "tiny"]
        small, tiny = [await provider.chat_completion(n, HELLO, SHORT) for n in ("small", "tiny")]
        assert isinstance(small, ChatCompletionResponse)
        assert isinstance(tiny, ChatCompletionResponse)
        assert small.completion_message == tiny.completion_message


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.real
async def test_tool_calls(weights: Path) -> None:
    """Without a form for tools it calls the one it must; another model is refused."""
    params = SamplingParams(max_tokens=40)
    async with running(weights, model_id="small") as provider:
        required = await chat(
            provider, sampling_params=params, tools=[WEATHER], tool_choice="required"
        )
        (call,) = required.completion_message.tool_calls
        assert call.tool_name == "get_weather"
        assert set(call.arguments) == {"city"}

        chunks = await provider.chat_completion(
            "small", HELLO, params, tools=[WEATHER], tool_choice="get_weather", stream=True
        )
        assert not isinstance(chunks, ChatCompletionResponse)
        deltas = [chunk.event.delta async for chunk in chunks]
        last = [delta for delta in deltas if isinstance(delta, ToolCallDelta)][-1]
        assert last.parse_status is ToolCallParseStatus.SUCCESS

        none = await chat(provider, tools=[WEATHER], tool_choice="none")
        assert none.completion_message.tool_calls == []
        assert none.completion_message.content

        with pytest.raises(ValueError, match="no model 'smal'"):
            await provider.chat_completion("smal", HELLO)


# --- the worker --------------------------------------------------------------------------------


@pytest.mark.real
async def test_worker_process(weights: Path) -> None:
    """The worker asks for a key that no one can read, shows no page, and is its own session."""
    async with running(weights) as provider:
        worker = provider.worker
        assert worker is not None
        assert worker.api_key not in shown_of(worker.pid)
        # Ctrl-C reaches the processes of the terminal's session.
        assert os.getsid(worker.pid) == worker.pid
        statuses: list[int] = []
        for path in ("/v1/models", "/"):
            with pytest.raises(HTTPError) as caught:
                await asyncio.to_thread(urlopen, worker.url + path)
            statuses.append(caught.value.code)
            caught.value.close()
        assert statuses == [401, 404]


@pytest.mark.real
async def test_dead_worker(weights: Path) -> None:
    """A worker that dies is reported and replaced; new calls wait for the new one."""
    reports = Reports()
    async with running(weights, restart_delay_seconds=0) as provider:
        provider.report_to(reports.queue.put_nowait)
        before = worker_of(provider)
        os.kill(before, signal.SIGKILL)
        assert (await chat(provider)).completion_message.content
        assert worker_of(provider) != before
        degraded = ("degraded", "the worker died (signal 9); starting it again")
        assert await reports.next() == degraded
        assert await reports.next() == ("ready", "the worker answers again")


@pytest.mark.real
async def test_worker_that_dies_in_a_stream(weights: Path) -> None:
    """A stream whose worker dies fails as a broken connection that names the model."""
    async with running(weights, model_id="small", restart_delay_seconds=0) as provider:
        chunks = await provider.chat_completion(
            "small", STORY, SamplingParams(max_tokens=1900), stream=True
        )
        assert not isinstance(chunks, ChatCompletionResponse)
        await anext(chunks)
        os.kill(worker_of(provider), signal.SIGKILL)
        with pytest.raises(ConnectionError, match="the worker of 'small': the connection broke"):
            [chunk async for chunk in chunks]
        assert (await chat(provider)).completion_message.content


@pytest.mark.real
async def test_worker_that_cannot_come_back(weights: Path, tmp_path: Path) -> None:
    """While a worker cannot be started again, calls fail with the reason; then all is well."""
    path = tmp_path / "small.gguf"
    path.symlink_to(weights)
    reports = Reports()
    async with running(path, restart_delay_seconds=0.05) as provider:
        provider.report_to(reports.queue.put_nowait)
        path.unlink()
        os.kill(worker_of(provider), signal.SIGKILL)
        assert (await reports.next())[1] == "the worker died (signal 9); starting it again"
        state, detail = await reports.next()
        assert state == "degraded"
        assert detail.startswith(
            f"the worker cannot be started again: llama.cpp cannot load '{path}'"
        )
        with pytest.raises(ConnectionError, match="died and cannot be started again: llama"):
            await chat(provider)
        health = await provider.health()
        assert health.status is HealthStatus.ERROR

        path.symlink_to(weights)
        while (await reports.next())[0] != "ready":
            pass
        assert (await chat(provider)).completion_message.content


@pytest.mark.real
async def test_between_two_workers(weights: Path) -> None:
    """Between two workers a call fails after a while, and a stop leaves nothing behind."""
    before = asyncio.all_tasks()
    config = LlamaCppConfig(
        model=str(weights),
        restart_delay_seconds=3600,
        restart_delay_max_seconds=3600,
        restart_wait_seconds=0.01,
    )
    provider = await get_provider_impl(config, {})
    reports = Reports()
    provider.report_to(reports.queue.put_nowait)
    os.kill(worker_of(provider), signal.SIGKILL)
    await reports.next()
    assert provider.worker is None
    with pytest.raises(ConnectionError, match="died and is being started again"):
        await chat(provider)
    await provider.shutdown()
    assert asyncio.all_tasks() == before


@pytest.fixture
def orphan(weights: Path) -> int:
    """Return the process id of a worker whose owner was just killed."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(weights)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(path for path in sys.path if path)},
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_alive(pid)
        owner.kill()
    return pid


@pytest.mark.real
async def test_orphan(orphan: int) -> None:
    """A worker whose owner is killed ends by itself."""
    async with asyncio.timeout(20):
        # Nobody tells when a process ends that is no child of ours.
        while is_alive(orphan):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


# --- failing to start --------------------------------------------------------------------------


@pytest.mark.real
async def test_broken_model(weights: Path, tmp_path: Path) -> None:
    """A model that is cut off is a failure to start, with what llama.cpp says of it."""
    path = tmp_path / "bad.gguf"
    with weights.open("rb") as file:
        path.write_bytes(file.read(1 << 16))
    before = asyncio.all_tasks()
    with pytest.raises(WorkerError) as caught:
        await get_provider_impl(LlamaCppConfig(model=str(path)), {})
    assert str(caught.value).startswith(f"llama.cpp cannot load '{path}': ")
    assert asyncio.all_tasks() == before


@pytest.mark.real
async def test_a_start_that_is_given_up(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes too long to load, or whose start is cancelled, is killed."""
    begun = asyncio.Event()
    pids = remember_workers(monkeypatch, begun)
    config = LlamaCppConfig(model=str(weights), start_timeout_seconds=0.01)
    with pytest.raises(TimeoutError, match=r"did not answer within 0\.01 s"):
        await get_provider_impl(config, {})
    begun.clear()
    starting = asyncio.create_task(get_provider_impl(LlamaCppConfig(model=str(weights)), {}))
    await begun.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert [is_alive(pid) for pid in pids] == [False, False]


def remember_workers(monkeypatch: pytest.MonkeyPatch, begun: asyncio.Event) -> list[int]:
    """Return the process ids of the workers that are started from now on; set *begun* with each."""
    pids: list[int] = []
    create = Worker.__init__

    def remember(self: Worker, process: asyncio.subprocess.Process, api_key: str) -> None:
        create(self, process, api_key)
        pids.append(process.pid)
        begun.set()

    monkeypatch.setattr(Worker, "__init__", remember)
    return pids


@pytest.mark.parametrize("package", ["xllamacpp", "aiohttp"])
async def test_missing_package(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed is named, with the command that installs it."""
    find = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return None if name == package else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(MissingPackageError) as caught:
        await get_provider_impl(LlamaCppConfig(), {})
    assert str(caught.value).splitlines() == [
        f"'{package}' is not installed",
        'help: pip install "rungraph[llama-cpp]"',
    ]


async def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has the whole context, and one core is left to everything else."""
    pytest.importorskip("xllamacpp")
    (tmp_path / "small.gguf").write_bytes(b"GGUF...")
    given: dict[str, Any] = {}

    async def start(settings: Mapping[str, Any], *, timeout: float) -> Worker:
        given.update(settings)
        msg = f"enough after {timeout:g} s"
        raise WorkerError(msg)

    monkeypatch.setattr(Worker, "start", start)

    def four_cores(_: int) -> set[int]:
        return {0, 1, 2, 3}

    monkeypatch.setattr(os, "sched_getaffinity", four_cores, raising=False)
    config = LlamaCppConfig(model=str(tmp_path / "small.gguf"), context_size=1000, parallel=3)
    with pytest.raises(WorkerError, match="enough after 100 s"):
        await get_provider_impl(config, {})
    assert (given["context_size"], given["parallel"]) == (3000, 3)
    assert given["threads"] == 3
    assert given["aliases"] == ("small",)
