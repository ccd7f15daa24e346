"""What a routing table asks of each of its providers, and how long it waits for an answer."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeVar

from rungraph.engine.apis.resource import SharedResource, shared
from rungraph.engine.errors import RoutingError
from rungraph.engine.interruption import cancelled_from_within
from rungraph.engine.routing.errors import RegistrationRefusedError
from rungraph.engine.routing.gate import Gate
from rungraph.engine.waiting import (
    NoAnswerError,
    cut_off,
    in_slices,
    leave_behind,
    outlast,
    task_of,
    within,
)
from rungraph.graph.address import Address
from rungraph.graph.errors import message_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.errors import NotRunningError
    from rungraph.engine.routing.resources import ResourceType
    from rungraph.graph.catalog.specs import RoutedPair

_T = TypeVar("_T")

# ValueErrors by inheritance only: a garbled answer is trouble, not a refusal.
_GARBLED = (json.JSONDecodeError, UnicodeError)


class Member:
    """One provider of a routing table, which is asked under a deadline.

    Attributes:
        provider_id: Its name.
        instance: The provider.
        turn: Held while the provider is asked something and its answer is put into the table, so
            that a listing never undoes a registration that it does not know of.
        deadline: Seconds that one question to the provider may take.
        gate: Knows of the calls that run on the provider.
        is_joining: Whether it came while the table ran, and was not asked yet what it serves.
        has_listed: Whether it has ever answered what it serves.
        unanswered: Identifiers of what it was to register and gave no answer about.
        gone: Why it is not there any more; what it still answers does not count. None if it is.
    """

    def __init__(
        self,
        provider_id: str,
        instance: object,
        *,
        pair: RoutedPair,
        resource_type: ResourceType,
        deadline: float,
        gate: Gate | None = None,
    ) -> None:
        self.provider_id = provider_id
        self.instance = instance
        self.turn = asyncio.Lock()
        self._pair = pair
        self._type = resource_type
        self.deadline = deadline
        self.gate = gate or Gate()
        self.is_joining = False
        self.has_listed = False
        self.unanswered: set[str] = set()
        self.gone: NotRunningError | None = None
        self._address = str(Address.provider(pair.router_api, provider_id))
        self._asked: set[asyncio.Task[Any]] = set()  # One at most; it may have been given up.
        self._waiting: asyncio.Future[Any] | None = None
        self._is_over = False

    @property
    def busy(self) -> TimeoutError:
        """Why it is asked nothing more now."""
        return NoAnswerError("still busy with the question before")

    @property
    def is_silent(self) -> bool:
        """Whether it was asked what it serves, and has not answered."""
        return not (self.has_listed or self.is_joining)

    def settle(self) -> None:
        """Let others have their turn; the table knows now what the provider serves, if it says."""
        self.is_joining = False
        self.turn.release()

    def leave(self, why: NotRunningError) -> None:
        """Take note of *why* it is not there any more, and wait for no answer of it."""
        self.gone = why
        if self._waiting is not None:
            self._waiting.cancel()

    def end(self, why: NotRunningError) -> None:
        """Ask it nothing any more because of *why*, and wait for nothing."""
        self._is_over = True
        self.leave(self.gone or why)
        cut_off(self._asked)

    async def listing(self) -> list[Resource]:
        """Return what the provider serves now."""
        listing = await self._within_deadline(self._listing)
        self.has_listed = True
        return listing

    async def register(self, resource: Resource) -> Resource:
        """Have the provider serve *resource* and return it as accepted, under the name asked for.

        Raises:
            RegistrationRefusedError: If the provider refuses.
        """
        was_busy = bool(self._asked)
        try:
            return await self._within_deadline(lambda: self._register(resource))
        finally:
            if not was_busy:
                known = self.unanswered.add if self._asked else self.unanswered.discard
                known(resource.identifier)

    async def unregister(self, resource: Resource) -> None:
        """Have the provider give up *resource*.

        Raises:
            RegistrationRefusedError: If the provider refuses.
        """
        await self._within_deadline(lambda: self._change("unregister", resource))

    async def give_up(self, resource: Resource) -> bool:
        """Have the provider give up *resource*; it is the caller's turn.

        Returns:
            Whether it has, or will not: what it goes on serving, it lists.
        """
        try:
            await self.unregister(resource)
        except RegistrationRefusedError:
            return True
        except Exception:  # noqa: BLE001 (a provider's code may raise anything)
            return False
        return True

    async def aclose(self) -> None:
        """Give what it was asked and has not answered a last chance to end."""
        await leave_behind(self._asked)

    async def _within_deadline(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Return what *work*, a question to the provider, returns within the deadline.

        Work that takes longer is cancelled and not waited for, so a provider that ignores being
        cancelled holds nobody up; until such work has ended, the provider is asked nothing more.

        Raises:
            TimeoutError: If there is no answer in time.
            NotRunningError: If the provider has gone meanwhile.
        """
        is_over = self._is_over or self.gate.is_closed
        if self.gone is not None and is_over:  # What is ill can be asked, at least.
            raise self.gone.with_traceback(None) from None
        if self._asked:
            raise self.busy
        task = task_of(work(), self._address)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        waiting = self._waiting = task_of(within(task, self.deadline, grace=0), self._address)
        cancelled = await outlast(waiting, on_cancel=waiting.cancel)
        error = cancelled_from_within() if waiting.cancelled() else waiting.exception()
        if cancelled is not None:
            raise cancelled
        if self.gone is not None:
            raise self.gone.with_traceback(None) from None
        if error is not None:
            raise error
        answer: _T = waiting.result()
        return answer

    async def _listing(self) -> list[Resource]:
        resources = await self._ask("list", self._pair.resources)
        return [self._type.read(one, self.provider_id) async for one in in_slices(resources)]

    async def _register(self, resource: Resource) -> Resource:
        accepted = await self._change("register", resource)
        if accepted is None:
            return resource
        served = self._type.read(accepted, self.provider_id)
        update: dict[str, Any] = {}
        if served.identifier != resource.identifier:
            update = {"identifier": resource.identifier, "provider_resource_id": served.native_id}
        if isinstance(resource, SharedResource):
            update["routing"] = resource.routing
        return served.model_copy(update=update) if update else served

    async def _change(self, verb: str, resource: Resource) -> Any:
        if shared(resource):  # Which others serve it, too, is no business of a provider's.
            resource = resource.model_copy(update={"routing": None})
        try:
            return await self._ask(verb, self._pair.resource, resource)
        except (ValueError, NotImplementedError) as error:
            if isinstance(error, _GARBLED):
                raise
            raise RegistrationRefusedError(
                self.provider_id, self._pair.noun, resource.identifier, _reason(error)
            ) from error

    async def _ask(self, verb: str, noun: str, *arguments: object) -> Any:
        name = f"{verb}_{noun}"
        method: Callable[..., Awaitable[Any]] | None = getattr(self.instance, name, None)
        if method is None:
            msg = f"it has no method {name!r}"
            raise RoutingError(msg)
        return await method(*arguments)


def _reason(error: Exception) -> str:
    return message_of(error) or type(error).__name__
