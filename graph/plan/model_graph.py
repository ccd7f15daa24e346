"""The graph in a plan's JSON: nodes, edges, cycles, what is left out, served APIs.

The fields of each class are sorted by name, as the keys of the JSON are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rungraph.graph.catalog.specs import ProviderSpec
from rungraph.graph.json_format import JsonObject
from rungraph.graph.nodes import Routing


@dataclass(frozen=True, kw_only=True)
class PlacePlan(JsonObject):
    """A position in a run config."""

    column: int
    """Counted from 1, in characters; 0 where there are no lines."""
    file: str
    """The path as the user gave it, or ``<text>`` or ``<mapping>``."""
    line: int
    """Counted from 1; 0 where there are no lines."""


@dataclass(frozen=True, kw_only=True)
class RankPlan(JsonObject):
    """When a node may start, counted in generations."""

    max: int
    """The last generation in which it can start without holding anything up."""
    min: int
    """The first generation in which it can start; that is the one in which it does."""


@dataclass(frozen=True, kw_only=True)
class BlastRadiusPlan(JsonObject):
    """What becomes of others if a node alone does not start."""

    hard: int
    """How many other nodes then do not run either."""
    resources: tuple[str, ...] = ()
    """The resources of the config that then cannot be requested, such as
    ``model:small on llm``, sorted; none when there are more than 100.
    """
    soft: int
    """How many nodes then run without something that they use."""
    stops: tuple[str, ...] = ()
    """The nodes of *hard* in start order; none when there are more than 100."""


@dataclass(frozen=True, kw_only=True)
class WhyPlan(JsonObject):
    """Why a node is in the graph."""

    because_of: tuple[str, ...] = ()
    """The nodes that need it, when that is why; sorted."""
    reason: str
    """``served`` (its API is), ``needed`` (its API is not served, but others need it), ``builtin``
    (every stack has it) or ``configured`` (nothing is known of its API).
    """


@dataclass(frozen=True, kw_only=True)
class DependencyPlan(JsonObject):
    """One node that a node depends on."""

    address: str
    """The other node."""
    status: str = "active"
    """``active``, or ``dropped`` when it is handed over only once both run."""
    strength: str
    """``hard`` (it cannot start without), ``soft`` (it uses it if it is there) or ``member`` (a
    table needs any of its members).
    """


@dataclass(frozen=True, kw_only=True)
class ResourceNeedPlan(JsonObject):
    """What a resource stands on."""

    addresses: tuple[str, ...]
    """The provider; of several any, where only they can say whether they serve what is named."""
    field: str | None = None
    """The field that names a resource of another table; null for the provider that serves it."""
    resource: str | None = None
    """What that field names, such as ``model:small``."""


@dataclass(frozen=True, kw_only=True)
class ResourcePlan(JsonObject):
    """What a table registers at start, such as a model."""

    fields: Mapping[str, Any]
    """What else the config says of it, secrets masked."""
    identifier: str
    """The name that callers use."""
    needs: tuple[ResourceNeedPlan, ...] = ()
    """What it stands on: its own provider, then what it names of other tables."""
    order: int = 0
    """Of members of one name, calls go to those of the lowest order that can take them."""
    place: PlacePlan | None = None
    """Where it is configured."""
    provider_id: str
    """The provider that serves it."""
    provider_resource_id: str | None = None
    """The provider's own name for it; null when it is the identifier."""
    routing: Routing | None = None
    """How it shares the calls of that name with its other members; null for what is none."""


@dataclass(frozen=True, kw_only=True)
class NodePlan(JsonObject):
    """One node: a provider, a routing table or a router."""

    actions: tuple[str, ...] = ("create",)
    """What is to be done about it: ``create``, ``update`` (told its new config while it runs),
    ``rebind`` (handed another instance of what it depends on), ``restart`` or ``noop``; a list, as
    there may be several. Without a comparison every node is created.
    """
    address: str
    """``provider:<api>/<id>``, ``table:<api>`` or ``router:<api>``."""
    api: str
    """The API that it implements."""
    blast_radius: BlastRadiusPlan
    """What becomes of others if it alone does not start."""
    config: Mapping[str, Any]
    """A provider's config as written: secrets masked, ``${env.X}`` as it stands."""
    dependencies: tuple[DependencyPlan, ...]
    """What it depends on directly, sorted by address."""
    dependents: tuple[str, ...]
    """The nodes that depend on it directly, sorted; not those that are handed it late."""
    generation: int
    """The topological generation that it starts in, from 0."""
    id: str | None = None
    """The provider's id; null for a table and a router."""
    kind: str
    """``provider``, ``table`` or ``router``."""
    limits: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    """How long calls of a provider may take, and how many run at a time; what is not there is not
    limited.
    """
    module: str | None = None
    """The Python module that a provider comes from; null when that is not known."""
    path: tuple[str | int, ...] = ()
    """The keys that lead to a provider in the config."""
    place: PlacePlan | None = None
    """Where the config names it; null for what it does not name."""
    placement: str | None = None
    """Where a provider runs: ``inline``, or in a ``process`` of its own."""
    provider_type: str | None = None
    """A provider's type, such as ``remote::openai``."""
    rank: RankPlan
    """The generations that it may start in."""
    resources: tuple[ResourcePlan, ...] = ()
    """What a table registers at start, sorted."""
    restart: str | None = None
    """When a provider is started again after it has ended."""
    sensitive: tuple[str, ...] = ()
    """JSON pointers to the secrets in *config*, sorted."""
    spec: ProviderSpec | None = None
    """What its type is; null when the plan's catalog says so, or nobody does."""
    tags: tuple[str, ...] = ()
    """The words that queries find it by, sorted."""
    why: WhyPlan
    """Why it is in the graph."""


@dataclass(frozen=True, kw_only=True)
class EvidencePlan(JsonObject):
    """Why an edge is there."""

    place: PlacePlan | None = None
    """The line of the config that brought the dependent in."""
    rule: str
    """``dependencies``, ``optional_dependencies``, ``member`` or ``pair``."""
    text: str
    """The same for people."""


@dataclass(frozen=True, kw_only=True)
class EdgePlan(JsonObject):
    """One dependency; edges run from the node that starts first to the one that needs it."""

    dependency: str
    """The node that starts first."""
    dependent: str
    """The node that needs or uses it."""
    evidence: tuple[EvidencePlan, ...]
    """Why the edge is there."""
    reason: str | None = None
    """Why it was dropped: ``soft_cycle``; null when it was not."""
    status: str = "active"
    """``active``, or ``dropped`` when the dependent is handed the dependency only once both run."""
    strength: str
    """``hard``, ``soft`` or ``member``, as of a dependency."""


@dataclass(frozen=True, kw_only=True)
class CyclePlan(JsonObject):
    """A cycle of dependencies."""

    dependency: str
    """Of the edge that was dropped to open it, or that is easiest to take away: the node that would
    start first.
    """
    dependent: str
    """The other end of that edge."""
    path: tuple[str, ...]
    """Its nodes, each a dependency of the next, the last of the first."""
    resolution: str
    """``dropped`` (the edge was left out of the order) or ``error``."""
    strength: str
    """``soft`` when a soft edge closes it, else ``hard``."""


@dataclass(frozen=True, kw_only=True)
class ExcludedPlan(JsonObject):
    """A provider that the config names and the graph leaves out."""

    address: str | None = None
    """The address that it would have; null when that cannot be told."""
    api: str
    """The API that it would serve."""
    detail: str
    """The reason in words."""
    place: PlacePlan | None = None
    """Where the config names it."""
    provider_id: str
    """Its id as written."""
    provider_type: str
    """Its type."""
    reason: str
    """``env_unset``, ``disabled``, ``duplicate`` or ``not_served``."""


@dataclass(frozen=True, kw_only=True)
class ApiPlan(JsonObject):
    """One API that is served."""

    api: str
    """Its name."""
    availability: str
    """``ok``, or ``empty`` when no provider stands behind it."""
    node: str | None = None
    """The node that answers for it; null when there is none."""
    providers: int
    """How many providers stand behind it."""
    router: str | None = None
    """The router of the routed pair that it belongs to."""
    table: str | None = None
    """The routing table of that pair."""
