"""What the fields of specs must be, wherever a catalog is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from rungraph.graph.address import is_api_name
from rungraph.graph.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def check_specs(name: str, specs: Iterable[object], kind: type, named: Sequence[str]) -> None:
    """Raise `CatalogError` if there is something else among *specs*, or a field is of no use.

    Args:
        name: What the specs are called in messages.
        specs: What should be specs.
        kind: The dataclass that each must be one of.
        named: Its fields that may not be empty.
    """
    for spec in specs:
        if not isinstance(spec, kind):
            msg = f"{name} holds a {type(spec).__name__}, not a {kind.__name__}"
            raise CatalogError(msg)
        for field_name, is_fine, what in _checks_of(kind):
            value = getattr(spec, field_name)
            if not is_fine(value) or (value == "" and field_name in named):
                msg = f"{kind.__name__}({field_name}={value!r}) is no {what}"
                raise CatalogError(msg)


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(one, str) for one in value)


_MUST_BE: dict[object, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(
        ("name", "router_api", "table_api", "api"),
        (lambda value: isinstance(value, str) and is_api_name(value), "name of an API"),
    ),
    "str": (lambda value: isinstance(value, str), "text"),
    "bool": (lambda value: isinstance(value, bool), "boolean"),
    "tuple[str, ...]": (_are_texts, "tuple of texts"),
    "Mapping[str, str]": (
        lambda value: isinstance(value, Mapping) and _are_texts([*value, *value.values()]),
        "mapping of texts",
    ),
}
"""What a field must be, by its name or else by its type, and what that is called."""


@cache
def _checks_of(kind: Any) -> list[tuple[str, Callable[[object], bool], str]]:
    return [(one.name, *(_MUST_BE.get(one.name) or _MUST_BE[one.type])) for one in fields(kind)]
