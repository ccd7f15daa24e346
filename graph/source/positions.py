"""Where the keys and values of a document stand, as offsets in its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.secrets.masking import is_plain_key, masked_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

_SIMPLE_KEY = re.compile(r"[A-Za-z_][\w-]*")


class Spot(NamedTuple):
    """Where one value stands.

    Attributes:
        start: The offset of the value.
        key: The offset of its key; of the value itself where it has none.
        is_quoted: Whether it is a scalar in quotes or in block style.
        children: The spots of what a mapping or a list holds.
    """

    start: int
    key: int
    is_quoted: bool = False
    children: dict[str | int, Spot] | list[Spot] | None = None

    def find(self, path: Sequence[str | int]) -> tuple[Spot, bool]:
        """Return the spot at *path* and True, or that of its nearest parent and False."""
        spot = self
        for step in path:
            children = spot.children
            child = None
            if isinstance(children, dict):
                child = children.get(step)
            elif children and isinstance(step, int) and 0 <= step < len(children):
                child = children[step]
            if child is None:
                return spot, False
            spot = child
        return spot, True


def value_at(value: Any, path: Sequence[str | int]) -> Any:
    """Return what *path* leads to in *value*; None if nowhere."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def items_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what a mapping or a list holds, by its key or index; of other values nothing."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def path_text(path: Sequence[str | int]) -> str:
    """Return a path of keys as people write it, without keys that are secrets by their shape.

    Examples:
        >>> path_text(("providers", "inference", 0, "config"))
        'providers.inference[0].config'
        >>> path_text(("config", "a.b", "c"))
        'config["a.b"].c'
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        step = step if is_plain_key(step) else masked_key(step)
        if (step.isascii() and step.isidentifier()) or _SIMPLE_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text
