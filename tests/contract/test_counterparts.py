"""What stands for a vendor's server is taken for it by the vendor's own client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.counterparts import KEY, serve_counterpart
from tests.peers import OPENAI, Peer

VENDORS = Peer("inference-vendors", "text-generation==0.7.0", "ollama==0.6.3")

pytestmark = [pytest.mark.peer, pytest.mark.real]


@pytest.fixture(scope="module")
def told(weights: Path) -> dict[str, Any]:
    """Return what the clients of TGI and Ollama make of the answers."""
    with (
        serve_counterpart("tgi", "org/small") as tgi,
        serve_counterpart("ollama", "smollm2") as ollama,
    ):
        return VENDORS.run("inference_vendors.py", tgi, ollama, KEY)


def test_tgi_completes(told: dict[str, Any]) -> None:
    """The text, its tokens and its stream are the same through both clients."""
    text, reason, count, tokens = told["generate"]
    assert (reason, count, "".join(tokens)) == ("length", 4, text)
    assert told["generate stream"] == [tokens, text]
    assert (told["hub generation"], told["hub stream"]) == (text, tokens)
    assert json.loads(told["hub grammar"])["color"] in {"red", "blue"}


def test_tgi_chats(told: dict[str, Any]) -> None:
    """The nulls that the client sends are taken, a stream says the same, a schema is kept."""
    assert isinstance(told["tgi chat"], str)
    assert told["hub chat"] == told["hub chat stream"] != ""
    assert json.loads(told["hub schema"])["color"] in {"red", "blue"}


def test_tgi_refuses(told: dict[str, Any]) -> None:
    """Also in a stream that has begun, the client has the class of error that TGI means."""
    assert told["five stops"][0] == told["too long"][0] == "ValidationError"
    assert told["too long stream"] == told["too long"]
    assert told["hub wrong key"][1].startswith("401 Client Error")


def test_ollama_answers(told: dict[str, Any]) -> None:
    """Chat, its stream, a schema, completion and vectors; a name means its tag ``latest``."""
    text, reason, count = told["ollama chat"]
    assert (reason, count, "".join(told["ollama stream"])) == ("length", 4, text)
    assert json.loads(told["ollama schema"])["color"] in {"red", "blue"}
    assert told["ollama generate"] == told["generate"][0]
    assert told["ollama embed"] == [384, 384]
    assert told["load"] == "load"


def test_ollama_has_models(told: dict[str, Any]) -> None:
    """They are told apart by what they can do, and more can be pulled."""
    assert told["show"] == {"e5:latest": ["embedding"], "smollm2:latest": ["completion"]}
    assert told["pull"][-1] == "success"
    assert told["pull of nothing"][1].startswith("pull model manifest: file does not exist")
    assert told["unknown model"][1].startswith("model 'nope' not found")
    assert "does not support tools" in told["no tools"][1]


def test_vllm_answers(weights: Path) -> None:
    """A schema is kept as ``response_format`` and ``structured_outputs``; others are ignored."""
    with serve_counterpart("vllm", "org/small") as url:
        told = OPENAI.run("openai_of_vllm.py", url, KEY)
    assert told["models"] == [["org/small", 2048]]
    assert told["chat"] == told["chat stream"] != ""
    assert json.loads(told["schema"])["color"] in {"red", "blue"}
    assert json.loads(told["structured"])["color"] in {"red", "blue"}
    assert "{" not in told["guided"]
    assert told["tools"][0] == told["too long"][0] == "BadRequestError"
    assert told["unknown model"][0] == told["embeddings"][0] == "NotFoundError"
