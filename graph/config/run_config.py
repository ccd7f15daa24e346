"""What a user writes: the sections of a run config, and the values that they are read into."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import ProviderSpec
from rungraph.graph.limits import LEAST_SECONDS, MOST, Limits
from rungraph.graph.nodes import PLACEMENTS, POLICIES, RESTARTS
from rungraph.graph.placeholders import placeholders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.nodes import ProviderNode, ResourceConfig
    from rungraph.graph.place import Place


ALL_PROVIDERS = "all"
"""The provider of a model that some releases take for an alias at the first provider."""
UNREAD = "${env.}"
"""The provider of a resource where it could not be made out: like one that a variable names."""
DISABLED = "__disabled__"
"""A provider id that switches its entry off, as an id that the environment leaves empty does."""


@dataclass(frozen=True)
class Section:
    """Base of what stands in a run config: `field_types` holds it to its annotations.

    They are dataclasses because a first pydantic model costs a command half as much as NetworkX.
    """

    never_empty: ClassVar[frozenset[str]] = frozenset()
    asides: ClassVar[frozenset[str]] = frozenset()
    """Where one of these is wrong, the rest is read and checked."""
    choices: ClassVar[dict[str, tuple[str, ...]]] = {}
    ranges: ClassVar[dict[str, tuple[float, float]]] = {}


@dataclass(frozen=True)
class RunSection(Section):
    """The keys of a run config besides ``providers`` and the lists of resources."""

    asides = frozenset(
        {
            *("version", "image_name", "distro_name", "apis", "metadata_store", "catalog"),
            *("selectors", "limits"),
        }
    )

    version: str | int | float = "2"
    image_name: str | None = None
    distro_name: str | None = None
    apis: list[str] | None = None
    metadata_store: dict[str, Any] | None = None
    catalog: str | None = None
    selectors: dict[str, str] | None = None
    limits: dict[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class LimitsSection(Section):
    """What limits the calls of a provider, or of each provider of an API: see `Limits`."""

    ranges: ClassVar[dict[str, tuple[float, float]]] = {
        **dict.fromkeys(Limits.__slots__, (LEAST_SECONDS, MOST)),
        "concurrent_calls": (1, MOST),
        "queued_calls": (0, MOST),
    }

    asides = frozenset(Limits.__slots__)

    call_timeout: float | int | None = None
    first_chunk_timeout: float | int | None = None
    idle_timeout: float | int | None = None
    stream_timeout: float | int | None = None
    concurrent_calls: int | None = None
    queued_calls: int | None = None


@dataclass(frozen=True)
class ProviderSection(Section):
    """One entry under ``providers.<api>``."""

    never_empty = frozenset({"provider_id", "provider_type"})
    asides = frozenset(
        {
            *("config", "module", "config_class", "dependencies", "optional_dependencies", "tags"),
            *("restart", "placement", "limits"),
        }
    )
    choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "restart": RESTARTS,
        "placement": PLACEMENTS,
    }

    provider_id: str
    provider_type: str
    config: dict[str, Any] | None = None
    module: str | None = None
    config_class: str | None = None
    dependencies: list[str] | None = None
    optional_dependencies: list[str] | None = None
    tags: list[str] | None = None
    restart: str | None = None
    placement: str | None = None
    limits: dict[str, Any] | None = None

    def spec(self, api: str, catalog: Catalog) -> ProviderSpec | None:
        """Return what *catalog* and the entry itself say of its type; None when neither knows it.

        An entry that names a module needs no catalog.
        """
        known = catalog.provider(api, self.provider_type)
        if not self.module:
            return known
        module = self.module.partition("==")[0]
        spec = known or ProviderSpec(api, self.provider_type, module, origin="run config")
        return replace(
            spec,
            module=module,
            config_class=self.config_class or spec.config_class,
            dependencies=tuple(self.dependencies or spec.dependencies),
            optional_dependencies=tuple(self.optional_dependencies or spec.optional_dependencies),
        )


@dataclass(frozen=True)
class CheckSection(Section):
    """One entry of ``checks``: a query and what it must find."""

    never_empty = frozenset({"name", "query"})
    asides = frozenset({"expect"})

    name: str
    query: str
    expect: str | int | None = "empty"


@dataclass(frozen=True)
class ResourceSection(Section):
    """One entry of a list of resources, such as ``models``, its own names taken out."""

    never_empty = frozenset({"identifier", "provider_id"})
    asides = frozenset({"provider_resource_id"})

    identifier: str
    provider_id: str | None = None
    provider_resource_id: str | None = None


@dataclass(frozen=True)
class MemberSection(Section):
    """One of the ``members`` of a resource, its own names taken out."""

    never_empty = frozenset({"provider_id"})
    asides = frozenset({"provider_resource_id", "order"})

    provider_id: str
    provider_resource_id: str | None = None
    order: int | None = None


@dataclass(frozen=True)
class RoutingSection(Section):
    """How members share calls: ``routing`` as a mapping, or its policy alone."""

    asides = frozenset({"policy", "hedge"})
    choices: ClassVar[dict[str, tuple[str, ...]]] = {"policy": POLICIES}

    policy: str = POLICIES[0]
    hedge: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """A query that a run config wants asked, and what it must find.

    Attributes:
        name: What it is called.
        query: The query; empty when it could not be made out.
        expect: ``empty``, ``nonempty`` or a number of nodes; None when it could not be made out.
        place: Where it stands.
    """

    name: str
    query: str = field(repr=False)
    expect: str | None = "empty"
    place: Place | None = None


@dataclass(frozen=True, slots=True, order=True)
class Excluded:
    """A provider that the config names and the graph leaves out.

    Two are equal when they say the same, wherever they stand.

    Attributes:
        api: The API that it would serve.
        provider_id: Its id as written, ``${env.X:+id}`` unresolved.
        provider_type: Its type.
        reason: ``env_unset`` (its id comes out empty because a variable is not set), ``disabled``
            (its id is null or ``__disabled__``), ``duplicate`` or ``not_served``.
        place: Where it stands.
        detail: The same in words, naming the variable, the first use of the id or the API.
    """

    api: str
    provider_id: str
    provider_type: str
    reason: str
    place: Place | None = field(default=None, compare=False)
    detail: str = field(default="", compare=False)

    @property
    def address(self) -> Address | None:
        """The address that it would have; None when its id does not tell."""
        name, found = self.provider_id, placeholders(self.provider_id)
        if found:
            [first, *others] = found
            is_switch = first.operator == ":+" and "${" not in first.word and not others
            name = name[: first.start] + first.word + name[first.end :] if is_switch else ""
        return Address.provider(self.api, name) if name and name != DISABLED else None

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that its id asks for, sorted."""
        return tuple(sorted({one.name for one in placeholders(self.provider_id)}))

    @property
    def summary(self) -> str:
        """Why it is left out, in a few words."""
        names = self.variables
        if self.reason == "env_unset" and names:
            return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not set"
        return self.detail or self.reason.replace("_", " ")

    @property
    def is_switched_off(self) -> bool:
        """Whether the config itself switches it off, by its id."""
        return self.reason in ("env_unset", "disabled")


@dataclass(frozen=True)
class RunConfig:
    """What one run config says.

    Attributes:
        name: Its ``distro_name`` or ``image_name``; empty when it has none.
        apis: The APIs to serve; None when the providers imply them, or not all could be made out.
        listed_apis: By its place in the list ``apis`` each one that could be made out.
        configured_apis: The keys of ``providers``, also of empty lists, sorted.
        providers: The enabled instances, in a stable order that is not the file's. Their ids are
            not yet known to be unique, nor their APIs and types to exist.
        partial: Instances whose id or type could not be made out, and is empty; they are no nodes.
        partial_resources: Resources whose id or provider could not be made out: then the one is
            empty, the other `UNREAD`.
        unreadable: By API the ids of the instances that could not be made out; an empty one where
            the id cannot be told either.
        lost: The keys, such as ``providers`` and ``models``, below which not all could be made out.
        resources: What is to be registered at start, sorted; the ``provider_id`` of one that the
            only provider serves is empty.
        excluded: The instances that are switched off, sorted.
        metadata_store: Where registrations persist, the environment filled in.
        written_store: The same as written.
        selectors: Queries by the names that other queries use for them.
        checks: Queries to ask, and what they must find, in the file's order.
        switched_on: The builtin APIs that this stack has.
        settings: What stands beside providers and resources, filled in, where a release reads it.
    """

    name: str = ""
    apis: tuple[str, ...] | None = None
    listed_apis: Mapping[int, str] = field(default_factory=dict[int, str])
    configured_apis: tuple[str, ...] = ()
    providers: tuple[ProviderNode, ...] = ()
    partial: tuple[ProviderNode, ...] = ()
    partial_resources: tuple[ResourceConfig, ...] = ()
    unreadable: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    lost: frozenset[str] = frozenset()
    resources: tuple[ResourceConfig, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    metadata_store: Mapping[str, Any] | None = field(default=None, repr=False)
    written_store: Mapping[str, Any] | None = field(default=None, repr=False)
    selectors: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[QueryCheck, ...] = ()
    switched_on: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)


_E = TypeVar("_E")


def in_order(
    entries: list[_E], identity: Callable[[_E], Any], content: Callable[[_E], Any]
) -> tuple[_E, ...]:
    """Return *entries* sorted by what they are, never by where they stand.

    *content* is asked only where two have the same *identity*: it makes a long key.
    """
    ordered = sorted(entries, key=identity)
    if any(identity(first) == identity(second) for first, second in pairwise(ordered)):
        ordered.sort(
            key=lambda one: (identity(one), json.dumps(content(one), sort_keys=True, default=str))
        )
    return tuple(ordered)
