"""Which resource a name means: bare when that is clear, and always with its provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from rungraph.engine.apis.resource import Resource, shared
from rungraph.engine.errors import (
    AmbiguousResourceError,
    UnavailableResourceError,
    UnknownResourceError,
)

Watcher = Callable[[set[str]], None]
"""Told which names mean another resource from now on, or none."""


class Key(NamedTuple):
    """The identity of a resource; keys sort like listings of resources.

    Attributes:
        identifier: The name that callers use.
        provider_id: The provider that serves it.
    """

    identifier: str
    provider_id: str

    @classmethod
    def of(cls, resource: Resource) -> Key:
        """Return the identity of *resource*."""
        return cls(resource.identifier, resource.provider_id)

    @property
    def qualified(self) -> str:
        """The name that also says the provider."""
        return f"{self.provider_id}/{self.identifier}"


class Absence(NamedTuple):
    """Why something cannot be requested now.

    Attributes:
        reason: In words, such as ``is on 'foo', which failed``; empty when it can be.
        retry_after: Seconds after which it is worth another try; None where nobody knows.
        is_past: Whether its provider can be asked and has it no more, or is not configured.
    """

    reason: str
    retry_after: float | None = None
    is_past: bool = False


def only_key(keys: Iterable[Key], name: str, provider_id: str = "") -> Key | None:
    """Return the one of *keys* that *name* means, of *provider_id* if that is given."""
    found = [
        key
        for key in keys
        if (name == key.identifier and provider_id in ("", key.provider_id))
        or (name == key.qualified and not provider_id)
    ]
    found = [key for key in found if name == key.qualified and not provider_id] or found
    return found[0] if len(found) == 1 else None


class Names:
    """Resources by name.

    Attributes:
        noun: What messages call one of them.
        absent: What is known but cannot be requested now, with what says why, as in ``is on 'foo',
            which failed``, or nothing when it may not exist at all.

    A resource has two names: its identifier, and ``provider_id/identifier``. The latter means it
    even where another resource has that as its identifier, and while it cannot be requested.
    Resources that share calls are, under their identifier, one: what all of them are together. Else
    a name that more than one resource has is ambiguous and means none of them.

    Examples:
        >>> names = Names("model")
        >>> names.put(Resource(identifier="small", provider_id="foo"))
        >>> names.put(Resource(identifier="small", provider_id="bar"))
        >>> names.resolve("foo/small").provider_id
        'foo'
        >>> names.resolve("small")
        Traceback (most recent call last):
            ...
        rungraph.engine.errors.AmbiguousResourceError: model 'small' is served by 2 providers
        help: ask for one of them: 'bar/small', 'foo/small'
    """

    def __init__(self, resource: str) -> None:
        """Hold resources that messages call *resource*, such as ``memory bank``."""
        self.noun = resource
        self.absent: dict[Key, Callable[[], Absence]] = {}
        self._resources: dict[Key, Resource] = {}
        self._meanings: dict[str, tuple[Key, ...]] = {}
        self._groups: dict[str, Resource] = {}
        self._watchers: list[Watcher] = []
        self._clear_names: tuple[str, ...] | None = None

    def __iter__(self) -> Iterator[Resource]:
        """Yield the resources, sorted by identifier, then provider."""
        return iter([self._resources[key] for key in sorted(self._resources)])

    def __contains__(self, key: Key) -> bool:
        return key in self._resources

    def get(self, key: Key) -> Resource | None:
        """Return the resource of this identity; None if there is none."""
        return self._resources.get(key)

    def put(self, resource: Resource) -> None:
        """Add *resource*, in place of the one of the same identity."""
        key = Key.of(resource)
        self.absent.pop(key, None)
        self._resources[key], self._clear_names = resource, None
        for name in (names := {key.qualified, key.identifier}):
            if key not in (known := self._meanings.get(name, ())):
                self._meanings[name] = (*known, key)
            self._group(name)
        self._tell(names)

    def remove(self, keys: Collection[Key]) -> None:
        """Drop the resources of these identities, which must be there."""
        names, left, self._clear_names = set[str](), set[str](), None
        for key in keys:
            del self._resources[key]
            for name in key.identifier, key.qualified:
                names.add(name)
                known = self._meanings.pop(name)
                if len(known) > 1:  # As hardly ever.
                    self._meanings[name] = tuple(one for one in known if one != key)
                    left.add(name)
        for name in left | self.shared(names):
            self._group(name)
        self._tell(names)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell *watcher* every change from now on; return what ends that.

        A change is told before the call that makes it returns.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def forget(self, key: Key) -> None:
        """Await no more what cannot be requested, if this is something like that."""
        if self.absent.pop(key, None) is not None:
            self._tell({key.qualified})

    def look_again(self, provider_id: str = "") -> None:
        """Find out what is awaited: its provider, or any, may be another, or know more by now."""
        absent = [key for key in self.absent if provider_id in ("", key.provider_id)]
        self._tell({key.qualified for key in absent})

    def shared(self, names: set[str]) -> set[str]:
        """Return those of *names* under which resources share calls."""
        return self._groups.keys() & names

    def resolve(self, name: str) -> Resource:
        """Return the one resource that *name* means.

        Raises:
            UnknownResourceError: If no resource has that name.
            UnavailableResourceError: If one has it that cannot be requested now.
            AmbiguousResourceError: If several have it.
        """
        meaning = self.meaning(name)
        if meaning is not None:
            return meaning
        if name in self._meanings and not self._is_awaited(name):
            choices = tuple(sorted(map(self._clear_name, self._meanings[name])))
            raise AmbiguousResourceError(self.noun, name, choices)
        if (known := self._clear_names) is None:  # Of thousands, that takes milliseconds.
            known = self._clear_names = tuple(sorted(set(map(self._clear_name, self._resources))))
        named = [key for key in self.absent if name in (key.identifier, key.qualified)]
        for key in sorted(named, key=lambda key: (key.qualified != name, key)):
            if (absence := self.absent[key]()).reason:
                why = absence.reason, absence.retry_after
                raise UnavailableResourceError(
                    self.noun, name, known, *why, provider_id=key.provider_id
                )
        raise UnknownResourceError(self.noun, name, known)

    def members_of(self, identifier: str) -> list[Key]:
        """Return the identities of what shares the calls for *identifier*."""
        named = [key for key in self._meanings.get(identifier, ()) if key.identifier == identifier]
        return sorted(key for key in named if shared(self._resources[key]))

    def says_provider(self, name: str) -> bool:
        """Whether *name* is that of something with its provider, be it requestable now or not."""
        named = self._meanings.get(name, ())
        return any(key.qualified == name for key in named) or self._is_awaited(name)

    def find(self, name: str) -> Resource | None:
        """Return the one resource that *name* means; None if no resource has that name.

        Raises:
            AmbiguousResourceError: If several have it.
        """
        is_there = name in self._meanings and not self._is_awaited(name)
        return self.resolve(name) if is_there else None

    def has(self, name: str) -> bool:
        """Whether *name* means something here, be it several, or what cannot be requested now."""
        return name in self._meanings or self._is_awaited(name)

    def _is_awaited(self, name: str) -> bool:
        """Whether *name* says the provider of a resource that cannot be requested now."""
        end = name.find("/") if self.absent else -1
        while end >= 0:  # Looked at for each name that comes or goes, and there are thousands.
            why = self.absent.get(Key(name[end + 1 :], name[:end]))
            if why is not None and (absence := why()).reason and not absence.is_past:
                return True
            end = name.find("/", end + 1)
        return False

    def meaning(self, name: str) -> Resource | None:
        """Return the one resource that *name* means; None if there is none, or are several."""
        if not (meanings := self._meanings.get(name)) or self._is_awaited(name):
            return None
        if name in self._groups:
            return self._groups[name]
        if len(meanings) > 1:
            meanings = tuple(key for key in meanings if key.qualified == name)
        return self._resources[meanings[0]] if len(meanings) == 1 else None

    def _group(self, identifier: str) -> None:
        """Put together what shares the calls for *identifier*."""
        self._groups.pop(identifier, None)
        meanings = sorted(self._meanings.get(identifier, ()))
        members = [
            part
            for key in meanings
            if key.identifier == identifier and (part := shared(self._resources[key]))
        ]
        if members and not any(key.qualified == identifier for key in meanings):
            self._groups[identifier] = members[0].together(members)

    def _tell(self, names: set[str]) -> None:
        for watcher in self._watchers:
            watcher(names)

    def _clear_name(self, key: Key) -> str:
        """Return the shortest name that means *key* alone; the qualified one if there is none."""
        own = self._resources[key]
        if key.identifier in self._groups and shared(own):
            return key.identifier
        names = (key.identifier, key.qualified)
        return next((name for name in names if self.meaning(name) is own), key.qualified)
