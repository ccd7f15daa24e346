"""What a call through other gateways costs beside one through rungraph: CPU, memory, waiting.

Each stands in front of one backend, which answers at once, and is asked in turns by 16 clients in
a process of their own. Each peer is in a virtual environment of its own, below the folder that
``RUNGRAPH_PEERS`` names; a peer without one is left out:

    cd $RUNGRAPH_PEERS
    for one in litellm ogx llama-stack; do uv venv --python 3.12 $one; done
    uv pip install -p litellm/bin/python 'litellm[proxy]==1.108.7'
    uv pip install -p ogx/bin/python ogx==1.5.0 openai httpx aiosqlite asyncpg 'sqlalchemy[asyncio]'
    uv pip install -p llama-stack/bin/python llama-{stack,models,stack-client}==0.0.63 fastapi \
        uvicorn aiosqlite 'openai<2' opentelemetry-{sdk,exporter-otlp-proto-http} 'setuptools<80'

Reported are microseconds of CPU a request and a chunk, the memory of each (PSS), the CPU from its
start to its first answer, what each call takes longer than one straight to the backend (p50, p99),
and the ratios of the peers to rungraph.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import server as ours

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

MODEL = "meta-llama/Llama-3.1-8B-Instruct"
BACKEND = 18522
KEY = "sk-benchmark-of-rungraph"
ROUNDS, REQUESTS, STREAMS = 5, 160, 16
CLIENTS = (1, 16, 128)
CHAT = {"messages": [{"role": "user", "content": "The capital of France?"}]}

# Its telemetry, which it needs, is made without what it needs itself, and tells nobody: each call
# would be written to the console and to a database.
LLAMA_STACK = """
import sys
from llama_stack.distribution.server import server

class Telemetry(server.TelemetryAdapter):
    def __init__(self, config):
        config.sinks = []
        super().__init__(config, {server.Api.datasetio: None})

server.TelemetryAdapter = Telemetry
sys.argv = ["server", "--yaml-config", sys.argv[1], "--port", sys.argv[2]]
server.main()
"""


class Peer(NamedTuple):
    """How a gateway is started and asked.

    Attributes:
        words: Its command line.
        port: Where it listens.
        ready: A path that it answers once it is up.
        path: Where it takes a chat.
        body: What is sent there.
        environment: Its variables, besides those of this process.
        header: A header of each request.
    """

    words: list[str]
    port: int
    ready: str
    path: str
    body: Mapping[str, Any]
    environment: Mapping[str, str] = {}
    header: str = ""


class Tree(NamedTuple):
    """A running gateway with the processes that it has started."""

    pid: int
    port: int

    @property
    def servers(self) -> list[ours.Server]:
        """Its processes."""
        found, todo = [], [self.pid]
        while todo:
            found.append(ours.Server(todo.pop(), self.port))
            for task in Path(f"/proc/{found[-1].pid}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        return found

    @property
    def cpu(self) -> float:
        """Seconds of CPU that its processes have taken."""
        return sum(one.cpu for one in self.servers)

    @property
    def memory(self) -> float:
        """Megabytes of its processes."""
        return sum(one.memory for one in self.servers)


def peers(folder: Path) -> dict[str, Peer]:
    """Return rungraph, twice, and the peers that are installed; their files are in *folder*."""
    below = Path(os.environ["RUNGRAPH_PEERS"])
    upstream = f"http://127.0.0.1:{BACKEND}/v1"
    far = {
        "provider_id": "far",
        "provider_type": "remote::openai",
        "config": {"base_url": upstream},
    }
    vllm = {
        "provider_id": "far",
        "provider_type": "remote::vllm",
        "config": {"url": upstream, "api_token": "x"},
    }
    files: dict[str, Any] = {
        "rungraph": {"image_name": "x", "providers": {"inference": [far]}},
        "litellm": {
            "model_list": [
                {
                    "model_name": "instant",
                    "litellm_params": {
                        "model": "openai/instant",
                        "api_base": upstream,
                        "api_key": "x",
                    },
                }
            ],
            "general_settings": {"master_key": KEY},
        },
        "llama-stack": {
            "version": "2",
            "image_name": "x",
            "apis": ["inference"],
            "providers": {"inference": [vllm]},
            "metadata_store": {"type": "sqlite", "db_path": str(folder / "registry.db")},
            "models": [
                {
                    "model_id": MODEL,
                    "provider_id": "far",
                    "provider_model_id": MODEL,
                    "metadata": {},
                }
            ],
            "shields": [],
            "memory_banks": [],
        },
    }
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(json.dumps(content))
    (folder / "llama_stack_server.py").write_text(LLAMA_STACK)
    v1, chat = "/v1/chat/completions", {"model": MODEL, **CHAT}
    bearer = f"authorization: Bearer {KEY}"
    serve = ["-m", "rungraph", "serve", str(folder / "rungraph.yaml"), "--state-dir", str(folder)]
    mine = {"RUNGRAPH_SERVE_KEY": KEY}
    found = {
        "rungraph": Peer(
            [sys.executable, *serve, "--port", "18523"], 18523, "/readyz", v1, chat, mine, bearer
        ),
        "rungraph, native": Peer(
            [sys.executable, *serve[:-1], str(folder / "native"), "--port", "18527"],
            18527,
            "/readyz",
            "/inference/chat_completion",
            chat,
            mine,
            bearer,
        ),
        "litellm": Peer(
            ["bin/litellm", "--config", "litellm.yaml", "--port", "18524"],
            18524,
            "/health/liveliness",
            v1,
            # By the name of a Llama it would look for its tokenizer on the internet.
            {**chat, "model": "instant"},
            {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            bearer,
        ),
        "ogx": Peer(
            ["bin/ogx", "run", "--providers", "inference=remote::vllm", "--insecure"],
            18525,
            "/v1/health",
            v1,
            {**chat, "model": f"vllm/{MODEL}"},
            {"VLLM_URL": upstream, "OGX_PORT": "18525", "HOME": str(folder)},
        ),
        "llama-stack": Peer(
            ["bin/python", "llama_stack_server.py", "llama-stack.yaml", "18526"],
            18526,
            "/alpha/health",
            "/alpha/inference/chat-completion",
            {"model_id": MODEL, **CHAT},
        ),
    }
    for name, peer in [*found.items()]:
        if not name.startswith("rungraph"):
            if not (below / name).is_dir():
                del found[name]
                continue
            found[name] = peer._replace(words=[str(below / name / peer.words[0]), *peer.words[1:]])
    return found


@contextmanager
def running(peer: Peer, log: Path) -> Generator[Tree]:
    """Run *peer* until the block ends; what it says goes to *log*."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            peer.words,
            env={**os.environ, **peer.environment},
            cwd=log.parent,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield Tree(process.pid, ours.up(peer.port, peer.ready))
        finally:
            process.kill()


def waits(peer: Peer, clients: int, count: int) -> list[float]:
    """Return the milliseconds that each of *count* calls by *clients* at a time takes, sorted."""
    found = ours.in_process(
        "waits", peer.port, peer.path, json.dumps(peer.body).encode(), count, peer.header, clients
    )
    return sorted(json.loads(found))


def main() -> None:
    """Measure and report."""
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        ours.write_programs(folder)
        words = [str(folder / "bare.py"), str(BACKEND), str(BACKEND)]
        stack.enter_context(ours.running(words, folder, BACKEND, "/v1/models"))
        found = peers(folder)
        trees: dict[str, Tree] = {}
        for name, peer in found.items():
            begun = time.monotonic()
            trees[name] = stack.enter_context(running(peer, folder / f"{name}.log"))
            ours.microseconds(trees[name], peer.path, peer.body, 16, peer.header)
            print(
                f"{name}: first answers after {trees[name].cpu:.2f} s of CPU "
                f"({time.monotonic() - begun:.1f} s), {trees[name].memory:.0f} MB",
                flush=True,
            )
        calls: dict[str, list[float]] = {name: [] for name in found}
        chunks: dict[str, list[float]] = {name: [] for name in found}
        for number in range(ROUNDS + 1):
            for name, peer in found.items():
                tree, streamed = trees[name], {**peer.body, "stream": True}
                faster = 10 if name.startswith("rungraph") else 1
                call = ours.microseconds(tree, peer.path, peer.body, REQUESTS * faster, peer.header)
                chunk = ours.microseconds(tree, peer.path, streamed, STREAMS, peer.header)
                if number:  # What happens once is over.
                    calls[name].append(call)
                    chunks[name].append(chunk)
        for name in found:
            print(
                f"{name}: {statistics.median(calls[name]):.0f} us of CPU a call, "
                f"{statistics.median(chunks[name]):.1f} a chunk"
            )
        for name in found:
            for lane in ("rungraph", "rungraph, native"):
                if not name.startswith("rungraph"):
                    call = statistics.median(calls[name]) / statistics.median(calls[lane])
                    chunk = statistics.median(chunks[name]) / statistics.median(chunks[lane])
                    print(f"{name} over {lane}: call {call:.1f}, chunk {chunk:.1f}")
        straight = Peer([], BACKEND, "", "/v1/chat/completions", found["rungraph"].body)
        for clients in CLIENTS:
            for name, peer in {"backend": straight, **found}.items():
                times = waits(peer, clients, max(clients * 3, 60))
                p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
                print(f"{clients} clients, {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
