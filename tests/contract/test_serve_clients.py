"""``rungraph serve`` driven by the clients that people have, each in its own environment."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.builders import entry, written
from tests.contract.command_line import ROOT, run_program
from tests.peers import OPENAI, Peer, serving

README = (ROOT / "README.md").read_text()
OLD = Peer("llama-stack-client-0.0.40", "llama-stack-client==0.0.40", "httpx<0.28")

pytestmark = [pytest.mark.peer, pytest.mark.real]


@pytest.fixture(scope="module")
def old(url: str) -> dict[str, Any]:
    """What the client of the first contract makes of the answers."""
    return OLD.run("llama_stack_client_0_0_40.py", url, "trace")


def test_the_first_client_reads_what_the_stack_is(old: dict[str, Any]) -> None:
    """Health, providers and routes have the shapes that it reads."""
    assert {"provider_id": "llm", "provider_type": "inline::llama-cpp"}.items() <= old["providers"][
        "inference"
    ][1].items()
    routes = {one["route"]: one["method"] for one in old["routes"]["inference"]}
    assert routes["/inference/chat_completion"] == "POST"


def test_the_first_client_reads_and_registers_resources(old: dict[str, Any]) -> None:
    """Lists are arrays, an unknown resource is None, and what is registered can be read at once."""
    assert {"smollm2", "multilingual-e5-small"} <= {one["identifier"] for one in old["models"]}
    assert old["model"]["provider_id"] == "llm"
    assert old["no model"] is None
    assert old["registered model"]["identifier"] == "mine"
    assert [one["type"] for one in old["shields"]] == ["words"]
    assert (old["shield"]["identifier"], old["registered shield"]["type"]) == ("words", "words")
    assert [one["identifier"] for one in old["banks"]] == ["notes"]
    assert old["bank"]["type"] == "vector"


def test_the_first_client_talks_to_models(old: dict[str, Any]) -> None:
    """Chat, its stream, completion and embeddings come from real models."""
    assert old["chat"]["completion_message"]["content"].strip()
    kinds = [one["event"]["event_type"] for one in old["chat chunks"]]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("start", "complete", {"progress"})
    text = "".join(one["event"]["delta"] for one in old["chat chunks"])
    assert text == old["chat"]["completion_message"]["content"]
    assert old["completion"]["completion_message"]["content"].strip()
    assert len(old["embeddings"]["embeddings"][0]) == 384


def test_the_first_client_uses_memory_safety_and_telemetry(old: dict[str, Any]) -> None:
    """What is inserted is found, a shield objects, and a naive time is taken as UTC."""
    assert old["query"]["chunks"][0]["document_id"] == "bread"
    assert old["shield run"]["violation"]["violation_level"] == "error"
    assert old["trace"]["root_span_id"] == "span"
    assert old["trace"]["start_time"].startswith("2026-01-01T00:00:00")


def test_the_first_client_runs_an_agent(old: dict[str, Any]) -> None:
    """A turn streams its events; a session is read by a POST with a query and a body."""
    kinds = [one["event"]["payload"]["event_type"] for one in old["turn events"]]
    assert kinds == ["turn_start", "step_start", "step_progress", "step_complete", "turn_complete"]
    assert old["session read"]["turns"][0]["output_message"]["content"].startswith("What")


def test_the_first_client_sees_no_difference_behind_a_stack(
    url: str, old: dict[str, Any], tmp_path: Path
) -> None:
    """A stack that has every API by the other one answers every call as that does."""
    ids = {"agents": "fake", "inference": "llm", "memory": "faiss", "safety": "words"}
    ids["telemetry"] = "otel"
    providers = {api: [entry(one, "remote", url=url)] for api, one in ids.items()}
    config = written(tmp_path / "run.yaml", providers)
    with serving(config) as front:
        found = OLD.run("llama_stack_client_0_0_40.py", front, "another trace")
    assert found.keys() == old.keys()
    for name in ("chat", "chat chunks", "completion", "embeddings", "query", "shield run"):
        assert found[name] == old[name]
    assert [one["identifier"] for one in found["banks"]] == ["notes"]
    kinds, others = (
        [one["event"]["payload"]["event_type"] for one in run["turn events"]]
        for run in (found, old)
    )
    assert kinds == others
    for name in ("unknown model", "unknown bank", "no such API"):
        assert found[name][0] == old[name][0]


def test_the_first_client_is_told_what_is_wrong(old: dict[str, Any]) -> None:
    """Errors come by their class, in one shape, with what may be meant."""
    kind, body = old["unknown model"]
    assert (kind, body["error"]["code"]) == ("NotFoundError", "model_not_found")
    assert body["error"]["message"].endswith("help: did you mean 'smollm2'?")
    assert old["unknown bank"][0] == "NotFoundError"
    assert old["no such API"][0] == "NotFoundError"


# --- what the README says ----------------------------------------------------------------------


def test_the_curl_of_the_readme_is_answered(url: str) -> None:
    """The command, at the port that is free here, prints an answer of the model."""
    (command,) = re.findall(r"```sh\n(curl .*?)```", README, re.DOTALL)
    curl = command.replace("localhost:8321", url.removeprefix("http://"))
    answer = json.loads(run_program("sh", "-c", curl).out)["completion_message"]["content"]
    assert answer == "The capital of France is Paris."


def test_the_python_of_the_readme_is_answered(url: str) -> None:
    """The program, at the port that is free here, prints an answer of the model."""
    (program,) = re.findall(r"```py\n(from openai.*?)```", README, re.DOTALL)
    said = OPENAI.output_of("-c", program.replace("http://localhost:8321", url))
    assert said.strip() == "The capital of France is Paris."


# --- the openai SDK ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sdk(url: str) -> dict[str, Any]:
    """What the openai SDK makes of the answers below ``/v1``."""
    return OPENAI.run("openai_sdk.py", url)


def test_the_sdk_reads_the_models(sdk: dict[str, Any]) -> None:
    """Models are listed with what serves them; one can be asked for by its name."""
    models = {one["id"]: one for one in sdk["models"]}
    assert models["smollm2"] == sdk["model"]
    assert sdk["model"]["custom_metadata"] == {
        "model_type": "llm",
        "provider_id": "llm",
        "provider_resource_id": "smollm2-135m-instruct",
    }
    assert models["multilingual-e5-small"]["custom_metadata"]["model_type"] == "embedding"


@pytest.mark.parametrize("model", ["smollm2", "told/echo"])
def test_the_sdk_talks_to_models_of_both_lanes(sdk: dict[str, Any], model: str) -> None:
    """A provider that speaks the OpenAI API is relayed, another translated; both are read alike."""
    (choice,) = sdk[f"{model} chat"]["choices"]
    text = choice["message"]["content"]
    assert (choice["message"]["role"], bool(text)) == ("assistant", True)
    assert choice["finish_reason"] in {"stop", "length"}
    first, *middle, last = [one for one in sdk[f"{model} chunks"] if one["choices"]]
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert last["choices"][0]["finish_reason"] in {"stop", "length"}
    said = "".join(one["choices"][0]["delta"]["content"] or "" for one in (first, *middle))
    assert said.strip() == text.strip()
    assert sdk[f"{model} completion"]["choices"][0]["text"]
    assert sdk[f"{model} completion chunks"]
    assert sdk[f"{model} tools"]["choices"]


def test_the_sdk_is_told_the_tokens(sdk: dict[str, Any]) -> None:
    """Usage comes whole with an answer, and last in a stream that asks for it."""
    usage = sdk["smollm2 chat"]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert sdk["smollm2 chunks"][-1]["usage"]["completion_tokens"] == usage["completion_tokens"]


def test_what_only_a_relay_can_keep_is_kept(sdk: dict[str, Any]) -> None:
    """A schema is obeyed, logprobs come back."""
    assert sdk["parsed"]["name"]
    assert len(sdk["logprobs"]["choices"][0]["logprobs"]["content"]) == 2


def test_the_sdk_gets_vectors_packed_and_plain(sdk: dict[str, Any]) -> None:
    """The packed form, which the SDK asks for by itself, holds the numbers of the plain one."""
    packed, index, plain = sdk["embeddings"]
    assert (len(packed), index) == (384, 1)
    assert packed == pytest.approx(plain, abs=1e-6)


def test_the_sdk_is_told_what_is_wrong(sdk: dict[str, Any]) -> None:
    """Errors are of the SDK's own classes, and name the parameter."""
    kind, body, has_id = sdk["unknown model"]
    assert (kind, body["code"], has_id) == ("NotFoundError", "model_not_found", True)
    kind, body, _ = sdk["cannot honour"]
    assert (kind, body["param"]) == ("BadRequestError", "n")
    assert body["message"] == "n: the provider of 'told/echo' cannot honour it"
