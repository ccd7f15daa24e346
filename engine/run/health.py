"""How the nodes of a stack are: asks every provider that can say, now or again and again."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Protocol

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.errors import NotRunningError, describe
from rungraph.engine.provider import ProviderReport, has_health
from rungraph.engine.waiting import NoAnswerError, awaited, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rungraph.engine.provider import HasHealth
    from rungraph.engine.routing.tables import RoutingTable
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address

_AT_ONCE = 4
"""How many providers are asked at the same time in the background."""
_GRACE_SECONDS = 0.1
"""Seconds that a question has to end once it is given up: a longer time would be no deadline."""
_ILL_SECONDS = 1.0
"""Seconds until what is unhealthy is asked again: as long as its callers are told to wait."""
_JITTER = 0.2
"""By what share an interval is longer or shorter, so that not all are asked at the same moment."""


def well() -> HealthResponse:
    """Return the answer for what can do its work."""
    return HealthResponse(status=HealthStatus.OK)


def ill(message: str) -> HealthResponse:
    """Return the answer for what cannot do its work, and why."""
    return HealthResponse(status=HealthStatus.ERROR, message=message)


def shown(answer: HealthResponse, scrub: Callable[[str], str]) -> HealthResponse:
    """Return *answer* without what *scrub* takes out of its message."""
    text = answer.message and scrub(answer.message)
    return answer.model_copy(update={"message": text}) if text else answer


async def ask_all(
    instances: Mapping[Address, HasHealth], *, timeout: float
) -> dict[Address, HealthResponse]:
    """Return what *instances* answer; they are asked at the same time.

    One that raises, takes longer than *timeout* seconds or answers with something else is ill.
    """
    answers = await asyncio.gather(*(_ask(*one, timeout) for one in instances.items()))
    return dict(zip(instances, answers, strict=True))


async def _ask(address: Address, instance: HasHealth, timeout: float) -> HealthResponse:
    try:
        work = _answer(instance)
        answer = await within(work, timeout, grace=_GRACE_SECONDS, owner=address)
        return HealthResponse.model_validate(answer, from_attributes=True)
    except NoAnswerError:
        return ill(f"does not say how it is within {timeout:g} s")
    except Exception as error:  # noqa: BLE001 (a provider's code may raise anything)
        return ill(describe(error))


async def _answer(instance: HasHealth) -> object:
    return await awaited(instance.health())


class Watched(Protocol):
    """What a watch asks and tells of the running nodes."""

    def instance_of(self, address: Address) -> object | None:
        """Return the running instance of *address*; None when it does not run."""
        ...

    def report(self, address: Address, report: ProviderReport, about: str) -> None:
        """Take what was found out *about* one concern of a running node."""
        ...


class Offering(Protocol):
    """What offers providers to callers."""

    def table_of(self, address: Address) -> RoutingTable | None:
        """Return the table that offers what a provider serves; None if none does."""
        ...

    async def offer(self, address: Address, instance: object) -> None:
        """Offer *address* again."""
        ...


class HealthWatch:
    """Asks providers in the background how they are: callers are offered what is well.

    A provider is unhealthy after so many bad answers in a row, and healthy again after so many
    good ones. What it serves is not offered meanwhile.

    Args:
        nodes: What runs.
        offers: What offers it.
        settings: How often, how long, and how many answers count.
    """

    def __init__(self, nodes: Watched, offers: Offering, settings: StackSettings) -> None:
        self._nodes = nodes
        self._offers = offers
        self._settings = settings
        self._random = Random(settings.restart_seed)  # noqa: S311  (no secret)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._ill: dict[Address, tuple[object, str]] = {}

    @property
    def unhealthy(self) -> dict[Address, str]:
        """What runs and is unhealthy, and why."""
        known = self._ill.items()
        return {at: why for at, (one, why) in known if self._nodes.instance_of(at) is one}

    def watch(self, addresses: Iterable[Address]) -> None:
        """Ask *addresses* from now on, and no other."""
        interval, wanted = self._settings.health_interval, dict.fromkeys(addresses)
        for gone in self._tasks.keys() - wanted.keys():
            self._tasks.pop(gone).cancel()
            self._ill.pop(gone, None)
        if interval is None:
            return
        for address in wanted:
            instance = self._nodes.instance_of(address)
            # Of what does not run yet, nobody knows; most providers cannot be asked.
            if address not in self._tasks and (instance is None or has_health(instance)):
                work = self._watch(address, interval)
                self._tasks[address] = asyncio.create_task(work, name=f"health of {address}")

    async def aclose(self) -> None:
        """Ask no more."""
        tasks = tuple(self._tasks.values())
        self.watch(())
        if tasks:
            await asyncio.wait(tasks)

    async def _watch(self, address: Address, interval: float) -> None:
        count, is_healthy, before = 0, True, None
        while True:
            pause = interval if is_healthy else min(interval, _ILL_SECONDS)
            await asyncio.sleep(pause * self._random.uniform(1 - _JITTER, 1 + _JITTER))
            instance = self._nodes.instance_of(address)
            if instance is not before:  # Another one has come, of which nothing is known.
                count, is_healthy, before = 0, True, instance
                self._ill.pop(address, None)
            if not has_health(instance):
                continue
            async with self._turns:
                asked = {address: instance}
                answer = (await ask_all(asked, timeout=self._settings.health_timeout))[address]
            if self._nodes.instance_of(address) is not instance:
                continue
            is_good = answer.status is HealthStatus.OK
            count = count + 1 if is_good is not is_healthy else 0
            needed = self._settings.health_failures if is_healthy else None
            if count < (needed or self._settings.health_successes):
                continue
            count, is_healthy = 0, is_good
            if is_good:
                del self._ill[address]
                self._nodes.report(
                    address, ProviderReport("ready", "it is healthy again"), "health"
                )
                await self._offers.offer(address, instance)
            else:
                reason = answer.message or answer.status.value
                self._ill[address] = instance, reason
                self._nodes.report(address, ProviderReport("degraded", reason), "health")
                if (table := self._offers.table_of(address)) is not None:
                    why = NotRunningError(f"'{address}' is unhealthy: {reason}")
                    table.lose(address.name, why)
