"""APIs and providers made up on the spot, and graphs of them."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from rungraph.engine.catalog import CATALOG
from rungraph.graph import compile_config
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from rungraph.graph import RunGraph

IMPORTING = threading.Event()
"""Set by a module when its import has begun."""
GATE = threading.Event()
"""What a module waits for while it is imported."""


class Pinging(Protocol):
    """An API with one method."""

    async def ping(self) -> str:
        """Answer."""
        ...


class Pinger:
    """Implements ``Pinging``; remembers what it was created with and whether it was shut down."""

    def __init__(self, config: object = None, deps: Mapping[str, object] | None = None) -> None:
        self.config = config
        self.deps = dict(deps or {})
        self.shutdowns = 0

    async def ping(self) -> str:
        """Answer."""
        return "pong"

    async def shutdown(self) -> None:
        """Count."""
        self.shutdowns += 1


async def create_pinger(config: object, deps: Mapping[str, object]) -> Pinger:
    """Return a pinger; an entry point."""
    return Pinger(config, deps)


@dataclass
class Offer:
    """A provider of an API of its own.

    Attributes:
        create: Its entry point.
        needs: The APIs without which it cannot start.
        uses: The APIs that it uses when they are there.
        config: Its config.
        spec: More of its spec, such as ``packages``.
    """

    create: Callable[..., Any] = create_pinger
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    spec: dict[str, Any] = field(default_factory=dict[str, Any])


def graph_of(monkeypatch: pytest.MonkeyPatch, **offers: Offer) -> RunGraph:
    """Return a graph with one provider, ``one``, for each API, which is what *offers* are named."""
    apis: list[ApiSpec] = []
    specs: list[ProviderSpec] = []
    providers: dict[str, list[dict[str, Any]]] = {}
    for api, offer in offers.items():
        name = f"rungraph_fake_{api}"
        module = ModuleType(name)
        vars(module).update(get_provider_impl=offer.create, Pinging=Pinging)
        monkeypatch.setitem(sys.modules, name, module)
        apis.append(ApiSpec(api, f"{name}:Pinging"))
        needs, uses = offer.needs, offer.uses
        spec: dict[str, Any] = {"module": name, "dependencies": needs}
        spec |= {"optional_dependencies": uses, **offer.spec}
        specs.append(ProviderSpec(api, "inline::fake", **spec))
        one = {"provider_id": "one", "provider_type": "inline::fake", "config": offer.config}
        providers[api] = [one]
    catalog = CATALOG.merged(Catalog.of(apis=apis, providers=specs))
    return compile_config({"providers": providers}, catalog=catalog, environment={})
