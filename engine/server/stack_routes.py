"""What a stack has, below ``/v1``: models, providers, shields; and shields at work."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rungraph.engine.apis.common import UserMessage
from rungraph.engine.apis.safety import ViolationLevel
from rungraph.engine.apis.shields import Shield
from rungraph.engine.server.failures import RequestError, the_only
from rungraph.engine.server.translation import (
    Part,
    Sent,
    SentMessage,
    content_of,
    messages_of,
)
from rungraph.graph.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.engine.routing.groups import Group
    from rungraph.engine.run.stack import Stack


class NewShield(Sent):
    """The body of a request that registers a shield."""

    shield_id: str = Field(min_length=1)
    provider_id: str | None = None
    provider_shield_id: str | None = None
    params: dict[str, Any] | None = None


class ShieldRun(Sent):
    """The body of a request that has a shield judge messages."""

    shield_id: str
    messages: list[SentMessage] = Field(min_length=1)
    params: dict[str, Any] | None = None


class Moderation(Sent):
    """The body of a request for a moderation; its model is a shield."""

    input: str | list[str] | list[Part]
    model: str | None = None


def groups_in(stack: Stack) -> Iterator[Group]:
    """Yield what several providers of a running stack serve together."""
    for pair in stack.graph.catalog.pairs:
        if pair.has_members and pair.table_api in stack.apis:
            yield from stack[pair.table_api].groups


class StackRoutes:
    """Answers for the parts of a stack as clients of the OpenAI API and later contracts ask."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._started = int(time.time())

    # --- models --------------------------------------------------------------------------------

    async def list_models(self) -> dict[str, Any]:
        """Return all models; what several providers serve together is one."""
        table = self._stack["models"]
        listed: dict[tuple[str, str], Any] = {}
        for one in await table.list_models():
            is_shared = table.groups.get(one.identifier) is not None
            shown = table.resolve(one.identifier) if is_shared else one
            listed[shown.identifier, shown.provider_id] = shown
        return {"object": "list", "data": [self._model(one) for one in listed.values()]}

    async def get_model(self, model: str) -> dict[str, Any]:
        """Return one model, whose name may hold slashes."""
        return self._model(self._stack["models"].resolve(model))

    def _model(self, model: Any) -> dict[str, Any]:
        members = [one.provider_id for one in model.members or ()]
        served = {
            "model_type": model.model_type,
            "provider_id": model.provider_id,
            "provider_resource_id": model.native_id,
        }
        return {
            "id": model.identifier,
            "object": "model",
            "created": self._started,
            "owned_by": model.provider_id or ", ".join(members),
            "custom_metadata": {**model.metadata, **served},
            # The same, as clients of the Llama Stack read it.
            "identifier": model.identifier,
            "type": "model",
            "metadata": model.metadata,
            **served,
        }

    # --- members -------------------------------------------------------------------------------

    async def members(self) -> dict[str, Any]:
        """Return what is known of the providers that serve resources together."""
        return {
            "data": [
                {
                    "resource": group.identifier,
                    "provider_id": one.name,
                    "order": one.order,
                    "state": "in" if one.out_until is None else "out",
                    "why_out": one.why_out if one.out_until is not None else "",
                    "in_flight": one.in_flight,
                    "latency": one.latency,
                    "calls": one.calls,
                    "failures": one.failures,
                }
                for group in groups_in(self._stack)
                for one in group.balancer.members
            ]
        }

    async def drain(self, provider: str) -> dict[str, Any]:
        """Send no new call to a provider; return whether its running ones have ended."""
        return {"provider_id": provider, "is_idle": await self._stack.drain(provider)}

    async def undrain(self, provider: str) -> dict[str, Any]:
        """Send calls to a provider again."""
        await self._stack.undrain(provider)
        return {"provider_id": provider}

    # --- the stack -----------------------------------------------------------------------------

    async def health(self) -> dict[str, Any]:
        """Return how the stack is."""
        found = await self._stack["inspect"].health()
        return {"status": found.status.value}

    async def version(self) -> Any:
        """Return the version of the software."""
        return await self._stack["inspect"].version()

    async def routes(self) -> dict[str, Any]:
        """Return the routes of every API, in one list."""
        found = await self._stack["inspect"].list_routes()
        return {"data": [one for api in found.values() for one in api]}

    async def providers(self) -> dict[str, Any]:
        """Return the configured providers; secrets of their configs are masked."""
        found = await self._stack["inspect"].list_providers()
        graph = self._stack.graph
        data = [
            {
                "api": api,
                "provider_id": one.provider_id,
                "provider_type": one.provider_type,
                "config": graph.masked_config(Address.provider(api, one.provider_id)),
                "health": one.health,
            }
            for api, providers in found.items()
            for one in providers
        ]
        return {"data": data}

    async def get_provider(self, provider_id: str) -> dict[str, Any]:
        """Return the provider of that name, the first if several APIs have one."""
        for one in (await self.providers())["data"]:
            if one["provider_id"] == provider_id:
                return one  # type: ignore[no-any-return]
        text = f"there is no provider {provider_id!r}"
        raise RequestError(404, text, code="provider_not_found")

    # --- shields -------------------------------------------------------------------------------

    async def list_shields(self) -> dict[str, Any]:
        """Return all shields."""
        return {"data": [_shield(one) for one in await self._stack["shields"].list_shields()]}

    async def get_shield(self, shield: str) -> dict[str, Any]:
        """Return one shield."""
        return _shield(self._stack["shields"].resolve(shield))

    async def register_shield(self, asked: NewShield) -> dict[str, Any]:
        """Have a provider run a shield."""
        shield = Shield(
            identifier=asked.shield_id,
            provider_id=asked.provider_id or "",
            provider_resource_id=asked.provider_shield_id,
            params=asked.params or {},
        )
        return _shield(await self._stack["shields"].register_shield(shield=shield))

    async def unregister_shield(self, shield: str) -> None:
        """Take back a registration."""
        found = self._stack["shields"].resolve(shield)
        await self._stack["shields"].unregister_shield(
            identifier=found.identifier, provider_id=found.provider_id
        )

    async def run_shield(self, asked: ShieldRun) -> Any:
        """Return what a shield thinks of messages."""
        return await self._stack["safety"].run_shield(
            shield_type=asked.shield_id,
            messages=messages_of(asked.messages),
            params=asked.params or {},
        )

    async def moderate(self, asked: Moderation) -> dict[str, Any]:
        """Return what a shield thinks of each text; a category is the shield itself."""
        shield = asked.model or await self._only_shield()
        given: Any = asked.input
        is_one = isinstance(given, str) or not all(isinstance(one, str) for one in given)
        inputs: list[Any] = [given] if is_one else list(given)
        results: list[dict[str, Any]] = []
        for one in inputs:
            found = await self._stack["safety"].run_shield(
                shield_type=shield, messages=[UserMessage(content=content_of(one))]
            )
            violation = found.violation
            flagged = violation is not None and violation.violation_level != ViolationLevel.INFO
            results.append(
                {
                    "flagged": flagged,
                    "categories": {shield: flagged},
                    "category_scores": {shield: float(flagged)},
                    "category_applied_input_types": {shield: ["text"]},
                    "user_message": violation.user_message if violation else None,
                    "metadata": violation.metadata if violation else {},
                }
            )
        return {"id": f"modr-{secrets.token_hex(12)}", "model": shield, "results": results}

    async def _only_shield(self) -> str:
        shields = await self._stack["shields"].list_shields()
        return the_only((one.identifier for one in shields), "model")


def _shield(shield: Shield) -> dict[str, Any]:
    return {
        "identifier": shield.identifier,
        "provider_id": shield.provider_id,
        "provider_resource_id": shield.native_id,
        "type": "shield",
        "params": shield.params,
    }
