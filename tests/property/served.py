"""What nodes of a schedule serve, how they answer when they are asked, and the table of some."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import networkx as nx

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.models import Model
from rungraph.engine.catalog import CATALOG
from rungraph.engine.events import Event
from rungraph.engine.routing.table_of import create_table
from rungraph.engine.routing.tables import RoutingTable
from rungraph.graph.address import Address
from rungraph.graph.nodes import ResourceConfig, Strength, TableNode

TABLE = Address.table("models")
ANSWERS = (
    "list: hang", "list: exit", "list: cancelled", "list: crash", "list: empty",
    "register: hang", "register: exit", "register: crash", "register: refuse",
    "health: ill", "health: hang", "health: exit", "health: crash",
    "bind: crash", "bind: hang", "bind: exit",
    "update: crash", "update: hang", "update: exit",
)  # fmt: skip
"""How an answer goes wrong; all but a refusal only at first."""
_AT_FIRST = {"list": 2, "register": 2, "health": 4, "bind": 1, "update": 1}
_PAIR = CATALOG.pair_of_table("models")
_REFRESH_SECONDS = 20.0


class Instance:
    """A node that runs: it serves a model under its name, and what is registered with it."""

    def __init__(self, address: Address, answers: str) -> None:
        self.address = address
        self.served = {f"{address.name}-model"}
        self._where, _, self._how = answers.partition(": ")
        self._asked: Counter[str] = Counter()
        if self._where == "health":
            self.health = self._health

    @property
    def refuses(self) -> bool:
        """Whether it registers nothing."""
        return self._how == "refuse"

    async def answer(self, where: str) -> str:
        """Answer, or fail as it is planned; return what is wrong with the answer."""
        self._asked[where] += 1
        if where != self._where or (self._asked[where] > _AT_FIRST[where] and not self.refuses):
            return ""
        if self._how == "hang":
            await asyncio.Event().wait()
        if self._how == "exit":
            raise SystemExit(3)
        if self._how == "cancelled":
            raise asyncio.CancelledError
        if self._how == "crash":
            msg = "planned"
            raise ConnectionError(msg)
        return self._how

    async def list_models(self) -> list[Model]:
        """Return what it serves."""
        wrong = await self.answer("list")
        return [] if wrong else [Model(identifier=name) for name in sorted(self.served)]

    async def register_model(self, model: Model) -> Model:
        """Serve one more."""
        if await self.answer("register"):
            msg = "refused"
            raise ValueError(msg)
        self.served.add(model.identifier)
        return model

    async def unregister_model(self, model: Model) -> None:
        """Serve one less."""
        self.served.discard(model.identifier)

    async def _health(self) -> HealthResponse:
        wrong = await self.answer("health")
        return HealthResponse(status=HealthStatus.ERROR if wrong else HealthStatus.OK)


def add_table(graph: nx.DiGraph[Address], random: Random) -> dict[Address, str]:
    """Let some nodes of *graph* be members of a table; return what it wants to register of whom."""
    nodes = list(graph)
    members = random.sample(nodes, random.randrange(1, min(7, len(nodes))))
    graph.add_node(TABLE)
    for member in members:
        graph.add_edge(member, TABLE, strength=Strength.MEMBER.value)
    return {one: f"{one.name}-mine" for one in members if random.random() < 0.5}


def table_node(graph: nx.DiGraph[Address], wanted: Mapping[Address, str]) -> TableNode:
    """Return the table of *graph*, with what it wants of those that are there."""
    assert _PAIR is not None
    resources = [
        ResourceConfig("models", name, one.name)
        for one, name in wanted.items()
        if one in graph.pred[TABLE]
    ]
    return TableNode(TABLE, _PAIR, tuple(resources))


async def open_table(
    node: TableNode, members: Mapping[Address, object], emit: Callable[[Event], None]
) -> RoutingTable:
    """Return the running table of *node* with *members*."""
    loop = asyncio.get_running_loop()
    return await create_table(
        node,
        {address.name: one for address, one in members.items()},
        api=CATALOG.apis["models"],
        store=None,
        emit=emit,
        clock=loop.time,
        deadline=1.0,
        refresh_interval=_REFRESH_SECONDS,
    )


def names_in(table: Any) -> set[str]:
    """Return what can be requested of a table."""
    return {one.identifier for one in table._inventory.names}
