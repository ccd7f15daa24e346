"""What Llama Stack and ogx must find in the sections beside providers, or they do not start."""

from __future__ import annotations

import re
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rungraph.graph.config.keys import known_keys, resource_paths
from rungraph.graph.config.sections import kind_of
from rungraph.graph.rules.context import nearest
from rungraph.graph.secrets.values import masked
from rungraph.graph.source.positions import items_of, path_text
from rungraph.graph.wording import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rungraph.graph.catalog.release_specs import SectionSpec
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path

_CONDITION = re.compile(
    r"\s*(user\s+is(\s+not)?\s+owner|user\s+with\s+\S+(\s+not)?\s+in\s+\S+"
    r"|user(\s+not)?\s+in\s+owners\s+\S+|resource\s+is\s+unowned)?\s*"
)
_TENANT = re.compile(r"\s*[a-z0-9][a-z0-9_-]{0,127}\s*", re.IGNORECASE)
_KINDS: dict[str, tuple[Any, str]] = {
    "boolean": (bool, "a boolean"),
    "condition": (str, "a condition"),
    "integer": (int, "an integer"),
    "list": (list, "a list"),
    "mapping": (dict, "a mapping"),
    "network": (str, "a network"),
    "null": (type(None), "nothing"),
    "number": (float, "a number"),
    "origin": (str, "an origin other than '*'"),
    "tenant": (str, "an id of a tenant"),
    "text": (str, "text"),
    "url": (str, "a URL of http or https"),
}
"""The kinds of values: the type of each, and its name."""
_COERCED = (bool, int, float)
_FILLED = "filled "
"""What stands before a kind whose values must not be empty."""
_HINTS = {
    "condition": "such as 'user with admin in roles' or 'user is owner'",
    "network": "such as '10.96.0.0/12'",
    "tenant": "letters, digits, '-' and '_', 128 at most, a letter or a digit first",
}
_BOUNDS = re.compile(r"(?P<kind>integer|number) (?P<least>-?\d+)\.\.(?P<most>\d*)")
_RESOURCES = "resources"


def section_shapes(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the parts of sections that are not what the stack can read."""
    for written, specs in groupby(context.catalog.sections, attrgetter("path")):
        sections = [*_sections(context, written)]
        for spec in specs if sections else ():
            for path, section in sections:
                if all(_is_met(section.get(key), value) for key, value in spec.when.items()):
                    yield from _section(context, spec, path, section)
    if not context.catalog.keys:
        return
    # What is there, and of another kind, is told where it is read.
    lists = {
        path_text(path)
        for pair in context.catalog.pairs
        for path in resource_paths(pair, context.catalog)
    }
    known = known_keys(context.catalog)
    for wanted, names in (
        ("list", ("apis", "providers.*", *sorted(lists))),
        ("mapping", ("providers.*.*.config",)),
    ):
        for written in names:
            for path, one in _at(context.document.value, written):
                is_text = isinstance(one, str)
                value = context.substitution.resolve(one, path) if is_text else one
                is_taken = written == "apis" and "apis_may_be_null" in context.catalog.traits
                if value is None and not is_taken and path[0] in known:
                    yield _wrong(context, path, wanted, value)


def _is_met(value: Any, wanted: str) -> bool:
    """Whether a key holds what a spec is about."""
    if wanted in ("true", "false"):
        return (value is not None and _coerced(bool, value) is True) == (wanted == "true")
    return bool(value) if wanted == "*" else value == wanted


def _sections(context: RuleContext, written: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the mappings that stand at a path, where ``*`` is each key or entry."""
    first, *others = written.split(".")
    if first == _RESOURCES:
        name, *inner = others
        tables = {one.table_api for one in context.catalog.pairs if one.resources == name}
        for one in context.resources:
            if one.table_api in tables:
                ids = {"provider_id": one.provider_id} if one.provider_id else {}
                for path, value in _at({**one.fields, **ids}, ".".join(inner)):
                    if isinstance(value, dict):
                        yield (*one.path, *path), value
        return
    for path, value in _at(context.config.settings, written):
        if isinstance(value, dict):
            yield path, value


def _at(value: Any, written: str) -> list[tuple[Path, Any]]:
    found: list[tuple[Path, Any]] = [((), value)]
    for step in written.split(".") if written else ():
        found = [((*path, key), one) for path, above in found for key, one in _below(above, step)]
        if not found:
            break
    return found


def _below(value: Any, step: str) -> Iterable[tuple[Any, Any]]:
    if step == "*":
        return items_of(value)
    return ((step, value[step]),) if isinstance(value, dict) and step in value else ()


def _section(
    context: RuleContext, spec: SectionSpec, path: Path, section: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    for name, wanted in spec.fields.items():
        found = _at(section, name)
        for below, value in found:
            yield from _value(context, (*path, *below), wanted, value)
        if not found and wanted.endswith("!"):
            needs = joined([f"{one} '{kind}'" for one, kind in spec.when.items() if kind != "*"])
            message = f"the key '{name}' is missing{f': {needs} needs it' if needs else ''}"
            yield context.document.problem("C011", message, path, f"add '{name}: …'")
    if spec.one_of and not any(section.get(key) for key in spec.one_of):
        names = " or ".join(f"'{one}'" for one in spec.one_of)
        yield context.document.problem(
            "C011", f"a key is missing: {names}", path, "add one of them"
        )
    for key, others in spec.not_both.items():
        beside = [one for one in others if section.get(one) is not None]
        if section.get(key) is not None and beside:
            message = f"'{key}' and '{beside[0]}' cannot both be there"
            hint = "take one of them out"
            yield context.document.problem("C010", message, (*path, key), hint, key=True)


def _value(context: RuleContext, path: Path, wanted: str, value: Any) -> Iterator[Diagnostic]:
    if not _is_open(value) and not any(_reads(kind, value) for kind in _kinds(wanted)):
        yield _wrong(context, path, wanted, value)


def _kinds(wanted: str) -> list[str]:
    return wanted.removesuffix("!").split(" or ")


def _reads(kind: str, value: Any) -> bool:
    """Whether the models of the releases take a value as one of a *kind*."""
    if kind.startswith(_FILLED):
        return bool(value) and _reads(kind.removeprefix(_FILLED), value)
    outer, of, inner = kind.partition(" of ")
    if of:
        below = value.values() if isinstance(value, dict) else value
        return _reads(outer, value) and all(_reads(inner, one) for one in below)
    bounds = _BOUNDS.fullmatch(kind)
    inside = kind.split()[1:] if kind.startswith("text ") else []
    if not bounds and not inside and kind not in _KINDS:
        return value in kind.split("|")
    wanted, _ = _KINDS[bounds["kind"] if bounds else "text" if inside else kind]
    read: Any = _coerced(wanted, value) if wanted in _COERCED else value
    if not isinstance(read, wanted):
        return False
    if bounds is not None:
        return bool(float(bounds["least"]) <= read <= float(bounds["most"] or "inf"))
    is_one = _CHECKS.get(kind)
    return is_one(read) if is_one else all(one in read or one in read.lower() for one in inside)


def _is_network(text: str) -> bool:
    # Imported when it is asked for: hardly any config has one.
    from ipaddress import ip_network

    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_url(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    return scheme.lower() in ("http", "https") and rest.partition("/")[0] != ""


_CHECKS: dict[str, Callable[[str], bool]] = {
    "condition": lambda text: _CONDITION.fullmatch(text) is not None,
    "network": _is_network,
    "origin": lambda text: text != "*",
    "tenant": lambda text: _TENANT.fullmatch(text) is not None,
    "url": _is_url,
}
"""What a text of some kinds must be."""


def _coerced(wanted: type, value: Any) -> Any:
    """Return a value as the models read it: ``"8321"`` is a number, ``yes`` is true."""
    if type(value) is wanted or isinstance(value, dict | list):
        return value
    # Asked for odd values alone: importing it takes longer than all that is done here.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(wanted).validate_python(value)
    except ValidationError:
        return None


def _wrong(context: RuleContext, path: Path, wanted: str, value: Any) -> Diagnostic:
    kinds = [one for one in _kinds(wanted) if one != "null"]
    last = [one.removeprefix(_FILLED).rpartition(" of ")[2] for one in kinds]
    names = " or ".join(map(_name_of, kinds))
    given = kind_of(value)
    choices = kinds[0].split("|") if kinds[0] not in _KINDS else []
    if isinstance(value, str) and len(choices) > 1:
        given = f"'{masked(value, known=context.document.known)}'"
        hint = nearest(value, choices, "")[:-1]
    else:
        hint = tuple(dict.fromkeys(_HINTS[one] for one in last if one in _HINTS))
    if value is None:
        hint = ("fill it in, or take it out",)
    elif isinstance(value, _COERCED) and any(use.keys == path for use in context.substitution.uses):
        reader = context.catalog.full_name
        hint = (f"{reader} makes {kind_of(value)} of what the placeholder becomes: give it a text",)
    message = f"'{path_text(path)}' must be {names}"
    message += "" if value is not None and given in names else f", not {given}"
    return context.document.problem("C010", message, path, *hint, key=value is None)


def _name_of(kind: str) -> str:
    """Return a kind in words.

    Examples:
        >>> _name_of("integer 1024..65535"), _name_of("number 0.."), _name_of("list of text")
        ('an integer from 1,024 to 65,535', 'a number from 0 on', 'a list of text')
        >>> _name_of("text {query}"), _name_of("list of a|b")
        ("text with '{query}' in it", "a list of 'a', 'b'")
        >>> _name_of("filled list of network"), _name_of("list of origin")
        ('a list of networks that is not empty', "a list of origins other than '*'")
    """
    if kind.startswith(_FILLED):
        return f"{_name_of(kind.removeprefix(_FILLED))} that is not empty"
    outer, of, inner = kind.partition(" of ")
    if of:
        article, _, rest = _name_of(inner).removeprefix("one of ").partition(" ")
        noun, _, more = rest.partition(" ")
        many = f"{noun}s {more}".strip() if article in ("a", "an") else f"{article} {rest}".strip()
        return f"{_name_of(outer)} of {many}"
    if kind in _KINDS:
        return _KINDS[kind][1]
    if bounds := _BOUNDS.fullmatch(kind):
        least, most = (bounds[name] and f"{int(bounds[name]):,}" for name in ("least", "most"))
        return f"{_KINDS[bounds['kind']][1]} from {least} {f'to {most}' if most else 'on'}"
    if kind.startswith("text "):
        inside = [f"'{one}'" for one in kind.split()[1:]]
        return f"text with {joined(inside)} in it"
    names = [f"'{one}'" for one in kind.split("|")]
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _is_open(value: Any) -> bool:
    """Whether the environment says what stands here."""
    return isinstance(value, str) and "${env." in value
