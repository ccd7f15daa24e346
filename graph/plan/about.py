"""The parts of a plan that tell what it was made of, what was checked and what was found.

The fields of each class stand in the order of the alphabet, as the keys of the JSON do.
"""

from dataclasses import dataclass

from rungraph.graph.plan.parts import PlacePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedPlan:
    """Another place that matters to a problem.

    Attributes:
        place: Where.
        text: Why.
    """

    place: PlacePlan
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticPlan:
    """One problem.

    Attributes:
        address: The node that it is about.
        code: Its rule; ``rungraph explain CODE`` tells more.
        detail: More lines, such as the picture of a cycle.
        excerpt: The source line at *place*, secrets masked.
        help: The ways out, one sentence each.
        level: The level of checks that finds it.
        message: What is wrong.
        path: The place as a path of keys.
        place: Where it is.
        related: Other places that matter.
        severity: ``error``, ``warning`` or ``note``.
    """

    address: str | None = None
    code: str
    detail: str = ""
    excerpt: str = ""
    help: tuple[str, ...] = ()
    level: str
    message: str
    path: str = ""
    place: PlacePlan | None = None
    related: tuple[RelatedPlan, ...] = ()
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPlan:
    """What the config was compiled against.

    Attributes:
        apis: How many APIs it knows.
        name: Its name; null for what the installed packages offer together.
        named: How it was asked for, as with ``--catalog``; null when the config chose it.
        provider_types: How many provider types it knows.
        release: The release that it describes; null when it has none.
    """

    apis: int
    name: str | None = None
    named: str | None = None
    provider_types: int
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariablePlan:
    """A variable of the environment that the config reads.

    Attributes:
        default: Whether the config says, wherever it reads it, what to use when it is not set.
        name: Its name.
        required: Whether the config cannot be run without it.
        secret: Whether it holds a secret, told by its name or where it is used.
        set: Whether it is set to something other than an empty text.
        used_by: The addresses of the providers that read it; else the top key that does. Sorted.
    """

    default: bool
    name: str
    required: bool
    secret: bool
    set: bool
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPlan:
    """What the plan was made of.

    Attributes:
        allow_unset_env: Whether variables that are not set were taken as notes.
        catalog: What it was compiled against.
        env: The variables of the environment that it reads, sorted.
        files: The paths of the run config's files, as they were given.
    """

    allow_unset_env: bool = False
    catalog: CatalogPlan
    env: tuple[VariablePlan, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCheck:
    """What one of rungraph's own checks has found.

    Attributes:
        codes: The codes of the problems that it has found, sorted.
        level: The level that it belongs to.
        name: What it is called.
        result: ``passed``, ``noted``, ``warned``, ``failed`` or ``not_checked``.
    """

    codes: tuple[str, ...]
    level: str
    name: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPlan:
    """How deep the checks went.

    Attributes:
        checks: Every check by name, in the order of the levels.
        levels: The levels that were checked.
        not_checked: The levels that were not.
    """

    checks: tuple[NamedCheck, ...]
    levels: tuple[str, ...]
    not_checked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPlan:
    """A query that the config wants asked, and what it found.

    Attributes:
        expect: ``empty``, ``nonempty`` or a number of nodes.
        name: What it is called.
        nodes: The nodes that it selects, in start order.
        place: Where the config has it.
        query: The query.
        status: ``pass``, ``fail``, or ``error`` when it cannot be asked.
    """

    expect: str
    name: str
    nodes: tuple[str, ...]
    place: PlacePlan | None = None
    query: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPlan:
    """The plan in numbers.

    Attributes:
        create: How many nodes are started that are not in the graph compared with; without a
            comparison, all.
        critical_path_len: How many nodes the longest chain of dependencies has.
        disabled: How many providers the config names and the graph leaves out.
        edges: How many edges there are, dropped ones not counted.
        errors: How many errors there are.
        generations: How many generations there are.
        max_width: How many nodes the largest generation has.
        nodes: How many nodes there are.
        noop: How many nodes are as in the graph compared with.
        notes: How many notes there are.
        remove: How many nodes are in the graph compared with only.
        restart: How many nodes differ, or depend on one that does.
        update: How many nodes change without a restart.
        warnings: How many warnings there are.
    """

    create: int
    critical_path_len: int
    disabled: int
    edges: int
    errors: int
    generations: int
    max_width: int
    nodes: int
    noop: int
    notes: int
    remove: int
    restart: int
    update: int
    warnings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlan:
    """What made the plan. Its version is left out, so that an update of it changes no plan.

    Attributes:
        name: Its name.
    """

    name: str = "rungraph"
