"""Stacks of made-up providers of inference that crash, fall ill and hang as the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.builders import entry
from tests.unit.engine.fakes import install_module

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.models import Model
from rungraph.engine.catalog import CATALOG
from rungraph.engine.events import State
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address, RunGraph, compile_config

FOO, BAR = Address.provider("inference", "foo"), Address.provider("inference", "bar")
_MODULE = "rungraph_fake_models"


class FakeModel:
    """A provider of inference that answers when it is let, and crashes when it is told to."""

    made: list[FakeModel]

    def __init__(self, name: str, group: asyncio.TaskGroup) -> None:
        self.served = {name: Model(identifier=name)}
        self.group = group
        self.answers = asyncio.Event()
        self.answers.set()
        self.status = HealthStatus.OK
        self.shutdowns = 0
        self.refuses = ""
        self.takes = 0.0

    def serves_now(self, name: str) -> bool:
        return name in self.served

    async def list_models(self) -> list[Model]:
        await asyncio.sleep(self.takes)
        return list(self.served.values())

    async def register_model(self, model: Model) -> Model:
        if model.identifier == self.refuses:
            msg = f"no room for {model.identifier}"
            raise ValueError(msg)
        self.served[model.identifier] = model
        return model

    async def unregister_model(self, model: Model) -> None:
        del self.served[model.identifier]

    async def chat_completion(self, model: str, messages: Any, **more: Any) -> Any:
        await self.answers.wait()
        return self.stream() if more.get("stream") else self.made.index(self)

    async def completion(self, model: str, content: Any, **more: Any) -> Any:
        return await self.chat_completion(model, content)

    async def embeddings(self, model: str, contents: Any) -> Any:
        return await self.chat_completion(model, contents)

    async def stream(self) -> Any:
        while True:
            yield 1
            await self.answers.wait()

    async def health(self) -> HealthResponse:
        return HealthResponse(status=self.status, message="no GPU")

    def crash(self) -> None:
        async def work() -> None:
            msg = "GPU lost"
            raise ConnectionError(msg)

        self.group.create_task(work())

    async def shutdown(self) -> None:
        self.shutdowns += 1
        await asyncio.sleep(self.takes)
        await self.group.__aexit__(None, None, None)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let run configs name the provider."""
    made: list[FakeModel] = []
    monkeypatch.setattr(FakeModel, "made", made, raising=False)

    async def create(config: Any, deps: object) -> FakeModel:
        if "fails" in config:
            raise ConnectionError(config["fails"])
        if "hangs" in config:
            await asyncio.Event().wait()
        group = asyncio.TaskGroup()
        await group.__aenter__()
        model = FakeModel(config["serves"], group)
        model.takes = config.get("takes", 0)
        await asyncio.sleep(model.takes)
        made.append(model)
        return model

    install_module(monkeypatch, _MODULE, get_provider_impl=create)


def models_graph(
    *names: str, models: Any = (), limits: Any = None, **configs: dict[str, Any]
) -> RunGraph:
    """Return a graph of one provider for each name, which serves ``NAME-model``."""
    limited = {"limits": limits} if limits else {}
    providers = [
        entry(name, "inline::fake", _MODULE, **configs.get(name, {"serves": f"{name}-model"}))
        | limited
        for name in names
    ]
    config = {"providers": {"inference": providers}, "models": list(models)}
    return compile_config(config, catalog=CATALOG, environment={})


def quick(**more: Any) -> StackSettings:
    """Return settings with short deadlines."""
    known: dict[str, Any] = {"restart_delay": 0.05, "health_interval": None, "stop_timeout": 0.5}
    return StackSettings(**known | more)


def instance(name: str) -> FakeModel:
    """Return the latest instance of a provider."""
    return next(one for one in reversed(FakeModel.made) if f"{name}-model" in one.served)


async def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  (what is awaited sets no event)
            await asyncio.sleep(0.001)


async def state_is(stack: Stack, address: Address, state: State) -> None:
    """Wait for a state of a node."""
    await until(lambda: stack.status()[address] is state)


def offered(stack: Stack) -> set[str]:
    """Return the models that can be requested."""
    return {one.identifier for one in stack["models"]._inventory.names}
