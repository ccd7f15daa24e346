"""Stands for an instance in another process: has its methods, and calls them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.engine.routing.signatures import LEFT_OUT, methods_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping

    from rungraph.engine.routing.signatures import Method
    from rungraph.engine.run.connection import Connection


class Opened(NamedTuple):
    """What a worker says of the provider that it has created.

    Attributes:
        methods: What can be called of it, each with those of its parameters that have a default.
        problems: Where it is not what its API asks for.
    """

    methods: Mapping[str, Collection[str]]
    problems: tuple[str, ...]


class RemoteInstance:
    """An instance in another process, by the methods of some Protocols.

    Args:
        connection: Leads to the other process.
        target: What the instance is called there.
        protocols: What it implements.
        there: Its methods, with the parameters that have a default there; None where it has all of
            the Protocols.
        more: Further methods that take no arguments, offered if they are there.
    """

    def __init__(
        self,
        connection: Connection,
        target: str,
        protocols: Iterable[type],
        there: Mapping[str, Collection[str]] | None = None,
        more: Iterable[str] = (),
    ) -> None:
        self._connection = connection
        self._target = target
        for protocol in protocols:
            for method in methods_of(protocol).values():
                if there is None or method.name in there:
                    own = there[method.name] if there is not None else ()
                    setattr(self, method.name, method.dress(self._function(method), own))
        for name in more:
            if there is not None and name in there:
                setattr(self, name, self._plain(name))

    def _plain(self, name: str) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            given = {key: one for key, one in kwargs.items() if one is not LEFT_OUT}
            return await self._connection.call(self._target, name, *args, **given)

        return call

    def _function(self, method: Method) -> Callable[..., Any]:
        if method.is_coroutine:
            return self._plain(method.name)

        async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            async for item in await self._plain(method.name)(*args, **kwargs):
                yield item

        return stream
