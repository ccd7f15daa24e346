"""The providers of a routing table: which are there, and why others are not."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from rungraph.engine.routing.errors import ProviderNeededError, UnknownProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.errors import NotRunningError
    from rungraph.engine.routing.gate import Gate
    from rungraph.engine.routing.members import Member
    from rungraph.graph.catalog.specs import RoutedPair

_Chosen = TypeVar("_Chosen", bound="Member | None")


class Membership:
    """The members of a table by id; calls are sent to those that are there.

    Args:
        members: Those that are there.
        admit: Makes a member of a provider's id, its instance and its gate.
        pair: The routed pair of the table.
    """

    def __init__(
        self,
        members: Mapping[str, Member],
        admit: Callable[[str, object, Gate | None], Member],
        pair: RoutedPair,
    ) -> None:
        self._members = dict(members)
        self._admit = admit
        self._pair = pair
        self._away: dict[str, NotRunningError] = {}
        self._watchers: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._members.values()))

    def __contains__(self, provider_id: str) -> bool:
        return provider_id in self._members

    def __getitem__(self, provider_id: str) -> Member:
        return self._members[provider_id]

    def get(self, provider_id: str) -> Member | None:
        """Return the member of this id, there or not; None if there never was one."""
        return self._members.get(provider_id)

    @property
    def there(self) -> list[Member]:
        """The members that are there, sorted by id."""
        names = sorted(self._members.keys() - self._away.keys())
        return [self._members[name] for name in names]

    @property
    def instances(self) -> dict[str, object]:
        """The instances of those that are there, by id, sorted."""
        return {member.provider_id: member.instance for member in self.there}

    def check_there(self, provider_id: str) -> None:
        """Raise why the provider is not there, if that is known."""
        if (why := self._away.get(provider_id)) is not None:
            # It is raised again and again: each time anew, as far as tracebacks go.
            raise why.with_traceback(None) from None

    def leave(self, provider_id: str, why: NotRunningError) -> bool:
        """Take note of *why* a provider is not there; return whether it was until now."""
        was_there = provider_id in self._members and provider_id not in self._away
        self._away[provider_id] = why
        if was_there:
            self._members[provider_id].leave(why)
            self.tell()
        return was_there

    def end(self, why: NotRunningError) -> None:
        """Ask no member anything any more because of *why*, and wait for nothing."""
        for member in self._members.values():
            member.end(why)

    def enter(self, provider_id: str, instance: object, gate: Gate | None) -> Member:
        """Return the new member of this id, or the one that stands for *instance* already."""
        before = self._members.get(provider_id)
        if before is not None and before.gone is None and before.instance is instance:
            return before  # Two at a time would undo what each other has registered.
        member = self._members[provider_id] = self._admit(provider_id, instance, gate)
        member.is_joining = True
        self._away.pop(provider_id, None)
        self.tell()
        return member

    @asynccontextmanager
    async def turn_of(self, choose: Callable[[], _Chosen]) -> AsyncGenerator[_Chosen]:
        """Hand out the member that *choose* returns, if any, once it is that one's turn."""
        while (member := choose()) is not None:
            async with member.turn:
                if choose() is member:  # Another may stand in for it by now.
                    yield member
                    return
        yield member

    def keep(self, provider_ids: Collection[str]) -> None:
        """Forget all members but these."""
        before = self._members
        self._members = {one: member for one, member in before.items() if one in provider_ids}
        if len(self._members) < len(before):
            self.tell()

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call *watcher* now and whenever others are there; return what ends that."""
        watcher()
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def tell(self) -> None:
        """Have calls sent to those that are there."""
        for watcher in self._watchers:
            watcher()

    def chosen_for(self, resource: Resource) -> Member:
        """Return the member that *resource* names, or the only one there is.

        Raises:
            ProviderNeededError: If it names none, and there is not exactly one.
            UnknownProviderError: If there is none of that name.
            NotRunningError: If it is not there now.
        """
        name = self.name_for(resource)
        if name not in self._members:
            names = tuple(sorted(self._members))
            raise UnknownProviderError(name, self._pair.router_api, names)
        self.check_there(name)
        return self._members[name]

    def name_for(self, resource: Resource) -> str:
        """Return the provider that *resource* names, or the only one there is.

        Raises:
            ProviderNeededError: If it names none, and there is not exactly one.
        """
        names = tuple(sorted(self._members))
        if not resource.provider_id and len(names) != 1:
            noun, way_out = self._pair.noun, "name one of them as provider_id"
            purpose = f"that {noun} {resource.identifier!r} could be registered with"
            raise ProviderNeededError(purpose, names, way_out)
        return resource.provider_id or names[0]
