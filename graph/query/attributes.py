"""The attributes that queries know nodes by, and which nodes have which value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.query.index import glob_of
from rungraph.graph.secrets.values import NAME_KEYS, masked, scrubbed, secret_values
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.nodes import Node
    from rungraph.graph.query.context import Context
    from rungraph.graph.query.index import Index

CONFIG: Final = "config."
STATES: Final = ("new", "modified", "removed", "same", "affected")
"""What ``state:`` tells of a node when a graph is compared with an older one."""

_MOST_PATHS = 32
_INDEX = re.compile(r"\[(\d+|\*)\]")
_STEP_START = re.compile(r"[.\[]")

Groups = Mapping[str, "Collection[int]"]
"""The numbers of the nodes by the values of an attribute."""


def groups_of(context: Context, name: str) -> Groups:
    """Return which nodes have which value of an attribute.

    Args:
        context: What is asked; ``status`` comes from it, all else from its graph.
        name: One of `ATTRIBUTES`, or ``config.PATH``.
    """
    index = context.index
    if name == "status":
        statuses = (context.status or {}).items()
        return _grouped((index.number_of[a], s) for a, s in statuses if a in index.number_of)
    found = index.groups.get(name)
    if found is None:
        if name.startswith(CONFIG):
            path = name.removeprefix(CONFIG)
            for kept in [one for one in index.groups if one.startswith(CONFIG)][_MOST_PATHS:]:
                index.forget(kept)
            found = _grouped(_config_values(index, path))
        else:
            found = _grouped(ATTRIBUTES[name](index))
        index.groups[name] = found
    return found


def _grouped(values: Iterable[tuple[int, str]]) -> Groups:
    found: dict[str, list[int]] = {}
    for number, value in values:
        found.setdefault(value, []).append(number)
    return found


def _nodes(index: Index) -> Iterator[tuple[int, Node]]:
    nodes = index.graph.nodes
    for number, address in enumerate(index.addresses[: index.live]):
        yield number, nodes[address]
    if index.old is not None:
        for number, address in enumerate(index.addresses[index.live :], index.live):
            yield number, index.old.nodes[address]


def _of_address(part: Callable[[Address], str]) -> Callable[[Index], Iterator[tuple[int, str]]]:
    def values(index: Index) -> Iterator[tuple[int, str]]:
        return ((number, part(address)) for number, address in enumerate(index.addresses))

    return values


def _apis(index: Index) -> Iterator[tuple[int, str]]:
    for number, node in _nodes(index):
        yield number, node.api
        if isinstance(node, TableNode):
            yield number, node.pair.router_api


def _types(index: Index) -> Iterator[tuple[int, str]]:
    for number, node in _nodes(index):
        if isinstance(node, ProviderNode):
            yield number, node.provider_type


def _modules(index: Index) -> Iterator[tuple[int, str]]:
    for number, node in _nodes(index):
        if isinstance(node, ProviderNode) and node.spec is not None:
            yield number, node.spec.module


def _tags(index: Index) -> Iterator[tuple[int, str]]:
    for number, node in _nodes(index):
        if isinstance(node, ProviderNode):
            for tag in node.tags:
                yield number, tag


def _generations(index: Index) -> Iterator[tuple[int, str]]:
    return ((number, str(layer)) for number, layer in enumerate(index.generations))


def _states(index: Index) -> Iterator[tuple[int, str]]:
    if index.old is None:
        return
    from rungraph.graph.diff import diff_graphs

    for address, states in diff_graphs(index.old, index.graph).states.items():
        for state in states:
            yield index.number_of[address], state


def _variables(index: Index) -> Iterator[tuple[int, str]]:
    owner = _Owners(index)
    for name, number in sorted({(use.name, owner.of(use.path)) for use in index.graph.variables}):
        if number >= 0:
            yield number, name


def _errors(index: Index) -> Iterator[tuple[int, str]]:
    owner = _Owners(index)
    found: set[tuple[int, str]] = set()
    for one in index.graph.diagnostics:
        number = index.number_of.get(one.address, -1) if one.address else owner.of(one.path)
        if number >= 0:
            found |= {(number, one.code), (number, one.severity.value)}
    return iter(sorted(found))


class _Owners:
    """Which provider a path into the config belongs to."""

    def __init__(self, index: Index) -> None:
        self.numbers = {
            path_text(node.path): number
            for number, node in _nodes(index)
            if isinstance(node, ProviderNode) and node.path
        }

    def of(self, path: str) -> int:
        """Return the number of the provider whose entry holds *path*; -1 if none does."""
        ends = [match.start() for match in _STEP_START.finditer(path)]
        for end in (*ends, len(path)):
            if path[:end] in self.numbers:
                return self.numbers[path[:end]]
        return -1


ATTRIBUTES: Final[Mapping[str, Callable[[Index], Iterable[tuple[int, str]]]]] = {
    "api": _apis,
    "env": _variables,
    "error": _errors,
    "gen": _generations,
    "id": _of_address(lambda address: address.name or address.api),
    "kind": _of_address(lambda address: address.kind.value),
    "module": _modules,
    "state": _states,
    "tag": _tags,
    "type": _types,
}
"""What gives the number of each node together with each of its values, by attribute."""


def _config_values(index: Index, path: str) -> Iterator[tuple[int, str]]:
    steps = [glob_of(step) for step in _INDEX.sub(r".\1", path).split(".")]
    for number, node in _nodes(index):
        if not isinstance(node, ProviderNode) or not any(_leaves(node.config, steps)):
            continue
        # Not the value alone is masked: what stands around it tells whether it is a secret. A query
        # must not find out letter by letter what is never shown.
        secrets = node.spec.secrets if node.spec else ()
        written, config = (_part(one, steps[0]) for one in (node.written, node.config))
        texts = {_text(value) for [value] in _leaves(masked(written, secrets=secrets), steps)}
        if config != written:
            hidden = secret_values(written, config, secrets=secrets)
            for [value] in _leaves(masked(config, secrets=secrets), steps):
                texts.add(scrubbed(_text(value), hidden))
        for text in sorted(texts):
            yield number, text


def _part(config: Mapping[str, Any], step: re.Pattern[str]) -> dict[str, Any]:
    """Return what *step* leads into, and the keys beside it that tell of secrets.

    Masking is slow, and the rest of a large config has no say in it.
    """
    return {key: one for key, one in config.items() if step.match(str(key)) or key in NAME_KEYS}


def _leaves(value: Any, steps: Sequence[re.Pattern[str]]) -> Iterator[tuple[Any]]:
    """Yield the values that *steps* lead to, each in a tuple of its own."""
    if not steps:
        yield (value,)
        return
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        if steps[0].match(str(key)):
            yield from _leaves(item, steps[1:])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
