"""What a call over HTTP costs, in CPU of the server's process.

Each pair of servers is asked in many short turns by 16 clients; the provider (or upstream) answers
at once. Reported are microseconds of CPU a request (or a chunk), and the median of the ratios of
neighbouring turns: what else the machine does hits both of them, so runs agree within some percent,
where their minima, a matter of one lucky turn each, differ by ten.

(a) a native routed call over a bare Starlette route with the same validation and answer;
(b) a chunk of a native stream over one of Starlette's ``StreamingResponse``;
(c) a call that is relayed below ``/v1`` with a key, over a bare Starlette and aiohttp pass-through,
    and over the same call through the native API;
(d) a native call with a span, and one whose caller wants none, over one without telemetry;
(e) a native call with a key, of a page of an allowed site, with data for its provider, and in a
    trace that nobody records, each over one without: what each piece around a call costs;
(f) the memory of an idle server, and its CPU from start to first answer.

Run it with ``python benchmarks/server.py``; it needs ``starlette``.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

TURNS = 100
CLIENTS = 16
REQUESTS = 320
STREAMS = 16
CHUNKS = 200
KEY = "benchmark"
SITE = "https://app.example"

PROVIDER = f"""
from rungraph.engine.apis.common import CompletionMessage, StopReason
from rungraph.engine.apis.inference import (
    ChatCompletionResponse, ChatCompletionResponseEvent, ChatCompletionResponseStreamChunk)
from rungraph.engine.apis.models import Model

MESSAGE = CompletionMessage(content="Paris.", stop_reason=StopReason.END_OF_TURN)
CHUNK = ChatCompletionResponseStreamChunk(
    event=ChatCompletionResponseEvent(event_type="progress", delta="Paris"))

class Instant:
    async def list_models(self):
        return [Model(identifier="instant")]
    async def register_model(self, model):
        return model
    async def unregister_model(self, model):
        pass
    async def chat_completion(self, model, messages, sampling_params=None, response_format=None,
                              tools=None, tool_choice="auto", tool_prompt_format="json",
                              stream=False, logprobs=None):
        if stream:
            return chunks()
        return ChatCompletionResponse(completion_message=MESSAGE)
    async def completion(self, model, content, sampling_params=None, response_format=None,
                         stream=False, logprobs=None): ...
    async def embeddings(self, model, contents): ...

async def chunks():
    for _ in range({CHUNKS}):
        yield CHUNK

async def get_provider_impl(config, deps):
    return Instant()
"""

BARE = """
import json
import sys
import aiohttp
import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from typing_extensions import NotRequired, TypedDict
from instant_provider import MESSAGE, chunks
from rungraph.engine.apis.common import Message, SamplingParams
from rungraph.engine.apis.inference import (
    ChatCompletionResponse, ChatCompletionResponseStreamChunk)

class Arguments(TypedDict):
    model: str
    messages: list[Message]
    sampling_params: NotRequired[SamplingParams]
    stream: NotRequired[bool]

READ = TypeAdapter(Arguments).validator.validate_json
WRITE = TypeAdapter(ChatCompletionResponse).serializer.to_json
CHUNK = TypeAdapter(ChatCompletionResponseStreamChunk).serializer.to_json

async def chat(request):
    arguments = READ(await request.body())
    if arguments.get("stream"):
        return StreamingResponse(events(), media_type="text/event-stream")
    answer = ChatCompletionResponse(completion_message=MESSAGE)
    return Response(WRITE(answer), media_type="application/json")

async def events():
    async for chunk in chunks():
        yield b"data: " + CHUNK(chunk) + b"\\n\\n"

MODELS = ("instant", "meta-llama/Llama-3.1-8B-Instruct")
ANSWER = {"id": "x", "object": "chat.completion", "created": 1, "model": "instant", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}]}
COMPLETION = {"id": "x", "object": "text_completion", "created": 1, "model": "instant", "choices": [
    {"index": 0, "text": "Paris.", "finish_reason": "stop"}]}

def piece(path, reason):
    choice = {"index": 0, "finish_reason": reason}
    text = "" if reason else "Paris"
    choice |= {"delta": {"content": text}} if "chat" in path else {"text": text}
    kind = "chat.completion.chunk" if "chat" in path else "text_completion"
    made = {"id": "x", "object": kind, "created": 1, "model": "instant", "choices": [choice]}
    return b"data: " + json.dumps(made).encode() + b"\\n\\n"

async def v1_answer(request):
    path = request.url.path
    if json.loads(await request.body()).get("stream"):
        return StreamingResponse(v1_chunks(path), media_type="text/event-stream")
    return JSONResponse(ANSWER if "chat" in path else COMPLETION)

async def v1_chunks(path):
    async for _ in chunks():
        yield piece(path, None)
    yield piece(path, "stop") + b"data: [DONE]\\n\\n"

async def v1_models(request):
    data = [{"id": one, "object": "model"} for one in MODELS]
    return JSONResponse({"object": "list", "data": data})

UPSTREAM = f"http://127.0.0.1:{sys.argv[2]}/v1/chat/completions"
HEADERS = {"authorization": "Bearer x", "content-type": "application/json"}
session = None

async def v1_pass(request):
    global session
    if session is None:
        session = aiohttp.ClientSession()
    body = await request.body()
    async with session.post(UPSTREAM, data=body, headers=HEADERS) as answer:
        return Response(await answer.read(), answer.status, media_type=answer.content_type)

app = Starlette(routes=[
    Route("/pass", v1_pass, methods=["POST"]),
    Route("/inference/chat_completion", chat, methods=["POST"]),
    Route("/v1/chat/completions", v1_answer, methods=["POST"]),
    Route("/v1/completions", v1_answer, methods=["POST"]),
    Route("/v1/models", v1_models)])
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
"""

AS_KNOWN = f"authorization: Bearer {KEY}"
PARENT = f"traceparent: 00-{'a' * 32}-{'b' * 16}-{{}}"
PROVIDER_DATA = 'x-llamastack-provider-data: {"instant_key": "0123456789"}'
NATIVE = {"model": "instant", "messages": [{"role": "user", "content": "The capital of France?"}]}


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the process has taken."""
        # Not its stat, which counts in steps of 10 ms.
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[0]) for one in threads) / 1e9

    @property
    def memory(self) -> float:
        """Megabytes that are the process's own, and its share of what others use, too."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        (line,) = (one for one in lines if one.startswith("Pss:"))
        return int(line.split()[1]) / 1024


def load(port: int, path: str, body: bytes, count: int, header: str = "") -> int:
    """Send *body* to *path* *count* times, by `CLIENTS` clients; return the events that came."""
    return sum(events for _, events in _answers(port, path, body, count, header, CLIENTS))


def waits(
    port: int, path: str, body: bytes, count: int, header: str = "", clients: int = CLIENTS
) -> list[float]:
    """Do the same; return the milliseconds that each call took."""
    return [taken for taken, _ in _answers(port, path, body, count, header, clients)]


def _answers(
    port: int, path: str, body: bytes, count: int, header: str, clients: int
) -> list[tuple[float, int]]:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    head += f"{header}\r\n" if header else ""
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    answers: list[tuple[float, int]] = []

    async def client(mine: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(mine):
            begun, events = time.perf_counter(), 0
            writer.write(request)
            found = await reader.readuntil(b"\r\n\r\n")
            if not found.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(found.decode())
            if b"content-length: " in found:
                await reader.readexactly(int(found.split(b"content-length: ")[1].split(b"\r")[0]))
            else:
                while size := int(await reader.readline(), 16):
                    events += (await reader.readexactly(size + 2)).count(b"data: ")
                await reader.readline()
            answers.append(((time.perf_counter() - begun) * 1000, events))
        writer.close()

    async def all_clients() -> None:
        await asyncio.gather(*(client(count // clients) for _ in range(clients)))

    asyncio.run(all_clients())
    return answers


@contextmanager
def running(
    words: list[str], folder: Path, port: int, ready: str, key: str = ""
) -> Generator[Server]:
    """Run a server, whose callers need *key*, until the block ends; it is up when *ready* says."""
    paths = os.pathsep.join([str(folder), str(Path(__file__).parents[1] / "src")])
    with subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": paths, **({"RUNGRAPH_SERVE_KEY": key} if key else {})},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield Server(process.pid, up(port, ready))
        finally:
            process.terminate()


def up(port: int, path: str) -> int:
    """Return *port* once a server answers *path* there."""
    from urllib.error import URLError
    from urllib.request import urlopen

    for _ in range(3000):
        try:
            urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return port
    raise RuntimeError(path)


def microseconds(
    server: Server, path: str, body: dict[str, Any], count: int, header: str = ""
) -> float:
    """Return the CPU that the server takes for one of *count* requests, or for one event."""
    before = server.cpu
    events = load(server.port, path, json.dumps(body).encode(), count, header)
    return (server.cpu - before) / (events or count) * 1e6


def in_process(function: str, *arguments: object) -> str:
    """Return what *function* of this file returns in a process of its own, as text."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import server;"
        f"print(server.{function}(*{arguments!r}))"
    )
    words = [sys.executable, "-c", code]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


def write_programs(folder: Path) -> None:
    """Write the provider and the bare server to *folder*."""
    (folder / "instant_provider.py").write_text(PROVIDER)
    (folder / "bare.py").write_text(BARE)


def main() -> None:
    """Measure and report."""
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        write_programs(folder)
        instant = {
            "provider_id": "instant",
            "provider_type": "inline::instant",
            "module": "instant_provider",
            "config": {},
        }
        far = {
            "provider_id": "far",
            "provider_type": "remote::openai",
            "config": {"base_url": "http://127.0.0.1:18422/v1"},
        }
        servers: dict[str, Server] = {}
        for port, name in ((18422, "bare"), (18426, "pass")):
            words = [str(folder / "bare.py"), str(port), "18422"]
            servers[name] = stack.enter_context(running(words, folder, port, "/v1/models"))
        telemetry = {"provider_id": "spans", "provider_type": "inline::opentelemetry"}
        traced = {"inference": [instant], "telemetry": [telemetry]}
        for port, name, providers in (
            (18423, "instant", {"inference": [instant]}),
            (18424, "far", {"inference": [far]}),
            (18425, "traced", traced),
            (18427, "keyed", {"inference": [instant]}),
        ):
            config = folder / f"{name}.json"
            config.write_text(json.dumps({"image_name": "x", "providers": providers}))
            state = str(folder / f"state{port}")
            words = [
                "-m",
                "rungraph",
                "serve",
                str(config),
                "--port",
                str(port),
                "--state-dir",
                state,
                "--cors",
                SITE,
            ]
            key = KEY if name in {"far", "keyed"} else ""
            servers[name] = stack.enter_context(running(words, folder, port, "/readyz", key))
        print(f"start to first answer: {servers['far'].cpu:.2f} s of CPU")
        print(f"idle: {servers['far'].memory:.0f} MB (PSS)")
        chat, v1 = "/inference/chat_completion", "/v1/chat/completions"
        streamed = {**NATIVE, "stream": True}
        native = servers["instant"], chat, NATIVE, REQUESTS
        cases: dict[str, tuple[Any, ...]] = {
            "native call": native,
            "bare Starlette call": (servers["bare"], chat, NATIVE, REQUESTS),
            "traced call": (servers["traced"], chat, NATIVE, REQUESTS, PARENT.format("01")),
            "call not sampled": (servers["traced"], chat, NATIVE, REQUESTS, PARENT.format("00")),
            "call with a key": (servers["keyed"], chat, NATIVE, REQUESTS, AS_KNOWN),
            "call of an allowed page": (*native, f"origin: {SITE}"),
            "call with provider data": (*native, PROVIDER_DATA),
            "call in a trace": (*native, PARENT.format("01")),
            "native chunk": (servers["instant"], chat, streamed, STREAMS),
            "bare Starlette chunk": (servers["bare"], chat, streamed, STREAMS),
            "relayed call": (servers["far"], v1, NATIVE, REQUESTS, AS_KNOWN),
            "bare pass-through": (servers["pass"], "/pass", NATIVE, REQUESTS),
            "native call on remote::openai": (servers["far"], chat, NATIVE, REQUESTS, AS_KNOWN),
        }
        for one, other in (
            ("native call", "bare Starlette call"),
            ("traced call", "native call"),
            ("call not sampled", "native call"),
            ("call with a key", "native call"),
            ("call of an allowed page", "native call"),
            ("call with provider data", "native call"),
            ("call in a trace", "native call"),
            ("native chunk", "bare Starlette chunk"),
            ("relayed call", "bare pass-through"),
            ("relayed call", "native call on remote::openai"),
        ):
            for case in (one, other):  # What is imported or cached once does not count.
                microseconds(*cases[case])
            turns = [[microseconds(*cases[case]) for case in (one, other)] for _ in range(TURNS)]
            ratio = statistics.median(mine / others for mine, others in turns)
            mine, others = map(statistics.median, zip(*turns, strict=True))
            print(f"{one} over {other}: {ratio:.2f} ({mine:.0f} and {others:.0f} us of CPU)")


if __name__ == "__main__":
    main()
