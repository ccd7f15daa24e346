"""Registers, at run time, what several providers are to serve together."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.resource import Resource, SharedResource
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
        get = self._inventory.get
        before = {one: get(one) for one in self._members_of(resource.identifier)}
        done: list[Any] = []
        try:
            for part in resource.apart():
                done.append(await self._register(part))
        except BaseException:
            for one in map(Key.of, done):
                with suppress(Exception):  # The first error tells why.
                    if one not in before:
                        await self._unregister(*one)
                    elif (entry := before[one]) is not None:
                        await self._register(entry.requested or entry.resource)
            raise
        for one in before.keys() - {*map(Key.of, done)}:
            await self._unregister(*one)
        return resource.together(done) if len(done) > 1 else done[0]

    async def unregister(self, name: str, provider_id: str = "") -> None:
        """Take back what *name* means: of what has members, all of them."""
        is_one = provider_id or self._inventory.names.says_provider(name)
        members = set[Key]() if is_one else self._members_of(name)
        if not members:
            await self._unregister(name, provider_id)
        for one in sorted(members):
            await self._unregister(*one)

    def _members_of(self, identifier: str) -> set[Key]:
        """Return what is to share *identifier*, also what is not served now."""
        return {*self._inventory.names.members_of(identifier)} | {
            key
            for key, one in self._kept.items()
            if key.identifier == identifier and one.content.get("routing")
        }
