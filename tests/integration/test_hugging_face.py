"""Inference that Hugging Face runs is named as it is there, and looked up with its own client."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import InferenceClient, constants
from tests.builders import entry
from tests.counterparts import KEY, serve_counterpart

from rungraph import Stack, StackSettings, compile_config
from rungraph.engine.apis.common import SamplingParams, UserMessage
from rungraph.engine.errors import StartError
from rungraph.engine.providers.remote.tgi import hub

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def counterpart(weights: Path) -> Generator[str]:
    """What stands for Hugging Face; it has the model ``org/small``."""
    with serve_counterpart("hugging-face", "org/small") as url:
        yield url


@pytest.fixture
def url(counterpart: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have huggingface_hub, of nobody's login, ask the counterpart."""
    monkeypatch.setattr(constants, "ENDPOINT", counterpart)
    monkeypatch.setattr(constants, "INFERENCE_ENDPOINT", counterpart)
    monkeypatch.setattr(constants, "INFERENCE_ENDPOINTS_ENDPOINT", f"{counterpart}/v2")
    monkeypatch.setenv("HF_INFERENCE_ENDPOINT", counterpart)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    monkeypatch.setattr(hub, "_REFRESH_SECONDS", 0.01)
    return counterpart


def _stack(kind: str, state: Path, **config: Any) -> Stack:
    providers = {"inference": [entry("hf", f"remote::hf::{kind}", **config)]}
    graph = compile_config({"providers": providers}, environment={})
    return Stack(graph.check(), StackSettings(state_dir=state))


async def _start(stack: Stack) -> None:
    async with stack:
        pass


def test_the_counterpart_is_hugging_face_to_its_own_client(url: str) -> None:
    """The endpoint is found in the namespace of the key's owner and waited for, and answers."""
    endpoint = huggingface_hub.HfApi(endpoint=url).get_inference_endpoint("small", token=KEY)
    endpoint.wait(timeout=1)
    assert (endpoint.status, endpoint.repository, endpoint.url) == ("running", "org/small", url)
    assert endpoint.client.text_generation("The capital of France is", max_new_tokens=1) == " Paris"
    info = InferenceClient("org/small", token=KEY, provider="hf-inference").get_endpoint_info()
    assert info["model_id"] == "org/small"


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("endpoint", {"endpoint_name": "small"}),
        ("endpoint", {"endpoint_name": "someone/starting"}),
        ("endpoint", {"endpoint_name": "asleep"}),
        ("serverless", {"huggingface_repo": "org/small"}),
    ],
)
async def test_a_model_is_named_as_hugging_face_names_it(
    url: str, tmp_path: Path, kind: str, config: dict[str, str]
) -> None:
    """An endpoint that does not run yet is waited for, one that sleeps is woken."""
    async with _stack(kind, tmp_path, api_token=KEY, **config) as stack:
        answer: Any = await stack["inference"].chat_completion(
            model="org/small",
            messages=[UserMessage(content="Say hi")],
            sampling_params=SamplingParams(max_tokens=4),
        )
        assert answer.completion_message.content


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"endpoint_name": "paused"}, "endpoint 'paused' is in the state 'paused': resume it on"),
        ({"endpoint_name": "failed"}, "endpoint 'failed' is in the state 'failed': look at"),
        ({"endpoint_name": "slow", "endpoint_wait_seconds": 0.05},
         "endpoint 'slow' is in the state 'initializing' and did not run within 0.05 s"),
        ({"endpoint_name": "nobody/x"}, "no inference endpoint 'nobody/x' that the key may see"),
        ({"endpoint_name": "small", "api_token": "wrong"},
         "Hugging Face refuses the key for the inference endpoint 'small'"),
        ({"endpoint_name": "small", "api_token": ""}, "Hugging Face wants a key: set api_token"),
    ],
)  # fmt: skip
async def test_what_keeps_an_endpoint_from_serving_is_told(
    url: str, tmp_path: Path, config: dict[str, Any], told: str
) -> None:
    """Its state, a name that there is not, and a key that does not open it."""
    with pytest.raises(StartError, match=told):
        await _start(_stack("endpoint", tmp_path, **{"api_token": KEY, **config}))


async def test_a_hub_that_cannot_be_reached_is_told(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the server's absence, whatever the HTTP library of the client raises."""
    monkeypatch.setattr(constants, "INFERENCE_ENDPOINTS_ENDPOINT", "http://127.0.0.1:9/v2")
    told = "Hugging Face does not say where the inference endpoint 'a/small' is: "
    with pytest.raises(StartError, match=told):
        await _start(_stack("endpoint", tmp_path, api_token=KEY, endpoint_name="a/small"))


async def test_the_client_is_needed_for_a_name_only(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the error names the command that installs it; a URL is not looked up."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    async with _stack("endpoint", tmp_path, api_token=KEY, url=url):
        pass
    with pytest.raises(StartError, match=r'pip install "rungraph\[huggingface\]"'):
        await _start(_stack("endpoint", tmp_path, api_token=KEY, endpoint_name="small"))
