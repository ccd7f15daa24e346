"""What a routing table holds and why; every change of it is an event."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rungraph.engine.errors import UnknownResourceError
from rungraph.engine.events import (
    Event,
    RefreshFailed,
    ResourceAdded,
    ResourceRemoved,
    ResourcesChanged,
)
from rungraph.engine.routing.names import Absence, Key, Names
from rungraph.engine.routing.references import References
from rungraph.engine.routing.resources import is_same
from rungraph.engine.waiting import in_slices

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.graph.nodes import TableNode


_MOST_TOLD = 1000
"""How many changes of one provider's resources at once are told one by one."""


def _stopped() -> Absence:
    return Absence("cannot be requested: its table has stopped")


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

    def serves(self, wanted: Resource) -> bool:
        """Whether it is what *wanted* asks for."""
        return is_same(self.resource, wanted) or is_same(self.requested, wanted)


@dataclass(slots=True)
class _Untold:
    """What is told later: how many came and went, and each of the first *events*.

    It is told when the last of the blocks ends that are *open*.
    """

    open: int = 0
    added: int = 0
    removed: int = 0
    events: list[Event] = field(default_factory=list[Event])

    def is_summed_up_with(self, kind: type[Event]) -> bool:
        """Count one more, and return whether they are too many to be told one by one."""
        if kind is ResourceAdded:
            self.added += 1
        else:
            self.removed += 1
        return self.added + self.removed > _MOST_TOLD


class Inventory:
    """The resources of one table, each with its origin; by name those that can be requested now.

    A resource that names something of another table, as a memory bank names its model, can be
    requested as long as that can.

    Args:
        node: The table.
        emit: Takes every change.
        clock: Seconds since the stack began to start.
        tables: The names of every table of the stack, this one's among them.

    Attributes:
        names: The resources by name.
        references: What they name of other tables.
    """

    def __init__(
        self,
        node: TableNode,
        *,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        tables: Mapping[str, Names],
    ) -> None:
        self.names = tables[node.api]
        for key in [key for key, why in self.names.absent.items() if why is _stopped]:
            del self.names.absent[key]
        self.references = References(node.pair, tables, self._look_again)
        self._entries: dict[str, dict[Key, Entry]] = {}  # By provider.
        self._address = node.address
        self._emit = emit
        self._untold: dict[str, _Untold] = {}
        self._clock = clock

    def get(self, key: Key) -> Entry | None:
        """Return the entry of this identity; None if there is none."""
        return self._entries.get(key.provider_id, {}).get(key)

    def entry(self, key: Key) -> Entry:
        """Return the entry of this identity.

        Raises:
            UnknownResourceError: If there is none.
        """
        if (entry := self.get(key)) is None:
            known = tuple(sorted(Key.of(one).qualified for one in self.names))
            raise UnknownResourceError(self.names.noun, key.qualified, known)
        return entry

    def entries_of(self, provider_id: str) -> list[tuple[Key, Entry]]:
        """Return what *provider_id* serves, sorted."""
        entries = self._entries.get(provider_id, {})
        # To compare the pairs themselves would take thousands of them five times as long.
        return sorted(entries.items(), key=lambda one: one[0].identifier)

    def put(self, entry: Entry) -> None:
        """Add *entry*, in place of the one of the same identity."""
        key = Key.of(entry.resource)
        before = self.get(key)
        if entry.requested is None and before is not None:
            entry = entry._replace(requested=before.requested)
        self._entries.setdefault(key.provider_id, {})[key] = entry
        if before is not None and before.resource == entry.resource:
            return
        self.references.follow(key, entry.resource)
        if self._hide(key, entry.resource):
            return
        self.names.put(entry.resource)
        reason = entry.origin.value if before is None else f"{entry.origin.value}, changed"
        self._tell(ResourceAdded, key, reason)

    def remove(self, key: Key, reason: str, absence: Callable[[], Absence] | None = None) -> None:
        """Drop the entry of this identity, which must be there.

        Args:
            key: Which.
            reason: Why, for the event.
            absence: Why it cannot be requested, for those who still ask; None if it is forgotten.
        """
        del self._entries[key.provider_id][key]
        self.names.absent.pop(key, None)
        if absence is not None:
            self.names.absent[key] = absence
        if key in self.names:
            self.names.remove([key])
            self.tell_removed(key, reason)

    def remove_all(
        self, provider_id: str, reason: str, absence: Callable[[], Absence]
    ) -> list[Entry]:
        """Drop what *provider_id* serves, quickly also if that is much, and return it; `remove`."""
        entries = self._entries.pop(provider_id, {})
        offered = sorted(key for key in entries if key in self.names)
        self.names.absent.update(dict.fromkeys(entries, absence))
        self.names.remove(offered)
        with self.together(provider_id):
            for key in offered:
                self.tell_removed(key, reason)
        return list(entries.values())

    async def close(self) -> None:
        """Offer nothing any more, and follow no other table; no event tells of that."""
        self.references.close()
        async for key in in_slices([key for of_one in self._entries.values() for key in of_one]):
            if key in self.names:
                self.names.absent[key] = _stopped
                self.names.remove([key])

    def tell_removed(self, key: Key, reason: str) -> None:
        """Emit that a resource which somebody wants cannot be requested."""
        self._tell(ResourceRemoved, key, reason)

    def tell_failed(self, provider_id: str, error: BaseException) -> None:
        """Emit that *provider_id* failed when it was asked something on the table's own account."""
        self._emit(RefreshFailed(self._clock(), self._address, provider_id, error))

    @contextmanager
    def together(self, provider_id: str) -> Generator[None]:
        """Tell at the end what the block does to the resources of a provider: summed up, if much.

        Of blocks that go on at the same time, as of a provider and its successor, the last tells.
        """
        untold = self._untold.setdefault(provider_id, _Untold())
        untold.open += 1
        try:
            yield
        finally:
            untold.open -= 1
            if not untold.open:
                del self._untold[provider_id]
                self._tell_of(provider_id, untold)

    def _tell_of(self, provider_id: str, untold: _Untold) -> None:
        if untold.added + untold.removed > _MOST_TOLD:
            at, many = self._clock(), (untold.added, untold.removed)
            self._emit(ResourcesChanged(at, self._address, provider_id, *many))
        else:
            for event in untold.events:
                self._emit(event)

    def _tell(self, kind: type[ResourceAdded | ResourceRemoved], key: Key, reason: str) -> None:
        untold = self._untold.get(key.provider_id)
        if untold is not None and untold.is_summed_up_with(kind):
            return
        event = kind(self._clock(), self._address, *key, reason=reason)
        if untold is None:
            self._emit(event)
        else:
            untold.events.append(event)

    def _look_again(self, key: Key) -> None:
        """Offer a resource, or no more: something that it may name of another table has changed."""
        entry = self.get(key)
        if entry is None or self._hide(key, entry.resource) or key in self.names:
            return
        self.names.put(entry.resource)
        reason = f"{entry.origin.value}; what it needs is there"
        self._tell(ResourceAdded, key, reason)

    def _hide(self, key: Key, resource: Resource) -> bool:
        """Take *resource* out of the names if it lacks something; return whether it does."""
        lacking = self.references.lacking(resource)
        if lacking is None:
            return False
        is_news = key not in self.names.absent or key in self.names
        not_yet = Absence("is not there yet")
        self.names.absent[key] = lambda: self.references.lacking(resource) or not_yet
        if key in self.names:
            self.names.remove([key])
        if is_news:
            self.tell_removed(key, f"it {lacking.reason}")
        return True
