"""``rungraph serve`` driven by the clients that people have, each in its own environment."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.contract.command_line import QUICKSTART
from tests.peers import Peer, serving

OLD = Peer("llama-stack-client-0.0.40", "llama-stack-client==0.0.40", "httpx<0.28")

pytestmark = [pytest.mark.peer, pytest.mark.real]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Generator[str]:
    """Serve the quickstart, and agents and safety of our own, at the URL that is returned."""
    folder = tmp_path_factory.mktemp("served")
    config = yaml.safe_load(
        QUICKSTART.read_text().replace(
            "${env.RUNGRAPH_DEMO_DIR:=~/.local/state/rungraph/quickstart}", str(folder)
        )
    )
    for api, provider_id, kind in (("safety", "words", "safety"), ("agents", "fake", "agents")):
        config["providers"][api] = [
            {
                "provider_id": provider_id,
                "provider_type": f"inline::{provider_id}",
                "module": "fake_agents",
                "config": {"kind": kind},
            }
        ]
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(config))
    with serving(path) as at:
        yield at


@pytest.fixture(scope="module")
def old(url: str) -> dict[str, Any]:
    """What the client of the first contract makes of the answers."""
    return OLD.run("llama_stack_client_0_0_40.py", url)


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
    assert old["trace"]["start_time"].startswith("2026-01-01 00:00:00")


def test_the_first_client_runs_an_agent(old: dict[str, Any]) -> None:
    """A turn streams its events; a session is read by a POST with a query and a body."""
    kinds = [one["event"]["payload"]["event_type"] for one in old["turn events"]]
    assert kinds == ["turn_start", "step_start", "step_progress", "step_complete", "turn_complete"]
    assert old["session read"]["turns"][0]["output_message"]["content"].startswith("What")


def test_the_first_client_is_told_what_is_wrong(old: dict[str, Any]) -> None:
    """Errors come by their class, in one shape, with what may be meant."""
    kind, body = old["unknown model"]
    assert (kind, body["error"]["code"]) == ("NotFoundError", "model_not_found")
    assert body["error"]["message"].endswith("help: did you mean 'smollm2'?")
    assert old["unknown bank"][0] == "NotFoundError"
    assert old["no such API"][0] == "NotFoundError"
