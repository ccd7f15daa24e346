"""Anchors of a tree: written out while it is changed, and put back where nothing has changed."""

from __future__ import annotations

import copy
from typing import Any


class Aliases:
    """What a tree of ruamel.yaml repeats by ``*name`` and ``<<: *name``.

    Each occurrence becomes an object of its own, so that a change of one is none of another.

    Args:
        tree: The tree; changed.
    """

    def __init__(self, tree: Any) -> None:
        self._written: dict[int, tuple[Any, Any, Any]] = {}
        """By the identity of what stands in the tree: itself, what was written, a plain copy."""
        self._seen: set[int] = set()
        self._write_out(tree)

    def _write_out(self, node: Any) -> None:
        for key, value in containers(node):
            if id(value) in self._seen:
                node[key] = self._kept(_without_merges(copy.deepcopy(value)), value)
            elif _is_merged(value):
                node[key] = self._kept(_without_merges(value), value)
            else:
                self._seen.add(id(value))
                if value.anchor.value:
                    value.anchor.always_dump = True
            self._write_out(node[key])

    def _kept(self, instead: Any, value: Any) -> Any:
        self._seen.add(id(value))
        instead.anchor.value = None
        self._written[id(instead)] = instead, value, _plain(instead)
        return instead

    def put_back(self, node: Any) -> None:
        """Repeat in *node*, a part of the tree, what is still what it repeats."""
        for key, value in containers(node):
            if id(value) in self._written:
                _, written, before = self._written[id(value)]
                if _plain(value) == before == _plain(written):
                    node[key] = written
                    continue
            self.put_back(value)


def containers(node: Any) -> list[tuple[Any, Any]]:
    """Return the mappings and lists right below *node*, by their key."""
    items: Any = enumerate(node) if isinstance(node, list) else ()
    if isinstance(node, dict):
        # What is merged into a mapping stands where it comes from.
        own: Any = getattr(node, "non_merged_items", node.items)
        items = own()
    return [(key, value) for key, value in items if isinstance(value, dict | list)]


def _is_merged(value: Any) -> bool:
    return bool(getattr(value, "merge", None))


def _without_merges(value: Any) -> Any:
    """Return *value* with what is merged into it as keys of its own."""
    if not _is_merged(value):
        return value
    flat = type(value)()
    for key, one in value.items():
        flat[key] = copy.deepcopy(one)
    own = {key for key, _ in value.non_merged_items()}
    flat.ca.items.update({key: one for key, one in value.ca.items.items() if key in own})
    return flat


def _plain(value: Any) -> Any:
    """Return *value* as dicts and lists that nothing else changes."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
