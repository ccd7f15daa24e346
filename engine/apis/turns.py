"""What an agent's turn is made of: steps, and the events that report them as they happen."""

# ruff: noqa: TC001  servers resolve these annotations when they run
from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from rungraph.engine.apis.common import (
    ApiModel,
    Attachment,
    CompletionMessage,
    InterleavedContent,
    ToolCall,
    ToolResponseMessage,
    UserMessage,
)
from rungraph.engine.apis.inference import ToolCallDelta
from rungraph.engine.apis.memory_banks import MemoryBank
from rungraph.engine.apis.safety import SafetyViolation


class StepType(StrEnum):
    """What an agent does in a step."""

    INFERENCE = "inference"
    TOOL_EXECUTION = "tool_execution"
    SHIELD_CALL = "shield_call"
    MEMORY_RETRIEVAL = "memory_retrieval"


class Step(ApiModel):
    """What all steps have."""

    turn_id: str
    step_id: str
    started_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None


class InferenceStep(Step):
    """The model was asked."""

    step_type: Literal["inference"] = "inference"
    model_response: CompletionMessage


class ToolResponse(ApiModel):
    """What one tool call came to."""

    call_id: str
    tool_name: str
    content: InterleavedContent


class ToolExecutionStep(Step):
    """The tools that the model wanted were called."""

    step_type: Literal["tool_execution"] = "tool_execution"
    tool_calls: list[ToolCall]
    tool_responses: list[ToolResponse]


class ShieldCallStep(Step):
    """Shields judged a message; *violation* is what they objected to."""

    step_type: Literal["shield_call"] = "shield_call"
    violation: SafetyViolation | None = None


class MemoryRetrievalStep(Step):
    """Memory banks were asked; *inserted_context* is what the model gets of it."""

    step_type: Literal["memory_retrieval"] = "memory_retrieval"
    memory_bank_ids: list[str]
    inserted_context: InterleavedContent


AnyStep = Annotated[
    InferenceStep | ToolExecutionStep | ShieldCallStep | MemoryRetrievalStep,
    Field(discriminator="step_type"),
]
"""Any step, told apart by ``step_type``."""

TurnInput = Annotated[UserMessage | ToolResponseMessage, Field(discriminator="role")]
"""A message that begins a turn."""


class Turn(ApiModel):
    """One exchange: from the user's messages to the agent's answer."""

    turn_id: str
    session_id: str
    input_messages: list[TurnInput]
    steps: list[AnyStep]
    output_message: CompletionMessage
    output_attachments: list[Attachment] = Field(default_factory=list[Attachment])
    started_at: AwareDatetime
    completed_at: AwareDatetime | None = None


class Session(ApiModel):
    """A conversation: turns in their order, and the bank that keeps its attachments."""

    session_id: str
    session_name: str
    turns: list[Turn]
    started_at: AwareDatetime
    memory_bank: MemoryBank | None = None


class StepStartPayload(ApiModel):
    """A step begins."""

    event_type: Literal["step_start"] = "step_start"
    step_type: StepType
    step_id: str
    metadata: dict[str, Any] | None = None


class StepProgressPayload(ApiModel):
    """A step goes on: exactly one of the three deltas is set."""

    event_type: Literal["step_progress"] = "step_progress"
    step_type: StepType
    step_id: str
    model_response_text_delta: str | None = None
    tool_call_delta: ToolCallDelta | None = None
    tool_response_text_delta: str | None = None


class StepCompletePayload(ApiModel):
    """A step is over."""

    event_type: Literal["step_complete"] = "step_complete"
    step_type: StepType
    step_details: AnyStep


class TurnStartPayload(ApiModel):
    """A turn begins."""

    event_type: Literal["turn_start"] = "turn_start"
    turn_id: str


class TurnCompletePayload(ApiModel):
    """A turn is over."""

    event_type: Literal["turn_complete"] = "turn_complete"
    turn: Turn


TurnPayload = Annotated[
    StepStartPayload
    | StepProgressPayload
    | StepCompletePayload
    | TurnStartPayload
    | TurnCompletePayload,
    Field(discriminator="event_type"),
]


class TurnEvent(ApiModel):
    """One event of a turn, told apart by ``payload.event_type``."""

    payload: TurnPayload


class TurnStreamChunk(ApiModel):
    """One chunk of a streamed turn."""

    event: TurnEvent
