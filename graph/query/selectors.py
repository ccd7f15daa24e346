"""``method:glob`` and bare globs: the nodes that they match, and the error where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import State
from rungraph.graph.query.attributes import (
    CONFIG,
    STATES,
    check_attribute,
    groups_of,
    resource_kinds,
)
from rungraph.graph.query.context import glob_of, is_literal
from rungraph.graph.query.errors import near_or_all
from rungraph.graph.secrets.values import MASK
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.context import Context, NodeSet
    from rungraph.graph.query.errors import QueryError

_KINDS: Final = frozenset(kind.value for kind in NodeKind)
_BY_ATTRIBUTE: Final = frozenset(
    (
        "api",
        "env",
        "error",
        "evidence",
        "file",
        "gen",
        "kind",
        "state",
        "status",
        "strength",
        "tag",
        "type",
    )
)
_MAY_BE_EMPTY: Final = frozenset(("state", "status"))
"""The methods for which it is no mistake to match nothing: what they compare with is not here."""


def methods_of(context: Context) -> tuple[str, ...]:
    """Return what may stand before the colon of a selector, sorted: resources as well."""
    resources = resource_kinds(context.graphs.new)
    return tuple(sorted({*_KINDS, *_BY_ATTRIBUTE, *resources, f"{CONFIG}PATH", "selector"}))


def split(text: str) -> tuple[str, str]:
    """Return the method and the glob of a selector; an empty method for a bare glob.

    Examples:
        >>> split("type:remote::*"), split("*:inference/a")
        (('type', 'remote::*'), ('', '*:inference/a'))
    """
    method, colon, glob = text.partition(":")
    is_method = method.startswith(CONFIG) or is_literal(method)
    return (method, glob) if colon and is_method else ("", text)


def select(
    context: Context, text: str, fail: Callable[..., QueryError], *, is_name: bool = False
) -> NodeSet:
    """Return the nodes that a selector matches; ``selector:NAME`` is not for this function.

    Args:
        context: What is asked.
        text: The selector.
        fail: Makes an error about the selector from a message and hints.
        is_name: Whether a name is meant as it is written; the value of an attribute is a glob even
            so.

    Raises:
        QueryError: If there is no such method, or nothing matches.
    """
    method, glob = split(text)
    if is_name:
        if named := groups_of(context, "").get(text):
            return named
        if method in _BY_ATTRIBUTE or method.startswith(CONFIG):
            is_name = False
        elif method not in methods_of(context):
            method, glob = "", text
    elif text == "*":
        return context.graphs.everything
    if method in _BY_ATTRIBUTE:
        _check(context, method, glob, fail)
    elif method == CONFIG or not (
        not method or method in methods_of(context) or method.startswith(CONFIG)
    ):
        raise _no_method(context, text, method, fail)
    groups = groups_of(context, method)
    matching = {glob} & groups.keys() if is_name else _matching(groups, glob)
    if not is_name and not is_literal(glob):
        context.work.visited += len(groups) + sum(map(len, groups)) * len(glob) / 1000
    nodes = frozenset().union(*(groups[value] for value in matching))
    if not nodes and method not in _MAY_BE_EMPTY:
        if is_name and not is_literal(glob):
            hint = "a name in quotes is meant as it is written; a pattern has none"
            error = fail(f"no node matches '{text}'", hint)
        else:
            error = _no_match(context, text, method, glob, fail)
        if context.unmatched is None:
            raise error
        context.unmatched(text, error)
    return nodes


def _matching(values: Collection[str], glob: str) -> list[str]:
    if is_literal(glob):
        return [glob] if glob in values else []
    match = glob_of(glob).match
    return [value for value in values if match(value)]


def _check(context: Context, method: str, glob: str, fail: Callable[..., QueryError]) -> None:
    check_attribute(context, method, fail)
    known = {"state": {*STATES}, "status": {*State, *(context.status or {}).values()}}.get(method)
    if known and not _matching(known, glob):
        msg = f"no {method} '{glob}'"
        raise fail(msg, near_or_all(glob, sorted(known)))


def _no_method(
    context: Context, text: str, method: str, fail: Callable[..., QueryError]
) -> QueryError:
    if method in (CONFIG, CONFIG.removesuffix(".")):
        return fail("'config' needs the path of a key", "write it like config.url:http*")
    if found := groups_of(context, "").get(text):
        address = context.graphs.in_order(found)[0]
        return fail(f"'{method}' is no method", f"to name the node write '{address}'")
    if method in ("inline", "remote"):
        return fail(f"'{method}' is no method", f"for the provider type write 'type:{text}'")
    known = methods_of(context)
    return fail(f"no method '{method}'", near_or_all(method, known, most=len(known)))


def _no_match(
    context: Context, text: str, method: str, glob: str, fail: Callable[..., QueryError]
) -> QueryError:
    graphs = context.graphs
    message = f"no node matches '{text}'"
    if not method and (difference := _difference_in(text, groups_of(context, ""))):
        return fail(message, f"a '-' within a name is part of it: write '{difference}'")
    if off := _left_out(graphs.new, method, glob):
        return fail(message, off)
    if method.startswith(CONFIG):
        if there := groups_of(context, method):
            # Other values are not named: that is what a config's owner decides to show.
            hidden = f" (a secret counts as {MASK})" if any(MASK in one for one in there) else ""
            return fail(message, f"the key is there, with other values{hidden}: try '{method}:*'")
        return fail(message, "no provider's config has that key")
    catalog, api = graphs.new.catalog, glob.partition("/")[0]
    if method in ("api", "provider", "router", "table") and api in catalog.apis:
        pair = catalog.pair_of(api)
        if api not in groups_of(context, "api"):
            return fail(message, f"nothing in this config serves {api}")
        if pair is not None and method in ("router", "table"):
            other = pair.router_api if method == "router" else pair.table_api
            return fail(message, f"did you mean '{method}:{other}'?")
    if method in _BY_ATTRIBUTE or method in resource_kinds(graphs.new):
        values = sorted(groups_of(context, method))
        nothing = f"in this config '{method}:' finds no node, whatever follows it"
        return fail(message, near_or_all(glob, values, f"{method}:") or nothing)
    if method:
        texts = {str(one) for one in graphs.new if one.kind is NodeKind(method)}
        near = closest(text, texts) or closest(glob, {one.name for one in graphs.new if one.name})
    else:
        near = closest(glob, {one.name or one.api for one in graphs.new}) or closest(
            glob, groups_of(context, "")
        )
    return fail(message, f"did you mean '{near[0]}'?" if near else "'*' is all nodes")


def _difference_in(text: str, names: Collection[str]) -> str:
    """Return *text* as the difference of two names that there are; empty if it is not that."""
    for index, sign in enumerate(text):
        first, second = text[:index], text[index + 1 :]
        if sign == "-" and first in names and second in names:
            return f"{first} - {second}"
    return ""


def _left_out(graph: RunGraph, method: str, glob: str) -> str:
    """Return that the config leaves out a provider that is meant, and why; empty if it does not."""
    if method not in ("", "provider"):
        return ""
    match = glob_of(glob).match
    for one in graph.excluded:
        for name in (one.provider_id, one.address.name if one.address else ""):
            if name and (match(name) or match(f"{one.api}/{name}")):
                return f"the config leaves it out: {one.detail}"
    return ""


_UNCHECKED: Final = frozenset(
    ("env", "error", "evidence", "file", "gen", "kind", "strength", "tag")
)
"""The methods whose values no catalog lists; nor does it list resources."""


def is_known(graph: RunGraph, text: str) -> bool:
    """Whether a selector that matches nothing here is a name all the same, and no typo."""
    method, glob = split(text)
    catalog = graph.catalog
    unchecked = _UNCHECKED | resource_kinds(graph)
    if not is_literal(glob) or method in unchecked or method.startswith(CONFIG):
        return True
    if method == "type":
        return any(provider_type == glob for _, provider_type in catalog.providers)
    api, slash, _ = glob.partition("/")
    if api in catalog.apis:
        return True
    return (
        method not in ("api", "router", "table")
        and not slash
        and bool(_left_out(graph, method, glob))
    )
