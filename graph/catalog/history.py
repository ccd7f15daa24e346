"""A catalog through the releases of what it describes, and which release a run config is of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

_Spec = ApiSpec | RoutedPair | ProviderSpec


@dataclass(frozen=True)
class CatalogHistory:
    """What there was to configure in each release.

    A run config does not say which release it was written for; `release_for` finds one that knows
    what it names, so that old names bring the dependencies that they had.

    Attributes:
        name: What the catalog is called.
        releases: The releases, oldest first; none when there is only one state.
        apis: The API specs of all releases; several of one name have different ``releases``.
        pairs: The same for routed pairs.
        providers: The same for provider specs.
    """

    name: str = ""
    releases: tuple[str, ...] = ()
    apis: tuple[ApiSpec, ...] = ()
    pairs: tuple[RoutedPair, ...] = ()
    providers: tuple[ProviderSpec, ...] = ()
    _made: dict[str, Catalog] = field(
        default_factory=dict[str, Catalog], init=False, repr=False, compare=False
    )

    def at(self, release: str | None = None) -> Catalog:
        """Return the catalog of *release*, by default of the newest.

        Raises:
            CatalogError: If there is no such release, or its entries contradict each other.
        """
        if release is None:
            release = self.releases[-1] if self.releases else ""
        elif release not in self.releases:
            known = f"{self.releases[0]} to {self.releases[-1]}" if self.releases else "no releases"
            question = did_you_mean(release, self.releases)
            hint = f"; {question}" if question else ""
            msg = f"the catalog '{self.name}' does not know release '{release}' ({known}){hint}"
            raise CatalogError(msg)
        if release not in self._made:
            index = self.releases.index(release) if release else 0
            catalog = Catalog.of(
                apis=[one for one in self.apis if index in self._span(one)],
                pairs=[one for one in self.pairs if index in self._span(one)],
                providers=[one for one in self.providers if index in self._span(one)],
            )
            self._made[release] = replace(
                catalog, name=self.name, release=release, history=self if release else None
            )
        return self._made[release]

    def release_for(self, config: Mapping[str, Any]) -> str | None:
        """Return the release that a run config is most likely of.

        It is one that knows most of what the config names: its APIs, its lists of resources and its
        provider types, also those of entries that are switched off, and the keys of their configs
        that mark some releases. Of several, it is the newest in which no type needs an API that the
        config does not have, or else the newest of those in which the fewest do. None when the
        catalog has no releases.
        """
        if not self.releases:
            return None
        names = names_in(config)
        counts = Counter(index for name in names for index in self._spans.get(name, ()))
        most = max(counts.values(), default=0)
        newest_first = reversed(range(len(self.releases)))
        fitting = [index for index in newest_first if counts[index] == most]
        depending = [
            spec
            for spec in self.providers
            if spec.dependencies and (spec.api, spec.provider_type) in names
        ]

        def lacking(index: int) -> int:
            """Return for how many dependencies a release finds no API in the config."""
            pairs = [pair for pair in self.pairs if index in self._span(pair)]
            routers = {pair.table_api: pair.router_api for pair in pairs}
            specs = [spec for spec in depending if index in self._span(spec)]
            needed = (api for spec in specs for api in spec.dependencies)
            return sum((routers.get(api, api),) not in names for api in needed)

        # Most configs lack nothing in the newest that fits; only the others are told apart.
        whole = next((index for index in fitting if not lacking(index)), None)
        return self.releases[min(fitting, key=lacking) if whole is None else whole]

    def releases_of(self, api: str, provider_type: str | None = None) -> tuple[str, str] | None:
        """Return the first and the last release that had an API, or a type of it; None if none."""
        indexes = self._spans.get((api, provider_type) if provider_type else (api,))
        if not indexes or not self.releases:
            return None
        return self.releases[min(indexes)], self.releases[max(indexes)]

    def successor_of(self, api: str, provider_type: str | None = None) -> str:
        """Return what took the place of an API, or of a type of it; empty when nothing did.

        A type of another API is written ``'type' of api``.
        """
        named: list[ApiSpec | ProviderSpec] = (
            [one for one in self.providers if (one.api, one.provider_type) == (api, provider_type)]
            if provider_type
            else [one for one in self.apis if one.name == api]
        )
        if not named:
            return ""
        # The last one: what took the place of an early form may be gone itself.
        successor = max(named, key=lambda one: self._span(one)[-1]).successor
        other, slash, name = successor.partition("/")
        return f"'{name}' of {other}" if slash else f"'{successor}'" if successor else ""

    def names_apart(
        self, name: tuple[str, ...], others: AbstractSet[tuple[str, ...]]
    ) -> tuple[tuple[str, ...], ...]:
        """Return those of *others*, APIs and types, that no release has together with *name*."""
        own = self._spans.get(name, frozenset())
        known = {one: self._spans.get(one) for one in others if one[0] and len(one) < 3}
        return tuple(sorted(one for one, span in known.items() if span and own.isdisjoint(span)))

    def knows(self, api: str, provider_type: str | None = None) -> bool:
        """Whether any release had an API, or a type of it."""
        return ((api, provider_type) if provider_type else (api,)) in self._spans

    @cached_property
    def _spans(self) -> Mapping[tuple[str, ...], frozenset[int]]:
        """The indexes of the releases that had each name, as `names_in` writes it."""
        found: dict[tuple[str, ...], frozenset[int]] = defaultdict(frozenset)
        specs: tuple[_Spec, ...] = (*self.apis, *self.pairs, *self.providers)
        for spec in specs:
            names: list[tuple[str, ...]]
            if isinstance(spec, ProviderSpec):
                names = [(spec.api, spec.provider_type)]
                names += [(spec.api, spec.provider_type, key) for key in spec.marks]
            else:
                names = [(spec.name,) if isinstance(spec, ApiSpec) else ("", spec.resources)]
            for name in names:
                found[name] |= frozenset(self._span(spec))
        return found

    def _span(self, spec: _Spec) -> range:
        """Return the indexes of the releases that had *spec*; just 0 without releases."""
        if spec.releases:
            return span_of(spec.releases, self.releases)
        return range(len(self.releases) or 1)


def span_of(releases: str, known: Sequence[str]) -> range:
    """Return the indexes in *known* of the releases ``first..last``, ``first..`` or ``first``.

    Raises:
        ValueError: If they are no range of *known*.

    Examples:
        >>> span_of("1.1..", ["1.0", "1.1", "1.2"])
        range(1, 3)
        >>> span_of("1.0", ["1.0", "1.1"])
        range(0, 1)
    """
    first, dots, last = releases.partition("..")
    end = known.index(last) if last else len(known) - 1 if dots else known.index(first)
    if (start := known.index(first)) > end:
        msg = f"'{first}' comes after '{last}'"
        raise ValueError(msg)
    return range(start, end + 1)


def names_in(config: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Return what a run config names that tells its release.

    APIs are ``(api,)``, provider types ``(api, type)``, the keys of their configs
    ``(api, type, key)``, and the config's own keys ``("", key)``.
    """
    names: set[tuple[str, ...]] = {("", key) for key in config}
    apis = config.get("apis") or config.get("apis_to_serve")
    if isinstance(apis, list):
        names.update((api,) for api in apis if isinstance(api, str))
    for section in ("providers", "routing_table", "provider_map", "api_providers"):
        by_api = config.get(section)
        if isinstance(by_api, Mapping):
            for api, entries in by_api.items():
                names.add((api,))
                names.update((api, *one) for one in _types_in(entries))
    return names


def _types_in(entries: Any) -> Iterator[tuple[str, ...]]:
    listed: Iterable[Any] = entries if isinstance(entries, list) else [entries]
    for entry in listed:
        if isinstance(entry, Mapping) and isinstance(entry.get("provider_type"), str):
            yield (entry["provider_type"],)
            written = entry.get("config")
            if isinstance(written, Mapping):
                yield from ((entry["provider_type"], key) for key in written)


def history_of(catalog: Catalog) -> CatalogHistory | None:
    """Return what there was in the other releases of *catalog*; None when there is only one."""
    return catalog.history if isinstance(catalog.history, CatalogHistory) else None


def during(span: tuple[str, str]) -> str:
    """Return in which releases something is, as text."""
    first, last = span
    return f"in release {first}" if first == last else f"in releases {first} to {last}"
