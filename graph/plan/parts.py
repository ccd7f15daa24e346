"""The parts of a plan that tell of the graph: nodes, edges, circles, what is left out, APIs.

The fields of each class stand in the order of the alphabet, as the keys of the JSON do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePlan:
    """A position in a run config.

    Attributes:
        column: Counted from 1, in characters; 0 where there are no lines.
        file: The path as the user gave it, or ``<text>`` or ``<mapping>``.
        line: Counted from 1; 0 where there are no lines.
    """

    column: int
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPlan:
    """When a node may start, counted in generations.

    Attributes:
        max: The last generation in which it can start without holding anything up.
        min: The first generation in which it can start; that is the one in which it does.
    """

    max: int
    min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """What becomes of others if a node alone does not start.

    Attributes:
        hard: How many other nodes then do not run either.
        soft: How many nodes then run without something that they use.
    """

    hard: int
    soft: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyPlan:
    """Why a node is in the graph.

    Attributes:
        because_of: The nodes that need it, when that is why; sorted.
        reason: ``served`` (its API is), ``needed`` (its API is not served, but others need it),
            ``builtin`` (every stack has it) or ``configured`` (nothing is known of its API).
    """

    because_of: tuple[str, ...] = ()
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyPlan:
    """One node that a node depends on.

    Attributes:
        address: The other node.
        status: ``active``, or ``dropped`` when it is handed over only once both run.
        strength: ``hard`` (it cannot start without), ``soft`` (it uses it if it is there) or
            ``member`` (a table needs any of its members).
    """

    address: str
    status: str = "active"
    strength: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePlan:
    """What a table registers at start, such as a model.

    Attributes:
        fields: What else the config says of it, secrets masked.
        identifier: The name that callers use.
        place: Where it is configured.
        provider_id: The provider that serves it.
        provider_resource_id: The provider's own name for it; null when it is the identifier.
    """

    fields: Mapping[str, Any]
    identifier: str
    place: PlacePlan | None = None
    provider_id: str
    provider_resource_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node: a provider, a routing table or a router.

    Attributes:
        actions: What is to be done about it: ``create``, ``update``, ``restart`` or ``noop``; a
            list, as there may be several. Without a comparison every node is created.
        address: ``provider:<api>/<id>``, ``table:<api>`` or ``router:<api>``.
        api: The API that it implements.
        blast_radius: What becomes of others if it alone does not start.
        config: A provider's config as written: secrets masked, ``${env.X}`` as it stands.
        dependencies: What it depends on directly, sorted by address.
        dependents: The nodes that depend on it directly, sorted; not those that are handed it late.
        generation: The topological generation that it starts in, from 0.
        id: The provider's id; null for a table and a router.
        kind: ``provider``, ``table`` or ``router``.
        module: The Python module that a provider comes from; null when that is not known.
        place: Where the config names it; null for what it does not name.
        provider_type: A provider's type, such as ``remote::openai``.
        rank: The generations that it may start in.
        resources: What a table registers at start, sorted.
        sensitive: JSON pointers to the secrets in *config*, sorted.
        tags: The words that queries find it by, sorted.
        why: Why it is in the graph.
    """

    actions: tuple[str, ...] = ("create",)
    address: str
    api: str
    blast_radius: BlastRadius
    config: Mapping[str, Any]
    dependencies: tuple[DependencyPlan, ...]
    dependents: tuple[str, ...]
    generation: int
    id: str | None = None
    kind: str
    module: str | None = None
    place: PlacePlan | None = None
    provider_type: str | None = None
    rank: RankPlan
    resources: tuple[ResourcePlan, ...] = ()
    sensitive: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    why: WhyPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePlan:
    """Why an edge is there.

    Attributes:
        place: The line of the config that brought the dependent in.
        rule: ``dependencies``, ``optional_dependencies``, ``member`` or ``pair``.
        text: The same for people.
    """

    place: PlacePlan | None = None
    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePlan:
    """One dependency; edges run from the node that starts first to the one that needs it.

    Attributes:
        dependency: The node that starts first.
        dependent: The node that needs or uses it.
        evidence: Why the edge is there.
        reason: Why it was dropped: ``soft_cycle``; null when it was not.
        status: ``active``, or ``dropped`` when the dependent is handed the dependency only once
            both run.
        strength: ``hard``, ``soft`` or ``member``, as of a dependency.
    """

    dependency: str
    dependent: str
    evidence: tuple[EvidencePlan, ...]
    reason: str | None = None
    status: str = "active"
    strength: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclePlan:
    """A circle of dependencies.

    Attributes:
        dependency: Of the edge that was dropped to open it, or that is easiest to take away: the
            node that would start first.
        dependent: The other end of that edge.
        path: Its nodes, each a dependency of the next, the last of the first.
        resolution: ``dropped`` (the edge was left out of the order) or ``error``.
        strength: ``soft`` when a soft edge closes it, else ``hard``.
    """

    dependency: str
    dependent: str
    path: tuple[str, ...]
    resolution: str
    strength: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedPlan:
    """A provider that the config names and the graph leaves out.

    Attributes:
        address: The address that it would have; null when that cannot be told.
        api: The API that it would serve.
        detail: The reason in words.
        place: Where the config names it.
        provider_id: Its id as written.
        provider_type: Its type.
        reason: ``env_unset``, ``disabled``, ``duplicate`` or ``not_served``.
    """

    address: str | None = None
    api: str
    detail: str
    place: PlacePlan | None = None
    provider_id: str
    provider_type: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPlan:
    """One API that is served.

    Attributes:
        api: Its name.
        availability: ``ok``, or ``empty`` when no provider stands behind it.
        node: The node that answers for it; null when there is none.
        providers: How many providers stand behind it.
        router: The router of the routed pair that it belongs to.
        table: The routing table of that pair.
    """

    api: str
    availability: str
    node: str | None = None
    providers: int
    router: str | None = None
    table: str | None = None
