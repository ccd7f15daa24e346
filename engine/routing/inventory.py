"""What a routing table holds and why; every change of it is an event."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

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


class Inventory:
    """The resources that can be requested now, by name, each with its origin.

    Attributes:
        names: The resources by name.
    """

    def __init__(
        self, node: TableNode, *, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self.names = Names(node.pair.noun)
        self._origins: dict[Key, Origin] = {}
        self._requested: dict[Key, Resource] = {}
        self._address = node.address
        self._emit = emit
        self._clock = clock

    def get(self, key: Key) -> Resource | None:
        """Return the resource of this identity; None if there is none."""
        return self.names.get(key)

    def origin_of(self, key: Key) -> Origin | None:
        """Return why the resource is there; None if it is not."""
        return self._origins.get(key)

    def requested_as(self, key: Key) -> Resource | None:
        """Return the resource as it was asked for, which its provider may have completed."""
        return self._requested.get(key)

    def keys_of(self, provider_id: str) -> list[Key]:
        """Return what *provider_id* serves, sorted."""
        return sorted(key for key in self._origins if key.provider_id == provider_id)

    def put(self, resource: Resource, origin: Origin, requested: Resource | None = None) -> None:
        """Add *resource*, in place of the one of the same identity."""
        key = Key.of(resource)
        before = self.names.get(key)
        self._origins[key] = origin
        if requested is not None:
            self._requested[key] = requested
        if before == resource:
            return
        self.names.put(resource)
        reason = origin.value if before is None else f"{origin.value}, changed"
        self._emit(ResourceAdded(self._clock(), self._address, *key, reason=reason))

    def remove(self, key: Key, reason: str) -> None:
        """Drop the resource of this identity, which must be there."""
        self.names.remove(key)
        del self._origins[key]
        self._requested.pop(key, None)
        self.tell_removed(key, reason)

    def tell_removed(self, key: Key, reason: str) -> None:
        """Tell that a resource which somebody wants cannot be requested."""
        self._emit(ResourceRemoved(self._clock(), self._address, *key, reason=reason))

    def tell_failed(self, provider_id: str, error: BaseException) -> None:
        """Tell that *provider_id* failed when it was asked something on the table's own account."""
        self._emit(RefreshFailed(self._clock(), self._address, provider_id, error))
