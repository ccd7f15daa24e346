"""What a plan's JSON holds only on request: changes, failures, timings, fingerprints.

The fields of each class are sorted by name, as the keys of the JSON are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rungraph.graph.json_format import JsonObject


@dataclass(frozen=True, kw_only=True)
class FactChangePlan(JsonObject):
    """A fact of a node that differs, as ``rungraph diff --format json`` writes it."""

    change: str
    """``added``, ``removed`` or ``changed``; of a list also ``reordered``."""
    new: Any = None
    """What it is, secrets masked; null when there is none."""
    old: Any = None
    """What it was, secrets masked; null when there was none."""
    path: str
    """Where in the node, such as ``config.url``."""
    secret: bool = False
    """Whether only a secret differs, which is not shown."""
    variables: tuple[str, ...] = ()
    """The variables whose values differ; then both sides are what is written."""


@dataclass(frozen=True, kw_only=True)
class ChangePlan(JsonObject):
    """What is to be done about one node that is not as in the graph compared with."""

    actions: tuple[str, ...]
    """``create``, ``update``, ``rebind``, ``restart`` or ``remove``, ``noop`` for what a node does
    not run by; a list, as there may be several.
    """
    address: str
    """The node."""
    because_of: tuple[str, ...] = ()
    """The nodes that it depends on and that differ, when that is why."""
    facts: tuple[FactChangePlan, ...] = ()
    """What differs in it."""
    reason: str
    """``new``, ``removed``, ``config_changed``, ``dependency_changed``, or in words why it was
    switched on or off.
    """


@dataclass(frozen=True, kw_only=True)
class AgainstPlan(JsonObject):
    """What the plan was compared with."""

    difference: Mapping[str, Any]
    """The whole difference, as ``rungraph diff --format json`` writes it."""
    equal: bool
    """Whether the two say the same."""
    name: str
    """What it was called."""
    next_start: tuple[FactChangePlan, ...] = ()
    """The settings that count for a stack which runs from its next start on, if at all."""


@dataclass(frozen=True, kw_only=True)
class FailedNode(JsonObject):
    """A node that does not run."""

    address: str
    """The node."""
    because_of: tuple[str, ...]
    """Those of the nodes that were said to fail that keep it from running."""


@dataclass(frozen=True, kw_only=True)
class DegradedNode(JsonObject):
    """A node that runs without something that it uses."""

    address: str
    """The node."""
    without: tuple[str, ...]
    """What it lacks."""


@dataclass(frozen=True, kw_only=True)
class LostResource(JsonObject):
    """A resource of the config that cannot be requested."""

    because_of: tuple[str, ...]
    """Those of the nodes that were said to fail that keep it from that."""
    resource: str
    """Which one, such as ``model:small on llm``."""


@dataclass(frozen=True, kw_only=True)
class ApiAvailability(JsonObject):
    """What is left of a served API."""

    api: str
    """Its name."""
    availability: str
    """``ok``, ``degraded`` or ``lost``."""


@dataclass(frozen=True, kw_only=True)
class FailuresPlan(JsonObject):
    """What becomes of the graph when some nodes do not start and the rest goes on."""

    apis: tuple[ApiAvailability, ...]
    """Every served API, sorted."""
    assumed: tuple[str, ...]
    """The nodes that were said to fail, in start order."""
    degraded: tuple[DegradedNode, ...]
    """The nodes that run without something, in start order."""
    failed: tuple[FailedNode, ...]
    """The nodes that do not run, in start order."""
    resources: tuple[LostResource, ...] = ()
    """The resources of the config that cannot be requested, sorted."""


@dataclass(frozen=True, kw_only=True)
class NodeTiming(JsonObject):
    """When a node is expected to start, in seconds since the stack begins to start."""

    address: str
    """The node."""
    by_generation: float
    """When it begins to start when one generation starts after the other."""
    by_need: float
    """When it begins to start when each node starts as soon as its own needs are ready."""
    duration: float | None = None
    """Seconds that its own start took in the earlier run; null when that is not known."""
    slack: float
    """Seconds by which it may be later, with ``by_need``, without holding up the end."""


@dataclass(frozen=True, kw_only=True)
class TimingsPlan(JsonObject):
    """When nodes are expected to start, from the durations of an earlier run.

    Any number of nodes may start at the same time; nodes of unknown duration take no time.
    """

    critical_path: tuple[str, ...]
    """The chain of nodes whose own starts take longest together."""
    nodes: tuple[NodeTiming, ...]
    """Every node, in start order."""
    not_planned: tuple[str, ...]
    """The nodes that the earlier run had and the plan has not, sorted."""
    not_recorded: tuple[str, ...]
    """The nodes of the plan whose duration is not known, in start order."""
    total_by_generation: float
    """Seconds until all is ready, one generation after the other."""
    total_by_need: float
    """Seconds until all is ready, each node as soon as its own needs are ready."""


@dataclass(frozen=True, kw_only=True)
class FingerprintsPlan(JsonObject):
    """What a saved plan is held against before it is run.

    All are HMACs under a key that is not in the plan, so that no secret can be guessed from them.
    """

    algorithm: str
    """``hmac-sha256``."""
    env: Mapping[str, str | None]
    """Of the value of each variable that the config reads; null when it is not set."""
    key: str
    """Tells one key from another."""
    seal: str
    """Of the plan itself, without its fingerprints."""
    specs: Mapping[str, str]
    """Of what the catalog says of each provider type that the graph uses, by ``<api> <type>``, and
    of each routed pair, by ``<router api> <table api>``.
    """
    values: Mapping[str, Mapping[str, str]]
    """Of each value that the plan shows masked or unresolved, by node and path."""
