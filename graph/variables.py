"""Who reads which variable of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.nodes import ProviderNode
from rungraph.graph.placeholders import has_placeholder, placeholders
from rungraph.graph.secrets.masking import masked_key
from rungraph.graph.source.positions import items_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.source.positions import Path


def readers_of(graph: RunGraph) -> Mapping[str, set[Address | str]]:
    """Return the readers of each variable, sorted by its name.

    They are the providers whose entries read it, and else top keys, such as ``models``. What
    several entries repeat by an alias, all of them read.
    """
    nodes = [node for node in graph.nodes.values() if isinstance(node, ProviderNode) and node.path]
    entries = {node.path: node.address for node in nodes}
    readers: dict[str, set[Address | str]] = {}
    for use in graph.variables:
        readers.setdefault(use.name, set()).add(_reader(use.keys, entries))
    if graph.document is not None and graph.document.has_aliases:
        done: dict[int, frozenset[str]] = {}
        for node in nodes:
            for name in _names_in(node.written, done) & readers.keys():
                readers[name].add(node.address)
    return dict(sorted(readers.items()))


def variables_in(value: Any) -> tuple[str, ...]:
    """Return the names of the variables that a config or a part of one reads, sorted.

    Examples:
        >>> variables_in("http://${env.HOST:=${env.DEFAULT}}/")
        ('DEFAULT', 'HOST')
    """
    return tuple(sorted(_names_in(value, {})))


def _names_in(value: Any, done: dict[int, frozenset[str]]) -> frozenset[str]:
    """Return the names of variables in *value*; a collection in *done* is not searched again."""
    if isinstance(value, str):
        found = placeholders(value) if has_placeholder(value) else ()
        return frozenset().union(*({one.name} | _names_in(one.word, done) for one in found))
    if isinstance(value, dict | list) and id(value) not in done:
        names = [_names_in(item, done) for _, item in items_of(value)]
        done[id(value)] = frozenset().union(*filter(None, names))
    return done.get(id(value), frozenset())


def _reader(keys: Path, entries: Mapping[Path, Address]) -> Address | str:
    """Return the provider whose entry *keys* lead into, or else the top key."""
    for end in range(1, len(keys) + 1):
        if keys[:end] in entries:
            return entries[keys[:end]]
    return ".".join(masked_key(str(key)) for key in keys[: 2 if keys[0] == "providers" else 1])
