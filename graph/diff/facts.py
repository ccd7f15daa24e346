"""What is known of one node, flattened: a path and a plain value each, secrets masked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rungraph.graph.nodes import PLACEMENTS, RESTARTS, ProviderNode, TableNode
from rungraph.graph.secrets.values import MASK
from rungraph.graph.source.positions import value_at
from rungraph.graph.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.nodes import Node, ResourceConfig
    from rungraph.graph.source.positions import Path

Facts = dict["Path", Any]
"""What is shown of a node, by path: texts, numbers, booleans, None, and lists of these."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is behind a fact that is shown masked or unresolved. Never shown itself.

    Attributes:
        written: The value as the config has it.
        resolved: The same with the environment filled in.
    """

    written: Any = field(repr=False)
    resolved: Any = field(repr=False)


def facts_of(node: Node | Facts) -> Facts:
    """Return what is known of *node*, secrets masked, sorted by path; no place is a fact.

    Of a snapshot's node, they are what it is.
    """
    if isinstance(node, dict):
        return node
    return {path: shown for path, shown, _ in _facts(node)}


def hidden_of(node: Node) -> dict[Path, Hidden]:
    """Return what is behind those facts of *node* that do not show all of it."""
    return {path: hidden for path, _, hidden in _facts(node) if hidden is not None}


def flattened(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of *value* with their paths.

    A list without collections in it is one leaf, and so is an empty collection.

    Examples:
        >>> dict(flattened({"a": {"b": 1, "c": [1, 2]}, "d": [{"e": 3}]}))
        {('a', 'b'): 1, ('a', 'c'): [1, 2], ('d', 0, 'e'): 3}
    """
    if isinstance(value, dict) and value:
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from flattened(item, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(cast("Sequence[Any]", value)):
            yield from flattened(item, (*path, index))
    else:
        yield path, value


def beside(
    shown: Mapping[str, Any], written: Mapping[str, Any], resolved: Mapping[str, Any]
) -> Iterator[tuple[Path, Any, Hidden | None]]:
    """Yield the leaves of a config as shown, each with what is behind it, if that is more.

    Args:
        shown: The config with its secrets masked, in the order of *written*.
        written: The config as written.
        resolved: The same with the environment filled in.
    """
    # Side by side, because a key that is a secret is shown as another.
    for (path, leaf), (at, source) in zip(flattened(shown), flattened(written), strict=True):
        if path != at:
            keys = [*map(str, at)]
            yield path, leaf, Hidden([*keys, source], [*keys, value_at(resolved, at)])
        elif not is_same(leaf, source) or variables_in(leaf):
            yield path, leaf, Hidden(source, value_at(resolved, at))
        else:
            yield path, leaf, None


def is_same(first: Any, second: Any) -> bool:
    """Whether two leaves are the same value of the same type: 1 is neither True nor 1.0."""
    return first is second or repr(first) == repr(second)


def path_order(path: Path) -> tuple[tuple[bool, int, str], ...]:
    """Return what paths are sorted by: names by their letters, indices by their size."""
    return tuple(
        (True, step, "") if isinstance(step, int) else (False, 0, str(step)) for step in path
    )


def sorted_facts(facts: Iterable[tuple[Path, Any]]) -> Facts:
    """Return *facts* sorted by path."""
    return dict(sorted(facts, key=lambda fact: path_order(fact[0])))


def is_masked(value: Any) -> bool:
    """Whether a leaf is only what was shown of a secret, as in a graph read from JSON."""
    if isinstance(value, list):
        return any(map(is_masked, cast("Sequence[Any]", value)))
    return isinstance(value, str) and MASK in value


def _facts(node: Node) -> list[tuple[Path, Any, Hidden | None]]:
    if isinstance(node, ProviderNode):
        found = [*_provider_facts(node)]
    elif isinstance(node, TableNode):
        found = [fact for resource in node.resources for fact in _resource_facts(resource)]
    else:
        found = []
    return sorted(found, key=lambda fact: path_order(fact[0]))


def _provider_facts(node: ProviderNode) -> Iterator[tuple[Path, Any, Hidden | None]]:
    yield ("provider_type",), node.provider_type, None
    if node.tags:
        tags = [*node.tags]
        yield from _shown((), {"tags": node.masked_tags}, {"tags": tags}, {"tags": tags})
    if node.restart != RESTARTS[0]:
        yield ("restart",), node.restart, None
    if node.placement != PLACEMENTS[0]:
        yield ("placement",), node.placement, None
    for name, value in node.limits.given().items():
        yield ("limits", name), value, None
    if node.spec is not None:
        yield ("module",), node.spec.module, None
        if node.spec.config_class:
            yield ("config_class",), node.spec.config_class, None
        for name in ("dependencies", "optional_dependencies"):
            apis: tuple[str, ...] = getattr(node.spec, name)
            if apis:
                yield (name,), sorted(set(apis)), None
    shown = node.masked(node.written)
    yield from _shown(("config",), shown, node.written, node.config)


def _resource_facts(resource: ResourceConfig) -> Iterator[tuple[Path, Any, Hidden | None]]:
    start: Path = ("resources", resource.identifier, resource.provider_id)
    name = resource.native_id
    yield (*start, "provider_resource_id"), name, None
    if resource.routing is not None:
        yield (*start, "order"), resource.order, None
        yield (*start, "policy"), resource.routing.policy, None
        if resource.routing.hedge_after is not None:
            yield (*start, "hedge_after"), resource.routing.hedge_after, None
    shown = resource.masked_fields
    yield from _shown((*start, "fields"), shown, resource.written, resource.fields)


def _shown(
    start: Path, shown: Mapping[str, Any], written: Mapping[str, Any], resolved: Mapping[str, Any]
) -> Iterator[tuple[Path, Any, Hidden | None]]:
    """Yield the leaves of a config as shown, each with what is behind it."""
    for path, leaf, hidden in beside(shown, written, resolved) if shown else ():
        yield (*start, *path), leaf, hidden
