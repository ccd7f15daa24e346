"""A catalog through the releases of what it describes, and which release a run config is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

_Spec = ApiSpec | RoutedPair | ProviderSpec


@dataclass(frozen=True)
class CatalogHistory:
    """What there was to configure in each release.

    A run config does not say which release it was written for. `release_for` takes the newest one
    that knows all it names, so that old names bring the dependencies that they had.

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
        """Return the newest release that knows most of what a run config names.

        Its APIs, its lists of resources and its provider types count, also those of entries that
        are switched off. None when the catalog has no releases.
        """
        if not self.releases:
            return None
        masks = [mask for name in _names_in(config) if (mask := self._masks.get(name))]
        counts = [sum(mask >> index & 1 for mask in masks) for index in range(len(self.releases))]
        best = max(range(len(counts)), key=lambda index: (counts[index], index))
        return self.releases[best]

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

    def last_without(
        self, api: str, provider_type: str, dependency: str, *, before: str
    ) -> str | None:
        """Return the last release before another in which a type did not need *dependency*."""
        older = (1 << self.releases.index(before)) - 1 if before in self.releases else 0
        mask = 0
        for spec in self.providers:
            if (spec.api, spec.provider_type) == (api, provider_type):
                mask |= 0 if dependency in spec.dependencies else self._mask(spec) & older
        return self.releases[mask.bit_length() - 1] if mask else None

    def knows(self, api: str, provider_type: str | None = None) -> bool:
        """Whether any release had an API, or a type of it."""
        return ((api, provider_type) if provider_type else (api,)) in self._masks

    @cached_property
    def _masks(self) -> dict[tuple[str, ...], int]:
        """The releases of each API ``(api,)``, type ``(api, type)`` and list ``("", key)``."""
        found: dict[tuple[str, ...], int] = {}
        specs: tuple[_Spec, ...] = (*self.apis, *self.pairs, *self.providers)
        for spec in specs:
            if isinstance(spec, ProviderSpec):
                name: tuple[str, ...] = (spec.api, spec.provider_type)
            else:
                name = (spec.name,) if isinstance(spec, ApiSpec) else ("", spec.resources)
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


def _names_in(config: Mapping[str, Any]) -> set[tuple[str, ...]]:
    names: set[tuple[str, ...]] = {("", key) for key in config}
    apis = config.get("apis") or config.get("apis_to_serve")
    if isinstance(apis, list):
        names.update((api,) for api in apis if isinstance(api, str))
    for section in ("providers", "routing_table", "provider_map", "api_providers"):
        by_api = config.get(section)
        if isinstance(by_api, Mapping):
            for api, entries in by_api.items():
                names.add((api,))
                names.update((api, one) for one in _types_in(entries))
    return names


def _types_in(entries: Any) -> Iterator[str]:
    listed: Iterable[Any] = entries if isinstance(entries, list) else [entries]
    for entry in listed:
        if isinstance(entry, Mapping) and isinstance(entry.get("provider_type"), str):
            yield entry["provider_type"]
