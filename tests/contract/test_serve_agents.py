"""Frameworks for agents, driven as their users drive them, call tools through a server."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.builders import entry, written
from tests.contract.conftest import ConfigFile
from tests.peers import Peer, serving

AGENTS = Peer("openai-agents", "openai-agents>=0.24", python="3.12")
LANGCHAIN = Peer("langchain-openai", "langchain-openai>=1", python="3.12")

pytestmark = [pytest.mark.peer, pytest.mark.heavy]


@pytest.fixture
def url(config_file: ConfigFile, tmp_path: Path) -> Generator[str]:
    """A server with ``told/echo``, translated, and ``relayed``: a model of a server behind it."""
    own = config_file()
    with serving(own) as behind:
        config = json.loads(own.read_text())
        openai = entry("behind", "remote::openai", base_url=f"{behind}/v1")
        inference = [*config["providers"]["inference"], openai]
        relayed = {"model_id": "relayed", "provider_id": "behind", "provider_model_id": "echo"}
        path = written(tmp_path / "before/run.json", {"inference": inference}, models=[relayed])
        with serving(path) as found:
            yield found


def test_langchain_calls_a_tool_streaming(url: str) -> None:
    """`ChatOpenAI` reads the call from the chunks, and the model gets the tool's result."""
    found = LANGCHAIN.run("chat_openai.py", url)
    for model in ("told/echo", "relayed"):
        assert found[model] == {
            "tool": "book",
            "arguments": {"seats": 2},
            "chunks": found[model]["chunks"],
            "result": "booked for 2",
            "said": "booked for 2 ",
        }
        assert found[model]["chunks"] > 3


def test_agents_call_a_tool_streaming(url: str) -> None:
    """An agent goes round twice over chat completions and over responses alike."""
    found = AGENTS.run("agents_sdk.py", url)
    assert len(found) == 4
    for one in found.values():
        assert one["items"] == ["tool_call_item", "tool_call_output_item", "message_output_item"]
        assert (one["outputs"], one["said"]) == (["booked for 2"], "booked for 2 ")
        assert one["raw events"] > 6
