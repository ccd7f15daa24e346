"""Holds the sections of a run config to the types of their fields."""

from __future__ import annotations

from dataclasses import MISSING, fields
from types import UnionType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin, get_type_hints

from rungraph.graph.source.positions import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.config.run_config import Section
    from rungraph.graph.source.positions import Path

_IN_WORDS: dict[type, str] = {
    str: "text",
    list: "a list",
    dict: "a mapping",
    float: "a number",
    int: "an integer",
}


class Misfit(NamedTuple):
    """A value that its field does not take.

    Attributes:
        path: Where it stands below the section.
        value: What stands there.
        wanted: What the field takes, in words.
    """

    path: Path
    value: Any
    wanted: str


class _Field(NamedTuple):
    types: Mapping[type, tuple[Any, ...]]
    is_required: bool


_FIELDS: dict[type[Section], Mapping[str, _Field]] = {}


def fields_of(section: type[Section]) -> Mapping[str, _Field]:
    """Return the fields of a section by name, in their order."""
    if section not in _FIELDS:
        hints = get_type_hints(section)
        _FIELDS[section] = {
            one.name: _Field(_types(hints[one.name]), one.default is MISSING)
            for one in fields(section)
        }
    return _FIELDS[section]


def misfits(section: type[Section], value: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield what the fields of *section* do not take of *value*, which may lack fields."""
    known = fields_of(section)
    for name, given in value.items():
        types = known[name].types if name in known else {type(given): ()}
        if type(given) not in types:
            yield Misfit((name,), given, _wanted(types))
        elif given == "" and name in section.never_empty:
            yield Misfit((name,), given, "text of at least one character")
        elif given not in section.choices.get(name, (given,)):
            yield Misfit((name,), given, " or ".join(map(repr, section.choices[name])))
        elif name in section.ranges and not _is_within(section.ranges[name], given):
            least, most = section.ranges[name]
            yield Misfit((name,), given, f"{_wanted(types)} from {least:g} to {most:.0f}")
        elif inner := types[type(given)]:
            yield from _misfit_items(value[name], inner[-1], (name,))


def _misfit_items(value: list[Any] | dict[Any, Any], wanted: Any, path: Path) -> Iterator[Misfit]:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                yield Misfit((*path, key), key, _IN_WORDS[str])
    if wanted is Any:
        return
    types = _types(wanted)
    for key, one in items_of(value):
        if type(one) not in types:
            yield Misfit((*path, key), one, _wanted(types))


def _is_within(limits: tuple[float, float], value: Any) -> bool:
    return value is None or limits[0] <= value <= limits[1]


def _wanted(types: Mapping[type, tuple[Any, ...]]) -> str:
    return _IN_WORDS[next(iter(types))]


def _types(hint: Any) -> dict[type, tuple[Any, ...]]:
    """Return the types that an annotation allows, each with what it holds."""
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return {get_origin(one) or one: get_args(one) for one in options}
