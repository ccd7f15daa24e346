"""What a graph is made of: provider, table and router nodes, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from rungraph.graph.json_format import JsonObject
from rungraph.graph.limits import NO_LIMITS, Limits
from rungraph.graph.secrets.known import NOTHING_KNOWN, KnownSecrets
from rungraph.graph.secrets.values import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.catalog.specs import ProviderSpec, RoutedPair
    from rungraph.graph.place import Place


RESTARTS = ("on-failure", "always", "never")
"""When a provider that has ended is started again; the first is what counts unless it is said."""


PLACEMENTS = ("inline", "process")
"""Where a provider runs: in the process of the stack, or in one of its own."""

Policy = Literal["least_loaded", "first", "round_robin", "sticky"]
POLICIES: tuple[str, ...] = get_args(Policy)
"""How the providers of one resource share its calls; the first counts unless it is said."""


class Strength(StrEnum):
    """How much the dependent of an edge needs its dependency."""

    HARD = "hard"
    """The dependent cannot start without the dependency."""
    SOFT = "soft"
    """The dependent uses the dependency if it is there."""
    MEMBER = "member"
    """The dependency is one of a table's providers; the table needs any of them."""

    __hash__ = str.__hash__


class State(StrEnum):
    """What a node is doing while its graph runs, and how that ended."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    SKIPPED = "skipped"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STOP_FAILED = "stop_failed"
    KILLED = "killed"

    __hash__ = str.__hash__


class Evidence(NamedTuple):
    """Why an edge is there.

    Attributes:
        rule: What made the edge: ``dependencies`` or ``optional_dependencies`` (of a provider
            spec or a routed pair), ``member`` (a provider in a table), ``pair`` (a router's table).
        text: The same for people, such as ``'inline::faiss' depends on inference``.
        place: The line of the config that brought the dependent in, if any.
    """

    rule: str
    text: str
    place: Place | None = None


class Edge(NamedTuple):
    """One dependency. Edges point from the dependency to its dependent.

    Attributes:
        dependency: The node that starts first.
        dependent: The node that needs it.
        strength: How much it needs it.
        evidence: Why the edge is there.
    """

    dependency: Address
    dependent: Address
    strength: Strength
    evidence: tuple[Evidence, ...] = ()

    def __str__(self) -> str:
        return f"{self.dependency} -> {self.dependent}"

    def __repr__(self) -> str:
        return f"<{self}: {self.strength}>"


class _Node:
    """What all nodes have."""

    __slots__ = ()
    address: Address

    @property
    def api(self) -> str:
        """The API that it implements, such as ``inference``; of a table ``models``, for example."""
        return self.address.api

    @property
    def label(self) -> str:
        """Its provider type; else ``routing table`` or ``router``."""
        return self.address.kind.label


@dataclass(frozen=True, slots=True)
class ProviderNode(_Node):
    """One configured instance of a provider type.

    Attributes:
        address: ``provider:<api>/<provider_id>``.
        provider_type: As the run config names it.
        spec: What the catalog says of the type; None when the catalog does not know it.
        place: Where the instance is configured; None for one that every stack has.
        written: Its config as written, ``${env.X}`` unresolved.
        config: Its config with the environment filled in. It can hold secrets: never print it.
        path: The keys that lead to it in the run config; empty for one that every stack has.
        tags: The words that queries find it by, sorted; to be shown as `masked_tags`.
        known: What is secret anywhere in the run config.
        restart: When it is started again after it has ended: one of `RESTARTS`.
        placement: Where it runs: one of `PLACEMENTS`.
        limits: How long its calls may take, and how many run at a time.
        unread: The keys of its entry whose values could not be made out.
        folder: Where the relative paths of its entry begin.
    """

    address: Address
    provider_type: str
    spec: ProviderSpec | None = field(repr=False)
    place: Place | None = None
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    path: tuple[str | int, ...] = ()
    tags: tuple[str, ...] = field(default=(), repr=False)
    known: KnownSecrets = field(default=NOTHING_KNOWN, repr=False, compare=False)
    restart: str = RESTARTS[0]
    placement: str = PLACEMENTS[0]
    limits: Limits = NO_LIMITS
    unread: frozenset[str] = frozenset()
    folder: Path = field(default=Path(), repr=False, compare=False)

    def masked(self, value: Any) -> Any:
        """Return the config, or part of one, without its secrets: safe to show anywhere."""
        return masked(value, secrets=self.secret_keys, known=self.known)

    @property
    def masked_tags(self) -> list[str]:
        """Its tags without what is secret elsewhere or looks it: safe to show anywhere."""
        return sorted(self.masked(self.tags))

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys whose values its type says are secret, besides those that look like it."""
        return self.spec.secrets if self.spec else ()

    @property
    def label(self) -> str:
        """Its provider type."""
        return self.provider_type

    @property
    def provider_id(self) -> str:
        """The instance's name, unique within its API."""
        return self.address.name

    @property
    def spec_dependencies(self) -> tuple[str, ...]:
        """The APIs without which it cannot start; none when its type is not known."""
        return self.spec.dependencies if self.spec else ()


@dataclass(frozen=True)
class Routing(JsonObject):
    """How the providers that serve one resource together, its members, share its calls."""

    policy: str = POLICIES[0]
    """``least_loaded``, ``first`` (in the order of the list), ``round_robin`` or ``sticky``."""
    hedge_after: str | float | None = None
    """Seconds, or ``p95``, after which a second member is asked as well; null for never."""


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """A resource that a run config registers when the stack starts.

    What has members is one of these for each of them.

    Attributes:
        table_api: The table that holds it, such as ``models``.
        identifier: The name that callers use.
        provider_id: The provider that serves it.
        provider_resource_id: The provider's own name for it; None when it is *identifier*.
        fields: What else the config says of it, with the environment filled in. It can hold
            secrets: show `masked_fields`.
        place: Where it is configured.
        written: What else the config says of it, as written.
        path: The keys that lead to it in the run config.
        known: What is secret anywhere in the run config.
        routing: How the provider shares calls with those that serve the same resource; None when
            it alone is meant.
        order: Calls go to providers of the lowest order that can take them.
    """

    table_api: str
    identifier: str
    provider_id: str
    provider_resource_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    place: Place | None = None
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    path: tuple[str | int, ...] = field(default=(), compare=False)
    known: KnownSecrets = field(default=NOTHING_KNOWN, repr=False, compare=False)
    routing: Routing | None = None
    order: int = 0

    @property
    def entry_path(self) -> tuple[str | int, ...]:
        """The keys that lead to its entry, of which it may be one of several members."""
        return self.path if self.routing is None else self.path[:-2]

    @property
    def native_id(self) -> str:
        """The provider's own name for it."""
        return self.provider_resource_id or self.identifier

    @property
    def masked_fields(self) -> Mapping[str, Any]:
        """What else the config says of it, as written, its secrets masked."""
        shown: Mapping[str, Any] = masked(self.written, known=self.known)
        return shown


@dataclass(frozen=True, slots=True)
class TableNode(_Node):
    """A routing table: which resource lives on which provider.

    Attributes:
        address: ``table:<table_api>``.
        pair: The routed pair that it belongs to.
        resources: What the run config registers at start, sorted by identifier and provider.
    """

    address: Address
    pair: RoutedPair = field(repr=False)
    resources: tuple[ResourceConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterNode(_Node):
    """A router: sends each call to the provider that its table names.

    Attributes:
        address: ``router:<router_api>``.
        pair: The routed pair that it belongs to.
    """

    address: Address
    pair: RoutedPair = field(repr=False)


Node = ProviderNode | TableNode | RouterNode
