"""The relay below ``/v1`` loses nothing, whatever is asked and answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.asgi import Answered, app_of, ask
from tests.builders import entry
from tests.wire import Reply, Request, Wire, serve, sse

from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import compile_config

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats(allow_nan=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text(), JSON, max_size=4).map(
    lambda body: {key: value for key, value in body.items() if key not in {"model", "stream"}}
)


class Lane:
    """A server whose one provider is an upstream that a test answers for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()
        self.reply = Reply(b"{}")
        self.wire = Wire()

    @contextmanager
    def running(self) -> Generator[None]:
        with self._runner:
            upstream = serve(self._answer)
            self.wire = self._runner.run(upstream.__aenter__())
            provider = entry("far", "remote::openai", base_url=self.wire.base_url, max_retries=0)
            config = {
                "version": "2",
                "image_name": "relay",
                "providers": {"inference": [provider]},
                "models": [
                    {"model_id": "mine", "provider_id": "far", "provider_model_id": "small"}
                ],
            }
            graph = compile_config(config, environment={})
            # Nobody but the test asks the upstream anything.
            quiet = StackSettings(
                state_dir=self._folder, health_interval=None, refresh_interval=None
            )
            stack = Stack(graph, quiet)
            self._runner.run(stack.__aenter__())
            try:
                self._app = app_of(stack)
                yield
            finally:
                self._runner.run(stack.__aexit__(None, None, None))
                self._runner.run(upstream.__aexit__(None, None, None))

    def ask(self, path: str, body: object) -> Answered:
        return self._runner.run(ask(self._app, "POST", path, body))

    def chat(self, body: dict[str, Any]) -> Answered:
        return self.ask("/v1/chat/completions", body)

    def count(self, status: int) -> float:
        """Return how many requests metrics count with *status*."""
        text = self._runner.run(ask(self._app, "GET", "/metrics")).body.decode()
        line = f'rungraph_requests_total{{route="/v1/chat/completions",status="{status}"}} '
        return float(text.partition(line)[2].partition("\n")[0] or 0)

    @property
    def tokens(self) -> dict[str, float]:
        """The tokens that metrics count, by kind."""
        text = self._runner.run(ask(self._app, "GET", "/metrics")).body.decode()
        line = 'rungraph_tokens_total{kind="%s",provider="far",resource="mine"} '
        found = {kind: text.partition(line % kind)[2] for kind in ("prompt", "completion")}
        return {kind: float(rest.partition("\n")[0] or 0) for kind, rest in found.items()}

    def _answer(self, request: Request) -> Reply:
        return Reply() if request.method == "GET" else self.reply


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Generator[Lane]:
    """A lane that runs."""
    found = Lane(tmp_path_factory.mktemp("relay"))
    with found.running():
        yield found


@settings(deadline=None, max_examples=60)
@given(body=BODIES)
@example(body={"nested": json.loads("[" * 300 + "]" * 300)})
def test_any_request_arrives_equal_but_for_the_model(lane: Lane, body: dict[str, Any]) -> None:
    """Whatever a caller sends comes to the upstream, with the upstream's own name of the model."""
    lane.reply = Reply(b"{}")
    assert lane.chat({"model": "mine", **body}).status == 200
    sent = lane.wire.requests[-1]
    assert sent.path == "/v1/chat/completions"
    assert sent.body == {"model": "small", **json.loads(json.dumps(body))}


NO_ERROR = st.binary(max_size=300).filter(lambda content: b'"error"' not in content)
"""What begins with an error is read: it may be one."""


@settings(deadline=None, max_examples=60)
@given(content=NO_ERROR)
def test_any_answer_comes_back_byte_for_byte(lane: Lane, content: bytes) -> None:
    """An answer that begins as one, and with no error, is not even read."""
    content = b"{" + content
    lane.reply = Reply(content)
    answered = lane.chat({"model": "mine"})
    assert (answered.status, answered.body) == (200, content)


@settings(deadline=None, max_examples=60)
@given(content=NO_ERROR)
def test_any_stream_comes_back_byte_for_byte(lane: Lane, content: bytes) -> None:
    """A stream that says that it is done is passed on as it came."""
    content += b"\n\ndata: [DONE]\n\n"
    lane.reply = Reply(content, headers={"Content-Type": "text/event-stream"})
    answered = lane.chat({"model": "mine", "stream": True})
    assert answered.headers["content-type"] == "text/event-stream"
    assert (answered.status, answered.body) == (200, content)


@pytest.mark.parametrize(
    ("content", "is_stream"),
    [
        (b'{"usage": {"prompt_tokens": 3, "completion_tokens": 2}, "data": []}', False),
        (
            b'{"data": [], "usage":{"prompt_tokens":3,"details":{"a":1},"completion_tokens":2}}',
            False,
        ),
        (
            b'data: {"usage": {"completion_tokens": 2, "prompt_tokens": 3}}\n\ndata: [DONE]\n\n',
            True,
        ),
    ],
)
def test_the_tokens_of_what_is_relayed_are_counted(
    lane: Lane, content: bytes, is_stream: bool
) -> None:
    """Wherever an answer or the end of a stream tells them, metrics have them."""
    before = lane.tokens
    media = "text/event-stream" if is_stream else "application/json"
    lane.reply = Reply(
        content.replace(b"[]", b"[" + b"0," * 5_000 + b"]"), headers={"Content-Type": media}
    )
    assert lane.chat({"model": "mine", "stream": is_stream}).status == 200
    now = lane.tokens
    assert {kind: now[kind] - before[kind] for kind in now} == {"prompt": 3, "completion": 2}


SAID = (b"[DONE]", b"data: [DONE]", rb"\ndata: [DONE]", rb"{\"finish_reason\": \"stop\"}")
"""What a model may say of how servers end a stream."""


def ended(*reasons: str | None) -> bytes:
    """Return the events of a chat with two answers, each of which says why it ends, or not yet."""
    pieces = [
        {"choices": [{"index": index % 2, "delta": {"content": "a"}, "finish_reason": reason}]}
        for index, reason in enumerate(reasons)
    ]
    return b"".join(b"data: %b\n\n" % json.dumps(piece).encode() for piece in pieces)


@pytest.mark.parametrize("more", [b"", b'data: {"choices":[],"usage":{"prompt_tokens":3}}\n\n'])
def test_a_stream_may_end_with_its_reason(lane: Lane, more: bytes) -> None:
    """Not all servers say ``[DONE]``; nothing is added."""
    content = ended(None, "", "stop") + more
    lane.reply = Reply(content, headers={"Content-Type": "text/event-stream"})
    answered = lane.chat({"model": "mine", "stream": True})
    assert (answered.status, answered.body) == (200, content)
    body = {"model": "mine", "input": "hi", "stream": True}
    assert b"response.completed" in lane.ask("/v1/responses", body).body


@pytest.mark.parametrize(
    "came",
    [
        b"",
        b"data: {}\n\n",
        b'data: {"cho',
        ended(None),
        ended("stop", None),
        ended("stop", ""),
        ended("stop")[:-3],
    ]
    + [b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % one for one in SAID],
)
def test_a_stream_that_breaks_off_is_no_success(lane: Lane, came: bytes) -> None:
    """What came stays; then an error, and the end. With nothing come, the error has a status.

    Metrics count it as what it is, whatever it began with.
    """
    before = lane.count(502)
    lane.reply = Reply(came, headers={"Content-Type": "text/event-stream"})
    answered = lane.chat({"model": "mine", "stream": True})
    assert lane.count(502) == before + 1
    if not came:
        assert (answered.status, answered.error["type"]) == (502, "server_error")
        return
    *_, error, done, rest = answered.body.removeprefix(came).split(b"\n\n")
    assert json.loads(error.removeprefix(b"data: "))["error"]["message"] == (
        "the stream ended before the answer did"
    )
    assert (done, rest) == (b"data: [DONE]", b"")


@pytest.mark.parametrize(
    ("status", "told"), [(400, 400), (401, 502), (404, 400), (429, 429), (500, 502), (504, 504)]
)
def test_a_refusal_has_our_shape(lane: Lane, status: int, told: int) -> None:
    """The upstream's words come in the one shape; its refusal of our key is not the caller's."""
    lane.reply = Reply({"error": {"message": "the model says no"}}, status)
    answered = lane.chat({"model": "mine"})
    assert answered.status == told
    assert "the model says no" in answered.error["message"]


@pytest.mark.parametrize("before", [b"", b": ping\n\n"])
@pytest.mark.parametrize(
    ("event", "status"),
    [
        (b'data: {"error": {"message": "the model says no"}}\n\n', 502),
        (b'data: {"error": {"message": "the model says no", "code": 400}}\n\n', 400),
        (b'data:{"error":"the model says no","error_type":"overloaded"}\r\n\r\n', 429),
    ],
)
def test_a_stream_that_begins_with_an_error_is_none(
    lane: Lane, before: bytes, event: bytes, status: int
) -> None:
    """What fails before the first chunk has its status, as if the upstream had said it at once."""
    content = before + event + b"data: [DONE]\n\n"
    lane.reply = Reply(content, headers={"Content-Type": "text/event-stream"})
    answered = lane.chat({"model": "mine", "stream": True})
    assert answered.status == status
    assert "the model says no" in answered.error["message"]


@pytest.mark.parametrize(
    ("is_stream", "wanted"), [(True, "text/event-stream"), (False, "application/json")]
)
def test_a_page_is_no_answer(lane: Lane, is_stream: bool, wanted: str) -> None:
    """What stands before an upstream may answer in its place."""
    lane.reply = Reply(b"<p>hi</p>", headers={"Content-Type": "text/html"})
    answered = lane.chat({"model": "mine", "stream": is_stream})
    assert answered.status == 502
    assert answered.error["message"].endswith(f"'text/html', not '{wanted}'")


def test_where_an_upstream_sends_callers_is_told_as_such(lane: Lane) -> None:
    """A redirect is not followed, since it would get the key; its status is not another one."""
    lane.reply = Reply(b"", 302, headers={"Location": "/elsewhere"})
    answered = lane.chat({"model": "mine"})
    assert (answered.status, answered.error["message"].split()[-1]) == (502, "(302)")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"model": "mine", "stream": "true"}', "stream: must be true or false"),
        (b'{"model": "mine", "stream": 1}', "stream: must be true or false"),
        (b'{"model": "mine"', "the body is no JSON: Expecting ',' delimiter: line 1 column 17"),
        (b'{"model": "\xff"}', "the body is no UTF-8"),
        (b"[" * 200_000, "the body is nested too deep"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_what_servers_understand_differently_is_refused(
    lane: Lane, path: str, body: bytes, told: str
) -> None:
    """It does not come to the upstream, whose answer would be of another form than expected."""
    lane.wire.requests.clear()
    answered = lane.ask(path, body)
    assert answered.status == 400
    assert answered.error["message"].startswith(told)
    assert lane.wire.requests == []


NO_END = "the server of the model ended its answer without saying why"
NO_CHAT = "the server of the model says what is not understood"


@pytest.mark.parametrize(
    ("said", "is_stream", "told"),
    [
        ({}, False, NO_CHAT),
        ({"choices": [{"message": 3}]}, False, NO_CHAT),
        ({"choices": [], "usage": {"prompt_tokens": -1}}, False, NO_CHAT),
        ({"choices": []}, False, NO_END),
        ({"choices": None}, True, NO_CHAT),
        ({"choices": [{"delta": 3}]}, True, NO_CHAT),
        ({"choices": []}, True, NO_END),
        ({"choices": [{"delta": {"content": "hi"}}]}, True, NO_END),
    ],
)
def test_a_response_of_half_a_chat_is_no_success(
    lane: Lane, said: object, is_stream: bool, told: str
) -> None:
    """What an upstream says that is no whole chat is its fault, and never an empty answer."""
    lane.reply = sse(said) if is_stream else Reply(said)
    body = {"model": "mine", "input": "hi", "stream": is_stream}
    answered = lane.ask("/v1/responses", body)
    last = answered.body.strip().rpartition(b"data: ")[2]
    assert json.loads(last)["error"]["message"] == told
    assert answered.status == 502 or b"response.created" in answered.body


def test_a_response_takes_calls_and_tokens_as_servers_tell_them(lane: Lane) -> None:
    """The id of a call may come with each piece or not at all, and tokens may be left out."""

    def piece(call_id: str | None, text: str) -> dict[str, Any]:
        call = {"index": 0, "id": call_id, "function": {"name": "f", "arguments": text}}
        return {"choices": [{"delta": {"tool_calls": [call]}}]}

    end = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    for call_id, wanted in (("c1", "c1"), (None, "call_0")):
        lane.reply = sse(piece(call_id, '{"a"'), piece(call_id, ": 1}"), end)
        answered = lane.ask("/v1/responses", {"model": "mine", "input": "hi", "stream": True})
        last = json.loads(answered.body.strip().rpartition(b"data: ")[2])["response"]
        calls = [(one["call_id"], one["arguments"]) for one in last["output"]]
        assert calls == [(wanted, '{"a": 1}')]
        assert (last["usage"]["output_tokens"], last["usage"]["total_tokens"]) == (0, 3)


@pytest.mark.parametrize("content", [b"<p>hi</p>", b"[]"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_response_of_what_is_no_chat_is_not_the_callers_fault(
    lane: Lane, content: bytes, is_stream: bool
) -> None:
    """An upstream that says what is not understood has failed."""
    told = f"{lane.wire.base_url}: the server says what is not understood: {content.decode()!r}"
    if is_stream:
        told = "the server of the model says what is not understood"
        content = b"data: " + content + b"\n\n"
    lane.reply = Reply(content, headers={"Content-Type": "text/event-stream"})
    body = {"model": "mine", "input": "hi", "stream": is_stream}
    answered = lane.ask("/v1/responses", body)
    assert (answered.status, answered.error["message"]) == (502, told)
