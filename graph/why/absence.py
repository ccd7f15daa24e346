"""Why something is not in a graph: switched off, not served, unknown, or not configured at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.address import NodeKind
from rungraph.graph.config.keys import resource_paths
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.placeholders import pattern_of
from rungraph.graph.source.positions import path_text, value_at
from rungraph.graph.suggest import closest
from rungraph.graph.why.presence import configured, listed_apis, place_at
from rungraph.graph.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rungraph.graph.address import Address
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.model import RunGraph
    from rungraph.graph.place import Place
    from rungraph.graph.source.positions import Path

_MOST_LISTED = 8


class Cause(NamedTuple):
    """One reason why something is not in a graph, or is there and does not run.

    Attributes:
        reason: ``env_unset``, ``disabled``, ``duplicate``, ``not_served``, ``not_configured``,
            ``unreadable``, ``unknown_type``, ``unknown_api``, ``unknown``, ``error``, ``present``;
            of a run: ``failed``, ``skipped``, ``degraded``, ``not_started``.
        text: The same in words.
        place: Where the config says so; None where it does not.
        help: The ways out, one sentence each.
    """

    reason: str
    text: str
    place: Place | None = None
    help: tuple[str, ...] = ()


class Absence(NamedTuple):
    """Why something is not in a graph.

    Attributes:
        name: What was asked for.
        addresses: The nodes that it names and that are in the graph after all, in start order.
        causes: The reasons, the nearest first.
    """

    name: str
    addresses: tuple[Address, ...]
    causes: tuple[Cause, ...]

    @property
    def is_known(self) -> bool:
        """Whether the config or a catalog knows anything of that name."""
        return all(cause.reason != "unknown" for cause in self.causes)


def why_absent(graph: RunGraph, name: str) -> Absence:
    """Return why *name* is not in *graph*.

    Args:
        graph: The graph.
        name: An address (``provider:safety/guard``), the same without its kind, a provider id, a
            provider type or an API.
    """
    asked = _Name.of(name)
    present = tuple(address for address in graph if asked.is_address(address))
    causes = [
        *_left_out(graph, asked),
        *_unreadable(graph, asked),
        *(cause for address in present for cause in _present(graph, address)),
    ]
    if not causes:
        causes = [*_by_api(graph, asked)] or [*_by_type(graph, name), *_by_resource(graph, name)]
    return Absence(name, present, tuple(causes) or (_unknown(graph, name),))


class _Name(NamedTuple):
    """A name that was asked for, split.

    Attributes:
        text: All of it.
        kind: The kind of node; empty when it does not say.
        api: The API; empty when there is only an id.
        name: The provider id; empty for an API.
    """

    text: str
    kind: str
    api: str
    name: str

    @classmethod
    def of(cls, text: str) -> _Name:
        kind, colon, rest = text.partition(":")
        if not colon or kind not in {one.value for one in NodeKind}:
            kind, rest = "", text
        api, slash, name = rest.partition("/")
        if slash:
            return cls(text, kind, api, name)
        return cls(text, kind, rest, "") if kind else cls(text, "", "", rest)

    def is_address(self, address: Address) -> bool:
        if self.kind and address.kind.value != self.kind:
            return False
        if self.api:
            return address.api == self.api and (not self.name or address.name == self.name)
        return self.name in (address.name or address.api, str(address))

    def is_entry(self, api: str, provider_id: str, provider_type: str) -> bool:
        """Whether an entry under ``providers`` is what was asked for, its id as written."""
        if self.kind not in ("", NodeKind.PROVIDER.value) or (self.api and self.api != api):
            return False
        if not self.name or self.name in (provider_id, provider_type):
            return True
        pattern = pattern_of(provider_id)
        # An id that can come out as anything is this one only if the API has been named.
        can_be_anything = pattern is not None and pattern.pattern == ".+" and not self.api
        return bool(pattern and not can_be_anything and pattern.fullmatch(self.name))


def _left_out(graph: RunGraph, asked: _Name) -> Iterator[Cause]:
    for one in graph.excluded:
        if asked.is_entry(one.api, one.provider_id, one.provider_type):
            yield _exclusion(one)


def _exclusion(one: Excluded) -> Cause:
    name = f"{one.api}/{one.provider_id}" if one.provider_id else f"a provider of {one.api}"
    how = "switched off" if one.is_switched_off else "left out"
    ways_out = {
        "env_unset": f"export {'=… '.join(one.variables)}=…",
        "disabled": "give it a provider_id",
        "duplicate": f"give one of the two another id, such as '{one.provider_id}-2'",
        "not_served": f"add '{one.api}' to 'apis'",
    }
    text = f"{name} ({one.provider_type}) is {how}: {one.detail}"
    return Cause(one.reason, text, one.place, (ways_out.get(one.reason, ""),))


def _unreadable(graph: RunGraph, asked: _Name) -> Iterator[Cause]:
    """Yield why an entry that names what was asked for has not become a provider."""
    known = {node.path for node in graph.nodes.values() if isinstance(node, ProviderNode)}
    known_places = {one.place for one in graph.excluded}
    for api, entries in sorted(configured(graph).items()):
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            path: Path = ("providers", api, index)
            if not isinstance(entry, dict) or path in known:
                continue
            written = (str(entry.get(key) or "") for key in ("provider_id", "provider_type"))
            # An id that is not to be made out can be any.
            is_open = asked.api == api and not isinstance(entry.get("provider_id"), str)
            is_meant = is_open or asked.is_entry(api, *written)
            if place_at(graph, path) not in known_places and is_meant:
                yield from _broken_entry(graph, api, path)


def _broken_entry(graph: RunGraph, api: str, path: Path) -> Iterator[Cause]:
    start = path_text(path)
    problems = [
        one
        for one in errors_in(graph.diagnostics)
        if one.path == start or one.path.startswith((f"{start}.", f"{start}["))
    ]
    if not problems and (pair := graph.catalog.pair_of_table(api)):
        text = f"{start} is not used: {api} is provided automatically, with {pair.router_api}"
        hint = f"configure {pair.router_api} instead"
        yield Cause("unreadable", text, place_at(graph, path), (hint,))
    for one in problems:
        text = f"{start} cannot be made out: {one.message}"
        yield Cause("unreadable", text, one.place, one.help)


def _present(graph: RunGraph, address: Address) -> Iterator[Cause]:
    errors = [one for one in errors_in(graph.diagnostics) if one.address == address]
    if not errors:
        hint = "'rungraph why' tells why; with --events FILE, this tells what a run made of it"
        yield Cause("present", f"{address} is in the graph", help=(hint,))
    for one in errors:
        text = f"{address} is in the graph, but it cannot run: {one.message}"
        yield Cause("error", text, one.place, one.help)


def _by_api(graph: RunGraph, asked: _Name) -> Iterator[Cause]:
    """Yield why there is nothing of an API that is known, or that there is no such API."""
    names = graph.catalog.apis
    api = asked.api or asked.name
    if api not in names:
        if asked.api:
            near = _nearest(api, names, lambda one: asked.text.replace(api, one, 1))
            yield Cause("unknown_api", f"no catalog has an API '{api}'", None, near)
        return
    pair = graph.catalog.pair_of(api)
    right = {"table": pair.table_api, "router": pair.router_api} if pair else {}
    if asked.kind in ("table", "router") and not pair:
        yield Cause("unknown", f"{api} is not routed: it has no {asked.kind}")
        return
    if pair and right.get(asked.kind, asked.api) != asked.api:
        text = f"there is no '{asked.text}': {pair.router_api} is routed by {pair.table_api}"
        hint = f"did you mean '{asked.kind}:{right[asked.kind]}'?"
        yield Cause("unknown", text, None, (hint,))
        return
    providable = pair.router_api if pair else api
    there = sorted(address.name for address in graph if address.api == providable and address.name)
    if asked.name and asked.api and there:
        text = f"{api} has no provider '{asked.name}'; it has {listed(there, _MOST_LISTED)}"
        near = _nearest(asked.name, there, lambda one: f"provider:{api}/{one}")
        yield Cause("unknown", text, None, near)
        return
    yield from _not_served(graph, api, providable)


def _not_served(graph: RunGraph, api: str, providable: str) -> Iterator[Cause]:
    types = graph.catalog.provider_types(providable)
    choice = (f"types of {providable}: {listed(types, _MOST_LISTED)}",) if types else ()
    comes_with = "" if api == providable else f", which {api} comes with"
    off = [one for one in graph.excluded if one.api == providable]
    yield from map(_exclusion, off)
    if providable not in configured(graph):
        yield Cause(
            "not_configured",
            f"'providers' has no key {providable}{comes_with}",
            place_at(graph, ("providers",), key=True),
            (f"add a provider under 'providers.{providable}'", *choice),
        )
    elif not off:
        yield Cause(
            "not_configured",
            f"'providers.{providable}' has no provider{comes_with}",
            place_at(graph, ("providers", providable), key=True),
            choice,
        )
    if listed_apis(graph) and providable not in graph.apis and not off:
        text = f"'apis' does not list {providable}, and nothing needs it"
        yield Cause("not_served", text, place_at(graph, ("apis",)), (f"add '{api}' to 'apis'",))


def _by_type(graph: RunGraph, text: str) -> Iterator[Cause]:
    """Yield why there is no provider of a type, or that there is no such type."""
    if "::" not in text:
        return
    types = graph.catalog.providers
    apis = sorted(api for api, provider_type in types if provider_type == text)
    using = sorted(
        str(node.address)
        for node in graph.nodes.values()
        if isinstance(node, ProviderNode) and node.provider_type == text
    )
    users = listed(using, _MOST_LISTED)
    if not apis:
        near = _nearest(text, {provider_type for _, provider_type in types})
        message = (
            f"no catalog has a provider type '{text}'{f', which {users} names' if using else ''}"
        )
        yield Cause("unknown_type", message, None, near)
    elif using:
        yield Cause("present", f"'{text}' is the type of {users}")
    else:
        of = listed(apis, _MOST_LISTED)
        what = f"no entry of 'providers' has the type '{text}', which is a type of {of}"
        yield Cause("not_configured", what, place_at(graph, ("providers",), key=True))


def _by_resource(graph: RunGraph, text: str) -> Iterator[Cause]:
    """Yield that the graph has a resource, named with its kind or without, or why it has not."""
    known = graph.known_resources
    for resource in known.needs:
        named = f"{resource.kind}:{resource.identifier}"
        if text in (named, resource.identifier):
            hint = f"'rungraph why' tells who serves it: ask it for '{named}'"
            place = known.configured[resource].place if resource in known.configured else None
            yield Cause("present", f"{resource} is in the graph", place, (hint,))
            return
    for pair in graph.catalog.pairs:
        name = text.removeprefix(f"{pair.resource}:")
        for path in resource_paths(pair, graph.catalog):
            written = value_at(graph.document.value, path) if graph.document else None
            entries: list[Any] = written if isinstance(written, list) else []
            for index, entry in enumerate(entries):
                if not isinstance(entry, dict):
                    continue
                written_id = entry.get(f"{pair.resource}_id")
                # An id that is not to be made out can be any.
                if name == written_id or (name != text and not isinstance(written_id, str)):
                    yield from _broken_entry(graph, "", (*path, index))


def _unknown(graph: RunGraph, name: str) -> Cause:
    known = {str(address) for address in graph}
    known |= {f"{one.kind}:{one.identifier}" for one in graph.known_resources.needs}
    known |= {address.name or address.api for address in graph} | set(graph.catalog.apis)
    for one in graph.excluded:
        known |= {one.provider_id, one.address.name if one.address else ""}
    near = " or ".join(f"'{one}'" for one in closest(name, known - {""}, 3))
    hint = f"did you mean {near}?" if near else "'rungraph plan' lists what there is"
    return Cause("unknown", f"neither the config nor a catalog knows '{name}'", None, (hint,))


def _nearest(word: str, known: Iterable[str], form: Callable[[str], str] = str) -> tuple[str, ...]:
    return tuple(f"did you mean '{form(one)}'?" for one in closest(word, known))
