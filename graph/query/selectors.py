"""``method:glob`` and bare globs: the nodes that they match, and what to say without any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.placeholders import placeholders
from rungraph.graph.query.asked import glob_of, is_literal
from rungraph.graph.query.attributes import CONFIG, STATES, groups_of
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.asked import Asked, NodeSet
    from rungraph.graph.query.context import Context
    from rungraph.graph.query.errors import QueryError

METHODS: Final = (
    "api",
    "config.PATH",
    "env",
    "error",
    "gen",
    "kind",
    "provider",
    "router",
    "selector",
    "state",
    "status",
    "table",
    "tag",
    "type",
)
"""What may stand before the colon of a selector."""

_BY_ATTRIBUTE: Final = frozenset(
    ("api", "env", "error", "gen", "kind", "state", "status", "tag", "type")
)
# What a run, a comparison or a label has to say of no node may be nothing to complain about.
_MAY_BE_EMPTY: Final = frozenset(("env", "error", "state", "status", "tag"))
_KINDS: Final = frozenset(kind.value for kind in NodeKind)
_MOST_LISTED = 12


def split(text: str) -> tuple[str, str]:
    """Return the method and the glob of a selector; an empty method for a bare glob.

    Examples:
        >>> split("type:remote::*"), split("*:inference/a")
        (('type', 'remote::*'), ('', '*:inference/a'))
    """
    method, colon, glob = text.partition(":")
    is_method = method.startswith(CONFIG) or is_literal(method)
    return (method, glob) if colon and is_method else ("", text)


def select(context: Context, text: str, fail: Callable[..., QueryError]) -> NodeSet:
    """Return the nodes that a selector matches; ``selector:NAME`` is not for this function.

    Args:
        context: What is asked.
        text: The selector.
        fail: Makes an error about the selector from a message and hints.

    Raises:
        QueryError: If there is no such method, or nothing matches.
    """
    method, glob = split(text)
    asked = context.asked
    if method in _KINDS:
        found = frozenset(_by_address(asked, NodeKind(method), glob))
    elif not method:
        found = frozenset(_by_any_part(asked, glob)) if glob != "*" else asked.everything
    elif method in _BY_ATTRIBUTE or (method.startswith(CONFIG) and method != CONFIG):
        _check(context, method, glob, fail)
        groups = groups_of(context, method)
        values = _matching(groups, glob)
        found = (
            groups[values[0]]
            if len(values) == 1
            else frozenset().union(*(groups[value] for value in values))
        )
    else:
        raise _no_method(asked, text, method, fail)
    if not found and method not in _MAY_BE_EMPTY and not (method == "" and glob == "*"):
        error = _no_match(context, text, method, glob, fail)
        if context.unmatched is None:
            raise error
        context.unmatched(text, error)
    return found


def _matching(values: Collection[str], glob: str) -> list[str]:
    if is_literal(glob):
        return [glob] if glob in values else []
    match = glob_of(glob).match
    return [value for value in values if match(value)]


def _by_address(asked: Asked, kind: NodeKind, glob: str) -> Iterator[Address]:
    """Yield the nodes of *kind* whose address without its kind matches, or whose API or id does."""
    match = glob_of(glob).match
    for one in asked.graph:
        if one.kind is kind and (
            match(one.api) or (one.name and (match(one.name) or match(f"{one.api}/{one.name}")))
        ):
            yield one


def _by_any_part(asked: Asked, glob: str) -> Iterable[Address]:
    """Return the nodes that match by address, address without kind, or its last part."""
    if is_literal(glob):
        api, _slash, name = glob.partition("/")
        whole = Address.provider(api, name)
        return [*asked.names.get(glob, ()), *([whole] if whole in asked.everything else [])]
    match = glob_of(glob).match
    return [
        one
        for one, text in asked.texts.items()
        if one in asked.everything
        and (match(text) or match(text.partition(":")[2]) or (one.name and match(one.name)))
    ]


def _check(context: Context, method: str, glob: str, fail: Callable[..., QueryError]) -> None:
    if method == "state":
        if context.asked.old is None:
            msg = "'state:' compares with another run config"
            raise fail(msg, "name it: --against OLD, or against=old in Python")
        if not _matching(STATES, glob):
            msg = f"no state '{glob}'"
            raise fail(msg, _near_or_all(glob, STATES))
    if method == "status" and context.status is None:
        msg = "'status:' asks how a run went, and none is given"
        raise fail(msg, "name its events: --status EVENTS, or status={…} in Python")


def _no_method(asked: Asked, text: str, method: str, fail: Callable[..., QueryError]) -> QueryError:
    if method == CONFIG or method == CONFIG.removesuffix("."):
        return fail("'config' needs the path of a key", "write it like config.url:http*")
    if text in asked.names:
        address = asked.names[text][0]
        return fail(f"'{method}' is no method", f"to name the node write '{address}'")
    if method in ("inline", "remote"):
        return fail(f"'{method}' is no method", f"for the provider type write 'type:{text}'")
    return fail(f"no method '{method}'", _near_or_all(method, METHODS))


def _no_match(
    context: Context, text: str, method: str, glob: str, fail: Callable[..., QueryError]
) -> QueryError:
    asked = context.asked
    message = f"no node matches '{text}'"
    off = switched_off(asked.graph, method, glob)
    if off:
        return fail(message, off)
    if method.startswith(CONFIG):
        if groups_of(context, method):
            # Other values are not named: that is what a config's owner decides to show.
            return fail(message, f"the key is there, with other values: try '{method}:*'")
        return fail(message, "no provider's config has that key")
    catalog, api = asked.graph.catalog, glob.partition("/")[0]
    served = groups_of(context, "api")
    if method in ("api", "provider", "router", "table") and api in catalog.apis:
        pair = catalog.pair_of(api)
        if api not in served:
            return fail(message, f"nothing in this config serves {api}")
        if pair is not None and method in ("router", "table"):
            other = pair.router_api if method == "router" else pair.table_api
            return fail(message, f"did you mean '{method}:{other}'?")
    if method in _BY_ATTRIBUTE:
        return fail(message, _near_or_all(glob, groups_of(context, method), f"{method}:"))
    if method:
        known = {str(one) for one in asked.graph if one.kind is NodeKind(method)}
        near = closest(text, known) or closest(glob, {one.name for one in asked.graph if one.name})
    else:
        known = {*map(str, asked.graph), *(one.partition(":")[2] for one in asked.texts.values())}
        near = closest(glob, asked.names) or closest(glob, known)
    return fail(message, f"did you mean '{near[0]}'?" if near else "'*' is all nodes")


def switched_off(graph: RunGraph, method: str, glob: str) -> str:
    """Return that the config names such a provider and leaves it out, and why; empty if not."""
    if method not in ("", "provider"):
        return ""
    match = glob_of(glob).match
    for one in graph.excluded:
        held = placeholders(one.provider_id)
        for name in [one.provider_id, *(placeholder.word for placeholder in held)]:
            if name and (match(name) or match(f"{one.api}/{name}")):
                return f"the config leaves it out: {one.detail}"
    return ""


def _near_or_all(word: str, known: Iterable[str], prefix: str = "") -> str:
    names = sorted(known)
    near = closest(word, names)
    if near:
        return f"did you mean '{prefix}{near[0]}'?"
    if not names:
        return ""
    more = ", …" if len(names) > _MOST_LISTED else ""
    return f"there is {', '.join(names[:_MOST_LISTED])}{more}"


def is_known(graph: RunGraph, text: str) -> bool:
    """Whether a selector that matches nothing here is a name all the same, and no typo."""
    method, glob = split(text)
    catalog = graph.catalog
    if not is_literal(glob) or method in ("kind", "gen") or method.startswith("config."):
        return True
    if method == "type":
        return any(provider_type == glob for _, provider_type in catalog.providers)
    api, slash, _ = glob.partition("/")
    if method in ("api", "router", "table") or slash:
        return api in catalog.apis
    return api in catalog.apis or bool(switched_off(graph, method, glob))
