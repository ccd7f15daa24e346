"""Safety that asks inference, and tells of it, or ends its process meanwhile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rungraph.engine.apis.inference import Inference
from rungraph.engine.apis.safety import RunShieldResponse, SafetyViolation, ViolationLevel
from rungraph.engine.apis.shields import Shield


class Asker:
    """Has one shield, which reads the beginning of a stream."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    async def list_shields(self) -> list[Shield]:
        return [Shield(identifier="asking")]

    async def register_shield(self, shield: Shield) -> Shield:
        return shield

    async def unregister_shield(self, shield: Shield) -> None:
        """Do nothing."""

    async def run_shield(
        self, shield_type: str, messages: list[Any], params: dict[str, Any] | None = None
    ) -> RunShieldResponse:
        """Return the first two items; with *params*, there is no more process after them."""
        stream: Any = await self._inference.completion("letters", "count", stream=True)
        items = " ".join([(await anext(stream)).delta for _ in range(2)])
        if params:
            os._exit(7)
        await stream.aclose()
        found = SafetyViolation(violation_level=ViolationLevel.INFO, user_message=items)
        return RunShieldResponse(violation=found)


async def get_provider_impl(config: Mapping[str, Any], deps: Mapping[str, Any]) -> Asker:
    """Return the provider."""
    return Asker(deps["inference"])
