"""The safety API: shields judge messages."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from pydantic import Field

from rungraph.engine.apis.common import ApiModel, Message
from rungraph.engine.apis.routes import route


class ViolationLevel(StrEnum):
    """How bad a violation is; ``error`` means the message must not be used."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class SafetyViolation(ApiModel):
    """What a shield objects to.

    Attributes:
        violation_level: How bad it is.
        user_message: What to tell the user, if anything.
        metadata: What the shield found, for programs.
    """

    violation_level: ViolationLevel
    user_message: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class RunShieldResponse(ApiModel):
    """A shield's verdict; no *violation* means that it objects to nothing."""

    violation: SafetyViolation | None = None


class Safety(Protocol):
    """Runs shields. The routing key is *shield_type*: the identifier of the shield."""

    @route("POST", "/safety/run_shield")
    async def run_shield(
        self, shield_type: str, messages: list[Message], params: dict[str, Any] | None = None
    ) -> RunShieldResponse:
        """Return what the shield thinks of *messages*.

        Args:
            shield_type: The shield; a router takes the identifier, a provider its own name.
            messages: The conversation, oldest first; shields judge the last message.
            params: Settings of this call that only the shield understands.

        Raises:
            ValueError: If the shield is unknown or cannot judge such messages.
            ConnectionError: If what runs the shield cannot be reached.
        """
        ...
