"""A routing table with its providers, its store and its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.routing.routed import Table

from rungraph.engine.apis.models import Model
from rungraph.engine.catalog import CATALOG
from rungraph.engine.events import Event
from rungraph.engine.routing import RegistrationStore, create_table
from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import ApiSpec, RoutedPair
from rungraph.graph.nodes import ResourceConfig, TableNode


@pytest.fixture(params=[None, staticmethod(lambda *_: None)], ids=["", "observed"])
def observe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each fact hold for calls that a server observes, too."""
    monkeypatch.setattr(Table, "observe", request.param)


@asynccontextmanager
async def turning() -> AsyncGenerator[list[None]]:
    """Yield a list that grows with each turn of the event loop."""
    turns: list[None] = []

    async def turn() -> None:
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    yield turns
    task.cancel()


class Provider:
    """A provider of any routed API that serves what it is told to."""

    def __init__(self, *identifiers: str, noun: str = "model", kind: Any = Model) -> None:
        self.served: dict[str, Any] = {name: kind(identifier=name) for name in identifiers}
        self.refusal: Exception | None = None
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.asked: list[str] = []
        setattr(self, f"list_{noun}s", self._list)
        setattr(self, f"register_{noun}", self._register)
        setattr(self, f"unregister_{noun}", self._unregister)

    async def _list(self) -> list[Any]:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return list(self.served.values())

    async def _register(self, resource: Any) -> Any:
        self.asked.append(resource.identifier)
        if self.refusal is not None:
            raise self.refusal
        self.served[resource.identifier] = resource
        return resource

    async def _unregister(self, resource: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.served.pop(resource.identifier, None)


class Bench:
    """Makes tables on one store and keeps their events."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self.news = asyncio.Event()
        self.tables: list[Any] = []
        self.stores: list[RegistrationStore] = []

    def store(self) -> RegistrationStore:
        opened = RegistrationStore(self.path)
        self.stores.append(opened)
        return opened

    async def table(
        self,
        table_api: str = "models",
        *resources: ResourceConfig,
        store: RegistrationStore | None = None,
        pair: RoutedPair | None = None,
        api: ApiSpec | None = None,
        deadline: float = 5.0,
        refresh_interval: float | None = None,
        **members: object,
    ) -> Any:
        """Return a running table; its events are in `events`, oldest first."""
        found = pair or CATALOG.pair_of_table(table_api)
        assert found is not None
        self.events.clear()
        table = await create_table(
            TableNode(Address.table(table_api), found, resources),
            members,
            api=api or CATALOG.apis[table_api],
            store=store or self.store(),
            emit=self.emit,
            clock=lambda: 1.5,
            deadline=deadline,
            refresh_interval=refresh_interval,
        )
        self.tables.append(table)
        return table

    def emit(self, event: Event) -> None:
        self.events.append(event)
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for the events that make *condition* hold."""
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    def spoil_file(self) -> None:
        self.path.write_bytes(b"something else, long enough to be no database" * 9)

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def aclose(self) -> None:
        for table in self.tables:
            await table.shutdown()
        for store in self.stores:
            await store.aclose()


def configured(identifier: str, provider_id: str = "foo", **more: Any) -> ResourceConfig:
    """Return a model of the run config."""
    return ResourceConfig("models", identifier, provider_id, **more)


async def names(table: Any) -> list[str]:
    """Return the models of the table as ``provider/identifier``."""
    return [f"{model.provider_id}/{model.identifier}" for model in await table.list_models()]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Yield a maker of tables."""
    made = Bench(tmp_path / "registrations.sqlite")
    yield made
    await made.aclose()
