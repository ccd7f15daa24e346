"""The parts of a plan that are there when asked for: changes, failures, timings, fingerprints.

The fields of each class stand in the order of the alphabet, as the keys of the JSON do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PathChange:
    """A fact of a node that differs.

    Attributes:
        after: What it is, secrets masked; null when there is none.
        before: What it was, secrets masked; null when there was none.
        kind: ``added``, ``removed`` or ``changed``.
        path: Where in the node, such as ``config.url``.
        secret: Whether only a secret differs, which is not shown.
        variables: The variables whose values differ; then both sides are what is written.
    """

    after: Any = None
    before: Any = None
    kind: str
    path: str
    secret: bool = False
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """What is to be done about one node that is not as in the graph compared with.

    Attributes:
        actions: ``create``, ``update``, ``restart`` or ``remove``; a list, as there may be several.
        address: The node.
        because_of: The nodes that it depends on and that differ, when that is why.
        paths: What differs in it.
        reason: ``new``, ``removed``, ``config_changed``, ``dependency_changed``, or in words why it
            was switched on or off.
    """

    actions: tuple[str, ...]
    address: str
    because_of: tuple[str, ...] = ()
    paths: tuple[PathChange, ...] = ()
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstPlan:
    """What the plan was compared with.

    Attributes:
        difference: The whole difference, as ``rungraph diff --format json`` writes it.
        equal: Whether the two say the same.
        name: What it was called.
    """

    difference: Mapping[str, Any]
    equal: bool
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedNode:
    """A node that does not run.

    Attributes:
        address: The node.
        because_of: Those of the nodes that were said to fail that keep it from running.
    """

    address: str
    because_of: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradedNode:
    """A node that runs without something that it uses.

    Attributes:
        address: The node.
        without: What it lacks.
    """

    address: str
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAvailability:
    """What is left of a served API.

    Attributes:
        api: Its name.
        availability: ``ok``, ``degraded`` or ``lost``.
    """

    api: str
    availability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresPlan:
    """What becomes of the graph when some nodes do not start and the rest goes on.

    Attributes:
        apis: Every served API, sorted.
        assumed: The nodes that were said to fail, in start order.
        degraded: The nodes that run without something, in start order.
        failed: The nodes that do not run, in start order.
    """

    apis: tuple[ApiAvailability, ...]
    assumed: tuple[str, ...]
    degraded: tuple[DegradedNode, ...]
    failed: tuple[FailedNode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTiming:
    """When a node is expected to start, in seconds since the stack begins to start.

    Attributes:
        address: The node.
        by_generation: When it begins to start when one generation starts after the other.
        by_need: When it begins to start when each node starts as soon as its own needs are ready.
        duration: Seconds that its own start took in the earlier run; null when that is not known.
        slack: Seconds by which it may be later, with ``by_need``, without holding up the end.
    """

    address: str
    by_generation: float
    by_need: float
    duration: float | None = None
    slack: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingsPlan:
    """When nodes are expected to start, from the durations of an earlier run.

    Any number of nodes may start at the same time; nodes of unknown duration take no time.

    Attributes:
        critical_path: The chain of nodes whose own starts take longest together.
        nodes: Every node, in start order.
        not_planned: The nodes that the earlier run had and the plan has not, sorted.
        not_recorded: The nodes of the plan whose duration is not known, in start order.
        total_by_generation: Seconds until all is ready, one generation after the other.
        total_by_need: Seconds until all is ready, each node as soon as its own needs are ready.
    """

    critical_path: tuple[str, ...]
    nodes: tuple[NodeTiming, ...]
    not_planned: tuple[str, ...]
    not_recorded: tuple[str, ...]
    total_by_generation: float
    total_by_need: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintsPlan:
    """What a saved plan is held against before it is run.

    All are HMACs under a key that is not in the plan, so that no secret can be guessed from them.

    Attributes:
        algorithm: ``hmac-sha256``.
        env: Of the value of each variable that the config reads; null when it is not set.
        key: Tells one key from another.
        seal: Of the plan itself, without its fingerprints.
        specs: Of what the catalog says of each provider type that the graph uses, by
            ``<api> <type>``, and of each routed pair, by ``<router api> <table api>``.
        values: Of each value that the plan shows masked or unresolved, by node and path.
    """

    algorithm: str
    env: Mapping[str, str | None]
    key: str
    seal: str
    specs: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
