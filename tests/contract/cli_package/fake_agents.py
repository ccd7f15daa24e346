"""Providers of agents and of safety that keep the contract's shapes, for tests of servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

from rungraph.engine.apis.agents import (
    AgentConfig,
    AgentCreateResponse,
    AgentSessionCreateResponse,
    AgentStepResponse,
)
from rungraph.engine.apis.common import CompletionMessage, StopReason, text_of
from rungraph.engine.apis.safety import RunShieldResponse, SafetyViolation, ViolationLevel
from rungraph.engine.apis.shields import Shield
from rungraph.engine.apis.turns import (
    InferenceStep,
    Session,
    StepCompletePayload,
    StepProgressPayload,
    StepStartPayload,
    StepType,
    Turn,
    TurnCompletePayload,
    TurnEvent,
    TurnStartPayload,
    TurnStreamChunk,
)

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeSafety:
    """Objects to what holds the word ``forbidden``."""

    def __init__(self) -> None:
        self._shields = {"words": Shield(identifier="words", shield_type="words")}

    async def list_shields(self) -> list[Shield]:
        return list(self._shields.values())

    async def register_shield(self, shield: Shield) -> Shield:
        self._shields[shield.identifier] = shield
        return shield

    async def unregister_shield(self, shield: Shield) -> None:
        self._shields.pop(shield.identifier, None)

    async def run_shield(
        self, shield_type: str, messages: list[Any], params: dict[str, Any] | None = None
    ) -> RunShieldResponse:
        if "forbidden" not in text_of(messages[-1].content):
            return RunShieldResponse()
        violation = SafetyViolation(violation_level=ViolationLevel.ERROR, user_message="no")
        return RunShieldResponse(violation=violation)


class FakeAgents:
    """One agent with one session, whose turns repeat what they are told, or ask a model first.

    Args:
        inference: What answers for models, if the agent is to ask one.
        model: Which one it asks.
    """

    def __init__(self, inference: Any, model: str) -> None:
        self._turns: list[Turn] = []
        self._inference = inference
        self._model = model

    async def create_agent(self, agent_config: AgentConfig) -> AgentCreateResponse:
        return AgentCreateResponse(agent_id="agent")

    async def create_agent_session(
        self, agent_id: str, session_name: str
    ) -> AgentSessionCreateResponse:
        return AgentSessionCreateResponse(session_id=session_name)

    async def create_agent_turn(
        self,
        agent_id: str,
        session_id: str,
        messages: list[Any],
        attachments: list[Any] | None = None,
        stream: bool = False,
    ) -> Turn | AsyncGenerator[TurnStreamChunk, None]:
        text = text_of(messages[-1].content)
        if self._inference is not None and not stream:
            await self._inference.chat_completion(model=self._model, messages=messages)
        message = CompletionMessage(content=text, stop_reason=StopReason.END_OF_TURN)
        step = InferenceStep(turn_id="turn", step_id="step", model_response=message)
        turn = Turn(
            turn_id="turn",
            session_id=session_id,
            input_messages=messages,
            steps=[step],
            output_message=message,
            started_at=_NOW,
        )
        self._turns.append(turn)
        return self._events(turn, step, text) if stream else turn

    async def _events(
        self, turn: Turn, step: InferenceStep, text: str
    ) -> AsyncGenerator[TurnStreamChunk, None]:
        kind = StepType.INFERENCE
        if self._inference is not None:
            async for _ in await self._inference.chat_completion(
                model=self._model, messages=turn.input_messages, stream=True
            ):
                pass
        for payload in (
            TurnStartPayload(turn_id="turn"),
            StepStartPayload(step_type=kind, step_id="step"),
            StepProgressPayload(step_type=kind, step_id="step", model_response_text_delta=text),
            StepCompletePayload(step_type=kind, step_details=step),
            TurnCompletePayload(turn=turn),
        ):
            yield TurnStreamChunk(event=TurnEvent(payload=payload))

    async def get_agents_turn(self, agent_id: str, turn_id: str) -> Turn:
        return self._turns[-1]

    async def get_agents_step(self, agent_id: str, turn_id: str, step_id: str) -> AgentStepResponse:
        return AgentStepResponse(step=self._turns[-1].steps[0])

    async def get_agents_session(
        self, agent_id: str, session_id: str, turn_ids: list[str] | None = None
    ) -> Session:
        return Session(
            session_id=session_id, session_name=session_id, turns=self._turns, started_at=_NOW
        )

    async def delete_agents_session(self, agent_id: str, session_id: str) -> None:
        self._turns.clear()

    async def delete_agents(self, agent_id: str) -> None:
        """Do nothing."""


async def get_provider_impl(
    config: Mapping[str, Any], deps: Mapping[str, Any]
) -> FakeSafety | FakeAgents:
    """Return the one that the config's ``kind`` names."""
    if config["kind"] == "agents":
        return FakeAgents(deps.get("inference"), config.get("model", ""))
    return FakeSafety()
