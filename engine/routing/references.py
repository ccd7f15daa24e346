"""What resources name of other tables, and whether it can be requested now."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from rungraph.engine.errors import (
    AmbiguousResourceError,
    RoutingError,
    UnavailableResourceError,
)
from rungraph.engine.routing.names import Absence, Key, Names
from rungraph.graph.address import Address
from rungraph.graph.nodes import TableNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.graph.catalog.specs import RoutedPair
    from rungraph.graph.model import RunGraph


def known_names(graph: RunGraph, absence: Callable[..., Absence]) -> dict[str, Names]:
    """Return the names of every table of *graph*; what is known of them is not there yet.

    Args:
        graph: The graph.
        absence: Called with a provider, and with ``is_known=False`` where it only may serve what is
            asked for; returns why that cannot be requested.
    """
    known = graph.known_resources
    found: dict[str, Names] = {}
    for node in graph.nodes.values():
        if isinstance(node, TableNode):
            names = found[node.api] = Names(node.pair.noun)
            for one in known.of_table(node):
                key = Key(one.identifier, one.provider.name)
                names.absent[key] = partial(absence, one.provider)
    for reference in known.references():
        for provider in reference.candidates:
            if isinstance(provider, Address):
                key = Key(reference.name.removeprefix(f"{provider.name}/"), provider.name)
                absent = found[reference.table.api].absent
                absent.setdefault(key, partial(absence, provider, is_known=False))
    return found


class References:
    """The names in the resources of one table that mean resources of other tables.

    Args:
        pair: The pair of the table, which says what the fields with such names are.
        tables: The names of every table that the stack has, by table API. What a field names of a
            table that the stack does not have is its provider's own affair.
        changed: Told which resource to look at again.
    """

    def __init__(
        self, pair: RoutedPair, tables: Mapping[str, Names], changed: Callable[[Key], None]
    ) -> None:
        self._tables = {
            field: tables[api] for field, api in pair.references.items() if api in tables
        }
        self._changed = changed
        self._users: dict[str, defaultdict[str, set[Key]]] = {
            field: defaultdict(set) for field in self._tables
        }
        self._unwatch = [
            names.watch(partial(self._look_again, field)) for field, names in self._tables.items()
        ]

    def close(self) -> None:
        """Follow the other tables no more."""
        while self._unwatch:
            self._unwatch.pop()()

    def follow(self, key: Key, resource: Resource) -> None:
        """Have *changed* called with *key* whenever something that *resource* names changes."""
        for field, _, name in self._named(resource):
            self._users[field][name].add(key)

    def lacking(self, resource: Resource) -> Absence | None:
        """Return what *resource* names and cannot be requested; None if there is nothing."""
        for _, names, name in self._named(resource):
            try:
                names.resolve(name)
            except UnavailableResourceError as error:
                reason = f"needs {names.noun} {name!r}, which {error.reason}"
                return Absence(reason, error.retry_after)
            except AmbiguousResourceError as error:
                count = len(error.choices)
                reason = f"needs {names.noun} {name!r}, which is served by {count} providers"
                return Absence(reason)
            except RoutingError:
                return Absence(f"needs {names.noun} {name!r}, which is not registered")
        return None

    def _named(self, resource: Resource) -> Iterator[tuple[str, Names, str]]:
        for field, names in self._tables.items():
            value: object = getattr(resource, field, None)
            several = value if isinstance(value, list | tuple) else [value]
            yield from ((field, names, name) for name in several if isinstance(name, str) and name)

    def _look_again(self, field: str, names: set[str]) -> None:
        users = self._users[field]
        for key in sorted({key for name in users.keys() & names for key in users[name]}):
            self._changed(key)
