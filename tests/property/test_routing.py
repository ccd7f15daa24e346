"""Whatever happens, a table's list, its router's targets and the stored file agree."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rungraph.engine.apis.inference import Inference
from rungraph.engine.apis.models import Model
from rungraph.engine.catalog import CATALOG
from rungraph.engine.errors import AmbiguousResourceError, UnknownResourceError
from rungraph.engine.events import Event, ResourceAdded, ResourceRemoved
from rungraph.engine.routing import (
    RegistrationRefusedError,
    RegistrationStore,
    UnknownProviderError,
    create_router,
    create_table,
)
from rungraph.graph.address import Address
from rungraph.graph.nodes import RouterNode, TableNode

PROVIDERS = ("a", "b")
IDENTIFIERS = ("m", "a/m", "b/m")
NAMES = (*IDENTIFIERS, *(f"{p}/{i}" for p in PROVIDERS for i in IDENTIFIERS))

Key = tuple[str, str]  # identifier and provider, as tables sort


class Step(NamedTuple):
    """One thing that happens."""

    action: str
    provider_id: str
    identifier: str
    version: int


def model(identifier: str, version: int, provider_id: str = "") -> Model:
    """Return a model whose content is its version."""
    return Model(
        identifier=identifier,
        provider_id=provider_id,
        provider_resource_id=f"native/{identifier}",
        metadata={"version": version},
    )


@dataclass
class Provider:
    """A provider that serves what it is told, and what it lists by itself."""

    provider_id: str
    served: dict[str, Model] = field(default_factory=dict[str, Model])
    own: set[str] = field(default_factory=set[str])
    refuses: bool = False
    fails: bool = False
    stumbles: bool = False

    async def list_models(self) -> list[Model]:
        """Return what is served."""
        if self.fails:
            raise ConnectionError
        return list(self.served.values())

    async def register_model(self, model: Model) -> Model:
        """Serve a model, or refuse, or stumble."""
        if self.stumbles:
            raise ConnectionError
        if self.refuses:
            raise ValueError
        self.served[model.identifier] = model
        return model

    async def unregister_model(self, model: Model) -> None:
        """Serve it no more, or refuse."""
        if self.refuses:
            raise ValueError
        self.served.pop(model.identifier, None)

    async def embeddings(self, model: str, contents: list[str]) -> Any:
        """Tell who was called."""
        del contents
        return self.provider_id, model


@dataclass
class Expected:
    """What table and file should hold, by the simplest means."""

    live: dict[Key, int] = field(default_factory=dict[Key, int])
    listed: set[Key] = field(default_factory=set[Key])
    stored: dict[Key, int] = field(default_factory=dict[Key, int])
    waiting: set[Key] = field(default_factory=set[Key])
    lost: set[Key] = field(default_factory=set[Key])

    def register(self, key: Key, version: int) -> None:
        """Follow an accepted registration."""
        if self.live.get(key) == version and key not in self.waiting | self.listed:
            return
        self.live[key] = self.stored[key] = version
        self.listed.discard(key)
        self.waiting.discard(key)
        self.lost.discard(key)

    def drop(self, key: Key) -> None:
        """Follow the end of a resource, in table and file."""
        self.live.pop(key, None)
        self.stored.pop(key, None)
        self.listed.discard(key)
        self.waiting.discard(key)
        self.lost.discard(key)

    def refresh(self, provider: Provider) -> None:
        """Follow a refresh of a provider."""
        if provider.fails:
            return
        here = {(name, provider.provider_id): m for name, m in provider.served.items()}
        for key in [key for key in self.live if key[1] == provider.provider_id]:
            if key not in here:
                self.live.pop(key)
                if key not in self.listed:
                    self.lost.add(key)
                self.listed.discard(key)
        for key, served in here.items():
            if key not in self.live or key in self.listed:
                self.live[key] = served.metadata["version"]
                self.listed.add(key)
        # What is stored is wanted again once the provider has it again.
        self.waiting |= self.lost & here.keys()
        self.lost -= here.keys()
        for key in [key for key in self.waiting if key[1] == provider.provider_id]:
            if self.live.get(key) == self.stored[key] or not (
                provider.refuses or provider.stumbles
            ):
                self.live[key] = self.stored[key]
                self.listed.discard(key)
            else:
                continue
            self.waiting.discard(key)

    def restart(self) -> None:
        """Follow the end of the process: only the file is left."""
        self.live.clear()
        self.listed.clear()
        self.waiting = set(self.stored)
        self.lost.clear()


class Run:
    """A table with its router, driven step by step beside what is expected of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.providers = {provider_id: Provider(provider_id) for provider_id in PROVIDERS}
        self.present: tuple[str, ...] = PROVIDERS
        self.expected = Expected()
        self.shown: set[Key] = set()
        self.table: Any = None
        self.router: Any = None
        self.store: RegistrationStore | None = None

    async def start(self) -> None:
        """Start a table with the providers that are present."""
        pair = CATALOG.pair_of_table("models")
        assert pair is not None
        self.shown = set()
        self.store = RegistrationStore(self.path)
        self.table = await create_table(
            TableNode(Address.table("models"), pair),
            {provider_id: self.providers[provider_id] for provider_id in self.present},
            api=CATALOG.apis["models"],
            store=self.store,
            emit=self.follow,
            clock=lambda: 0.0,
        )
        node = RouterNode(Address.router("inference"), pair)
        self.router = create_router(node, self.table, Inference)
        for provider_id in self.present:
            self.expected.refresh(self.providers[provider_id])

    async def stop(self) -> None:
        """Stop the table and close the file."""
        await self.router.shutdown()
        await self.table.shutdown()
        assert self.store is not None
        await self.store.aclose()

    def follow(self, event: Event) -> None:
        """Keep what the events alone say is there."""
        if isinstance(event, ResourceAdded):
            self.shown.add((event.identifier, event.provider_id))
        elif isinstance(event, ResourceRemoved):
            self.shown.discard((event.identifier, event.provider_id))

    async def take(self, step: Step) -> None:
        """Carry out a step, on the table and on what is expected."""
        provider = self.providers[step.provider_id]
        key = (step.identifier, step.provider_id)
        match step.action:
            case "register":
                await self.register(provider, key, step.version)
            case "unregister":
                await self.unregister(provider, key)
            case "appear":
                provider.served[step.identifier] = model(step.identifier, step.version)
                provider.own.add(step.identifier)
            case "vanish":
                provider.served.pop(step.identifier, None)
            case "refuse":
                provider.refuses = not provider.refuses
            case "stumble":
                provider.stumbles = not provider.stumbles
            case "fail":
                provider.fails = not provider.fails
            case "refresh":
                await self.table.refresh()
                for provider_id in self.present:
                    self.expected.refresh(self.providers[provider_id])
            case _:
                await self.stop()
                self.present = (PROVIDERS, PROVIDERS, ("a",), ())[step.version]
                for each in self.providers.values():  # What was only registered is forgotten.
                    each.served = {n: m for n, m in each.served.items() if n in each.own}
                self.expected.restart()
                await self.start()

    async def register(self, provider: Provider, key: Key, version: int) -> None:
        """Register a model."""
        wanted = model(key[0], version, key[1])
        is_known = self.expected.live.get(key) == version and key not in self.expected.waiting
        try:
            await self.table.register_model(wanted)
        except UnknownProviderError:
            assert key[1] not in self.present
        except ConnectionError:
            assert provider.stumbles
            assert not is_known
        except RegistrationRefusedError:
            assert provider.refuses
            assert not is_known
        else:
            assert is_known or not (provider.refuses or provider.stumbles)
            self.expected.register(key, version)

    async def unregister(self, provider: Provider, key: Key) -> None:
        """Take a registration back."""
        try:
            await self.table.unregister_model(*key)
        except UnknownResourceError:
            assert key not in self.expected.live
            assert key not in self.expected.waiting | self.expected.lost
        except RegistrationRefusedError:
            assert provider.refuses
            assert key in self.expected.live
        else:
            kept = self.expected.waiting | self.expected.lost
            assert key in self.expected.live or key in kept
            self.expected.drop(key)

    async def check(self) -> None:
        """Compare list, events, targets and file with what is expected."""
        expected = self.expected
        listed = await self.table.list_models()
        assert [
            ((each.identifier, each.provider_id), each.metadata["version"]) for each in listed
        ] == sorted(expected.live.items())
        assert self.shown == set(expected.live)
        for name in NAMES:
            exact = [key for key in expected.live if name == f"{key[1]}/{key[0]}"]
            loose = [key for key in expected.live if name == key[0]]
            keys = exact if len(exact) == 1 else exact + loose
            away = [key for key in expected.stored if key[1] not in self.present]
            if name in [f"{by}/{identifier}" for identifier, by in away]:
                keys = []  # It means that one, which comes back, and no other meanwhile.
            try:
                target = await self.router.embeddings(name, [])
            except UnknownResourceError:
                assert keys == []
            except AmbiguousResourceError:
                assert len(keys) > 1
            else:
                assert [target] == [(key[1], f"native/{key[0]}") for key in keys]
        other = RegistrationStore(self.path)
        kept = await other.load("models")
        await other.aclose()
        assert {
            (each.identifier, each.provider_id): each.content["metadata"]["version"]
            for each in kept
        } == expected.stored


steps = st.builds(
    Step,
    st.sampled_from(
        ("register",) * 3
        + (
            "unregister",
            "appear",
            "vanish",
            "refuse",
            "stumble",
            "fail",
            "refresh",
            "refresh",
            "restart",
        )
    ),
    st.sampled_from(PROVIDERS),
    st.sampled_from(IDENTIFIERS),
    st.integers(0, 3),
)


def script(text: str) -> list[Step]:
    """Read steps such as ``register a/1``: of provider a, model m in version 1."""
    found: list[Step] = []
    for step in text.split(", "):
        action, _, what = step.partition(" ")
        provider_id, _, version = what.partition("/")
        found.append(Step(action, provider_id or "a", "m", int(version or 0)))
    return found


# What waits for its provider is replaced by a new registration, also by one of what is listed ...
@example(script("register a/1, fail, restart, register a/2, fail, refresh"))
@example(script("register a/1, appear a/2, stumble, restart, stumble, register a/2"))
# ... and can be forgotten without it.
@example(script("register b/1, restart /2, unregister b, restart"))
# What was registered stays as it was registered when it is listed; when it is not, it waits.
@example(script("register a/1, appear a/2, refresh, vanish, refresh"))
# A name that says its provider means nobody else while that is away.
@example(
    [Step("register", "a", "b/m", 0), Step("register", "b", "m", 0), Step("restart", "a", "m", 2)]
)
# A bare name is clear again when only one provider is left that serves it.
@example(script("appear a, appear b, refresh, vanish b, refresh"))
@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=40))
def test_list_targets_and_file_agree(taken: Sequence[Step]) -> None:
    """After any steps, in any order, with refusing, stumbling, failing and absent providers."""

    async def run(path: Path) -> None:
        driven = Run(path)
        await driven.start()
        for step in taken:
            await driven.take(step)
            await driven.check()
        await driven.stop()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "registrations.sqlite"))
