"""What a run config wants a table to offer, and what became of that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from rungraph.engine.errors import describe
from rungraph.engine.routing.errors import LackingError, PairError, ProviderNeededError
from rungraph.engine.routing.names import Key
from rungraph.graph.groups import member_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.routing.names import Names
    from rungraph.engine.routing.resources import ResourceType
    from rungraph.graph.nodes import TableNode


class Wanted:
    """The resources that the run config registers in one table.

    Args:
        node: The table.
        names: What callers can request of it.

    Attributes:
        resources: The resources, until somebody unregisters them.
    """

    def __init__(self, node: TableNode, names: Names) -> None:
        self._node = node
        self._names = names
        self._denied: dict[Key, BaseException] = {}
        # What the latest change came from, unless it went back, and what nobody took before.
        self._left: TableNode | None = None
        self._lacked: dict[Key, Resource] = {}
        self.resources: dict[Key, Resource] = {}
        self._identifiers: frozenset[str] = frozenset()
        self._unfollow: Callable[[], None] = lambda: None
        self._look: Callable[[], None] = lambda: None

    def read(self, resource_type: ResourceType, only_provider: Callable[[Resource], str]) -> None:
        """Read them from the config; *only_provider* tells whose one is that names no provider.

        Raises:
            PairError: If some are not valid; with all of them.
        """
        problems: list[str] = []
        several = member_groups(self._node.resources)
        for entry in self._node.resources:
            if entry.identifier not in several:
                entry = replace(entry, routing=None)
            try:
                resource = resource_type.read_config(entry)
                if not resource.provider_id:
                    resource = resource_type.read(resource, only_provider(resource))
            except (PairError, ProviderNeededError) as error:
                problems.append(str(error))
            else:
                self.resources[Key.of(resource)] = resource
        if problems:
            raise PairError("\n".join(problems))
        self._identifiers = frozenset(key.identifier for key in self.resources)

    def change(
        self,
        node: TableNode,
        resource_type: ResourceType,
        only_provider: Callable[[Resource], str],
    ) -> dict[Key, Resource]:
        """Want what *node* now says; return what was wanted before.

        Raises:
            PairError: If some are not valid; then nothing changes.
        """
        before = self._node, self.resources
        goes_back = node is self._left
        if not goes_back:
            self._lacked = {key: self.resources[key] for key, _ in self._refused()}
        self._left = None if goes_back else self._node
        self._node, self.resources = node, {}
        try:
            self.read(resource_type, only_provider)
        except PairError:
            self._node, self.resources = before
            raise
        self._denied.clear()
        return before[1]

    def of_provider(self, provider_id: str) -> list[tuple[Key, Resource]]:
        """Return what *provider_id* is to serve."""
        return [one for one in self.resources.items() if one[0].provider_id == provider_id]

    def deny(self, key: Key, error: BaseException) -> None:
        """Take note of why the provider did not take one, if it is one of these."""
        if key in self.resources:
            self._denied[key] = error

    def accept(self, key: Key) -> None:
        """Take note that the provider serves it."""
        self._denied.pop(key, None)

    def follow(self, report: Callable[[tuple[str, ...]], None]) -> None:
        """Call *report* with what is lacking, now if anything is, and soon after it changes."""
        loop, is_due = asyncio.get_running_loop(), False
        told: tuple[str, ...] = ()

        def look() -> None:
            nonlocal told, is_due
            is_due = False
            if told != (lacking := self.lacking):
                told = lacking
                report(lacking)

        def look_soon(names: set[str]) -> None:
            nonlocal is_due
            if not is_due and not names.isdisjoint(self._identifiers):
                is_due = True
                loop.call_soon(look)

        self._unfollow, self._look = self._names.watch(look_soon), look
        look()

    def check(self) -> None:
        """Report what is lacking, and raise `LackingError` if no provider has taken some of it.

        What none had taken before the change is no reason to go back.
        """
        self._look()
        lacked, refused = self._lacked, self._refused()
        if new := sorted(text for key, text in refused if lacked.get(key) != self.resources[key]):
            raise LackingError("\n".join(new))

    def close(self) -> None:
        """Report nothing any more."""
        self._unfollow()

    @property
    def denied(self) -> tuple[str, ...]:
        """What no provider has taken, why, and its place; sorted."""
        return tuple(sorted(text for _, text in self._refused()))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What callers cannot request, why, and its place; sorted."""
        return tuple(sorted(text for _, text in self._absent()))

    def _refused(self) -> Iterator[tuple[Key, str]]:
        return (one for one in self._absent() if one[0] in self._denied)

    def _absent(self) -> Iterator[tuple[Key, str]]:
        noun = self._node.pair.noun
        for entry in self._node.resources:
            key = Key(entry.identifier, entry.provider_id)
            place = f" ({entry.place})" if entry.place else ""
            if key in self._names or key not in self.resources:
                continue
            if key in self._denied:
                yield key, f"{describe(self._denied[key])}{place}"
            elif key in self._names.absent:
                reason = self._names.absent[key]().reason
                yield key, f"{noun} {key.identifier!r}{place} {reason}"
