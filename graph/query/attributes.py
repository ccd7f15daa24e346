"""The attributes that queries know nodes by, and which nodes have which value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.query.asked import glob_of
from rungraph.graph.secrets.values import NAME_KEYS, masked, scrubbed, secret_values
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.query.asked import Asked, NodeSet
    from rungraph.graph.query.context import Context

CONFIG: Final = "config."
STATES: Final = ("new", "modified", "removed", "same", "affected")
"""What ``state:`` tells of a node when a graph is compared with an older one."""

_INDEX = re.compile(r"\[(\d+|\*)\]")
_STEP_START = re.compile(r"[.\[]")

Values = Iterable[tuple["Address", str]]
"""Each node together with each of its values of an attribute."""


def groups_of(context: Context, name: str) -> Mapping[str, NodeSet]:
    """Return which nodes have which value of an attribute.

    Args:
        context: What is asked; ``status`` comes from it, all else from its graph.
        name: One of `ATTRIBUTES`, or ``config.PATH``.
    """
    asked = context.asked
    if name == "status":
        statuses = (context.status or {}).items()
        return _grouped((one, status) for one, status in statuses if one in asked.nodes)
    if name not in asked.groups:
        if name.startswith(CONFIG):
            asked.groups[name] = _grouped(_config_values(asked, name.removeprefix(CONFIG)))
        else:
            asked.groups[name] = _grouped(ATTRIBUTES[name](asked))
    return asked.groups[name]


def _grouped(values: Values) -> Mapping[str, NodeSet]:
    found: dict[str, set[Address]] = {}
    for address, value in values:
        found.setdefault(value, set()).add(address)
    return {value: frozenset(addresses) for value, addresses in found.items()}


def _of_address(part: Callable[[Address], str]) -> Callable[[Asked], Values]:
    return lambda asked: ((address, part(address)) for address in asked.nodes)


def _of_provider(values: Callable[[ProviderNode], Iterable[str]]) -> Callable[[Asked], Values]:
    return lambda asked: (
        (address, value)
        for address, node in asked.nodes.items()
        if isinstance(node, ProviderNode)
        for value in values(node)
    )


def _apis(asked: Asked) -> Values:
    for address, node in asked.nodes.items():
        yield address, node.api
        if isinstance(node, TableNode):
            yield address, node.pair.router_api


def _generations(asked: Asked) -> Values:
    return ((one, str(asked.graph.generation_of(one))) for one in asked.graph)


def _states(asked: Asked) -> Values:
    if asked.old is None:
        return
    from rungraph.graph.diff import diff_graphs

    for address, states in diff_graphs(asked.old, asked.graph).states.items():
        for state in states:
            yield address, state


def _variables(asked: Asked) -> Values:
    owner_of = _owners(asked)
    for use in asked.graph.variables:
        if owner := owner_of(use.path):
            yield owner, use.name


def _errors(asked: Asked) -> Values:
    owner_of = _owners(asked)
    for one in asked.graph.diagnostics:
        address = one.address or owner_of(one.path)
        if address is not None and address in asked.nodes:
            yield address, one.code
            yield address, one.severity.value


def _owners(asked: Asked) -> Callable[[str], Address | None]:
    """Return what tells which provider's entry holds a path into the config."""
    owners = {
        path_text(node.path): address
        for address, node in asked.nodes.items()
        if isinstance(node, ProviderNode) and node.path
    }

    def owner_of(path: str) -> Address | None:
        ends = [*(match.start() for match in _STEP_START.finditer(path)), len(path)]
        return next((owners[path[:end]] for end in ends if path[:end] in owners), None)

    return owner_of


ATTRIBUTES: Final[Mapping[str, Callable[[Asked], Values]]] = {
    "api": _apis,
    "env": _variables,
    "error": _errors,
    "gen": _generations,
    "id": _of_address(lambda address: address.name or address.api),
    "kind": _of_address(lambda address: address.kind.value),
    "module": _of_provider(lambda node: (node.spec.module,) if node.spec else ()),
    "state": _states,
    "tag": _of_provider(lambda node: node.tags),
    "type": _of_provider(lambda node: (node.provider_type,)),
}
"""What gives each node together with each of its values, by attribute."""


def _config_values(asked: Asked, path: str) -> Values:
    steps = [glob_of(step) for step in _INDEX.sub(r".\1", path).split(".")]
    for address, node in asked.nodes.items():
        if not isinstance(node, ProviderNode) or not any(_leaves(node.config, steps)):
            continue
        # Not the value alone is masked: what stands around it tells whether it is a secret. A query
        # must not find out letter by letter what is never shown.
        secrets = node.spec.secrets if node.spec else ()
        written, config = (_part(one, steps[0]) for one in (node.written, node.config))
        texts = {_text(value) for [value] in _leaves(masked(written, secrets=secrets), steps)}
        if config != written:
            hidden = secret_values(written, config, secrets=secrets)
            for [value] in _leaves(masked(config, secrets=secrets), steps):
                texts.add(scrubbed(_text(value), hidden))
        for text in texts:
            yield address, text


def _part(config: Mapping[str, Any], step: re.Pattern[str]) -> dict[str, Any]:
    """Return what *step* leads into, and the keys beside it that tell of secrets.

    Masking is slow, and the rest of a large config has no say in it.
    """
    return {key: one for key, one in config.items() if step.match(str(key)) or key in NAME_KEYS}


def _leaves(value: Any, steps: Sequence[re.Pattern[str]]) -> Iterator[tuple[Any]]:
    """Yield the values that *steps* lead to, each in a tuple of its own."""
    if not steps:
        yield (value,)
        return
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        if steps[0].match(str(key)):
            yield from _leaves(item, steps[1:])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
