"""Routing tables: which resource lives on which provider, now and after a restart."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from rungraph.engine.errors import NotRunningError, UnavailableResourceError
from rungraph.engine.routing.errors import (
    PairError,
    RegistrationRefusedError,
    RegistrationStoreError,
    UnstorableError,
)
from rungraph.engine.routing.inventory import Entry, Inventory, Origin
from rungraph.engine.routing.kept import Kept
from rungraph.engine.routing.names import Absence, Key, Watcher
from rungraph.engine.routing.refreshing import refresh_on
from rungraph.engine.routing.resources import ResourceType, is_same, like
from rungraph.engine.routing.sharing import SharedRegistrations
from rungraph.engine.routing.signatures import methods_of
from rungraph.engine.routing.table_methods import Operation, dressed
from rungraph.engine.routing.unwanted import Unwanted
from rungraph.engine.routing.wanted import Wanted
from rungraph.engine.waiting import in_slices, settled, task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.routing.gate import Gate
    from rungraph.engine.routing.groups import Groups
    from rungraph.engine.routing.members import Member
    from rungraph.engine.routing.membership import Membership
    from rungraph.engine.routing.store import RegistrationStore
    from rungraph.graph.nodes import TableNode


class RoutingTable:
    """The instance of a table API: the methods of the API's Protocol, for one routed pair.

    The methods are named by the pair: for the noun ``model``, ``list_models``, ``get_model``,
    ``register_model`` and ``unregister_model``; of these, the Protocol's are there.

    A name is an identifier that one provider serves, or ``provider_id/identifier``. Registering
    asks the provider first and then takes effect at once, for everyone; a call that already runs
    is not disturbed. What is registered is kept in the store and registered again after a restart,
    unless the run config says something else of it: then the run config's word counts. When the
    provider refuses it then, or no longer serves it at any refresh, or does not run, it is served
    no longer, and is again once the provider has it: only `unregister` and the config forget it.
    """

    def __init__(
        self,
        node: TableNode,
        members: Membership,
        *,
        protocol: type,
        resource_type: ResourceType,
        store: RegistrationStore | None,
        inventory: Inventory,
        groups: Groups,
        absence: Callable[[str], Absence],
    ) -> None:
        self.groups = groups
        self._node = node
        self._members = members
        self._type = resource_type
        self._inventory = inventory
        self._absence = absence
        self.wanted = Wanted(node, inventory.names)
        self._unwanted = Unwanted(node.api, resource_type, store)
        self._kept = Kept(node.api, resource_type, store)
        self._refreshing: asyncio.Task[None] | None = None
        self._is_over = False
        self._has_stopped = f"'{node.address}' has stopped"
        registrations = SharedRegistrations(
            resource_type, self._register, self._unregister, inventory, self._kept
        )
        operations: dict[str, Operation] = {
            f"list_{node.pair.resources}": (self._list, 0),
            f"get_{node.pair.resource}": (self._get, 1),
            f"register_{node.pair.resource}": (registrations.register, 1),
            f"unregister_{node.pair.resource}": (registrations.unregister, 2),
        }
        for method in methods_of(protocol).values():
            setattr(self, method.name, dressed(method, operations, node.api, self._check_open))

    # --- for the engine ------------------------------------------------------------------------

    @property
    def members(self) -> Mapping[str, object]:
        """The providers that run by id, sorted."""
        return self._members.instances

    def member(self, provider_id: str) -> Member:
        """Return a member that runs: its instance, and what knows of its running calls."""
        return self._members[provider_id]

    def resolve(self, name: str) -> Resource:
        """Return the one resource that *name* means.

        Raises:
            UnknownResourceError: If no resource has that name.
            AmbiguousResourceError: If several have it.
        """
        return self._inventory.names.resolve(name)

    def watch(self, watcher: Watcher, members: Callable[[], None]) -> Callable[[], None]:
        """Tell *watcher* which names mean something else, whenever; return what ends that.

        Before, and whenever there are other members, *members* is called.
        """
        ends = self._members.watch(members), self._inventory.names.watch(watcher)
        return lambda: [end() for end in ends].clear()

    def _check_open(self) -> None:
        if self._is_over:
            raise NotRunningError(self._has_stopped)

    def tell_members(self) -> None:
        """Have calls sent to the members with the limits that they have now."""
        self._members.tell()

    def lose(self, provider_id: str, why: NotRunningError) -> None:
        """Offer no more what *provider_id* serves, and tell *why* to those who register with it."""
        if not self._members.leave(provider_id, why):
            return
        self._inventory.names.look_again(provider_id)
        absence = partial(self._absence, provider_id)
        for entry in self._inventory.remove_all(provider_id, str(why), absence):
            if entry.origin.is_stored:
                self._kept.keep(entry.resource)

    async def join(self, provider_id: str, instance: object, gate: Gate | None = None) -> None:
        """Offer what *provider_id* serves: it is new, runs again, or is well again.

        What config and store want from it is registered with it, as at a start.
        """
        before = self._members.get(provider_id)
        member = self._members.enter(provider_id, instance, gate)
        if before not in (None, member):
            await before.aclose()
        await self._refresh_member(member)
        self._inventory.names.look_again(provider_id)

    def keep(self, provider_ids: Collection[str]) -> None:
        """Forget all members but these: the run config has no others now."""
        self._members.keep(provider_ids)

    async def reconfigure(self, node: TableNode) -> None:
        """Offer what the run config now says in *node*.

        Raises:
            PairError: If the config's resources are not valid; then nothing changes.
            LackingError: If a provider does not take one; then the others are offered.
        """
        before = self.wanted.change(node, self._type, self._members.name_for)
        for key in self.wanted.resources:
            await self._unwanted.discard(key)
        self._node, known = node, self._inventory.get
        asked = {one.provider_id for one in self.wanted.resources if not known(one)}
        for key, resource in before.items():
            now, entry = self.wanted.resources.get(key), self._inventory.get(key)
            if now is not None and entry is not None and is_same(now, resource, apart=("routing",)):
                routed = like(entry.resource, now, ("routing",))  # Its provider has it as before.
                self._inventory.put(Entry(routed, entry.origin, now))
            elif now is None or not is_same(now, resource):
                self._inventory.names.forget(key)
                asked.add(key.provider_id)
                if entry is not None:
                    self._inventory.remove(key, "the run config says something else now")
                if entry is not None and now is None:
                    self._unwanted.note(entry.resource)
        await self.refresh(asked)
        self.wanted.check()

    async def start(self, refresh_interval: float | None) -> None:
        """Fill the table, and begin to refresh it if there is an interval."""
        self.wanted.read(self._type, self._members.name_for)
        await self._kept.load(apart=self.wanted.resources)
        await self._unwanted.load({*self.wanted.resources, *self._kept})
        await self.refresh()
        for key in sorted(self.wanted.resources.keys() | self._kept.keys()):
            if key.provider_id not in self._members:
                why = partial(self._absence, key.provider_id)
                self._inventory.names.absent.setdefault(key, why)
                self._inventory.tell_removed(key, "its provider is not running; kept until it is")
        if refresh_interval is not None:
            work = refresh_on(self.refresh, self._members, refresh_interval)
            self._refreshing = task_of(work, f"refresh {self._node.address}")

    async def refresh(self, providers: Container[str] | None = None) -> None:
        """Ask every provider again what it serves, or those of *providers* only.

        What a provider no longer serves goes, what is new comes, and what the run config or the
        store wants from it is registered if it is not there. A provider that fails or does not
        answer in time is told as `RefreshFailed` and keeps the resources that it had.
        """
        there = self._members.there
        asked = [one for one in there if providers is None or one.provider_id in providers]
        await asyncio.gather(*map(self._refresh_member, asked))

    async def shutdown(self) -> None:
        """End the refreshing; the providers and the store are others' to stop."""
        if (task := self.drop()) is not None:
            await asyncio.wait({task})
        await asyncio.gather(*(member.aclose() for member in self._members))
        self.wanted.close()
        self.groups.close()
        await self._inventory.close()

    def drop(self) -> asyncio.Task[None] | None:
        """End the refreshing, and return what is left of it; answer nobody any more."""
        task, self._refreshing, self._is_over = self._refreshing, None, True
        self._members.end(NotRunningError(self._has_stopped))
        if task is not None:
            task.cancel()
        return task

    # --- the API's methods ---------------------------------------------------------------------

    async def _list(self) -> list[Resource]:
        return list(self._inventory.names)

    async def _get(self, name: str) -> Resource | None:
        return self._inventory.names.find(name)

    async def _register(self, resource: Resource) -> Resource:
        async with self._members.turn_of(lambda: self._members.chosen_for(resource)) as member:
            wanted = self._type.read(resource, member.provider_id)
            key = Key.of(wanted)
            entry = self._inventory.get(key)
            if entry is not None and entry.serves(wanted) and key not in self._kept:
                if entry.origin is Origin.LISTED:  # From now on it is also somebody's wish.
                    await self._take_accepted(member, entry.resource, wanted)
                return entry.resource
            if (lacking := self._inventory.references.lacking(wanted)) is not None:
                raise UnavailableResourceError(
                    self._node.pair.noun, key.identifier, (), *lacking[:2]
                )
            self._kept.check(wanted)  # Before the provider has anything of it.
            try:
                accepted = await member.register(wanted)
            except NotRunningError:  # It may have it by now, and list it once it is back.
                if entry is None and key not in self._kept:
                    self._unwanted.note(wanted)
                raise
            await self._take_accepted(member, accepted, wanted)
            return accepted

    async def _take_accepted(self, member: Member, accepted: Resource, wanted: Resource) -> None:
        """Put *accepted* into table and store; if the latter does not take it, all is as before."""
        key = Key.of(accepted)
        before, kept = self._inventory.get(key), self._kept.pop(key, None)
        self._inventory.put(Entry(accepted, Origin.REGISTERED, wanted))
        try:
            await settled(self._store(accepted))
        except (RegistrationStoreError, UnstorableError):
            self._kept.pop(key, None)
            if self._inventory.get(key) is None:  # Its provider has left meanwhile.
                if before is not None and before.origin.is_stored:
                    self._kept.keep(before.resource)
            elif before is None:
                self._inventory.remove(key, "it could not be stored")
            else:
                self._inventory.put(before)
            if kept is not None:
                self._kept[key] = kept
            elif before is None:  # Its provider would list it.
                self._unwanted.note(accepted)
                await self._unwanted.take_back(member)
            raise

    async def _store(self, resource: Resource) -> None:
        await self._kept.save(resource)
        await self._unwanted.discard(Key.of(resource))

    async def _unregister(self, name: str, provider_id: str = "") -> None:
        key = self._kept.meant_by(name, provider_id, self._inventory.names)
        if key is None or self._inventory.get(key) is not None:
            entry = self._inventory.entry(Key(name, provider_id)) if provider_id else None
            key = Key.of(entry.resource if entry else self.resolve(name))
        async with self._members.turn_of(lambda: self._members.get(key.provider_id)) as member:
            is_served = key not in self._kept or self._inventory.get(key) is not None
            if member is not None and is_served:
                entry = self._inventory.entry(key)
                await member.unregister(entry.resource)
                self._inventory.remove(key, "unregistered")
                if entry.origin.is_stored:  # Until it is not: then it is soon offered again.
                    self._kept.keep(entry.resource)
                await settled(self._kept.forget(key))
            else:
                await settled(self._kept.forget(key, self._unwanted.add))
            self._inventory.names.forget(key)
            self.wanted.resources.pop(key, None)
            if member is not None and not member.gate.is_closed:  # Else it is ill, or drained.
                await self._unwanted.take_back(member)

    # --- what config, store and providers say ---------------------------------------------------

    async def _refresh_member(self, member: Member) -> None:
        try:
            async with asyncio.timeout(member.deadline):
                await member.turn.acquire()
        except TimeoutError:  # A registration takes its time.
            self._inventory.tell_failed(member.provider_id, member.busy)
            return
        try:
            await self._ask(member)
            await self._unwanted.take_back(member)
        finally:
            member.settle()

    async def _ask(self, member: Member) -> None:
        """Put into the table what *member* serves, and have it serve what is wanted from it."""
        try:
            listing = await member.listing()
            with self._inventory.together(member.provider_id):
                await self._take_listing(member, listing)
            for wanted, origin in self._missing_of(member):
                await self._adopt(member, wanted, origin)
        except Exception as error:  # noqa: BLE001 (a provider's code may raise anything)
            lacking = [key for key, _ in self.wanted.of_provider(member.provider_id)]
            self._failed(member, error, *(key for key in lacking if not self._inventory.get(key)))

    async def _take_listing(self, member: Member, listing: list[Resource]) -> None:
        """Make the table agree with what *member* says it serves."""
        by, native_ids = member.provider_id, {resource.native_id for resource in listing}
        listed: dict[Key, Resource] = {}
        async for one in in_slices(listing):
            listed.setdefault(Key.of(one), one)
        gone = Absence(f"is served no more by {by!r}", is_past=True)
        async for key, entry in in_slices(self._inventory.entries_of(by)):
            is_gone = entry.origin is Origin.LISTED or entry.resource.native_id not in native_ids
            if key not in listed and is_gone and self._inventory.get(key) is entry:
                reason = "its provider no longer serves it"
                if entry.origin.is_stored:
                    self._kept.keep(entry.resource, is_lost=True)
                    reason += "; kept until it does"
                self._inventory.remove(key, reason, lambda: gone)
        async for key in in_slices(sorted(listed, key=lambda key: key.identifier)):
            resource = listed[key]
            if self._is_listed_at_most(key) and not (member.gone or key in self._unwanted):
                self._inventory.put(Entry(resource, Origin.LISTED))
        await self._unwanted.keep(member, listed)
        self._kept.find(native_ids)

    def _missing_of(self, member: Member) -> list[tuple[Resource, Origin]]:
        """Return what config and store want from *member* and is not in the table for that.

        What it did not answer about comes last: it keeps from nothing else.
        """
        missing = [
            (resource, Origin.CONFIGURED)
            for key, resource in self.wanted.of_provider(member.provider_id)
            if self._is_listed_at_most(key)
        ]
        for registration in self._kept.of_provider(member.provider_id):
            try:
                missing.append((self._type.read_stored(registration), Origin.RESTORED))
            except (PairError, ValueError) as error:
                self._inventory.tell_failed(member.provider_id, error)
        return sorted(missing, key=lambda one: one[0].identifier in member.unanswered)

    def _is_listed_at_most(self, key: Key) -> bool:
        entry = self._inventory.get(key)
        return entry is None or entry.origin is Origin.LISTED

    async def _adopt(self, member: Member, wanted: Resource, origin: Origin) -> None:
        """Have *member* serve what config or store want from it, unless it already does."""
        key = Key.of(wanted)
        try:
            entry = self._inventory.get(key)
            if entry is not None and is_same(entry.resource, wanted):
                accepted = entry.resource
            else:
                accepted = await member.register(wanted)
        except RegistrationRefusedError as error:
            if origin is Origin.CONFIGURED or self._inventory.get(key) is not None:
                self._failed(member, error, key)
            elif key not in self._kept.refused:
                self._inventory.tell_removed(key, f"{error}; kept until it is accepted")
            self._kept.refused.add(key)
        except Exception as error:  # noqa: BLE001 (a provider's code may raise anything)
            self._failed(member, error, key)
        else:
            self._inventory.put(Entry(accepted, origin, wanted))
            self._kept.pop(key, None)
            self._kept.refused.discard(key)
            self.wanted.accept(key)
            await self._unwanted.discard(key)

    def _failed(self, member: Member, error: Exception, *wanted: Key) -> None:
        """Tell why *member* does not serve what is *wanted*; if it has gone, that is told."""
        if member.gone is None:
            for key in wanted:
                self.wanted.deny(key, error)
            self._inventory.tell_failed(member.provider_id, error)
