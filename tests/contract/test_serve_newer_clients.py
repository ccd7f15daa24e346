"""The routes below ``/v1`` that clients of later contracts use, driven by those clients."""

from __future__ import annotations

from typing import Any

import pytest
from tests.peers import OPENAI, Peer

BREAD = "Knead the dough, then bake it."
STACK = Peer("llama-stack-client-0.7.5", "llama-stack-client==0.7.5", python="3.12")
OGX = Peer("ogx-client-1.5", "ogx-client==1.5.0", python="3.12")

pytestmark = [pytest.mark.peer, pytest.mark.real]


@pytest.fixture(scope="module", params=["openai", "llama_stack_client"])
def more(
    url: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the openai SDK and llama-stack-client 0.7.5 make of the same calls."""
    file = tmp_path_factory.mktemp("files") / "bread.txt"
    file.write_text(BREAD)
    peer = OPENAI if request.param == "openai" else STACK
    return peer.run("openai_more.py", request.param, url, str(file))


@pytest.mark.parametrize("model", ["smollm2", "told/echo"])
def test_a_response_is_a_chat_of_either_lane(more: dict[str, Any], model: str) -> None:
    """A response has the model's text, and its stream says the same piece by piece."""
    answer = more[f"{model} response"]
    (item,) = answer["output"]
    text = item["content"][0]["text"]
    assert (item["type"], bool(text)) == ("message", True)
    events = more[f"{model} events"]
    kinds = [one["type"].removeprefix("response.") for one in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert set(kinds[4:-4]) == {"output_text.delta"}
    assert kinds[-4:-1] == ["output_text.done", "content_part.done", "output_item.done"]
    assert kinds[-1] in {"completed", "incomplete"}
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    said = "".join(one["delta"] for one in events if one["type"].endswith("text.delta"))
    (last,) = events[-1]["response"]["output"]
    assert last["content"][0]["text"] == said
    if model == "smollm2":
        assert answer["usage"]["output_tokens"] > 0
        assert events[-1]["response"]["usage"]["total_tokens"] > 0


def test_a_caller_keeps_the_history_of_its_responses(more: dict[str, Any]) -> None:
    """A call and its output are understood; what the server would have to keep is refused."""
    assert more["history"]["output"][0]["content"][0]["text"] == "booked"
    kind, status, body = more["kept"]
    assert (kind, status) == ("BadRequestError", 400)
    assert (body.get("error") or body)["param"] == "previous_response_id"


def test_a_moderation_is_the_verdict_of_a_shield(more: dict[str, Any]) -> None:
    """Each text has its result."""
    assert more["moderation"]["model"] == "words"
    bad, fine = more["moderation"]["results"]
    assert (bad["flagged"], bad["categories"]["words"], fine["flagged"]) == (True, True, False)


def test_a_file_is_kept_and_searched(more: dict[str, Any]) -> None:
    """What is uploaded can be read again, and found by its meaning once it is in a store."""
    file = more["file"]
    assert (file["filename"], file["bytes"], file["purpose"]) == (
        "bread.txt",
        len(BREAD),
        "assistants",
    )
    assert more["file read"] == file
    assert file in more["files"]
    assert more["content"] == more["store file content"] == BREAD
    assert more["store"]["name"] == "notes of mine"
    assert more["store file"]["status"] == "completed"
    assert more["store files"] == [file["id"]]
    found = more["found"]
    assert (found["file_id"], found["filename"]) == (file["id"], "bread.txt")
    assert found["content"][0]["text"] == BREAD
    assert more["store read"]["file_counts"]["completed"] == 1
    assert more["store"]["id"] in more["stores"]


def test_lists_come_in_pages(more: dict[str, Any]) -> None:
    """The newest comes first; a page says whether more is to come, and clients ask for the rest."""
    assert more["newest"] == [[True], True]
    assert more["paged"] is more["after"] is True
    assert set(more["batch"]) == {"batch"}
    assert more["after nothing"][:2] == ["BadRequestError", 400]


def test_what_is_deleted_is_gone(more: dict[str, Any]) -> None:
    """Then it is not found any more."""
    assert more["file deleted"]["deleted"]
    assert more["store deleted"]["deleted"]
    assert more["no store"][:2] == more["no file"][:2] == ["NotFoundError", 404]


def test_llama_stack_client_reads_the_stack_and_its_shields(url: str) -> None:
    """What only this client has comes in the shapes that it reads, its key with every call."""
    found = STACK.run("llama_stack_client_0_7_5.py", url)
    assert found["health"] == found["admin health"] == {"status": "OK"}
    assert found["provider"] in found["providers"]
    assert found["provider"]["provider_type"] == "inline::llama-cpp"
    assert {"route": "/v1/health"}.keys() <= found["routes"][0].keys()
    assert found["model"]["identifier"] == "smollm2"
    assert found["shield"] == found["shield read"]
    assert found["shield"]["provider_id"] == "words"
    assert found["shield run"]["violation"]["violation_level"] == "error"
    assert found["shields left"] == found["shields"]
    assert found["chat"]["choices"][0]["message"]["content"] == "key-of-ann"
    assert found["chat chunks"][-1]["choices"][0]["finish_reason"] == "stop"
    assert found["completion"]["choices"][0]["text"] == "Paris is"
    assert len(found["embeddings"]["data"][0]["embedding"]) == 384


def test_ogx_client_reads_every_answer(url: str) -> None:
    """Its strict models take what comes; its key goes with every call."""
    found = OGX.run("ogx_client_1_5.py", url)
    assert found["admin"] == [found["health"], found["version"], found["providers"]]
    assert found["model"]["identifier"] == "smollm2"
    assert found["chat"]["choices"][0]["message"]["content"] == "key-of-ann"
    assert found["chat chunks"][0]["choices"][0]["delta"]["role"] == "assistant"
    assert found["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert found["events"][-1]["type"] == "response.completed"
    assert found["content"] == BREAD
    assert found["store file"]["status"] == "completed"
    assert found["found"]["data"][0]["content"][0]["text"] == BREAD
    (store,) = [one for one in found["stores"]["data"] if one["id"] == found["store"]["id"]]
    assert store["file_counts"]["total"] == 1
    assert [one["deleted"] for one in found["deleted"]] == [True, True]
