"""What a run config says beside its graph: every key that no node and no resource is made of."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog.telling import SECTIONS
from rungraph.graph.config.field_types import fields_of
from rungraph.graph.config.run_config import ProviderSection
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rungraph.graph.model import RunGraph
    from rungraph.graph.source.positions import Path

_COMPARED = ("checks", "limits", "selectors")
"""Keys that the graph itself says all of."""
_OF_A_NODE = fields_of(ProviderSection).keys()


class Extras:
    """What a config says beside its graph, as a mapping like the config's own.

    An entry of a list stands under its id, so that its place does not count.
    """

    def __init__(self, graph: RunGraph) -> None:
        config = graph.document.value if graph.document else None
        self._found = [*_found(graph, config)] if isinstance(config, dict) else []
        self._substitution = graph.substitution

    def __repr__(self) -> str:
        """Return nothing of what it holds."""
        return "<Extras>"

    @property
    def written(self) -> Mapping[str, Any]:
        """What it says as written, secrets and all: never shown."""
        return _as_mapping((at, value) for _, at, value in self._found)

    @property
    def resolved(self) -> Mapping[str, Any]:
        """The same with the environment filled in."""
        if self._substitution is None:
            return self.written
        resolve = self._substitution.resolve
        return _as_mapping((at, resolve(value, path)) for path, at, value in self._found)


def _as_mapping(found: Iterable[tuple[tuple[str, ...], Any]]) -> Mapping[str, Any]:
    root: dict[str, Any] = {}
    for at, value in found:
        branch = root
        for step in at[:-1]:
            branch = branch.setdefault(step, {})
        branch[at[-1]] = value
    return root


def _found(
    graph: RunGraph, config: Mapping[str, Any]
) -> Iterator[tuple[Path, tuple[str, ...], Any]]:
    """Yield each part that is beside the graph: where it stands, its keys here, and its value."""
    read: set[Path] = {node.path for node in graph.nodes.values() if isinstance(node, ProviderNode)}
    read |= {resource.entry_path for resource in graph.resources}
    lists = {path[:-1] for path in read} | {
        (*before, pair.resources)
        for pair in graph.catalog.pairs
        for before in ((), ("registered_resources",))
    }
    for key, value in config.items():
        if key in SECTIONS and isinstance(value, dict):
            for api, entries in value.items():
                yield from _entries((key, api), entries, read)
        elif key == "registered_resources" and isinstance(value, dict):
            for name, entries in value.items():
                path = (key, name)
                yield from (
                    _entries(path, entries, read) if path in lists else [(path, path, entries)]
                )
        elif (key,) in lists:
            yield from _entries((key,), value, read)
        elif key == "apis" and isinstance(value, list):
            unserved = sorted({str(one) for one in value} - {*graph.apis})
            if unserved:
                yield (key,), (key,), unserved
        elif key == "version":
            yield (key,), (key,), str(value)
        elif key not in _COMPARED:
            yield (key,), (key,), value


def _entries(
    path: Path, entries: Any, read: set[Path]
) -> Iterator[tuple[Path, tuple[str, ...], Any]]:
    if not isinstance(entries, list):
        if path not in read and entries is not None:
            yield path, tuple(map(str, path)), entries
        return
    found: list[tuple[str, str, Path, Any]] = []
    for index, entry in enumerate(entries):
        where = (*path, index)
        rest = entry
        if where in read:
            if path[0] not in SECTIONS:
                continue
            rest = {key: one for key, one in entry.items() if key not in _OF_A_NODE}
            if not rest:
                continue
        if isinstance(rest, dict) and isinstance(rest.get("tags"), list):
            rest = {**rest, "tags": sorted(set(map(str, rest["tags"])))}
        found.append((_name_of(entry), json.dumps(rest, sort_keys=True, default=str), where, rest))
    names: Counter[str] = Counter()
    for name, _, where, rest in sorted(found, key=lambda one: one[:2]):
        # Entries of one id, or without, are told apart by what they say: order does not count.
        names[name] += 1
        label = name if name and names[name] == 1 else f"{name}#{names[name]}"
        yield where, (*map(str, path), label), rest


def _name_of(entry: Any) -> str:
    """Return what an entry of a list is known by; nothing when it has no id."""
    if isinstance(entry, dict):
        for key in sorted(entry, key=str):
            value = entry[key]
            if (key.endswith("_id") or key == "identifier") and isinstance(value, str) and value:
                return value
    return ""
