"""A catalog through the releases of what it describes, and which release a run config is of."""

from __future__ import annotations

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
            bit = 1 << self.releases.index(release) if release else 1
            catalog = Catalog.of(
                apis=[one for one in self.apis if self._mask(one) & bit],
                pairs=[one for one in self.pairs if self._mask(one) & bit],
                providers=[one for one in self.providers if self._mask(one) & bit],
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
        masks = [mask for name in names if (mask := self._masks.get(name))]
        counts = [sum(mask >> index & 1 for mask in masks) for index in range(len(self.releases))]
        most = max(counts)
        lacking: dict[int, int] = {}
        for index in reversed(range(len(counts))):
            if counts[index] == most:
                lacking[index] = self._lacking(names, index)
                if not lacking[index]:
                    break
        return self.releases[min(lacking, key=lambda index: (lacking[index], -index))]

    def _lacking(self, names: AbstractSet[tuple[str, ...]], index: int) -> int:
        """Return how many dependencies of the types among *names* a release finds no API for."""
        tables = {
            pair.table_api: (pair.router_api,)
            for pair in self.pairs
            if self._mask(pair) >> index & 1
        }
        return sum(
            (tables.get(api, (api,))) not in names
            for spec in self.providers
            if spec.dependencies
            and (spec.api, spec.provider_type) in names
            and self._mask(spec) >> index & 1
            for api in spec.dependencies
        )

    def releases_of(self, api: str, provider_type: str | None = None) -> tuple[str, str] | None:
        """Return the first and the last release that had an API, or a type of it; None if none."""
        mask = self._masks.get((api, provider_type) if provider_type else (api,))
        if not mask or not self.releases:
            return None
        first = (mask & -mask).bit_length() - 1
        return self.releases[first], self.releases[mask.bit_length() - 1]

    def successor_of(self, api: str, provider_type: str | None = None) -> str:
        """Return what took the place of an API, or of a type of it; empty when nothing did.

        A type of another API is written ``'type' of api``.
        """
        specs: tuple[ApiSpec | ProviderSpec, ...] = (
            tuple(one for one in self.providers if one.api == api)
            if provider_type
            else tuple(one for one in self.apis if one.name == api)
        )
        named = [
            one for one in specs
            if not isinstance(one, ProviderSpec) or one.provider_type == provider_type
        ]  # fmt: skip
        if not named:
            return ""
        # The last one: what took the place of an early form may be gone itself.
        successor = max(named, key=self._mask).successor
        other, slash, name = successor.partition("/")
        return f"'{name}' of {other}" if slash else f"'{successor}'" if successor else ""

    def names_apart(
        self, name: tuple[str, ...], others: AbstractSet[tuple[str, ...]]
    ) -> tuple[tuple[str, ...], ...]:
        """Return those of *others*, APIs and types, that no release has together with *name*."""
        mask = self._masks.get(name, 0)
        return tuple(
            sorted(
                one
                for one in others
                if one[0] and len(one) < 3 and (m := self._masks.get(one)) and not m & mask
            )
        )

    def knows(self, api: str, provider_type: str | None = None) -> bool:
        """Whether any release had an API, or a type of it."""
        return ((api, provider_type) if provider_type else (api,)) in self._masks

    @cached_property
    def _masks(self) -> dict[tuple[str, ...], int]:
        """The releases of each name, as `names_in` writes it."""
        found: dict[tuple[str, ...], int] = {}
        specs: tuple[_Spec, ...] = (*self.apis, *self.pairs, *self.providers)
        for spec in specs:
            names: list[tuple[str, ...]]
            if isinstance(spec, ProviderSpec):
                names = [(spec.api, spec.provider_type)]
                names += [(spec.api, spec.provider_type, key) for key in spec.marks]
            else:
                names = [(spec.name,) if isinstance(spec, ApiSpec) else ("", spec.resources)]
            for name in names:
                found[name] = found.get(name, 0) | self._mask(spec)
        return found

    def _mask(self, spec: _Spec) -> int:
        """Return the releases of *spec* as bits, the oldest release lowest."""
        count = len(self.releases) or 1
        first, last = bounds_of(spec.releases, self.releases) if spec.releases else (0, count - 1)
        return (1 << last + 1) - (1 << first)


def bounds_of(releases: str, known: Sequence[str]) -> tuple[int, int]:
    """Return the places of the first and the last release of a range ``first..last``.

    Raises:
        ValueError: If it is no range of *known*.

    Examples:
        >>> bounds_of("1.1..", ["1.0", "1.1", "1.2"])
        (1, 2)
        >>> bounds_of("1.0", ["1.0", "1.1"])
        (0, 0)
    """
    first, dots, last = releases.partition("..")
    end = known.index(last) if last else len(known) - 1 if dots else known.index(first)
    if (start := known.index(first)) > end:
        msg = f"'{first}' comes after '{last}'"
        raise ValueError(msg)
    return start, end


def is_range(releases: str, known: Sequence[str]) -> bool:
    """Whether *releases* is empty or a range of *known*; see `bounds_of`."""
    try:
        return not releases or bool(bounds_of(releases, known))
    except ValueError:
        return False


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
