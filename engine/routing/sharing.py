"""Registers, at run time, what several providers are to serve together."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.resource import Resource, SharedResource
from rungraph.engine.routing.errors import PairError
from rungraph.engine.routing.names import Key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rungraph.engine.routing.inventory import Inventory
    from rungraph.engine.routing.registration import Registration
    from rungraph.engine.routing.resources import ResourceType


class SharedRegistrations:
    """Takes registrations apart: each member is registered with its provider, as any resource is.

    So a member is kept, restored, refused and given up like what one provider serves alone.

    Args:
        resource_type: Reads what is registered.
        register: Registers one resource with its provider.
        unregister: Takes one back.
        inventory: What is served.
        kept: What is stored and not served now.
    """

    def __init__(
        self,
        resource_type: ResourceType,
        register: Callable[[Resource], Awaitable[Resource]],
        unregister: Callable[[str, str], Awaitable[None]],
        inventory: Inventory,
        kept: Mapping[Key, Registration],
    ) -> None:
        self._type = resource_type
        self._register = register
        self._unregister = unregister
        self._inventory = inventory
        self._kept = kept

    async def register(self, value: object) -> Resource:
        """Register a resource with its provider, or with all of its members; or with none."""
        resource = self._type.read(value)
        if not isinstance(resource, SharedResource) or resource.members is None:
            return await self._register(resource)
        before = {one: self._wish(one) for one in self._members_of(resource.identifier)}
        done: list[Any] = []
        changed: list[Key] = []
        try:
            for part in resource.apart():
                done.append(await self._register(part))
                changed.append(Key.of(done[-1]))
            for one in sorted(before.keys() - {*changed}):
                await self._unregister(*one)
                changed.append(one)
        except BaseException:
            for one in changed:
                with suppress(Exception):  # The first error tells why.
                    if one not in before:
                        await self._unregister(*one)
                    elif (wish := before[one]) is not None:
                        await self._register(wish)
            raise
        return resource.together(done) if len(done) > 1 else done[0]

    async def unregister(self, name: str, provider_id: str = "") -> None:
        """Take back what *name* means: of what has members, all of them."""
        is_one = provider_id or self._inventory.names.says_provider(name)
        members = set[Key]() if is_one else self._members_of(name)
        if not members:
            await self._unregister(name, provider_id)
        for one in sorted(members):
            await self._unregister(*one)

    def _wish(self, key: Key) -> Resource | None:
        """Return what was asked for under *key*, served now or not; None if it cannot be read."""
        if (entry := self._inventory.get(key)) is not None:
            return entry.requested or entry.resource
        try:
            return self._type.read_stored(self._kept[key])
        except (PairError, ValueError):
            return None

    def _members_of(self, identifier: str) -> set[Key]:
        """Return what is to share *identifier*, also what is not served now."""
        return {*self._inventory.names.members_of(identifier)} | {
            key
            for key, one in self._kept.items()
            if key.identifier == identifier and one.content.get("routing")
        }
