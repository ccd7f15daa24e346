"""``inline::llama-cpp`` with a real model: answers, and a process that dies and comes back."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from pydantic import ValidationError
from tests.builders import entry
from tests.real import LlamaServer

from rungraph.engine import Stack, StackSettings
from rungraph.engine.apis.common import (
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
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import MissingPackageError, StartError, UnavailableResourceError
from rungraph.engine.events import Event, NodeFailed, NodeRestarting, ResourceAdded
from rungraph.engine.providers.inline.llama_cpp import server
from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
from rungraph.engine.providers.inline.llama_cpp.provider import get_provider_impl
from rungraph.graph import compile_config

HELLO: list[Message] = [UserMessage(content="Say hi")]
STORY: list[Message] = [UserMessage(content="Write a long story about a sailor.")]
SHORT = SamplingParams(max_tokens=6)
WEATHER = ToolDefinition(
    tool_name="get_weather",
    description="The weather in a city.",
    parameters={"city": ToolParamDefinition(param_type="str", description="the city")},
)


def stack_of(path: Path, state: Path, **config: Any) -> Stack:
    """Return a stack of one provider with the model at *path*."""
    llm = entry("llm", "inline::llama-cpp", model=str(path), **config)
    graph = compile_config({"providers": {"inference": [llm]}}, environment={})
    return Stack(graph, StackSettings(state_dir=state, restart_delay=0.05))


@asynccontextmanager
async def running(path: Path, state: Path, **config: Any) -> AsyncGenerator[Stack]:
    """Run a stack; afterwards its process and tasks are gone."""
    before = asyncio.all_tasks()
    async with stack_of(path, state, **config) as stack:
        yield stack
        pid = pid_of(stack)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert asyncio.all_tasks() == before


def pid_of(stack: Stack) -> int:
    """Return the process id of the stack's provider."""
    provider: Any = stack["provider:inference/llm"]
    return int(provider.pid)


async def chat(stack: Stack, **more: Any) -> ChatCompletionResponse:
    """Return a short answer of the model."""
    options: dict[str, Any] = {"model": "small", "sampling_params": SHORT, **more}
    answer = await stack["inference"].chat_completion(messages=HELLO, **options)
    assert isinstance(answer, ChatCompletionResponse)
    return answer


@pytest.mark.real
async def test_the_model_answers_under_each_of_its_names(weights: Path, tmp_path: Path) -> None:
    """All of them are listed, a registered one too, and mean the same."""
    async with running(weights, tmp_path, model_id="small", aliases=["tiny"]) as stack:
        await stack["models"].register_model(Model(identifier="mine", provider_resource_id="tiny"))
        names = [model.identifier for model in await stack["models"].list_models()]
        assert names == ["mine", "small", "tiny"]
        answers = [await stack["inference"].chat_completion(name, HELLO, SHORT) for name in names]
        first, *others = [answer.completion_message for answer in answers]
        assert others == [first, first]


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.real
async def test_tool_calls(weights: Path, tmp_path: Path) -> None:
    """Without a form for tools it calls the one it must."""
    params = SamplingParams(max_tokens=40)
    async with running(weights, tmp_path, model_id="small") as stack:
        required = await chat(
            stack, sampling_params=params, tools=[WEATHER], tool_choice="required"
        )
        (call,) = required.completion_message.tool_calls
        assert call.tool_name == "get_weather"
        assert set(call.arguments) == {"city"}

        chunks = await stack["inference"].chat_completion(
            "small", HELLO, params, tools=[WEATHER], tool_choice="get_weather", stream=True
        )
        deltas = [chunk.event.delta async for chunk in chunks]
        last = [delta for delta in deltas if isinstance(delta, ToolCallDelta)][-1]
        assert last.parse_status is ToolCallParseStatus.SUCCESS

        none = await chat(stack, tools=[WEATHER], tool_choice="none")
        assert none.completion_message.tool_calls == []
        assert none.completion_message.content


# --- its process -------------------------------------------------------------------------------


@pytest.mark.real
def test_llama_cpp_answers_nobody_else(llama_server: LlamaServer) -> None:
    """It asks for a key and shows no page."""
    statuses: list[int] = []
    for path in ("/v1/models", "/"):
        with pytest.raises(HTTPError) as caught:
            urlopen(llama_server.url + path)  # noqa: S310  (a server of ours)
        statuses.append(caught.value.code)
        caught.value.close()
    assert statuses == [401, 404]


@pytest.mark.real
async def test_a_process_that_dies(weights: Path, tmp_path: Path) -> None:
    """Its stream breaks, and calls fail with the reason until the model is there again."""
    path = tmp_path / "small.gguf"
    path.symlink_to(weights)
    events = asyncio.Queue[Event]()

    async def next_of(kind: type[Event]) -> Any:
        async with asyncio.timeout(30):
            while not isinstance(event := await events.get(), kind):
                pass
        return event

    async with running(path, tmp_path / "state") as stack:
        before = pid_of(stack)
        chunks = await stack["inference"].chat_completion(
            "small", STORY, SamplingParams(max_tokens=1900), stream=True
        )
        await anext(chunks)
        path.unlink()
        stack.events.subscribe(events.put_nowait)
        os.kill(before, signal.SIGKILL)
        with pytest.raises(ConnectionError, match="the process of the provider has ended"):
            [chunk async for chunk in chunks]
        died = await next_of(NodeFailed)
        assert str(died.error) == "the process of the provider has ended (signal 9)"
        refused = await next_of(NodeFailed)
        assert f"there is no model file '{path}'" in str(refused.error)
        await next_of(NodeRestarting)
        with pytest.raises(UnavailableResourceError, match="is being restarted; retry after"):
            await chat(stack)

        path.symlink_to(weights)
        await next_of(ResourceAdded)
        assert (await chat(stack)).completion_message.content
        assert pid_of(stack) != before


# --- failing to start --------------------------------------------------------------------------


@pytest.mark.real
async def test_broken_model(weights: Path, tmp_path: Path) -> None:
    """A model that is cut off is a failure to start, with what llama.cpp says of it."""
    path = tmp_path / "bad.gguf"
    with weights.open("rb") as file:
        path.write_bytes(file.read(1 << 16))
    before = asyncio.all_tasks()
    with pytest.raises(StartError) as caught:
        await stack_of(path, tmp_path).__aenter__()
    assert f"llama.cpp cannot load '{path}': gguf_init" in str(caught.value)
    assert asyncio.all_tasks() == before


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


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has the whole context, and one core is left to everything else."""
    given: Any = SimpleNamespace(
        **{part: SimpleNamespace() for part in ("model", "cpuparams", "cpuparams_batch")}
    )

    def refuse(_: object) -> object:
        msg = "enough"
        raise RuntimeError(msg)

    llama = SimpleNamespace(CommonParams=lambda: given, Server=refuse)
    monkeypatch.setattr(server, "import_module", {"xllamacpp": llama}.get)

    def four_cores(_: int) -> set[int]:
        return {0, 1, 2, 3}

    monkeypatch.setattr(os, "sched_getaffinity", four_cores, raising=False)
    config = LlamaCppConfig(context_size=1000, parallel=3)
    with pytest.raises(server.LoadError, match=r"^llama\.cpp cannot load 'small\.gguf': enough$"):
        server.open_server(Path("small.gguf"), ["small"], "key", config)
    assert (given.n_ctx, given.n_parallel) == (3000, 3)
    assert (given.cpuparams.n_threads, given.cpuparams_batch.n_threads) == (3, 3)
    assert (given.model_alias, given.api_keys) == ({"small"}, ["key"])


def test_restarts_are_the_stacks() -> None:
    """A key that told of the worker is refused with what to write instead."""
    with pytest.raises(ValidationError) as caught:
        LlamaCppConfig.model_validate({"start_timeout_seconds": 5, "restart_wait_seconds": 1})
    assert caught.value.errors()[0]["msg"] == (
        "Value error, 'start_timeout_seconds', 'restart_wait_seconds': no key any more, as the "
        "stack starts the process and restarts it; see 'restart' beside 'config', and "
        "--start-timeout"
    )
