"""Which release a run config is of, told by what it names."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.placeholders import placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.catalog.history import CatalogHistory

_DEPTH = 4
"""How deep the keys of a config are looked at: ``storage.stores.prompts.namespace``."""
SPELLING = "spelling"
"""What a `KeySpec` is of that is a form of placeholders: ``${env.X:…}``."""
SECTIONS = ("providers", "routing_table", "provider_map", "api_providers")
"""The keys of a config that providers stand under: today's, then those of the first format."""


class Told(NamedTuple):
    """The release that a run config is of.

    Attributes:
        release: The release; None when the catalog has none.
        by: What told it, in words.
        is_certain: Whether something in the config is of some releases only.
    """

    release: str | None
    by: str
    is_certain: bool = False


def release_for(history: CatalogHistory, config: Mapping[str, Any]) -> Told:
    """Return the release that a run config is most likely of.

    It is one that knows most of what the config names: its APIs, its lists of resources, its keys
    and its provider types, also those of entries that are switched off, and the keys of their
    configs. Of several, it is the newest under which the config starts, or else the newest of
    those where the fewest needs stay open.
    """
    if not history.releases:
        return Told(None, "")
    names = _known_names(history, config)
    fitting = _fitting(history, names)
    needs = _Needs(history, config, names)
    lacks: dict[int, list[str]] = {}
    for index in fitting:
        lacks[index] = needs.open_at(index)
        if not lacks[index]:
            break  # Most configs lack nothing in the newest that fits.
    taken = min(lacks, key=lambda index: len(lacks[index]))
    why = ""
    if taken != fitting[0]:
        what = "most of it" if lacks[taken] else "it"
        lacking = next(one for one in lacks[fitting[0]] if one not in lacks[taken])
        why = passing_over(_text(history.releases[fitting[0]]), lacking, what)
    return _told(history, names, taken, why)


def others_that_fit(
    history: CatalogHistory, config: Mapping[str, Any], release: str, why: str
) -> Iterator[Told]:
    """Yield the other releases that fit as well as *release*: the newest of each minor one.

    Args:
        history: All releases.
        config: A run config.
        release: The one that it was taken for.
        why: Why it is not of that one.
    """
    names = _known_names(history, config)
    seen: set[str] = set()
    for index in _fitting(history, names):
        minor = history.releases[index].rpartition(".")[0]
        if minor not in seen and history.releases[index] != release:
            yield _told(history, names, index, why)
        seen.add(minor)


def passing_over(newest: str, lacking: str, what: str = "it") -> str:
    """Return why a release is taken although a newer one fits as well."""
    return f"the newest under which {what} starts: under {newest}, which fits as well, {lacking}"


def _told(history: CatalogHistory, names: set[tuple[str, ...]], taken: int, why: str) -> Told:
    telling = _telling(history, names, taken)
    parts = [f"told by {' and '.join(telling)}"] if telling else []
    parts += [why] if why else []
    by = ", ".join(parts) or "nothing in it tells the release, so it is the newest"
    return Told(history.releases[taken], by, is_certain=bool(telling))


def fits(history: CatalogHistory, config: Mapping[str, Any], release: str) -> bool:
    """Whether no other release knows more of what a run config names."""
    return history.releases.index(release) in _fitting(history, _known_names(history, config))


def _known_names(history: CatalogHistory, config: Mapping[str, Any]) -> set[tuple[str, ...]]:
    return names_in(config) & history.spans.keys()


def _fitting(history: CatalogHistory, names: set[tuple[str, ...]]) -> list[int]:
    """Return the indexes of the releases that know most of *names*, the newest first."""
    every = frozenset(range(len(history.releases)))
    if those_of_all := every.intersection(*{history.spans[name] for name in names}):
        return sorted(those_of_all, reverse=True)
    # Many names have the same releases: these are counted together.
    weights: Counter[frozenset[int]] = Counter()
    for name in names:
        # A key of a provider's config says less: what a release does not read, it does not mind.
        weights[history.spans[name]] += 1 if name[0] == "" and len(name) > 2 else len(names)
    counts = [0] * len(history.releases)
    for span, weight in weights.items():
        # What all releases know tells none apart.
        for index in span if len(span) < len(counts) else ():
            counts[index] += weight
    most = max(counts, default=0)
    return [index for index in reversed(range(len(counts))) if counts[index] == most]


class _Needs:
    """What a config lets open under a release: needs of its types, and what the start asks for."""

    def __init__(
        self, history: CatalogHistory, config: Mapping[str, Any], names: set[tuple[str, ...]]
    ) -> None:
        self.history = history
        self.there = {one[0] for one in names if len(one) == 1}
        apis = config.get("apis")
        self.listed = (
            {one for one in apis if isinstance(one, str)} if isinstance(apis, list) else ()
        )
        self.name = config.get("distro_name", config.get("image_name"))
        self.has_new_name = "distro_name" in config
        self.has_storage = "storage" in config
        self.specs = [
            spec
            for spec in history.providers
            if spec.dependencies and (spec.api, spec.provider_type) in names
        ]

    def open_at(self, index: int) -> list[str]:
        """Return the needs that stay open under the release of *index*, in words."""
        traits, builtins, pairs = self.history.has_at(index)
        there = self.there | builtins
        for pair in pairs:
            is_made = pair.router_api in there
            if "pairs_by_apis" in traits:
                is_made = not self.listed or pair.router_api in self.listed
            change = there.update if is_made else there.difference_update
            change((pair.router_api, pair.table_api))
        missing = [
            f"'{spec.provider_type}' of {spec.api} needs {api}"
            for spec in self.specs
            if index in self.history.span(spec)
            for api in spec.dependencies
            if api not in there
        ]
        if "needs_name" in traits and self.name is None:
            missing.append("it needs a name")
        if "needs_storage" in traits and not self.has_storage:
            missing.append("it needs 'storage'")
        is_text = self.name is None or isinstance(self.name, str) or self.has_new_name
        if not is_text and "name_may_be_number" not in traits:
            missing.append("'image_name' must be text")
        return missing


def _telling(history: CatalogHistory, names: set[tuple[str, ...]], taken: int) -> list[str]:
    """Return what keeps the release from being newer, and what from being older, in words."""
    spans = {
        name: span
        for name in names
        if taken in (span := history.spans[name]) and len(span) < len(history.releases)
    }
    found: list[str] = []
    if spans:
        ends = {span: _ends(span) for span in spans.values()}
        last = min(spans, key=lambda one: (ends[spans[one]][1], -len(one), one))
        first = min(spans, key=lambda one: (-ends[spans[one]][0], -len(one), one))
        start, end = ends[spans[first]][0], ends[spans[last]][1]
        if first == last and start > 0 and end < len(history.releases) - 1:
            during = f"{_text(history.releases[start])} to {_text(history.releases[end])}"
            return [f"{_in_words(first)} ({during})"]
        if end < len(history.releases) - 1:
            found.append(f"{_in_words(last)} (up to {_text(history.releases[end])})")
        if start > 0:
            found.append(f"{_in_words(first)} (from {_text(history.releases[start])})")
    return found


@lru_cache(maxsize=1024)  # Names of a catalog have few different ones, and all configs the same.
def _ends(span: frozenset[int]) -> tuple[int, int]:
    return min(span), max(span)


def _text(release: str) -> str:
    return release.replace("@", " ")


def _in_words(name: tuple[str, ...]) -> str:
    api, *others = name
    if api:
        return f"'{others[0]}' of {api}" if others else f"the API {api}"
    *of, path = others
    if of == [SPELLING]:
        return f"the spelling {path}"
    return f"the key '{path}'" + (f" of {of[0]}" if of else "")


def names_in(config: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Return what a run config names that tells its release.

    APIs are ``(api,)``, provider types ``(api, type)``, the config's own keys ``("", path)``, and
    the keys of providers' configs ``("", api, path)`` and ``("", "api/type", path)``, and how
    placeholders are spelt ``("", "spelling", form)``.
    """
    others = {key: value for key, value in config.items() if key not in SECTIONS}
    names: set[tuple[str, ...]] = {("", path) for path in _paths(others)}
    names.update(("", SPELLING, one) for one in _spellings(config))
    for api, provider_type, written in _entries(config):
        for path in _paths(written):
            names.update((("", api, path), ("", f"{api}/{provider_type}", path)))
    return names | apis_and_types_in(config)


def apis_and_types_in(config: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Return the APIs ``(api,)`` and provider types ``(api, type)`` that a run config names."""
    names: set[tuple[str, ...]] = {(api, one) for api, one, _ in _entries(config)}
    apis = config.get("apis") or config.get("apis_to_serve")
    if isinstance(apis, list):
        names.update((api,) for api in apis if isinstance(api, str))
    for section in SECTIONS:
        by_api = config.get(section)
        if isinstance(by_api, dict):
            names.update((api,) for api in by_api)
    return names


def _spellings(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the forms in which the placeholders of a config have a default or an alternative."""
    todo: list[Any] = [config]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            for one in placeholders(value) if "${env." in value else ():
                if one.operator:
                    yield f"${{env.X{one.operator}…}}"
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the API, the type and the config of each provider, also of those switched off."""
    for section in SECTIONS:
        by_api = config.get(section)
        for api, entries in by_api.items() if isinstance(by_api, dict) else ():
            for entry in entries if isinstance(entries, list) else [entries]:
                if isinstance(entry, dict) and isinstance(entry.get("provider_type"), str):
                    written = entry.get("config")
                    read = written if isinstance(written, dict) else {}
                    yield api, entry["provider_type"], read


def _paths(value: Mapping[str, Any], before: str = "", depth: int = _DEPTH) -> Iterator[str]:
    for key, one in value.items():
        yield f"{before}{key}"
        if isinstance(one, dict) and depth > 1:
            yield from _paths(one, f"{before}{key}.", depth - 1)
