"""What a routing table holds and why; every change of it is an event."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rungraph.engine.events import Event, RefreshFailed, ResourceAdded, ResourceRemoved
from rungraph.engine.routing.names import Key, Names

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.apis.resource import Resource
    from rungraph.graph.nodes import TableNode


class Origin(StrEnum):
    """Why a resource is in a table."""

    LISTED = "listed by its provider"
    CONFIGURED = "registered by the run config"
    REGISTERED = "registered"
    RESTORED = "registered before the restart"

    @property
    def is_stored(self) -> bool:
        """Whether the store keeps such resources."""
        return self in (Origin.REGISTERED, Origin.RESTORED)


class Entry(NamedTuple):
    """One resource of a table.

    Attributes:
        resource: The resource as its provider serves it.
        origin: Why it is there.
        requested: The resource as it was asked for, which its provider may have completed.
    """

    resource: Resource
    origin: Origin
    requested: Resource | None = None


class Inventory:
    """The resources that can be requested now, by name, each with its origin.

    Attributes:
        names: The resources by name.
    """

    def __init__(
        self, node: TableNode, *, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self.names = Names(node.pair.noun)
        self._entries: dict[Key, Entry] = {}
        self._address = node.address
        self._emit = emit
        self._clock = clock

    def get(self, key: Key) -> Entry | None:
        """Return the entry of this identity; None if there is none."""
        return self._entries.get(key)

    def entries_of(self, provider_id: str) -> list[tuple[Key, Entry]]:
        """Return what *provider_id* serves, sorted."""
        return sorted(one for one in self._entries.items() if one[0].provider_id == provider_id)

    def put(self, entry: Entry) -> None:
        """Add *entry*, in place of the one of the same identity."""
        key = Key.of(entry.resource)
        before = self._entries.get(key)
        if entry.requested is None and before is not None:
            entry = entry._replace(requested=before.requested)
        self._entries[key] = entry
        if before is not None and before.resource == entry.resource:
            return
        self.names.put(entry.resource)
        reason = entry.origin.value if before is None else f"{entry.origin.value}, changed"
        self._emit(ResourceAdded(self._clock(), self._address, *key, reason=reason))

    def remove(self, key: Key, reason: str) -> None:
        """Drop the entry of this identity, which must be there."""
        self.names.remove(key)
        del self._entries[key]
        self.tell_removed(key, reason)

    def tell_removed(self, key: Key, reason: str) -> None:
        """Emit that a resource which somebody wants cannot be requested."""
        self._emit(ResourceRemoved(self._clock(), self._address, *key, reason=reason))

    def tell_failed(self, provider_id: str, error: BaseException) -> None:
        """Emit that *provider_id* failed when it was asked something on the table's own account."""
        self._emit(RefreshFailed(self._clock(), self._address, provider_id, error))
