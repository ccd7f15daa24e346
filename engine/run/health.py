"""How the nodes of a stack are: asks every provider that can say, with a deadline each."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import TYPE_CHECKING

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.errors import describe
from rungraph.engine.waiting import within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.engine.provider import HasHealth
    from rungraph.graph.address import Address


def well() -> HealthResponse:
    """Return the answer for what can do its work."""
    return HealthResponse(status=HealthStatus.OK)


def ill(message: str) -> HealthResponse:
    """Return the answer for what cannot do its work, and why."""
    return HealthResponse(status=HealthStatus.ERROR, message=message)


async def ask_all(
    instances: Mapping[Address, HasHealth], *, timeout: float
) -> dict[Address, HealthResponse]:
    """Return what *instances* answer; they are asked at the same time.

    One that raises, takes longer than *timeout* seconds or answers with something else is ill.
    """
    answers = await asyncio.gather(*(_ask(one, timeout) for one in instances.values()))
    return dict(zip(instances, answers, strict=True))


async def _ask(instance: HasHealth, timeout: float) -> HealthResponse:
    try:
        answer = await within(_answer(instance), timeout, grace=timeout)
        return HealthResponse.model_validate(answer, from_attributes=True)
    except TimeoutError:
        return ill(f"does not say how it is within {timeout:g} s")
    except Exception as error:  # noqa: BLE001 (a provider's code may raise anything)
        return ill(describe(error))


async def _answer(instance: HasHealth) -> object:
    answer: object = instance.health()
    return await answer if isawaitable(answer) else answer
