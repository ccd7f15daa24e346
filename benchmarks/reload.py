"""What a change of a running stack takes besides the provider's own time.

(a) A reload that changes 1 of 200 providers, while the others answer calls: its time over that
    provider's own start, 0.3 s. A call that fails ends the benchmark.
(b) A crash of 1 of 200 to its replacement's first answer, without backoff: milliseconds.

Run it with ``python benchmarks/reload.py``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import start
from measuring import report

from rungraph.engine.catalog import CATALOG
from rungraph.engine.errors import UnavailableResourceError
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import RunGraph, compile_config
from rungraph.graph.catalog.specs import Catalog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_OWN = 0.3
_PROVIDERS = 200
_ROUNDS = 9
_CALLERS = 10


_crash: dict[str, Callable[[], None]] = {}
"""Makes a provider crash."""
_working: dict[str, asyncio.Task[None]] = {}
"""A task of each provider; what ends it with an error is a crash."""


async def _work(until: asyncio.Event) -> None:
    await until.wait()
    raise ConnectionError


def _crashing(config: dict[str, Any]) -> Any:
    is_over = asyncio.Event()
    _crash[config["name"]] = is_over.set
    _working[config["name"]] = asyncio.create_task(_work(is_over))
    return start.ROUTED["inference"](config)


def _graph(seconds: float) -> RunGraph:
    """Return the graph; its first provider takes *seconds* to start, the others no time."""
    catalog = CATALOG.merged(Catalog.of(providers=[start.offer("inference", _crashing)]))
    entries = [start.provider(f"p{one:03}", 0.0 if one else seconds) for one in range(_PROVIDERS)]
    return compile_config({"providers": {"inference": entries}}, catalog=catalog, environment={})


async def _reloads(stack: Stack) -> list[float]:
    """Return the ratios of (a)."""
    call = stack["inference"].chat_completion
    calls = 0

    async def ask_on(model: str) -> None:
        nonlocal calls
        while True:
            await call(model, [])
            calls += 1
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(ask_on(f"p{one + 1:03}")) for one in range(_CALLERS)]
        ratios: list[float] = []
        for index in range(_ROUNDS):
            graph = _graph(_OWN + index / 1e6)
            before = time.perf_counter()
            await stack.apply(graph)
            ratios.append((time.perf_counter() - before) / _OWN)
        for one in asking:
            one.cancel()
    print(f"{calls} calls of the others meanwhile, none failed")
    return ratios


async def _crashes(stack: Stack) -> list[float]:
    """Return the milliseconds of (b)."""
    call, times = stack["inference"].chat_completion, list[float]()
    for _ in range(_ROUNDS):
        before = time.perf_counter()
        crashed = _working["p001"]
        _crash["p001"]()
        is_back = False
        while not is_back:
            await asyncio.sleep(0.0005)
            with suppress(UnavailableResourceError):
                await call("p001", [])
                is_back = _working["p001"] is not crashed
        times.append(1000 * (time.perf_counter() - before))
    return times


async def _measured(measure: Callable[[Stack], Awaitable[list[float]]]) -> list[float]:
    with TemporaryDirectory() as folder:
        settings = StackSettings(
            state_dir=Path(folder), restart_delay=0, restart_limit=2 * _ROUNDS, drain_timeout=1
        )
        async with Stack(_graph(0), settings) as stack:
            return await measure(stack)


FIGURES = {
    "reload of 1 of 200 under load / its own start of 0.3 s": (
        lambda: asyncio.run(_measured(_reloads)),
        1.1,
    ),
    "crash of 1 of 200 to its replacement's first answer, ms": (
        lambda: asyncio.run(_measured(_crashes)),
        20.0,
    ),
}
"""By what is measured: how, and what the median must not exceed."""


if __name__ == "__main__":
    logging.getLogger("asyncio").disabled = True  # It tells of each task that dies.
    raise SystemExit(report(FIGURES))
