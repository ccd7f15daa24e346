"""The attributes that queries know nodes by, and which nodes have which value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.address import Address
from rungraph.graph.budgets import MOST_KEPT_ATTRIBUTES
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.query.context import glob_of
from rungraph.graph.query.errors import near_or_all
from rungraph.graph.resources import KnownResources
from rungraph.graph.secrets.keys import NAME_KEYS
from rungraph.graph.secrets.values import scrubbed, secret_values
from rungraph.graph.source.positions import items_of, path_text
from rungraph.graph.variables import readers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.context import Context, Graphs, NodeSet
    from rungraph.graph.query.errors import QueryError

CONFIG: Final = "config."
_MODIFIED: Final = {
    "config": "config",
    "provider_type": "type",
    "resources": "resources",
    "tags": "tags",
}
"""What a change of a node is called, by the first step of what differs."""
STATES: Final = (
    *("new", "modified", "removed", "same", "affected", "modified.edges"),
    *(f"modified.{name}" for name in _MODIFIED.values()),
)
"""The values of ``state:``, which compares with an older graph."""

_INDEX = re.compile(r"\[(\d+|\*)\]")
_ENTRY = re.compile(r'providers(\.[\w-]+|\["[^"]*"\])\[\d+\]')

Values = Iterable[tuple["Address", str]]
"""Each node together with each of its values of an attribute."""


def groups_of(context: Context, name: str) -> Mapping[str, NodeSet]:
    """Return which nodes have which value of an attribute.

    Args:
        context: What is asked.
        name: One of `ATTRIBUTES`, ``status``, ``config.PATH``, a kind of resource, or a kind of
            node: its nodes by what may name them. Empty for all nodes by what may name them.
    """
    graphs = context.graphs
    if name == "status":
        statuses = (context.status or {}).items()
        return _grouped((one, status) for one, status in statuses if one in graphs.nodes)
    if name not in graphs.groups:
        if name.startswith(CONFIG):
            values = _config_values(graphs, name.removeprefix(CONFIG))
        elif name in ATTRIBUTES:
            values = ATTRIBUTES[name](graphs)
        elif name in resource_kinds(graphs.new):
            values = _resources(graphs, name)
        else:
            values = _names(graphs, name)
        if len(graphs.groups) >= MOST_KEPT_ATTRIBUTES:
            graphs.groups.clear()
        graphs.groups[name] = _grouped(values)
        context.work.visited += 4 * graphs.size
    return graphs.groups[name]


def _grouped(values: Values) -> Mapping[str, NodeSet]:
    found: dict[str, set[Address]] = {}
    for address, value in values:
        found.setdefault(value, set()).add(address)
    return {value: frozenset(addresses) for value, addresses in found.items()}


def _names(graphs: Graphs, kind: str) -> Values:
    """Yield nodes of the graph with what names them: address without kind, id, API or address."""
    for address in graphs.new:
        if kind in ("", address.kind):
            yield address, graphs.texts[address].partition(":")[2]
            yield address, address.api if kind else graphs.texts[address]
            if address.name:
                yield address, address.name


def _of_address(part: Callable[[Address], str]) -> Callable[[Graphs], Values]:
    return lambda graphs: ((address, part(address)) for address in graphs.nodes)


def _of_provider(values: Callable[[ProviderNode], Iterable[str]]) -> Callable[[Graphs], Values]:
    return lambda graphs: (
        (address, value)
        for address, node in graphs.nodes.items()
        if isinstance(node, ProviderNode)
        for value in values(node)
    )


def _apis(graphs: Graphs) -> Values:
    for address, node in graphs.nodes.items():
        yield address, node.api
        if isinstance(node, TableNode):
            yield address, node.pair.router_api


def _generations(graphs: Graphs) -> Values:
    return ((one, str(graphs.new.generation_of(one))) for one in graphs.new)


def _states(graphs: Graphs) -> Values:
    if graphs.old is None:
        return
    from rungraph.graph.diff import diff_graphs

    diff = diff_graphs(graphs.old, graphs.new)
    for address, states in diff.states.items():
        for state in states:
            yield address, state
    for node in diff.nodes:
        if node.change == "changed":
            for fact in node.facts:
                if fact.path[0] in _MODIFIED:
                    yield node.address, f"modified.{_MODIFIED[str(fact.path[0])]}"
    for edge in diff.edges:
        if edge.dependent in graphs.nodes:
            yield edge.dependent, "modified.edges"


def _files(graphs: Graphs) -> Values:
    for address, node in graphs.nodes.items():
        if isinstance(node, ProviderNode) and node.place is not None:
            yield address, node.place.file


def _strengths(graphs: Graphs) -> Values:
    for edge in (*graphs.new.edges, *graphs.new.dropped):
        yield edge.dependent, edge.strength.value


def _evidence(graphs: Graphs) -> Values:
    for edge in (*graphs.new.edges, *graphs.new.dropped):
        for one in edge.evidence:
            yield edge.dependent, one.rule


def resource_kinds(graph: RunGraph) -> frozenset[str]:
    """Return what the resources of the catalog's tables are called, such as ``model``."""
    return frozenset(pair.resource for pair in graph.catalog.pairs)


def _resources(graphs: Graphs, kind: str) -> Values:
    """Yield each provider with the resources of a kind that it is known to serve."""
    for one in KnownResources(graphs.nodes).needs:
        if one.kind == kind and one.provider in graphs.nodes:
            yield one.provider, one.identifier


def _variables(graphs: Graphs) -> Values:
    for name, readers in readers_of(graphs.new).items():
        for reader in readers:
            if isinstance(reader, Address):
                yield reader, name


def _errors(graphs: Graphs) -> Values:
    owner_of = _owners(graphs)
    for one in graphs.new.diagnostics:
        address = one.address or owner_of(one.path)
        if address is not None and address in graphs.nodes:
            yield address, one.code
            yield address, one.severity.value


def _owners(graphs: Graphs) -> Callable[[str], Address | None]:
    """Return a function from a path into the config to the provider whose entry holds it."""
    owners = {
        path_text(node.path): address
        for address, node in graphs.nodes.items()
        if isinstance(node, ProviderNode)
    }

    def owner_of(path: str) -> Address | None:
        entry = _ENTRY.match(path)
        return owners.get(entry[0]) if entry else None

    return owner_of


ATTRIBUTES: Final[Mapping[str, Callable[[Graphs], Values]]] = {
    "api": _apis,
    "env": _variables,
    "error": _errors,
    "evidence": _evidence,
    "file": _files,
    "gen": _generations,
    "id": _of_address(lambda address: address.name or address.api),
    "kind": _of_address(lambda address: address.kind.value),
    "module": _of_provider(lambda node: (node.spec.module,) if node.spec else ()),
    "state": _states,
    "strength": _strengths,
    "tag": _of_provider(lambda node: node.masked_tags),
    "type": _of_provider(lambda node: (node.provider_type,)),
}
"""The functions that yield the nodes with their values, by attribute; ``config.PATH`` is apart."""


def check_attribute(context: Context, name: str, fail: Callable[..., QueryError]) -> None:
    """Check that there is an attribute *name*, and what it compares with.

    Raises:
        QueryError: If there is none, made by *fail* from a message and hints.
    """
    known = (*ATTRIBUTES, "status")
    if name not in known and (name == CONFIG or not name.startswith(CONFIG)):
        msg = f"no attribute '{name}'"
        names = (*sorted(known), f"{CONFIG}PATH")
        raise fail(msg, near_or_all(name, names, most=len(names)))
    if name == "state" and context.graphs.old is None:
        msg = "'state:' compares with another run config"
        raise fail(msg, "name it: --against OLD, or against=old in Python")
    if name == "status" and context.status is None:
        msg = "'status:' asks how a run went, and none is given"
        raise fail(msg, "name its events: --status EVENTS, or status={…} in Python")


def _config_values(graphs: Graphs, path: str) -> Values:
    steps = [glob_of(step) for step in _INDEX.sub(r".\1", path).split(".")]
    for address, node in graphs.nodes.items():
        if not isinstance(node, ProviderNode) or not any(_leaves(node.config, steps)):
            continue
        secrets = node.spec.secrets if node.spec else ()
        # Masking is slow, so it is done to what the first step leads into, and to the keys beside
        # it that say whether that is a secret. No query finds out letter by letter what is hidden.
        written, config = (
            {
                key: one
                for key, one in whole.items()
                if steps[0].match(str(key)) or str(key).lower() in NAME_KEYS
            }
            for whole in (node.written, node.config)
        )
        texts = {_text(value) for [value] in _leaves(node.masked(written), steps)}
        if config != written:
            hidden = secret_values(written, config, secrets=secrets)
            source = graphs.new if graphs.old is None or address in graphs.new else graphs.old
            for [value] in _leaves(node.masked(config), steps):
                # A variable can be secret elsewhere, by the key that it stands under there.
                texts.add(source.scrubbed(scrubbed(_text(value), hidden)))
        for text in texts:
            yield address, text


def _leaves(value: Any, steps: Sequence[re.Pattern[str]]) -> Iterator[tuple[Any]]:
    """Yield the values that *steps* lead to, each in a tuple of its own."""
    if not steps:
        yield (value,)
        return
    for key, item in items_of(value):
        if steps[0].match(str(key)):
            yield from _leaves(item, steps[1:])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
