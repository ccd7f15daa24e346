"""What the store has of one routing table, as far as it is not served as stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.engine.routing.errors import RegistrationStoreError
from rungraph.engine.routing.names import Key, only_key
from rungraph.engine.routing.registration import Registration
from rungraph.engine.routing.resources import ResourceType, registration_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.routing.names import Names
    from rungraph.engine.routing.store import RegistrationStore


class Kept(dict[Key, Registration]):
    """The registrations that are stored and not served as stored, by key.

    Args:
        name: What the store knows them by, such as the table's API.
        resource_type: Reads what is stored.
        store: Where they are; None for nowhere.

    Attributes:
        refused: Those that their provider did not take.
    """

    def __init__(
        self, name: str, resource_type: ResourceType, store: RegistrationStore | None
    ) -> None:
        super().__init__()
        self._name = name
        self._type = resource_type
        self._store = store
        self._lost: set[Key] = set()  # Those that their provider had and does not list any more.
        self.refused: set[Key] = set()

    async def load(self, apart: Container[Key] = ()) -> None:
        """Read what is stored, and forget what is *apart*.

        Raises:
            RegistrationStoreError: If the store cannot be read.
        """
        for registration in await self._store.load(self._name) if self._store else ():
            key = Key(registration.identifier, registration.provider_id)
            if key in apart:
                await self.forget(key)
            else:
                self[key] = registration

    def keep(self, resource: Resource, *, is_lost: bool = False) -> None:
        """Take note that *resource*, which is stored, is not served any more.

        What is lost is not to be registered again until its provider lists it again.
        """
        key = Key.of(resource)
        self[key] = registration_of(resource, self._name)
        if is_lost:
            self._lost.add(key)

    def find(self, native_ids: Container[str]) -> None:
        """Take note that a provider serves *native_ids*; what was lost may be among them."""
        for key in sorted(self._lost):
            kept = self.get(key)
            if kept is None or self._type.read_stored(kept).native_id in native_ids:
                self._lost.discard(key)

    def meant_by(self, name: str, provider_id: str, others: Names) -> Key | None:
        """Return the one that *name* means; None where it means none, or one of *others*."""
        key = only_key(self, name, provider_id)
        if key is None or provider_id:
            return key
        # What its provider is known not to have is not what calls for its name go to.
        is_others = others.meaning(name) if name == key.qualified else others.has(name)
        return None if is_others else key

    def of_provider(self, provider_id: str) -> list[Registration]:
        """Return what *provider_id* is to serve again."""
        wanted = [key for key in self if key.provider_id == provider_id and key not in self._lost]
        return [self[key] for key in wanted]

    def check(self, resource: Resource) -> None:
        """Raise `UnstorableError` if *resource* would have to be stored and cannot be."""
        if self._store is not None:
            registration_of(resource, self._name)

    async def save(self, resource: Resource) -> None:
        """Store *resource*.

        Raises:
            RegistrationStoreError: If the store does not take it.
            UnstorableError: If it cannot be stored.
        """
        if self._store is not None:
            await self._store.save(registration_of(resource, self._name))

    async def forget(
        self, key: Key, before: Callable[[Registration], Awaitable[None]] | None = None
    ) -> None:
        """Store it no more; it is not here any more while what is to be done *before* goes on.

        Raises:
            RegistrationStoreError: If the store cannot be written; then it is kept.
        """
        kept = self.pop(key, None)
        self.refused.discard(key)
        try:
            if kept is not None and before is not None:
                await before(kept)
            if self._store is not None:
                await self._store.forget(self._name, *key)
        except RegistrationStoreError:
            if kept is not None:
                self[key] = kept
            raise
