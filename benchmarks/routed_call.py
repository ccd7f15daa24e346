"""What a router adds to a call: `await router.chat_completion(...)` over the provider's own.

Prints nanoseconds a call for rungraph's router and, from a virtual environment of its own, for
Llama Stack 0.0.41's, and their ratio; and what it takes to pick one of several members of a model.
Exits with 1 when a limit is missed, 2 when there is no peer.

    python benchmarks/routed_call.py            # makes benchmarks/.venv-peer, of 340 MB, if need be
    RUNGRAPH_PEER_VENV=/some/venv python benchmarks/routed_call.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
import timeit
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from measuring import python_with

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HERE = Path(__file__).parent
PEER = ("llama-stack==0.0.41", "llama-models==0.0.41")
LIMIT_NS = 500
LIMIT_PICK_NS = 5_000
LIMIT_RATIO = 0.5

TURNS = 5  # of the two in turn, so that both meet the same machine
ROUNDS = 60
CALLS = 2_000

Figures = dict[str, dict[str, float]]  # nanoseconds: way of calling -> direct or router -> figure


class Provider:
    """A provider whose chat completion does nothing, with all parameters of both APIs."""

    async def chat_completion(
        self,
        model: str,
        messages: list[Any],
        sampling_params: Any = None,
        response_format: Any = None,
        tools: Any = None,
        tool_choice: Any = "auto",
        tool_prompt_format: Any = "json",
        stream: bool = False,
        logprobs: Any = None,
    ) -> None:
        """Return nothing."""


class OtherProvider(Provider):
    """One that disagrees on every default, which keeps a router from handing on its own."""

    async def chat_completion(
        self,
        model: str,
        messages: list[Any],
        sampling_params: Any = (),
        response_format: Any = (),
        tools: Any = (),
        tool_choice: Any = "required",
        tool_prompt_format: Any = "python_list",
        stream: bool = True,
        logprobs: Any = 1,
    ) -> None:
        """Return nothing."""


async def _time_short(target: Any, calls: int) -> float:
    messages: list[Any] = []
    start = time.perf_counter_ns()
    for _ in range(calls):
        await target.chat_completion(model="m", messages=messages)
    return (time.perf_counter_ns() - start) / calls


async def _time_full(target: Any, calls: int) -> float:
    messages: list[Any] = []
    start = time.perf_counter_ns()
    for _ in range(calls):
        await target.chat_completion(
            model="m",
            messages=messages,
            sampling_params=None,
            tools=None,
            tool_choice="auto",
            tool_prompt_format="json",
            stream=False,
            logprobs=None,
        )
    return (time.perf_counter_ns() - start) / calls


async def added_by(direct: Any, **routed: Any) -> Figures:
    """Return nanoseconds a call, by way of calling: direct, and what each router adds.

    Direct and routed calls take turns, so that whatever slows the machine down slows both. What a
    router adds is the median of the differences within a turn.
    """
    ways: dict[str, Callable[[Any, int], Awaitable[float]]] = {
        "model and messages": _time_short,
        "all parameters": _time_full,
    }
    figures: Figures = {}
    for way, timed in ways.items():
        alone: list[float] = []
        added: dict[str, list[float]] = {name: [] for name in routed}
        for _ in range(ROUNDS):
            base = await timed(direct, CALLS)
            alone.append(base)
            for name, router in routed.items():
                added[name].append(await timed(router, CALLS) - base)
        figures[way] = {
            "direct": statistics.median(alone),
            **{name: statistics.median(values) for name, values in added.items()},
        }
    return figures


async def measure_rungraph() -> Figures:
    from rungraph.engine.apis.inference import Inference
    from rungraph.engine.apis.models import Model
    from rungraph.engine.catalog import CATALOG
    from rungraph.engine.routing import create_router, create_table
    from rungraph.graph.address import Address
    from rungraph.graph.nodes import ResourceConfig, RouterNode, Routing, TableNode

    class Serving(Provider):
        async def list_models(self) -> list[Model]:
            return [Model(identifier="m")]

    class Idle(OtherProvider):
        async def list_models(self) -> list[Model]:
            return []

    class Registering(Idle):
        async def register_model(self, model: Model) -> Model:
            return model

    pair = next(pair for pair in CATALOG.pairs if pair.router_api == "inference")
    direct = Serving()
    routers: dict[str, object] = {}
    group = [f"member-{number}" for number in range(4)]
    for name, members, sharing in (
        ("router", {"foo": direct}, []),
        ("router, differing defaults", {"foo": direct, "bar": Idle()}, []),
        ("router, 4 members", dict.fromkeys(group, Registering()), group),
    ):
        resources = [ResourceConfig("models", "m", one, routing=Routing()) for one in sharing]
        table = await create_table(
            TableNode(Address.table("models"), pair, tuple(resources)),
            members,
            api=CATALOG.apis["models"],
            store=None,
            emit=lambda _event: None,
            clock=time.monotonic,
        )
        routers[name] = create_router(
            RouterNode(Address.router("inference"), pair), table, Inference
        )
    return await added_by(direct, **routers)


def pick_ns() -> dict[str, float]:
    """Return nanoseconds of one pick, by policy and number of members."""
    from rungraph.engine.routing.balancer import Balancer
    from rungraph.graph.nodes import POLICIES

    found: dict[str, float] = {}
    prompt = "Tell me something about the sea. " * 40
    for policy, count in ((one, count) for one in POLICIES for count in (2, 4, 8)):
        balancer = Balancer(policy, clock=time.monotonic, random=Random(1))
        balancer.use({f"member-{number}": 0 for number in range(count)})
        for number, member in enumerate(balancer.members):
            member.latency, member.in_flight = 0.1 + number / 10, number
        timer = timeit.Timer(lambda pick=balancer.pick: pick(prompt))
        found[f"{policy} of {count}"] = min(timer.repeat(200, 200)) / 200 * 1e9
    return found


def measure_peer(python: Path) -> Figures:
    script = HERE / "llama_stack_router.py"
    done = subprocess.run([str(python), str(script)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def medians(turns: list[Figures]) -> Figures:
    return {
        way: {name: statistics.median(turn[way][name] for turn in turns) for name in by_name}
        for way, by_name in turns[0].items()
    }


def show(title: str, figures: Figures) -> None:
    print(title)
    for way, by_name in figures.items():
        print(f"  {way}: direct {by_name['direct']:.0f} ns")
        for name, added in by_name.items():
            if name != "direct":
                print(f"    {name:28} + {added:5.0f} ns")


def main() -> int:
    own_turns: list[Figures] = []
    peer_turns: list[Figures] = []
    missing: Exception | None = None
    try:
        probe = "import llama_stack.distribution.routers.routers"
        python = python_with("RUNGRAPH_PEER_VENV", ".venv-peer", probe, *PEER)
    except (OSError, subprocess.SubprocessError) as error:
        missing = error
    for _ in range(TURNS):
        own_turns.append(asyncio.run(measure_rungraph()))
        if missing is None:
            peer_turns.append(measure_peer(python))
    own = medians(own_turns)
    show("rungraph", own)
    worst = max(by_name["router"] for by_name in own.values())
    print(f"added at most: {worst / 1000:.3f} us (limit {LIMIT_NS / 1000} us)")
    picks = pick_ns()
    for name, nanoseconds in picks.items():
        print(f"a pick, {name:18} {nanoseconds:5.0f} ns")
    slowest = max(picks.values())
    print(f"a pick at most: {slowest / 1000:.2f} us (limit {LIMIT_PICK_NS / 1000:g} us)")
    is_slow = worst > LIMIT_NS or slowest > LIMIT_PICK_NS
    if missing is not None:
        print(
            f"no peer to compare with: {missing}\n"
            "help: set RUNGRAPH_PEER_VENV to a virtual environment that has " + " and ".join(PEER),
            file=sys.stderr,
        )
        return 1 if is_slow else 2
    peer = medians(peer_turns)
    show("llama-stack 0.0.41", peer)
    ratios = {way: own[way]["router"] / peer[way]["router"] for way in own}
    for way, ratio in ratios.items():
        print(f"rungraph adds {ratio:.2f} x what llama-stack adds ({way}; limit {LIMIT_RATIO})")
    return int(is_slow or max(ratios.values()) >= LIMIT_RATIO)


if __name__ == "__main__":
    sys.exit(main())
