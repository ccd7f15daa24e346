"""Makes every call of the client 0.0.40 that the contract has; its argument is the server's URL."""

import sys
from datetime import datetime

import llama_stack_client
from llama_stack_client import LlamaStackClient
from telling import tell

trace = sys.argv[2]
client = LlamaStackClient(base_url=sys.argv[1], timeout=60, max_retries=0)
USER = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY = {"strategy": "greedy", "max_tokens": 12}


def refused(call):
    """Return how the client tells of a call that is refused."""
    try:
        call()
    except llama_stack_client.APIStatusError as error:
        return [type(error).__name__, error.body]
    return None


tell("health", client.inspect.health() if hasattr(client, "inspect") else None)
tell("providers", client.providers.list())
tell("routes", client.routes.list())
tell("models", client.models.list())
tell("model", client.models.retrieve(identifier="smollm2"))
tell("no model", client.models.retrieve(identifier="other"))
client.models.register(
    model={
        "identifier": "mine",
        "llama_model": "smollm2-135m-instruct",
        "metadata": {},
        "provider_id": "llm",
        "provider_resource_id": "smollm2-135m-instruct",
    }
)
tell("registered model", client.models.retrieve(identifier="mine"))
tell("shields", client.shields.list())
tell("shield", client.shields.retrieve(shield_type="words"))
client.shields.register(
    shield={"identifier": "more", "type": "words", "params": {}, "provider_id": "words"}
)
tell("registered shield", client.shields.retrieve(shield_type="more"))
client.memory_banks.register(
    memory_bank={
        "identifier": "notes",
        "type": "vector",
        "provider_id": "faiss",
        "embedding_model": "multilingual-e5-small",
        "chunk_size_in_tokens": 128,
        "overlap_size_in_tokens": 16,
    }
)
tell("banks", client.memory_banks.list())
tell("bank", client.memory_banks.retrieve(identifier="notes"))
tell("chat", client.inference.chat_completion(model="mine", messages=USER, sampling_params=GREEDY))
chunks = list(
    client.inference.chat_completion(
        model="mine", messages=USER, sampling_params=GREEDY, stream=True
    )
)
tell("chat chunks", chunks)
tell(
    "completion",
    client.inference.completion(
        model="mine", content="Paris is the capital of", sampling_params=GREEDY
    ),
)
tell(
    "embeddings", client.inference.embeddings.create(model="multilingual-e5-small", contents=["x"])
)
client.memory.insert(
    bank_id="notes",
    documents=[
        {"document_id": "cats", "content": "Cats sleep all day.", "metadata": {}},
        {"document_id": "bread", "content": "Knead the dough, then bake it.", "metadata": {}},
    ],
)
tell("query", client.memory.query(bank_id="notes", query="How do I make a loaf?"))
tell(
    "shield run",
    client.safety.run_shield(
        shield_type="words", messages=[{"role": "user", "content": "a forbidden word"}], params={}
    ),
)
client.telemetry.log_event(
    event={
        "type": "structured_log",
        "trace_id": trace,
        "span_id": "span",
        "timestamp": datetime(2026, 1, 1),  # Without a time zone, as this client may.
        "payload": {"type": "span_start", "name": "work"},
    }
)
tell("trace", client.telemetry.get_trace(trace_id=trace))
agent = client.agents.create(
    agent_config={"model": "mine", "instructions": "Be brief.", "enable_session_persistence": False}
)
tell("agent", agent)
session = client.agents.session.create(agent_id=agent.agent_id, session_name="talk")
tell("session", session)
turn = {"agent_id": agent.agent_id, "session_id": session.session_id, "messages": USER}
tell("turn events", list(client.agents.turn.create(**turn, stream=True)))
tell(
    "session read",
    client.agents.session.retrieve(agent_id=agent.agent_id, session_id=session.session_id),
)
client.agents.session.delete(agent_id=agent.agent_id, session_id=session.session_id)
client.agents.delete(agent_id=agent.agent_id)
tell(
    "unknown model",
    refused(lambda: client.inference.chat_completion(model="smolm2", messages=USER)),
)
tell("unknown bank", refused(lambda: client.memory.query(bank_id="nope", query="x")))
tell("no such API", refused(lambda: client.memory.list()))
