"""What can be configured: APIs, routed pairs and provider specs. Data; no provider is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rungraph.graph.budgets import MOST_PROBLEMS
from rungraph.graph.catalog.spec_checks import check_specs
from rungraph.graph.errors import CatalogError
from rungraph.graph.json_format import JsonObject
from rungraph.graph.wording import first_lines, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.catalog.release_specs import KeySpec, SectionSpec, StoreSpec


@dataclass(frozen=True)
class ApiSpec(JsonObject):
    """A named set of methods."""

    name: str
    """What a run config calls it, such as ``inference``."""
    protocol: str = ""
    """Where its Protocol is, as ``module:Class``; imported only when a graph is run. Empty in a
    catalog that is there to plan, check and draw, not to run.
    """
    description: str = ""
    """One line for people."""
    private_protocol: str = ""
    """What a routing table calls on each provider of this API, as ``module:Class``; empty when the
    API is not routed.
    """
    builtin: str = ""
    """The provider type that serves the API in every stack without being configured; empty for an
    API whose providers are configured.
    """
    releases: str = ""
    """The releases that had it, such as ``0.0.44..0.1.2``; see `CatalogHistory`."""
    successor: str = ""
    """The API that took its place in later releases; empty when there is none."""
    switch: str = ""
    """The key of a run config that switches a builtin on, such as ``telemetry.enabled``; empty for
    one that every stack has.
    """


@dataclass(frozen=True)
class RoutedPair(JsonObject):
    """A router API with the table API that says which provider serves which resource.

    The engine derives the names it calls from *resource* and *resources*: ``list_models``,
    ``register_model``, ``unregister_model``, ``get_model``; in a run config, ``model_id`` and
    ``provider_model_id``.
    """

    router_api: str
    """The API whose calls are routed, such as ``inference``."""
    table_api: str
    """The API that answers for resources, such as ``models``."""
    resource: str
    """One resource, in snake case, such as ``model``."""
    routing_key: str = ""
    """The parameter of the router API's methods that names the resource."""
    resource_type: str = ""
    """The resource's pydantic type (or an annotated union), as ``module:name``."""
    resources: str = ""
    """Several of them; also the key of a run config's resource list."""
    optional_dependencies: tuple[str, ...] = ()
    """APIs that the router uses when they are there."""
    finds_provider: bool = False
    """Whether the table itself finds who serves a resource that names no provider."""
    has_members: bool = False
    """Whether several providers can serve one resource together, as its ``members``."""
    references: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The fields of a resource that name resources of other tables, such as ``embedding_model``,
    each with that table's API.
    """
    releases: str = ""
    """The releases that had it; see `CatalogHistory`."""

    def __post_init__(self) -> None:
        if not self.resources:
            object.__setattr__(self, "resources", f"{self.resource}s")

    @property
    def noun(self) -> str:
        """One resource in a sentence, such as ``memory bank``."""
        return self.resource.replace("_", " ")


@dataclass(frozen=True)
class ProviderSpec(JsonObject):
    """An implementation of one API that a run config can name."""

    api: str
    """The API that it implements."""
    provider_type: str
    """The name in a run config, such as ``remote::openai``."""
    module: str
    """The module with its entry point."""
    config_class: str = ""
    """Its config's pydantic class, as ``module:Class``; empty when it takes none."""
    dependencies: tuple[str, ...] = ()
    """APIs without which it cannot start."""
    optional_dependencies: tuple[str, ...] = ()
    """APIs that it uses when they are there."""
    packages: tuple[str, ...] = ()
    """The distributions that it imports, as requirements; ``--extra-index-url …`` says where."""
    extra: str = ""
    """The extra of its own distribution that installs *packages*, such as ``rungraph[faiss]``;
    empty when there is none.
    """
    secrets: tuple[str, ...] = ()
    """Config keys whose values are never shown, besides those that look like secrets."""
    description: str = ""
    """One line for people."""
    deprecated: str = ""
    """Why it should not be used any more and what to use instead; empty when fine."""
    removed: bool = False
    """With *deprecated*: the type no longer works, so using it is an error."""
    origin: str = ""
    """The distribution (or file) whose catalog declares it."""
    releases: str = ""
    """The releases that had it so; see `CatalogHistory`."""
    offers: tuple[str, ...] = ()
    """The names of what it serves by itself, when its config alone tells: a name, or
    ``config.KEY``, or the first of several, ``config.KEY|name``, that is there. Empty when it shows
    only once it runs.
    """
    probe: str = ""
    """What a server of it answers, below the URL in its config, such as ``/models``; for remote
    types. A URL under which that is not found is a wrong one. Empty when nobody knows.
    """
    served_names: str = ""
    """Where the JSON that answers *probe* names what the server has, such as ``data.id``; a list on
    the way is gone through. Empty when it does not name it.
    """
    implied_suffix: str = ""
    """The end of such a name that may be left out, such as ``:latest``."""
    fetches_if: str = ""
    """The config with which a server gets what it lacks, such as ``pull=missing``."""
    uses_siblings: bool = False
    """Whether it chooses among the other providers of its API, which is not routed."""
    placement: str = ""
    """Where it has to run, such as ``process``; empty when a run config may choose."""
    successor: str = ""
    """The type that took its place in later releases, as ``api/type`` when it is of another API;
    empty when there is none.
    """

    @property
    def is_remote(self) -> bool:
        """Whether the provider is an adapter to something that runs elsewhere."""
        return self.provider_type.partition("::")[0] == "remote"

    @property
    def entry_point(self) -> str:
        """The function of *module* that creates an instance from a config and dependencies."""
        return "get_adapter_impl" if self.is_remote else "get_provider_impl"


_NAMES = {
    ApiSpec: ("name",),
    RoutedPair: ("router_api", "table_api", "resource"),
    ProviderSpec: ("api", "provider_type", "module"),
}


@dataclass(frozen=True)
class Catalog:
    """Everything that run configs can be made of.

    Attributes:
        apis: API specs by name.
        pairs: The routed pairs, sorted by router API.
        providers: Provider specs by API and provider type.
        problems: What went wrong while catalogs were found and merged, one sentence each.
        name: What it is called; empty for what the installed packages offer together.
        release: The release of *name* that it describes; empty when there is only one.
        history: The `CatalogHistory` that it is one release of, for `history.history_of`.
        traits: What the release does; names of `release_specs.TRAITS`.
        keys: Keys of run configs that the release reads.
        stores: The stores of the stack itself.
        sections: What the keys of other sections must hold.
        told_by: How the release of a run config was told; empty when it was named.
        unread: The APIs of which types may be missing, because where they stand could not be read;
            an empty name when an API itself can be.
        unloaded: The catalogs of installed packages that could not be loaded.

    Examples:
        >>> api = ApiSpec("echo", "echo_package:Echo")
        >>> spec = ProviderSpec("echo", "inline::loud", "echo_package.loud")
        >>> catalog = Catalog.of(apis=[api], providers=[spec])
        >>> catalog.provider("echo", "inline::loud").module
        'echo_package.loud'
    """

    apis: Mapping[str, ApiSpec] = field(default_factory=dict)
    pairs: tuple[RoutedPair, ...] = ()
    providers: Mapping[tuple[str, str], ProviderSpec] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    name: str = ""
    release: str = ""
    history: object = field(default=None, compare=False, repr=False)
    traits: frozenset[str] = frozenset()
    keys: tuple[KeySpec, ...] = ()
    stores: tuple[StoreSpec, ...] = ()
    sections: tuple[SectionSpec, ...] = ()
    told_by: str = ""
    unread: frozenset[str] = frozenset()
    unloaded: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = f"{len(self.apis)} APIs, {len(self.pairs)} pairs, {len(self.providers)} types"
        name = f"{self.name}@{self.release}" if self.release else self.name or "installed"
        return f"<Catalog {name!r}: {counts}>"

    def __post_init__(self) -> None:
        """Refuse what is no catalog where it is made.

        Raises:
            CatalogError: If a mapping is none, or holds something else than specs.
        """
        for name, kind in (("apis", ApiSpec), ("providers", ProviderSpec)):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                msg = (
                    f"Catalog({name}=…) is a mapping, not a {type(given).__name__}; "
                    f"of a list it is made with Catalog.of({name}=[…])"
                )
                raise CatalogError(msg)
            check_specs(name, given.values(), kind, _NAMES[kind])
        check_specs("pairs", self.pairs, RoutedPair, _NAMES[RoutedPair])

    @classmethod
    def of(
        cls,
        *,
        apis: Iterable[ApiSpec] = (),
        pairs: Iterable[RoutedPair] = (),
        providers: Iterable[ProviderSpec] = (),
    ) -> Catalog:
        """Return a catalog of what is listed.

        Raises:
            CatalogError: If an API, a pair or a provider type is listed twice.
        """
        catalog = cls().merged_with(apis, pairs, providers)
        if catalog.problems:
            raise CatalogError("\n".join(first_lines(catalog.problems, MOST_PROBLEMS)))
        return catalog

    def merged(self, other: Catalog) -> Catalog:
        """Return this catalog with what *other* adds.

        What both declare stays as it is here and becomes one of the `problems`, unless both
        declare the same.
        """
        result = self.merged_with(other.apis.values(), other.pairs, other.providers.values())
        return result.with_values(problems=(*result.problems, *other.problems))

    def merged_with(
        self,
        apis: Iterable[ApiSpec],
        pairs: Iterable[RoutedPair],
        providers: Iterable[ProviderSpec],
    ) -> Catalog:
        """Return this catalog with more APIs, pairs and provider specs; see `merged`."""
        apis, pairs, providers = tuple(apis), tuple(pairs), tuple(providers)
        check_specs("apis", apis, ApiSpec, _NAMES[ApiSpec])
        check_specs("pairs", pairs, RoutedPair, _NAMES[RoutedPair])
        check_specs("providers", providers, ProviderSpec, _NAMES[ProviderSpec])
        problems = list(self.problems)
        known_apis = dict(self.apis)
        for api in apis:
            if known_apis.setdefault(api.name, api) != api:
                problems.append(f"API '{api.name}' is declared twice")
        known_pairs = {pair.router_api: pair for pair in self.pairs}
        tables = {pair.table_api: pair for pair in self.pairs}
        for pair in pairs:
            if tables.setdefault(pair.table_api, pair) != pair or (
                known_pairs.setdefault(pair.router_api, pair) != pair
            ):
                problems.append(
                    f"routed pair '{pair.router_api}/{pair.table_api}' is declared twice"
                )
        specs = dict(self.providers)
        for spec in providers:
            first = specs.setdefault((spec.api, spec.provider_type), spec)
            if first != spec:
                origins = " and ".join(sorted({one.origin for one in (first, spec) if one.origin}))
                by = f" by {origins}" if origins else ""
                problems.append(
                    f"provider type '{spec.provider_type}' of {spec.api} is declared twice{by}"
                )
        return Catalog().with_values(
            apis=MappingProxyType({name: known_apis[name] for name in sorted(known_apis)}),
            pairs=tuple(known_pairs[name] for name in sorted(known_pairs)),
            providers=MappingProxyType({key: specs[key] for key in sorted(specs)}),
            problems=tuple(problems),
        )

    def with_values(self, **values: Any) -> Catalog:
        """Return this catalog with other values of its attributes, which are checked already.

        Its own specs have been checked when it was made; `dataclasses.replace` would do it again.
        """
        made = Catalog()
        vars(made).update({one.name: getattr(self, one.name) for one in fields(self)}, **values)
        return made

    @property
    def full_name(self) -> str:
        """Its name and its release; empty for what the installed packages offer together."""
        return printable(f"{self.name} {self.release}".strip())

    @property
    def reading(self) -> str:
        """Its name and release, and how the release was told; empty as `full_name`."""
        return f"{self.full_name}, {printable(self.told_by)}" if self.told_by else self.full_name

    def to_json(self) -> dict[str, str] | None:
        """Return which it is as JSON values; None for what the installed packages offer."""
        if not self.name:
            return None
        return {"name": self.name, "release": self.release, "told_by": self.told_by}

    @cached_property
    def _pair_by_router(self) -> dict[str, RoutedPair]:
        return {pair.router_api: pair for pair in self.pairs}

    @cached_property
    def _pair_by_table(self) -> dict[str, RoutedPair]:
        return {pair.table_api: pair for pair in self.pairs}

    def provider(self, api: str, provider_type: str) -> ProviderSpec | None:
        """Return the spec of *provider_type* of *api*; None when it is not known."""
        return self.providers.get((api, provider_type))

    def provider_types(self, api: str) -> tuple[str, ...]:
        """Return the provider types of *api* that still work, sorted."""
        return tuple(t for (a, t), spec in self.providers.items() if a == api and not spec.removed)

    def pair_of_router(self, api: str) -> RoutedPair | None:
        """Return the routed pair whose router answers for *api*."""
        return self._pair_by_router.get(api)

    def pair_of_table(self, api: str) -> RoutedPair | None:
        """Return the routed pair whose table answers for *api*."""
        return self._pair_by_table.get(api)

    def pair_of(self, api: str) -> RoutedPair | None:
        """Return the routed pair that *api* is a part of, as router or table API."""
        return self._pair_by_router.get(api) or self._pair_by_table.get(api)

    def is_unread(self, api: str) -> bool:
        """Whether *api*, or types of it, may be declared where nothing could be read."""
        return api in self.unread or ("" in self.unread and api not in self.apis)

    @property
    def providable_apis(self) -> tuple[str, ...]:
        """The APIs that a run config can configure providers for, sorted."""
        return tuple(
            name
            for name, api in self.apis.items()
            if not api.builtin and name not in self._pair_by_table
        )
