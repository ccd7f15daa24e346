"""The plan of a graph: what will start, in which order and why. The shape of its JSON.

Texts that name one of a few words (``strength``, ``reason``, ``status`` …) are open sets: a reader
must expect words that are not listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rungraph.graph.plan.about import (
    CheckedPlan,
    ConfigPlan,
    DiagnosticPlan,
    QueryPlan,
    SummaryPlan,
    ToolPlan,
)
from rungraph.graph.plan.outcomes import (
    AgainstPlan,
    ChangePlan,
    FailuresPlan,
    FingerprintsPlan,
    TimingsPlan,
)
from rungraph.graph.plan.parts import ApiPlan, CyclePlan, EdgePlan, ExcludedPlan, NodePlan

FORMAT_VERSION = "1.0"
"""A new minor version only adds; readers ignore what they do not know. A new major one breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run config starts, in which order and why. It holds no secret and no time.

    Every list and mapping has one order that depends on nothing but what the config means.

    Attributes:
        against: What it was compared with; null when with nothing.
        apis: The APIs that are served, sorted.
        applyable: Whether the config can be run, as far as was checked.
        changes: What is to be done about the nodes that are not as in the graph compared with.
        checked: How deep the checks went.
        checks: The config's own queries and what they found.
        complete: Whether the graph holds all that the config means to have in it.
        config: What the plan was made of.
        cycles: The circles of dependencies, errors and those that were opened.
        diagnostics: Every problem, errors first, then by place.
        edges: The dependencies, dropped ones included, sorted by their ends.
        errored: Whether there is an error among the problems.
        excluded: The providers that the config names and the graph leaves out, sorted.
        failures: What becomes of it when some nodes fail; null when that was not asked.
        fingerprints: What it is held against before it is run; null when it was not saved.
        format_version: The version of this shape.
        generations: The nodes in start order; those of one generation may start together.
        kind: ``plan``.
        metadata_store: Where registrations persist, as configured, secrets masked; null when the
            config does not say.
        name: The config's ``image_name``; empty when it has none.
        nodes: The nodes in start order.
        selectors: The config's queries by the names that other queries use for them.
        summary: The plan in numbers.
        timings: When nodes are expected to start; null when no earlier run was given.
        tool: What made the plan.
    """

    against: AgainstPlan | None = None
    apis: tuple[ApiPlan, ...]
    applyable: bool
    changes: tuple[ChangePlan, ...] = ()
    checked: CheckedPlan
    checks: tuple[QueryPlan, ...] = ()
    complete: bool
    config: ConfigPlan
    cycles: tuple[CyclePlan, ...]
    diagnostics: tuple[DiagnosticPlan, ...]
    edges: tuple[EdgePlan, ...]
    errored: bool
    excluded: tuple[ExcludedPlan, ...]
    failures: FailuresPlan | None = None
    fingerprints: FingerprintsPlan | None = None
    format_version: str = FORMAT_VERSION
    generations: tuple[tuple[str, ...], ...]
    kind: str = "plan"
    metadata_store: Mapping[str, Any] | None = None
    name: str = ""
    nodes: tuple[NodePlan, ...]
    selectors: Mapping[str, str]
    summary: SummaryPlan
    timings: TimingsPlan | None = None
    tool: ToolPlan = field(default_factory=ToolPlan)
