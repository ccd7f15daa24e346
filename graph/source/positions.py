"""Where the keys and values of a document stand: a compact tree of offsets, no text of its own."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN: Final = 0
"""A scalar without quotes."""
QUOTED: Final = 1
"""A scalar in quotes or in block style."""
SEQUENCE: Final = 2
MAPPING: Final = 3
ALIAS: Final = 4
"""A collection that stands elsewhere; ``targets`` tells where."""

MERGE: Final = "\0<<"
"""The label of an entry that a merge key brought in; no key of a document can be equal to it."""

_SIMPLE_KEY = re.compile(r"[A-Za-z_][\w-]*")


class Layout:
    """The offsets of all values of a document, in the order of the document.

    An entry is one value, and for a value of a mapping its key as well. The entries of what is
    inside a collection follow the collection's own entry. Four numbers an entry keep the layout of
    100,000 providers at some 20 MB, and no object in it is one that the garbage collector walks.

    Attributes:
        starts: The offset of each value.
        keys: The offset of each key; of the value itself where there is no key.
        kinds: ``PLAIN``, ``QUOTED``, ``SEQUENCE``, ``MAPPING`` or ``ALIAS``.
        labels: The key of each value in a mapping, ``MERGE`` for a merge key; else None.
        ends: For a collection, the entry after the last one inside it.
        targets: For an alias, the entry of the collection.
    """

    __slots__ = ("_children", "ends", "keys", "kinds", "labels", "starts", "targets")

    def __init__(self) -> None:
        self.starts = array("I")
        self.keys = array("I")
        self.kinds = bytearray()
        self.labels: list[str | None] = []
        self.ends: dict[int, int] = {}
        self.targets: dict[int, int] = {}
        self._children: dict[int, Sequence[int] | dict[str, int]] = {}

    def find(self, path: Sequence[str | int]) -> tuple[int, bool]:
        """Return the entry at *path* and True, or that of its nearest parent and False."""
        entry = 0
        for step in path:
            child = self._child(entry, step)
            if child is None:
                return entry, False
            entry = child
        return entry, True

    def is_quoted(self, entry: int) -> bool:
        """Whether the value is a scalar in quotes or in block style."""
        return self.kinds[entry] == QUOTED

    def _child(self, entry: int, step: str | int) -> int | None:
        entry = self.targets.get(entry, entry)
        children = self._children.get(entry)
        if children is None:
            children = self._children[entry] = self._children_of(entry)
        if isinstance(children, dict):
            if not isinstance(step, str):
                return None
            found = children.get(step)
            return self._merged_child(entry, step) if found is None else found
        if isinstance(step, int) and 0 <= step < len(children):
            return children[step]
        return None

    def _children_of(self, entry: int) -> Sequence[int] | dict[str, int]:
        kind = self.kinds[entry]
        if kind not in (SEQUENCE, MAPPING):
            return ()
        ends = self.ends
        last = ends[entry]
        found: list[int] = []
        child = entry + 1
        while child < last:
            found.append(child)
            child = ends.get(child, child + 1)
        if kind == SEQUENCE:
            return found
        labels = self.labels
        # The first of several equal keys counts, here as in the document's value.
        return {label: child for child in reversed(found) if (label := labels[child]) is not None}

    def _merged_child(self, entry: int, step: str) -> int | None:
        """Return the entry of a key that only a merge key brings in; later merge keys win."""
        ends, labels = self.ends, self.labels
        last = ends[entry]
        merges: list[int] = []
        child = entry + 1
        while child < last:
            if labels[child] is MERGE:
                merges.append(child)
            child = ends.get(child, child + 1)
        for merge in reversed(merges):
            source = self.targets.get(merge, merge)
            sources = self._children_of(source) if self.kinds[source] == SEQUENCE else (merge,)
            for one in sources:
                if isinstance(one, int) and (found := self._child(one, step)) is not None:
                    return found
        return None


def path_text(path: Sequence[str | int]) -> str:
    """Return a path of keys as people write it.

    Examples:
        >>> path_text(("providers", "inference", 0, "config"))
        'providers.inference[0].config'
        >>> path_text(("config", "a.b", "c"))
        'config["a.b"].c'
    """
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif (step.isascii() and step.isidentifier()) or _SIMPLE_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            parts.append(f'["{quoted}"]')
    return "".join(parts)
