"""Resources that several providers serve together: each call goes to one of them, or to a second.

Which one is the balancer's affair; this module makes the calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rungraph.engine.events import MemberEjected, MemberReturned
from rungraph.engine.interruption import cancelled_from_within
from rungraph.engine.request import goes_to_member, session_of_call, trying_once
from rungraph.engine.routing.balancer import Balancer
from rungraph.engine.routing.errors import BusyError
from rungraph.engine.streams import SteppedStream
from rungraph.engine.waiting import leave_behind, task_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from rungraph.engine.apis.resource import SharedResource
    from rungraph.engine.events import Event
    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.routing.balancer import Call, Member
    from rungraph.engine.routing.names import Names
    from rungraph.graph.address import Address

_SERVER_FAILURES = (ConnectionError, TimeoutError)
"""What another member may do better; a refused request would be refused there, too."""
_MEASURED = 200
"""Of so many latest calls, the slowest twentieth tells when a second member is asked."""
_FEWEST_MEASURED = 20
_NOTHING = object()


class Attempt(NamedTuple):
    """One try of a call.

    Attributes:
        member: The provider that is asked.
        number: Counted from 1.
        why: Why it is that one.
    """

    member: str
    number: int
    why: str


class Group:
    """The calls of one resource that several providers serve together.

    Args:
        resource: What it is.
        balancer: Chooses among its members.

    Attributes:
        identifier: The name that callers use.
        resources: What each member serves.
        balancer: What is known of its members.
    """

    def __init__(self, resource: SharedResource, balancer: Balancer) -> None:
        self.identifier = resource.identifier
        self.balancer = balancer
        self._hedge_after: float | str | None = None
        self._took: deque[float] = deque(maxlen=_MEASURED)
        self.use(resource)

    def use(self, resource: SharedResource) -> None:
        """Go on with these members and this routing; what is known of members is kept."""
        if resource.routing is not None:
            self.balancer.policy = resource.routing.policy
            self._hedge_after = resource.routing.hedge_after
        self.resources = resource.apart()
        self.balancer.use({one.provider_id: one.order for one in resource.members or ()})

    async def call(
        self,
        ask: Callable[[Attempt], Awaitable[Any]],
        arguments: Mapping[str, Any],
        *,
        may_hedge: bool = False,
    ) -> Any:
        """Return what a member answers; a stream once its first chunk is there.

        Until then a member that fails as a server fails is left for another one, as often as the
        budget of retries and the number of members allow.

        Args:
            ask: Asks a member.
            arguments: The arguments of the call: their text is its session, if it names none.
            may_hedge: Whether a second member may be asked at the same time.
        """
        with trying_once():
            if not may_hedge or self._hedge_after is None:
                return await self._answer(ask, arguments, [])
            began, wait = self.balancer.clock(), self._hedge_wait()
            result = await self._first_of_two(ask, arguments, wait)
            self._took.append(self.balancer.clock() - began)
            return result

    async def _answer(
        self,
        ask: Callable[[Attempt], Awaitable[Any]],
        arguments: Mapping[str, Any],
        tried: list[str],
    ) -> Any:
        balancer = self.balancer
        session = ""
        if balancer.policy == "sticky":
            session = session_of_call() or "".join(_beginning(arguments))
        choice = balancer.pick(session, tried)
        if choice is None:
            msg = f"no other member of {self.identifier!r} can be asked"
            raise ConnectionError(msg)
        is_retry = bool(tried)
        while True:
            member, why, is_probe = choice
            call = balancer.begin(member, is_retry=is_retry)
            tried.append(member.name)
            goes_to_member(member.name)
            try:
                return await _begun(ask(Attempt(member.name, len(tried), why)), call)
            except _SERVER_FAILURES as error:
                # A member at its limit is well, and has nothing of the call that it refuses at
                # once: to ask another one makes no storm.
                is_full = isinstance(error, BusyError) and not error.has_waited
                if is_full:
                    call.ended()
                else:
                    call.failed(type(error).__name__)
                is_retry = not (is_probe or is_full)
                if is_retry and not balancer.may_retry():
                    raise
                choice = balancer.pick(session, tried)
                if choice is None:
                    raise
                why = f"{member.name!r} failed: {type(error).__name__}; {choice.why}"
                choice = choice._replace(why=why)
            except BaseException:
                call.ended()
                raise

    # --- a second member at the same time ------------------------------------------------------

    def _hedge_wait(self) -> float | None:
        """Return after how many seconds a second member is asked; None while that is not known."""
        if self._hedge_after != "p95":
            return cast("float", self._hedge_after)
        if len(self._took) < _FEWEST_MEASURED:
            return None
        return sorted(self._took)[int(len(self._took) * 0.95)]

    async def _first_of_two(
        self,
        ask: Callable[[Attempt], Awaitable[Any]],
        arguments: Mapping[str, Any],
        wait: float | None,
    ) -> Any:
        """Return the first answer; the other call is cancelled."""
        tried: list[str] = []
        tasks = {task_of(self._answer(ask, arguments, tried), None)}
        try:
            done, _ = await asyncio.wait(tasks, timeout=wait)
            if not done and self.balancer.may_retry():
                tasks.add(task_of(self._answer(ask, arguments, tried), None))
            while True:
                done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                good = (one for one in done if not one.cancelled() and one.exception() is None)
                if (answered := next(good, None)) is None and waiting:
                    tasks = waiting
                    continue
                if (first := answered or done.pop()).cancelled():
                    text = f"the call has failed: a member of {self.identifier!r} cancelled it"
                    raise cancelled_from_within(text=text)
                return first.result()
        finally:
            await leave_behind(tasks)


class Groups:
    """The groups of one table, by identifier.

    Args:
        names: What the table's names mean.
        table: Its address.
        emit: Takes events.
        clock: Seconds since the stack began to start.
        random: Draws members.
    """

    def __init__(
        self,
        names: Names,
        table: Address,
        *,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        random: Random | None = None,
    ) -> None:
        self._groups: dict[str, Group] = {}
        self._table = table
        self._emit = emit
        self._clock = clock
        self._random = random or Random()  # noqa: S311  (no secret)
        self._names = names
        self._unwatch = names.watch(self._follow)

    def __iter__(self) -> Iterator[Group]:
        return iter([self._groups[name] for name in sorted(self._groups)])

    def get(self, name: str) -> Group | None:
        """Return the group that *name* means; None if it means none."""
        return self._groups.get(name)

    def report(self, provider_id: str, report: ProviderReport) -> None:
        """Take a provider's word on itself."""
        why = "" if report.state == "ready" else report.detail or report.state
        for group in self._groups.values():
            group.balancer.report(provider_id, why)

    def close(self) -> None:
        """Follow the names no more; again is harmless."""
        unwatch, self._unwatch = self._unwatch, lambda: None
        unwatch()

    def _follow(self, names: set[str]) -> None:
        for name in sorted((self._groups.keys() & names) | self._names.shared(names)):
            self._follow_one(name)

    def _follow_one(self, name: str) -> None:
        resource = cast("SharedResource | None", self._names.meaning(name))
        if resource is None or resource.provider_id:
            self._groups.pop(name, None)
        elif name in self._groups:
            self._groups[name].use(resource)
        else:
            balancer = Balancer(
                "", clock=self._clock, random=self._random, tell=self._tell_of(name)
            )
            self._groups[name] = Group(resource, balancer)

    def _tell_of(self, identifier: str) -> Callable[[Member, bool, str], None]:
        def tell(member: Member, is_out: bool, why: str) -> None:
            kind = MemberEjected if is_out else MemberReturned
            self._emit(kind(self._clock(), self._table, identifier, member.name, why))

        return tell


class _Begun(SteppedStream):
    """A stream whose first chunk has come already."""

    def __init__(self, first: object, stream: AsyncGenerator[Any, Any], call: Call) -> None:
        super().__init__(stream, _Step(call), call.ended)
        self._first = first

    def __anext__(self) -> Any:
        return super().__anext__() if self._first is _NOTHING else self._take_first()

    def asend(self, value: Any) -> Any:
        """Resume the generator with *value* and return what it yields next."""
        return super().asend(value) if self._first is _NOTHING else self._take_first()

    async def _take_first(self) -> object:
        first, self._first = self._first, _NOTHING
        return first


class _Step:
    """The block that each further step of a stream runs in: the call ends with the stream."""

    is_quiet = True

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, _error: object, _at: object) -> None:
        if kind is not None and issubclass(kind, _SERVER_FAILURES):
            self._call.failed(kind.__name__)
        elif kind is not None:
            self._call.ended()


async def _begun(answer: Awaitable[Any], call: Call) -> Any:
    """Return an answer, or a stream that has begun; the call ends with it."""
    result = await answer
    if not isinstance(result, AsyncGenerator):
        call.answered()
        call.ended()
        return result
    stream: AsyncGenerator[Any, Any] = result
    try:
        first = await anext(stream)
    except StopAsyncIteration:
        call.answered()
        call.ended()
        return stream
    except BaseException:
        await stream.aclose()
        raise
    call.answered()
    return _Begun(first, stream, call)


def _beginning(value: object, room: int = 1024) -> Iterator[str]:
    """Yield the texts at the beginning of a call's arguments, or of what is in them."""
    if isinstance(value, str):
        yield value[:room]
    elif isinstance(value, dict):
        yield from _beginning([*cast("dict[object, object]", value).values()], room)
    elif isinstance(value, list | tuple):
        for one in cast("list[object]", value):
            for text in _beginning(one, room):
                yield text
                room -= len(text)
            if room <= 0:
                return
    elif (content := getattr(value, "content", None)) is not None:
        yield from _beginning(content, room)
