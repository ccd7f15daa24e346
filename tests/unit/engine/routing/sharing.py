"""Providers that do as they are told, a table whose models they share, and its router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from tests.unit.engine.routing import conftest

from rungraph.engine.apis.inference import Inference
from rungraph.engine.catalog import CATALOG
from rungraph.engine.events import Event
from rungraph.engine.request import is_tried_once
from rungraph.engine.routing import create_router, create_table
from rungraph.graph.address import Address
from rungraph.graph.nodes import ResourceConfig, RouterNode, Routing, TableNode

PAIR = CATALOG.pair_of_router("inference")
assert PAIR is not None


class Provider(conftest.Provider):
    """A provider of inference that does as it is told."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.calls = 0
        self.error: BaseException | None = None
        self.breaks_after: int | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.was_tried_once: bool | None = None

    async def _answer(self) -> None:
        self.calls += 1
        self.was_tried_once = is_tried_once()
        await self.answers.wait()
        if self.error is not None:
            raise self.error

    async def chat_completion(self, model: str, messages: Sequence[Any], stream: bool = False,
                              **_: Any) -> Any:  # fmt: skip
        if stream:
            return self._stream(model)
        await self._answer()
        return f"{self.name}:{model}"

    async def _stream(self, model: str) -> AsyncGenerator[str, None]:
        await self._answer()
        yield self.name
        if self.breaks_after is not None:
            msg = "broke off"
            raise ConnectionError(msg)
        yield model

    async def embeddings(self, model: str, contents: Sequence[str]) -> str:
        await self._answer()
        return self.name

    async def _register(self, resource: Any) -> Any:
        assert resource.routing is None  # It knows nothing of who else serves it.
        return await super()._register(resource)


class Stage:
    """A table with providers, its router, and what happened."""

    def __init__(self, *names: str) -> None:
        self.providers = {name: Provider(name) for name in names}
        self.events: list[Event] = []
        self.now = 0.0

    async def open(self, *resources: ResourceConfig) -> None:
        assert PAIR is not None
        node = TableNode(Address.table("models"), PAIR, resources)
        self.table: Any = await create_table(
            node,
            self.providers,
            api=CATALOG.apis["models"],
            store=None,
            emit=self.events.append,
            clock=lambda: self.now,
        )
        self.router: Any = create_router(
            RouterNode(Address.router("inference"), PAIR), self.table, Inference
        )

    def __getitem__(self, name: str) -> Provider:
        return self.providers[name]

    async def ask(self, model: str = "small", **more: Any) -> Any:
        return await self.router.chat_completion(model=model, messages=["hello"], **more)

    async def stream(self) -> list[str]:
        return [chunk async for chunk in await self.ask(stream=True)]


def shared(
    *names: str, policy: str = "round_robin", hedge_after: float | None = None, **orders: int
) -> tuple[ResourceConfig, ...]:
    """Return the members of the model ``small`` as a run config has them."""
    fields = {"model_type": "embedding"} if hedge_after else {}
    return tuple(
        ResourceConfig(
            "models",
            "small",
            name,
            f"org/{name}",
            fields,
            routing=Routing(policy, hedge_after),
            order=orders.get(name, 0),
        )
        for name in names
    )


async def staged(*names: str, **more: Any) -> Stage:
    """Return a stage whose providers share a model."""
    stage = Stage(*names)
    await stage.open(*shared(*names, **more))
    return stage
