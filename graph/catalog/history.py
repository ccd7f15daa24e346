"""A catalog through the releases of what it describes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog.release_specs import (
    InstallSpec,
    KeySpec,
    PackageSpec,
    SectionSpec,
    StoreSpec,
    TraitSpec,
)
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Spec = (
    ApiSpec
    | RoutedPair
    | ProviderSpec
    | KeySpec
    | StoreSpec
    | SectionSpec
    | TraitSpec
    | PackageSpec
    | InstallSpec
)


@dataclass(frozen=True)
class CatalogHistory:
    """What there was to configure in each release.

    A project may have changed its name: a release is written ``0.7.3``, or ``ogx@1.5.0`` when it is
    of another name than the catalog's own. `telling.release_for` finds the one that a run config is
    of, so that old names bring the dependencies that they had.

    Attributes:
        name: What the catalog is called.
        releases: The releases, oldest first; none when there is only one state.
        apis: The API specs of all releases; several of one name have different ``releases``.
        pairs: The same for routed pairs.
        providers: The same for provider specs. A module that begins with a dot is one of the
            release's package.
        keys: The keys of run configs that tell releases apart, and those of their top.
        stores: The stores of the stack itself.
        sections: What the keys of other sections must hold.
        traits: What only some releases do.
        packages: The import package of each release.
        installs: What types need installed in some of the releases of their entry only.
        extends: ``installed`` if it adds to what installed packages offer, ``none`` if it stands
            alone.
    """

    name: str = ""
    releases: tuple[str, ...] = ()
    apis: tuple[ApiSpec, ...] = ()
    pairs: tuple[RoutedPair, ...] = ()
    providers: tuple[ProviderSpec, ...] = ()
    keys: tuple[KeySpec, ...] = ()
    stores: tuple[StoreSpec, ...] = ()
    sections: tuple[SectionSpec, ...] = ()
    traits: tuple[TraitSpec, ...] = ()
    packages: tuple[PackageSpec, ...] = ()
    installs: tuple[InstallSpec, ...] = ()
    extends: str = "none"
    _made: dict[str, Catalog] = field(
        default_factory=dict[str, Catalog], init=False, repr=False, compare=False
    )
    _had: dict[int, tuple[frozenset[str], frozenset[str], tuple[RoutedPair, ...]]] = field(
        default_factory=dict[Any, Any], init=False, repr=False, compare=False
    )
    _spans: dict[str, range] = field(
        default_factory=dict[str, range], init=False, repr=False, compare=False
    )

    def at(self, release: str | None = None) -> Catalog:
        """Return the catalog of *release*, by default of the newest.

        Raises:
            CatalogError: If there is no such release, or its entries contradict each other.
        """
        if release is None:
            release = self.releases[-1] if self.releases else ""
        elif release not in self.releases:
            raise CatalogError(self._unknown(release))
        if release not in self._made:
            index = self.releases.index(release) if release else 0
            traits, _, pairs = self.has_at(index)
            catalog = Catalog.of(
                apis=[one for one in self.apis if index in self.span(one)],
                pairs=pairs,
                providers=self._providers(index),
            )
            name, number = self.named(release)
            self._made[release] = catalog.with_values(
                name=name,
                release=number,
                history=self if release else None,
                traits=traits,
                keys=tuple(one for one in self.keys if index in self.span(one)),
                stores=tuple(one for one in self.stores if index in self.span(one)),
                sections=tuple(one for one in self.sections if index in self.span(one)),
            )
        return self._made[release]

    def nearest(self, name: str, number: str) -> Catalog:
        """Return the catalog of a release, or of the newest one before it, by name and number."""
        # Imported when it is asked for: a config of rungraph's own does not.
        from packaging.version import Version

        of_name = [one for one in self.releases if self.named(one)[0] == name] or self.releases
        before = [one for one in of_name if not number or Version(_number(one)) <= Version(number)]
        return self.at((before or of_name)[-1 if before else 0])

    def named(self, release: str) -> tuple[str, str]:
        """Return the name and the number of a release."""
        name, at, number = release.rpartition("@")
        return (name, number) if at else (self.name, release)

    def pinned(self, release: str) -> str:
        """Return how a release is named on a command line: ``llama-stack@0.7.3``."""
        return "@".join(self.named(release))

    def index_of(self, catalog: Catalog) -> int:
        """Return where the release of *catalog* stands among all."""
        is_own = catalog.name == self.name
        return self.releases.index(
            catalog.release if is_own else f"{catalog.name}@{catalog.release}"
        )

    def _providers(self, index: int) -> Iterator[ProviderSpec]:
        package = next((one for one in self.packages if index in self.span(one)), PackageSpec(""))
        needed: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for one in self.installs:
            if index in self.span(one):
                for name in one.types:
                    needed[name] += one.packages
        for each in self.providers:
            if index not in self.span(each):
                continue
            packages = each.packages + needed[f"{each.api}/{each.provider_type}"]
            if each.module.startswith(".") or each.config_class.startswith("."):
                yield replace(
                    each,
                    packages=packages,
                    module=_rooted(each.module, package),
                    config_class=_rooted(each.config_class, package),
                )
            else:
                yield replace(each, packages=packages) if packages != each.packages else each

    def _unknown(self, release: str) -> str:
        from packaging.version import Version

        name, number = self.named(release)
        known = [_number(one) for one in self.releases if self.named(one)[0] == name]
        msg = f"the catalog '{name}' does not know release '{number}'"
        if not known:
            return f"{msg}: it has no releases"
        if of_it := [one for one in known if one.startswith(f"{number}.")]:
            return f"{msg}; it knows {of_it[0]} to {of_it[-1]}"
        try:
            earlier = [one for one in known if Version(one) < Version(number)]
        except ValueError:
            return f"{msg}; it knows {known[0]} to {known[-1]}"
        if not earlier:
            return f"{msg}; the oldest that it knows is {known[0]}"
        if earlier == known:
            return f"{msg}; the newest that it knows is {known[-1]}"
        return f"{msg}; the nearest before it is {earlier[-1]}"

    def releases_of(self, api: str, provider_type: str | None = None) -> tuple[str, str] | None:
        """Return the first and the last release that had an API, or a type of it; None if none."""
        indexes = self.spans.get((api, provider_type) if provider_type else (api,))
        if not indexes or not self.releases:
            return None
        return self.releases[min(indexes)], self.releases[max(indexes)]

    def successor_of(self, api: str, provider_type: str | None = None) -> str:
        """Return what took the place of an API, or of a type of it; empty when nothing did.

        A type of another API is written ``'type' of api``.
        """
        api_of, slash, name = self.written_successor(api, provider_type).partition("/")
        return f"'{name}' of {api_of}" if slash else f"'{api_of}'" if api_of else ""

    def written_successor(self, api: str, provider_type: str | None = None) -> str:
        """Return the same as the catalog writes it: a name, or ``api/type``."""
        named: list[ApiSpec | ProviderSpec] = (
            [one for one in self.providers if (one.api, one.provider_type) == (api, provider_type)]
            if provider_type
            else [one for one in self.apis if one.name == api]
        )
        # The last one: what took the place of an early form may be gone itself.
        return max(named, key=lambda one: self.span(one)[-1]).successor if named else ""

    def names_apart(
        self, name: tuple[str, ...], others: Iterable[tuple[str, ...]]
    ) -> tuple[tuple[str, ...], ...]:
        """Return those of *others*, APIs and types, that no release has together with *name*."""
        own = self.spans.get(name, frozenset())
        known = {one: self.spans.get(one) for one in others}
        return tuple(sorted(one for one, span in known.items() if span and own.isdisjoint(span)))

    def knows(self, api: str, provider_type: str | None = None) -> bool:
        """Whether any release had an API, or a type of it."""
        return ((api, provider_type) if provider_type else (api,)) in self.spans

    @cached_property
    def spans(self) -> Mapping[tuple[str, ...], frozenset[int]]:
        """The indexes of the releases that had each name, as `telling.names_in` writes it."""
        found: dict[tuple[str, ...], frozenset[int]] = {}

        @cache  # One object for each of the few different ones: all configs compare them.
        def set_of(span: range) -> frozenset[int]:
            return frozenset(span)

        def add(name: tuple[str, ...], span: frozenset[int]) -> None:
            found[name] = found[name] | span if name in found else span

        at_top = [self.span(one) for one in self.traits if one.name == "resources_at_top"]
        specs: tuple[ApiSpec | RoutedPair | ProviderSpec | KeySpec, ...] = (
            *self.apis,
            *self.pairs,
            *self.providers,
            *self.keys,
        )
        for spec in specs:
            span = set_of(self.span(spec))
            if isinstance(spec, ProviderSpec):
                add((spec.api, spec.provider_type), span)
            elif isinstance(spec, ApiSpec):
                add((spec.name,), span)
            elif isinstance(spec, KeySpec):
                add(("", *((spec.of,) if spec.of else ()), spec.path), span)
            else:
                top = span.intersection(*at_top) if at_top else span
                if top:
                    add(("", spec.resources), top)
                if span - top:
                    add(("", f"registered_resources.{spec.resources}"), span - top)
        return found

    def has_at(self, index: int) -> tuple[frozenset[str], frozenset[str], tuple[RoutedPair, ...]]:
        """Return the traits, the builtin APIs and the pairs of the release of *index*."""
        if index not in self._had:
            self._had[index] = (
                frozenset(one.name for one in self.traits if index in self.span(one)),
                frozenset(one.name for one in self.apis if one.builtin and index in self.span(one)),
                tuple(one for one in self.pairs if index in self.span(one)),
            )
        return self._had[index]

    def span(self, spec: Spec) -> range:
        """Return the indexes of the releases that had *spec*; just 0 without releases."""
        if not spec.releases:
            return range(len(self.releases) or 1)
        # Many specs have the same releases.
        if spec.releases not in self._spans:
            self._spans[spec.releases] = span_of(spec.releases, self.releases)
        return self._spans[spec.releases]


def span_of(releases: str, known: Sequence[str]) -> range:
    """Return the indexes in *known* of ``first..last``, ``first..``, ``..last`` or one release.

    Raises:
        ValueError: If they are no range of *known*.

    Examples:
        >>> span_of("1.1..", ["1.0", "1.1", "1.2"])
        range(1, 3)
        >>> span_of("1.0", ["1.0", "1.1"])
        range(0, 1)
    """
    first, dots, last = releases.partition("..")
    start = known.index(first) if first else 0
    end = known.index(last) if last else len(known) - 1 if dots else start
    if start > end:
        msg = f"'{first}' comes after '{last}'"
        raise ValueError(msg)
    return range(start, end + 1)


def history_of(catalog: Catalog) -> CatalogHistory | None:
    """Return what there was in the other releases of *catalog*; None when there is only one."""
    return catalog.history if isinstance(catalog.history, CatalogHistory) else None


def during(span: tuple[str, str]) -> str:
    """Return in which releases something is, as text.

    Examples:
        >>> during(("0.3.0", "ogx@1.5.0"))
        'in releases 0.3.0 to ogx 1.5.0'
    """
    first, last = (one.replace("@", " ") for one in span)
    return f"in release {first}" if first == last else f"in releases {first} to {last}"


def _number(release: str) -> str:
    return release.rpartition("@")[2]


def _rooted(module: str, package: PackageSpec) -> str:
    if not module.startswith("."):
        return module
    for later, then in package.moved.items():
        if module.startswith(later):
            return package.name + then + module.removeprefix(later)
    return package.name + module
