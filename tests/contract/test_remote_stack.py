"""A stack behind a stack: what the one in front answers, hands on, and refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.builders import entry, written
from tests.contract.command_line import rungraph, until
from tests.contract.test_schemas import described
from tests.peers import CHAT, asked, serving
from tests.wire import Reply, free_port, serve

WRONG = "wrong-key-0123456789"
HANGS = "this stack is behind itself: a call would never end"


Both = tuple[httpx2.Client, httpx2.Client]
TOLD = entry("told", "inline::told", "fake_provider")


def far(url: str, **more: Any) -> dict[str, Any]:
    """Return a provider that is the stack at *url*."""
    return entry("far", "remote::rungraph", url=url, **more)


def named(folder: Path, name: str, *inference: dict[str, Any], **providers: Any) -> Path:
    """Write the run config of a stack that has a name, and return its path."""
    apis = {"inference": inference, **providers}
    return written(folder / name / "run.yaml", apis, image_name=name)


@pytest.fixture(scope="module")
def cancelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that tells of a call that was cancelled behind."""
    return tmp_path_factory.mktemp("told") / "cancelled"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, cancelled: Path) -> Generator[Both]:
    """Clients of a stack and of the one in front of it, which has nothing of its own."""
    folder = tmp_path_factory.mktemp("stacks")
    told = entry("told", "inline::told", "fake_provider", cancelled=str(cancelled))
    safety = [entry("words", "inline::words", "fake_agents", kind="safety")]
    agents = [entry("fake", "inline::fake", "fake_agents", kind="agents")]
    with ExitStack() as stack:
        config = named(folder, "behind", told, safety=safety, agents=agents)
        behind = stack.enter_context(serving(config))
        host, _, port = behind.removeprefix("http://").partition(":")
        remote = [entry("far", "remote", host=host, port=int(port))]
        model = {"model_id": "mine", "provider_id": "far", "provider_model_id": "echo"}
        apis = {"inference": [far(behind)], "safety": remote, "agents": remote}
        path = folder / "front/run.yaml"
        front = stack.enter_context(
            serving(written(path, apis, image_name="front", models=[model]))
        )
        yield (
            stack.enter_context(httpx2.Client(base_url=front)),
            stack.enter_context(httpx2.Client(base_url=behind)),
        )


REQUESTS = {
    "chat": (CHAT, asked("one two")),
    "stream": (CHAT, asked("one two", stream=True)),
    "completion": ("/inference/completion", {"model": "echo", "content": "x y", "stream": True}),
    "left out": ("/inference/completion", {"model": "echo", "content": "x"}),
    "null": ("/inference/completion", {"model": "echo", "content": "x", "logprobs": None}),
    "embeddings": ("/inference/embeddings", {"model": "echo", "contents": ["x"]}),
    "shield": (
        "/safety/run_shield",
        {"shield_type": "words", "messages": [{"role": "user", "content": "forbidden"}]},
    ),
    "unknown session": ("/agents/session/get", {"agent_id": "none", "session_id": "none"}),
    "not valid": (CHAT, {"model": "echo"}),
    "openai": ("/v1/embeddings", {"model": "echo", "input": "x"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_stack_in_front_answers_what_the_one_behind_does(both: Both, name: str) -> None:
    """Answers and streams are equal byte for byte; errors have the same status and text."""
    path, body = REQUESTS[name]
    front, behind = (client.post(path, json=body) for client in both)
    assert (front.status_code, front.content) == (behind.status_code, behind.content)


def test_an_agent_behind_converses(both: Both) -> None:
    """Every route of a turn goes through, its stream event by event."""
    front, _ = both
    agent_config = {"model": "echo", "instructions": "be brief"}
    agent = front.post("/agents/create", json={"agent_config": agent_config}).json()
    name = {"session_name": "talk"}
    session = front.post("/agents/session/create", json={**agent, **name}).json()
    turn = {"messages": [{"role": "user", "content": "What is it?"}], "stream": True}
    events = front.post("/agents/turn/create", json={**agent, **session, **turn}).text
    assert [
        json.loads(line.removeprefix("data: "))["event"]["payload"]["event_type"]
        for line in events.splitlines()
        if line
    ] == ["turn_start", "step_start", "step_progress", "step_complete", "turn_complete"]


def test_a_stream_that_breaks_behind_breaks_in_front(both: Both) -> None:
    """What came before is there; then the error is told, never an end that looks good."""
    answered = both[0].post(CHAT, json=asked("one break", stream=True))
    *_, last = answered.text.strip().split("\n\n")
    error = json.loads(last.removeprefix("data: "))["error"]
    assert '"delta":"one "' in answered.text
    assert error["type"] == "server_error"
    assert "internal error" in error["message"]


def test_a_fault_behind_is_a_bad_gateway(both: Both) -> None:
    """It is the other stack's, and its text names that."""
    front, behind = both
    answered = front.post(CHAT, json=asked("fail"))
    assert answered.status_code == 502
    assert answered.json()["error"]["message"].startswith(str(behind.base_url).rstrip("/"))


def test_data_for_the_provider_goes_through(both: Both) -> None:
    """It reaches the provider behind, and the next call has none."""
    data = {"X-LlamaStack-Provider-Data": '{"told_key": "key-of-ann"}'}
    texts = [
        both[0].post(CHAT, json=asked("whose key"), headers=headers).json()
        for headers in (data, {})
    ]
    contents = [one["completion_message"]["content"] for one in texts]
    assert contents == ["key-of-ann", "nobody's"]


def test_a_caller_that_goes_cancels_the_call_behind(both: Both, cancelled: Path) -> None:
    """The provider two hops away is cancelled."""
    with pytest.raises(httpx2.ReadTimeout):
        both[0].post(CHAT, json=asked("hang"), timeout=0.3)
    until(cancelled.exists)
    assert cancelled.read_text() == "hang"


def test_names_of_its_own_are_not_registered_behind(both: Both) -> None:
    """A model under another name answers; the stack behind knows nothing of the name."""
    front, behind = both
    mine = {**asked("hi"), "model": "mine"}
    assert [one.post(CHAT, json=mine).status_code for one in (front, behind)] == [200, 404]


def test_what_is_registered_in_front_is_registered_behind(both: Both) -> None:
    """It can be requested on both sides until it is taken back."""
    front, behind = both
    shield = {"identifier": "new", "shield_type": "new", "provider_id": "far"}
    assert front.post("/shields/register", json={"shield": shield}).status_code == 200
    there = {"identifier": "new"}
    assert behind.get("/shields/get", params=there).json()["provider_id"] == "words"
    assert front.post("/shields/unregister", json=there).status_code == 200
    assert behind.get("/shields/get", params=there).json() is None


def test_what_is_gone_behind_is_unknown_in_front(both: Both) -> None:
    """A resource that only the stack in front still lists is answered as the one behind does."""
    front, behind = both
    shield = {"identifier": "gone", "shield_type": "gone", "provider_id": "far"}
    assert front.post("/shields/register", json={"shield": shield}).status_code == 200
    assert behind.post("/shields/unregister", json={"identifier": "gone"}).status_code == 200
    run = {"shield_type": "gone", "messages": [{"role": "user", "content": "x"}]}
    told = [client.post("/safety/run_shield", json=run) for client in both]
    assert [one.status_code for one in told] == [404, 404]
    assert told[0].content == told[1].content


def test_the_stacks_behind_are_told(both: Both) -> None:
    """``/upstreams`` names them, each by the provider that it is."""
    there = {"stack": "behind", "upstreams": {}}
    found = both[0].get("/upstreams").json()
    apis = ("agents", "inference", "safety")
    wanted = {f"provider:{api}/far": there for api in apis}
    assert found == {"stack": "front", "upstreams": wanted}
    described("server-upstreams").validate(found)


async def test_trace_and_way_go_through(tmp_path: Path) -> None:
    """The last server hears in which trace, and through which two stacks, it is called."""
    answer = {"choices": [{"message": {"content": "ho"}, "finish_reason": "stop"}]}
    heard: list[Mapping[str, str]] = []

    def reply(request: Any) -> Reply:
        heard.append(request.headers)
        return Reply() if request.method == "GET" else Reply(answer)

    async with serve(reply) as wire:
        last = entry("x", "remote::openai", base_url=wire.base_url)
        behind = named(tmp_path, "behind", last)
        trace = "0af7651916cd43dd8448eb211c80319c"
        with ExitStack() as stack:
            url = await asyncio.to_thread(stack.enter_context, serving(behind))
            front = named(tmp_path, "front", far(url))
            at = await asyncio.to_thread(stack.enter_context, serving(front))
            async with httpx2.AsyncClient(base_url=at) as client:
                parent = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
                body = {**asked("hi"), "model": "small"}
                answered = await client.post(CHAT, json=body, headers=parent)
            await asyncio.to_thread(stack.close)
    assert answered.status_code == 200
    sent = {key.lower(): value for key, value in heard[-1].items()}
    assert sent["traceparent"].split("-")[1] == trace
    assert len(sent["via"].split(", 1.1 rungraph-")) == 2


def test_a_key_that_is_not_known_ends_the_start(tmp_path: Path) -> None:
    """The stack in front says that its own config is wrong."""
    behind = named(tmp_path, "behind", TOLD)
    with serving(behind, RUNGRAPH_SERVE_KEY="right-key-0123456789") as url:
        front = named(tmp_path, "front", far(url, api_token=WRONG))
        ended = rungraph("run", front, "--quiet")
    assert ended.code == 1
    assert "the key is not known" in ended.err
    assert WRONG not in ended.err


# --- loops -------------------------------------------------------------------------------------


def test_a_stack_is_not_its_own_provider(tmp_path: Path) -> None:
    """It does not start, and says why; over two hops it is the one that closes the circle."""
    port = str(free_port())
    config = named(tmp_path, "own", far(f"http://127.0.0.1:{port}"))
    own = rungraph("serve", config, "--port", port)
    with ExitStack() as stack:
        with serving(named(tmp_path, "before", TOLD), "--port", port) as second:
            first = stack.enter_context(serving(named(tmp_path, "first", far(second))))
        config = named(tmp_path, "second", TOLD, far(first))
        closing = rungraph("serve", config, "--port", port)
    for ended in (own, closing):
        assert ended.code == 1
        assert HANGS in ended.err
