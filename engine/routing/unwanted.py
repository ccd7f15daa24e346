"""What providers of a table are to give up and have not: it is listed, and not offered."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rungraph.engine.routing.errors import PairError, RegistrationStoreError, UnstorableError
from rungraph.engine.routing.kept import Kept
from rungraph.engine.routing.names import Key

if TYPE_CHECKING:
    from collections.abc import Container

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.routing.members import Member
    from rungraph.engine.routing.registration import Registration
    from rungraph.engine.routing.resources import ResourceType
    from rungraph.engine.routing.store import RegistrationStore


class Unwanted:
    """The unwanted resources of one table; a restart does not bring them back.

    Args:
        table_api: The table's API.
        resource_type: Reads what is stored.
        store: Where they are kept, apart from registrations; None to forget them.
    """

    def __init__(
        self, table_api: str, resource_type: ResourceType, store: RegistrationStore | None
    ) -> None:
        # No API is called so: earlier versions, which do not know of them, pass over them.
        self._stored = Kept(f"{table_api}, unwanted", resource_type, store)
        self._type = resource_type
        self._resources: dict[Key, Resource] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._resources

    async def load(self, wanted: Container[Key]) -> None:
        """Read what earlier processes could not have given up, but for what is *wanted* by now.

        Raises:
            RegistrationStoreError: If the store cannot be read.
        """
        await self._stored.load(apart=wanted)
        for registration in self._stored.values():
            self._note(registration)

    def note(self, resource: Resource) -> None:
        """Take note that nobody wants *resource*; its provider is asked to give it up soon."""
        self._resources[Key.of(resource)] = resource

    async def add(self, registration: Registration) -> None:
        """Want what was registered no more, also after a restart.

        Raises:
            RegistrationStoreError: If that cannot be stored; then it is as before.
        """
        if (key := self._note(registration)) is None:
            return  # Another version has written it, and it was not served.
        try:
            await self._stored.save(self._resources[key])
        except RegistrationStoreError:
            self._resources.pop(key, None)
            raise

    async def discard(self, key: Key) -> None:
        """Take note that it is wanted, or that its provider has given it up."""
        if self._resources.pop(key, None) is not None:
            with suppress(RegistrationStoreError):  # At worst, its provider is asked once more.
                await self._stored.forget(key)

    async def take_back(self, member: Member) -> None:
        """Have *member*, whose turn it is, give up what it is to.

        What it cannot be asked now, it is asked later.
        """
        for key in self._of(member):
            if (resource := self._resources.get(key)) is None:  # It is wanted by now.
                continue
            if await member.give_up(resource):
                await self.discard(key)
                continue
            if self._resources.pop(key, None) is None:
                continue
            self._resources[key] = resource  # One that hangs is asked last.
            with suppress(RegistrationStoreError, UnstorableError):  # Until the process ends.
                await self._stored.save(resource)

    async def keep(self, member: Member, listed: Container[Key]) -> None:
        """Forget what *member* was to give up, but for what it has *listed*."""
        for key in self._of(member):
            if key not in listed:
                await self.discard(key)

    def _of(self, member: Member) -> list[Key]:
        return [key for key in self._resources if key.provider_id == member.provider_id]

    def _note(self, registration: Registration) -> Key | None:
        try:
            resource = self._type.read_stored(registration)
        except (PairError, ValueError):
            return None
        self.note(resource)
        return Key.of(resource)
