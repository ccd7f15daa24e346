"""The agents API: agents with sessions, whose turns use inference, safety, memory and tools."""

# ruff: noqa: TC001, TC003  servers resolve these annotations when they run
from __future__ import annotations

from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from rungraph.engine.apis.common import (
    ApiModel,
    Attachment,
    SamplingParams,
    ToolChoice,
    ToolParamDefinition,
    ToolPromptFormat,
)
from rungraph.engine.apis.routes import route
from rungraph.engine.apis.turns import AnyStep, Session, Turn, TurnInput, TurnStreamChunk


class RemoteExecutionMethod(StrEnum):
    """The HTTP method that runs a tool."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


class RemoteExecutionConfig(ApiModel):
    """Where a tool is run, when not in the agent."""

    url: str
    method: RemoteExecutionMethod
    params: dict[str, Any] | None = None
    headers: dict[str, Any] | None = None
    body: dict[str, Any] | None = None


class AgentTool(ApiModel):
    """What all of an agent's tools have: the shields around each call."""

    input_shields: list[str] = Field(default_factory=list[str])
    output_shields: list[str] = Field(default_factory=list[str])


class SearchTool(AgentTool):
    """Searches the web."""

    type: Literal["brave_search"] = "brave_search"
    api_key: str = Field(repr=False)
    engine: Literal["bing", "brave"] = "brave"
    remote_execution: RemoteExecutionConfig | None = None


class WolframAlphaTool(AgentTool):
    """Asks Wolfram Alpha."""

    type: Literal["wolfram_alpha"] = "wolfram_alpha"
    api_key: str = Field(repr=False)
    remote_execution: RemoteExecutionConfig | None = None


class PhotogenTool(AgentTool):
    """Makes pictures."""

    type: Literal["photogen"] = "photogen"
    remote_execution: RemoteExecutionConfig | None = None


class CodeInterpreterTool(AgentTool):
    """Runs code."""

    type: Literal["code_interpreter"] = "code_interpreter"
    enable_inline_code_execution: bool = True
    remote_execution: RemoteExecutionConfig | None = None


class FunctionCallTool(AgentTool):
    """A function of the caller's own: its calls are answered by the caller, in the next turn."""

    type: Literal["function_call"] = "function_call"
    function_name: str
    description: str
    parameters: dict[str, ToolParamDefinition]
    remote_execution: RemoteExecutionConfig | None = None


class VectorBankUse(ApiModel):
    """A vector bank to ask."""

    type: Literal["vector"] = "vector"
    bank_id: str


class KeyValueBankUse(ApiModel):
    """A key-value bank to ask, and the keys to ask it for."""

    type: Literal["keyvalue"] = "keyvalue"
    bank_id: str
    keys: list[str]


class KeywordBankUse(ApiModel):
    """A keyword bank to ask."""

    type: Literal["keyword"] = "keyword"
    bank_id: str


class GraphBankUse(ApiModel):
    """A graph bank to ask, and the entities to ask it for."""

    type: Literal["graph"] = "graph"
    bank_id: str
    entities: list[str]


BankUse = Annotated[
    VectorBankUse | KeyValueBankUse | KeywordBankUse | GraphBankUse, Field(discriminator="type")
]


class DefaultQueryGenerator(ApiModel):
    """The query is the texts of the turn's messages, joined by *sep*."""

    type: Literal["default"] = "default"
    sep: str = " "


class LlmQueryGenerator(ApiModel):
    """A model writes the query; *template* is what it is asked."""

    type: Literal["llm"] = "llm"
    model: str
    template: str


class CustomQueryGenerator(ApiModel):
    """The agents provider makes the query in its own way."""

    type: Literal["custom"] = "custom"


QueryGenerator = Annotated[
    DefaultQueryGenerator | LlmQueryGenerator | CustomQueryGenerator, Field(discriminator="type")
]


class MemoryTool(AgentTool):
    """Tells the model what memory banks hold on the matter."""

    type: Literal["memory"] = "memory"
    memory_bank_configs: list[BankUse] = Field(default_factory=list[BankUse])
    query_generator_config: QueryGenerator = DefaultQueryGenerator()
    max_tokens_in_context: int = Field(default=4096, gt=0)
    max_chunks: int = Field(default=10, gt=0)


AnyAgentTool = Annotated[
    SearchTool
    | WolframAlphaTool
    | PhotogenTool
    | CodeInterpreterTool
    | FunctionCallTool
    | MemoryTool,
    Field(discriminator="type"),
]
"""Any tool of an agent, told apart by ``type``."""


class AgentConfig(ApiModel):
    """What an agent is: a model, its instructions, its tools and the shields around it."""

    model: str
    instructions: str
    enable_session_persistence: bool = True
    max_infer_iters: int = Field(default=10, gt=0)
    sampling_params: SamplingParams | None = None
    input_shields: list[str] = Field(default_factory=list[str])
    output_shields: list[str] = Field(default_factory=list[str])
    tools: list[AnyAgentTool] = Field(default_factory=list[AnyAgentTool])
    tool_choice: ToolChoice = ToolChoice.AUTO
    tool_prompt_format: ToolPromptFormat = ToolPromptFormat.JSON


class AgentCreateResponse(ApiModel):
    """The name of a new agent."""

    agent_id: str


class AgentSessionCreateResponse(ApiModel):
    """The name of a new session."""

    session_id: str


class AgentStepResponse(ApiModel):
    """A step of a turn."""

    step: AnyStep


class Agents(Protocol):
    """Runs agents. Every method raises ``ValueError`` for an id that does not exist."""

    @route("POST", "/agents/create")
    async def create_agent(self, agent_config: AgentConfig) -> AgentCreateResponse:
        """Create an agent and return its id."""
        ...

    @route("POST", "/agents/session/create")
    async def create_agent_session(
        self, agent_id: str, session_name: str
    ) -> AgentSessionCreateResponse:
        """Begin a conversation with an agent and return its id."""
        ...

    @route("POST", "/agents/turn/create")
    async def create_agent_turn(
        self,
        agent_id: str,
        session_id: str,
        messages: list[TurnInput],
        attachments: list[Attachment] | None = None,
        stream: bool = False,
    ) -> Turn | AsyncGenerator[TurnStreamChunk, None]:
        """Have the agent answer *messages*.

        With ``stream=True``, awaiting the call gives an asynchronous generator of events, from
        ``turn_start`` to ``turn_complete``; ``aclose()`` breaks the turn off.
        """
        ...

    @route("GET", "/agents/turn/get")
    async def get_agents_turn(self, agent_id: str, turn_id: str) -> Turn:
        """Return a turn that is over."""
        ...

    @route("GET", "/agents/step/get")
    async def get_agents_step(self, agent_id: str, turn_id: str, step_id: str) -> AgentStepResponse:
        """Return a step of a turn that is over."""
        ...

    @route("POST", "/agents/session/get")
    async def get_agents_session(
        self, agent_id: str, session_id: str, turn_ids: list[str] | None = None
    ) -> Session:
        """Return a session with its turns, or with those of *turn_ids* alone."""
        ...

    @route("POST", "/agents/session/delete")
    async def delete_agents_session(self, agent_id: str, session_id: str) -> None:
        """Forget a session."""
        ...

    @route("POST", "/agents/delete")
    async def delete_agents(self, agent_id: str) -> None:
        """Forget an agent and its sessions."""
        ...
