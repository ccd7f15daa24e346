"""How close a start comes to what its nodes take at least.

(a) 200 providers that take 50 ms each, with their tables and routers, by generations: the whole
    start over the sum over generations of their slowest node.
(b) Random graphs of 300 nodes with lognormal durations around 50 ms, each node started as soon as
    its own needs are ready: the whole start over the critical path.

Run it with ``python benchmarks/start.py``.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from measuring import report

from rungraph.engine.apis.memory_banks import VectorMemoryBank
from rungraph.engine.apis.models import Model
from rungraph.engine.apis.shields import Shield
from rungraph.engine.catalog import CATALOG
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import RunGraph, compile_config
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.run.timeline import Timeline


_SECONDS = 0.05
_MODULE = "rungraph_benchmark_start"


# --- providers that only take their time -------------------------------------------------------


class Anything(Protocol):
    """An API with one method."""

    async def ping(self) -> str:
        """Answer."""
        ...


class _Provider:
    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    async def ping(self) -> str:
        return "pong"


class _Inference(_Provider):
    async def chat_completion(self, **arguments: Any) -> Any: ...
    async def completion(self, **arguments: Any) -> Any: ...
    async def embeddings(self, **arguments: Any) -> Any: ...

    async def list_models(self) -> list[Model]:
        return [Model(identifier=self._config["name"])]

    async def register_model(self, model: Model) -> Model:
        return model

    async def unregister_model(self, model: Model) -> None: ...


class _Safety(_Provider):
    async def run_shield(self, **arguments: Any) -> Any: ...

    async def list_shields(self) -> list[Shield]:
        return [Shield(identifier=self._config["name"], shield_type="any")]

    async def register_shield(self, shield: Shield) -> Shield:
        return shield

    async def unregister_shield(self, shield: Shield) -> None: ...


class _Memory(_Provider):
    async def insert_documents(self, **arguments: Any) -> Any: ...
    async def query_documents(self, **arguments: Any) -> Any: ...

    async def list_memory_banks(self) -> list[VectorMemoryBank]:
        return [VectorMemoryBank(identifier=self._config["name"], embedding_model="any")]

    async def register_memory_bank(self, memory_bank: Any) -> Any:
        return memory_bank

    async def unregister_memory_bank(self, memory_bank: Any) -> None: ...


ROUTED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "inference": _Inference,
    "safety": _Safety,
    "memory": _Memory,
}
"""What makes a provider of its config, by API."""


def offer(api: str, create: Callable[[dict[str, Any]], Any]) -> ProviderSpec:
    """Return the spec of a provider that sleeps and then is what *create* returns."""

    async def get_provider_impl(config: dict[str, Any], _deps: object) -> Any:
        await asyncio.sleep(config["seconds"])
        return create(config)

    name = f"{_MODULE}_{create.__name__.strip('_').lower()}"
    module = ModuleType(name)
    vars(module)["get_provider_impl"] = get_provider_impl
    sys.modules[name] = module
    return ProviderSpec(api, "inline::sleep", name)


def provider(name: str, seconds: float) -> dict[str, Any]:
    """Return the entry of a provider that takes so many *seconds* to start."""
    config = {"seconds": seconds, "name": name}
    return {"provider_id": name, "provider_type": "inline::sleep", "config": config}


# --- graphs ------------------------------------------------------------------------------------


def routed_graph(providers: int = 200) -> RunGraph:
    """Return a graph of providers of the routed APIs, which take 50 ms each."""
    specs = [offer(api, create) for api, create in ROUTED.items()]
    configured: dict[str, list[dict[str, Any]]] = {api: [] for api in ROUTED}
    for index in range(providers):
        configured[tuple(ROUTED)[index % 3]].append(provider(f"p{index:03}", _SECONDS))
    catalog = CATALOG.merged(Catalog.of(providers=specs))
    return compile_config({"providers": configured}, catalog=catalog, environment={}).check()


def random_graph(seed: int, nodes: int = 300) -> RunGraph:
    """Return a random graph of providers with lognormal durations around 50 ms."""
    dice = random.Random(seed)
    spec = offer("any", _Provider)
    sys.modules[_MODULE] = ModuleType(_MODULE)
    vars(sys.modules[_MODULE])["Anything"] = Anything
    apis, specs, configured = [], [], {}
    for index in range(nodes):
        api = f"api{index:03}"
        needs = {f"api{dice.randrange(index):03}" for _ in range(dice.randint(0, 3)) if index}
        apis.append(ApiSpec(api, f"{_MODULE}:Anything"))
        specs.append(ProviderSpec(api, "inline::sleep", spec.module, dependencies=tuple(needs)))
        configured[api] = [provider("one", dice.lognormvariate(math.log(_SECONDS), 1))]
    catalog = Catalog.of(apis=apis, providers=specs)
    return compile_config({"providers": configured}, catalog=catalog, environment={}).check()


# --- measuring ---------------------------------------------------------------------------------


async def _start(graph: RunGraph, settings: StackSettings) -> tuple[float, Timeline]:
    """Return how long entering the stack takes, checks included, and its timeline."""
    before = time.perf_counter()
    async with Stack(graph, settings) as stack:
        return time.perf_counter() - before, stack.timeline()


def by_generations(runs: int = 7) -> list[float]:
    """Return the ratios of (a)."""
    ratios: list[float] = []
    for _ in range(runs):
        graph = routed_graph()
        with TemporaryDirectory() as folder:
            settings = StackSettings(schedule="generations", state_dir=Path(folder))
            seconds, times = asyncio.run(_start(graph, settings))
        slowest: dict[int, float] = {}
        for node in times.nodes.values():
            slowest[node.generation] = max(slowest.get(node.generation, 0.0), node.own)
        ratios.append(seconds / sum(slowest.values()))
    return ratios


def when_ready(runs: int = 5) -> list[float]:
    """Return the ratios of (b), on another random graph in each run."""
    ratios: list[float] = []
    for seed in range(runs):
        graph = random_graph(seed)
        seconds, times = asyncio.run(_start(graph, StackSettings(schedule="ready")))
        ratios.append(seconds / min(_critical_path(graph), times.critical_time))
    return ratios


def _critical_path(graph: RunGraph) -> float:
    """Return the length of the critical path by the durations that were asked for."""
    finish: dict[Any, float] = {}
    for address in graph:
        own: float = getattr(graph[address], "config", {}).get("seconds", 0.0)
        needs = (finish[need] for need in graph.dependencies_of(address))
        finish[address] = own + max(needs, default=0.0)
    return max(finish.values())


FIGURES = {
    "200 providers of 50 ms + tables + routers, generations / sum of slowest": (
        by_generations,
        1.10,
    ),
    "300 random nodes, lognormal, ready / critical path": (when_ready, 1.05),
}
"""By what is measured: how, and what the median must not exceed."""


if __name__ == "__main__":
    raise SystemExit(report(FIGURES))
