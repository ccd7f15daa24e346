"""The plan of a graph: what starts, in which order and why. The shape of its JSON.

Texts that name one of a few words (``strength``, ``reason``, ``status`` …) are open sets: a reader
must expect words that are not listed. The fields of each class are sorted by name, as the keys of
the JSON are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rungraph.graph.catalog.specs import ApiSpec, ProviderSpec, RoutedPair
from rungraph.graph.json_format import FORMAT_VERSION, JsonObject
from rungraph.graph.plan.model_graph import (
    ApiPlan,
    CyclePlan,
    EdgePlan,
    ExcludedPlan,
    NodePlan,
    PlacePlan,
)
from rungraph.graph.plan.model_requests import (
    AgainstPlan,
    ChangePlan,
    FailuresPlan,
    FingerprintsPlan,
    TimingsPlan,
)


@dataclass(frozen=True, kw_only=True)
class RelatedPlan(JsonObject):
    """Another place that matters to a problem."""

    place: PlacePlan
    """Where."""
    text: str
    """Why."""


@dataclass(frozen=True, kw_only=True)
class DiagnosticPlan(JsonObject):
    """One problem."""

    address: str | None = None
    """The node that it is about."""
    code: str
    """Its rule; ``rungraph explain CODE`` tells more."""
    detail: str = ""
    """More lines, such as a cycle drawn."""
    excerpt: str = ""
    """The source line at *place*, secrets masked."""
    help: tuple[str, ...] = ()
    """The ways out, one sentence each."""
    level: str
    """The level of checks that finds it."""
    message: str
    """What is wrong."""
    path: str = ""
    """The place as a path of keys."""
    place: PlacePlan | None = None
    """Where it is."""
    related: tuple[RelatedPlan, ...] = ()
    """Other places that matter."""
    severity: str
    """``error``, ``warning`` or ``note``."""


@dataclass(frozen=True, kw_only=True)
class CatalogPlan(JsonObject):
    """What the config was compiled against, as far as the graph uses it: enough to run it."""

    apis: tuple[ApiSpec, ...]
    """The APIs of its nodes, sorted."""
    name: str | None = None
    """Its name; null for what the installed packages offer together."""
    named: str | None = None
    """How it was asked for, as with ``--catalog``; null when the config chose it."""
    pairs: tuple[RoutedPair, ...]
    """The routed pairs of these APIs."""
    providers: tuple[ProviderSpec, ...]
    """The provider types of its nodes, sorted."""
    release: str | None = None
    """The release that it describes; null when it has none."""
    told_by: str = ""
    """How the release was told; empty when it was named."""


@dataclass(frozen=True, kw_only=True)
class VariablePlan(JsonObject):
    """A variable of the environment that the config reads."""

    default: bool
    """Whether the config says, wherever it reads it, what to use when it is not set."""
    name: str
    """Its name."""
    required: bool
    """Whether the config cannot be run without it."""
    secret: bool
    """Whether it holds a secret, told by its name or where it is used."""
    set: bool
    """Whether it is set to something other than an empty text."""
    used_by: tuple[str, ...]
    """The addresses of the providers that read it; else the top key that does. Sorted."""


@dataclass(frozen=True, kw_only=True)
class ConfigPlan(JsonObject):
    """What the plan was made of."""

    allow_unset_env: bool = False
    """Whether variables that are not set were taken as notes."""
    catalog: CatalogPlan
    """What it was compiled against."""
    env: tuple[VariablePlan, ...]
    """The variables of the environment that it reads, sorted."""
    files: tuple[str, ...]
    """The paths of the run config's files, as they were given."""


@dataclass(frozen=True, kw_only=True)
class NamedCheck(JsonObject):
    """What one of rungraph's own checks has found."""

    codes: tuple[str, ...]
    """The codes of the problems that it has found, sorted."""
    level: str
    """The level that it belongs to."""
    name: str
    """What it is called."""
    result: str
    """``passed``, ``noted``, ``warned``, ``failed`` or ``not_checked``."""


@dataclass(frozen=True, kw_only=True)
class CheckedPlan(JsonObject):
    """How deep the checks went."""

    checks: tuple[NamedCheck, ...]
    """Every check by name, in the order of the levels."""
    levels: tuple[str, ...]
    """The levels that were checked."""
    not_checked: tuple[str, ...]
    """The levels that were not."""


@dataclass(frozen=True, kw_only=True)
class QueryPlan(JsonObject):
    """A query that the config wants asked, and what it found."""

    expect: str
    """``empty``, ``nonempty`` or a number of nodes."""
    name: str
    """What it is called."""
    nodes: tuple[str, ...]
    """The nodes that it selects, in start order."""
    place: PlacePlan | None = None
    """Where the config has it."""
    query: str
    """The query."""
    status: str
    """``pass``, ``fail``, or ``error`` when it cannot be asked."""


@dataclass(frozen=True, kw_only=True)
class SummaryPlan(JsonObject):
    """The plan in numbers."""

    create: int
    """How many nodes are started that are not in the graph compared with; without a comparison,
    all.
    """
    critical_path_len: int
    """How many nodes the longest chain of dependencies has."""
    disabled: int
    """How many providers the config names and the graph leaves out."""
    edges: int
    """How many edges there are, dropped ones not counted."""
    errors: int
    """How many errors there are."""
    generations: int
    """How many generations there are."""
    max_width: int
    """How many nodes the largest generation has."""
    nodes: int
    """How many nodes there are."""
    noop: int
    """How many nodes are as in the graph compared with."""
    notes: int
    """How many notes there are."""
    remove: int
    """How many nodes are in the graph compared with only."""
    restart: int
    """How many nodes differ, or depend on one that does."""
    update: int
    """How many nodes change without a restart: they are updated or rebound."""
    warnings: int
    """How many warnings there are."""


@dataclass(frozen=True, kw_only=True)
class ToolPlan(JsonObject):
    """What made the plan. Its version is left out, so that an update of it changes no plan."""

    name: str = "rungraph"
    """Its name."""


@dataclass(frozen=True, kw_only=True)
class Plan(JsonObject):
    """What a run config starts, in which order and why. It holds no secret and no time.

    Every list and mapping has one order that depends on nothing but what the config means.
    """

    against: AgainstPlan | None = None
    """What it was compared with; null when with nothing."""
    apis: tuple[ApiPlan, ...]
    """The APIs that are served, sorted."""
    applyable: bool
    """Whether the config can be run, as far as was checked."""
    changes: tuple[ChangePlan, ...] = ()
    """What is to be done about the nodes that are not as in the graph compared with."""
    checked: CheckedPlan
    """How deep the checks went."""
    checks: tuple[QueryPlan, ...] = ()
    """The config's own queries and what they found."""
    complete: bool
    """Whether the graph holds all that the config means to have in it."""
    config: ConfigPlan
    """What the plan was made of."""
    cycles: tuple[CyclePlan, ...]
    """The cycles of dependencies: errors, and those that were opened."""
    diagnostics: tuple[DiagnosticPlan, ...]
    """Every problem, errors first, then by place."""
    edges: tuple[EdgePlan, ...]
    """The dependencies, dropped ones included, sorted by their ends."""
    errored: bool
    """Whether there is an error among the problems."""
    excluded: tuple[ExcludedPlan, ...]
    """The providers that the config names and the graph leaves out, sorted."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """What the config says beside its graph, secrets masked; an entry of a list under its id."""
    failures: FailuresPlan | None = None
    """What becomes of it when some nodes fail; null when that was not asked."""
    fingerprints: FingerprintsPlan | None = None
    """What it is held against before it is run; null when it was not saved."""
    format_version: str = FORMAT_VERSION
    """The version of this shape."""
    generations: tuple[tuple[str, ...], ...]
    """The nodes in start order; those of one generation may start together."""
    kind: str = "plan"
    """``plan``."""
    metadata_store: Mapping[str, Any] | None = None
    """Where registrations persist, as configured, secrets masked; null when the config does not
    say.
    """
    name: str = ""
    """The config's ``image_name``; empty when it has none."""
    nodes: tuple[NodePlan, ...]
    """The nodes in start order."""
    selectors: Mapping[str, str]
    """The config's queries by the names that other queries use for them."""
    summary: SummaryPlan
    """The plan in numbers."""
    timings: TimingsPlan | None = None
    """When nodes are expected to start; null when no earlier run was given."""
    tool: ToolPlan = field(default_factory=ToolPlan)
    """What made the plan."""
