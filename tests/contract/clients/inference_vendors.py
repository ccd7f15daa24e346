"""Drives TGI and Ollama with their vendors' own clients.

Its arguments are the two URLs and the key of TGI.
"""

import sys

import ollama
import text_generation
from huggingface_hub import InferenceClient
from telling import SCHEMA, TOOL, tell

tgi, ollama_url, key = sys.argv[1:]
PROMPT = "The capital of France is"
MESSAGES = [{"role": "user", "content": "Say hi"}]

client = text_generation.Client(tgi, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def generate():
    """Return a completion, and what is known of it."""
    found = client.generate(PROMPT, max_new_tokens=4)
    details = found.details
    tokens = [one.text for one in details.tokens]
    return [found.generated_text, details.finish_reason, details.generated_tokens, tokens]


def generate_stream():
    """Return the tokens of a streamed completion, and the text that the last one brings."""
    found = list(client.generate_stream(PROMPT, max_new_tokens=4))
    return [[one.token.text for one in found], found[-1].generated_text]


def tgi_chat():
    """Return a chat's answer."""
    return client.chat(messages=MESSAGES, max_tokens=4).choices[0].message.content


tell("generate", generate)
tell("generate stream", generate_stream)
tell("tgi chat", tgi_chat)
tell("five stops", lambda: client.generate("x", stop_sequences=list("abcde")))
tell("too long", lambda: client.generate("x", max_new_tokens=5000))
tell("too long stream", lambda: list(client.generate_stream("x", max_new_tokens=5000)))

hub = InferenceClient(model=tgi, token=key)
tell("hub generation", lambda: hub.text_generation(PROMPT, max_new_tokens=4))
tell("hub stream", lambda: list(hub.text_generation(PROMPT, max_new_tokens=4, stream=True)))
tell(
    "hub grammar",
    lambda: hub.text_generation(
        "A color:", max_new_tokens=30, grammar={"type": "json", "value": SCHEMA}
    ),
)


def hub_chat_stream():
    """Return a streamed chat's answer; the other client does not read TGI's own streams."""
    found = list(hub.chat_completion(MESSAGES, max_tokens=4, seed=1, stream=True))
    return "".join(one.choices[0].delta.content or "" for one in found if one.choices)


tell(
    "hub chat",
    lambda: hub.chat_completion(MESSAGES, max_tokens=4, seed=1).choices[0].message.content,
)
tell("hub chat stream", hub_chat_stream)
tell(
    "hub schema",
    lambda: (
        hub.chat_completion(
            MESSAGES, max_tokens=30, seed=1, response_format={"type": "json", "value": SCHEMA}
        )
        .choices[0]
        .message.content
    ),
)
tell("hub wrong key", lambda: InferenceClient(model=tgi, token="no").text_generation("x"))  # noqa: S106

local = ollama.Client(host=ollama_url)
SHORT = {"num_predict": 4, "temperature": 0}


def show():
    """Return what the models can do."""
    return {one.model: local.show(one.model).capabilities for one in local.list().models}


def ollama_chat(**more):
    """Return a chat's answer, why it ends and how long it is."""
    found = local.chat("smollm2", MESSAGES, options=SHORT, **more)
    return [found.message.content, found.done_reason, found.eval_count]


def ollama_stream():
    """Return a streamed chat's answer."""
    return [
        one.message.content for one in local.chat("smollm2", MESSAGES, options=SHORT, stream=True)
    ]


tell("show", show)
tell("ollama chat", ollama_chat)
tell("ollama stream", ollama_stream)
tell(
    "ollama schema",
    lambda: (
        local.chat("smollm2", MESSAGES, format=SCHEMA, options={"num_predict": 30}).message.content
    ),
)
tell("ollama generate", lambda: local.generate("smollm2", PROMPT, raw=True, options=SHORT).response)
tell("ollama embed", lambda: [len(one) for one in local.embed("e5", ["one", "two"]).embeddings])
tell("unknown model", lambda: local.chat("nope", MESSAGES))
tell("no tools", lambda: local.chat("smollm2", MESSAGES, tools=[TOOL]))
tell("pull", lambda: [one.status for one in local.pull("other", stream=True)])
tell("pull of nothing", lambda: list(local.pull("nope", stream=True)))
tell("load", lambda: local.chat("smollm2", []).done_reason)
