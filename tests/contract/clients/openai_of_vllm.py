"""Drives vLLM as users of the openai SDK do; its arguments are the server's URL and the key."""

import sys

import openai
from telling import SCHEMA, TOOL, tell

client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key=sys.argv[2], max_retries=0)
MESSAGES = [{"role": "user", "content": "Which color?"}]


def chat(model="org/small", **more):
    """Return a chat's answer."""
    found = client.chat.completions.create(
        model=model, messages=MESSAGES, **{"max_tokens": 30, "temperature": 0, **more}
    )
    if more.get("stream"):
        return "".join(one.choices[0].delta.content or "" for one in found if one.choices)
    return found.choices[0].message.content


def completion(**more):
    """Return a completion."""
    found = client.completions.create(
        model="org/small", prompt="A color:", max_tokens=30, temperature=0, **more
    )
    return found.choices[0].text


FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
tell("models", lambda: [[one.id, one.max_model_len] for one in client.models.list().data])
tell("chat", chat)
tell("chat stream", lambda: chat(stream=True))
tell("schema", lambda: chat(response_format=FORM))
tell("structured", lambda: completion(extra_body={"structured_outputs": {"json": SCHEMA}}))
tell("guided", lambda: completion(extra_body={"guided_json": SCHEMA}))
tell("tools", lambda: chat(tools=[TOOL]))
tell("unknown model", lambda: chat("nope"))
tell("too long", lambda: client.completions.create(model="org/small", prompt="word " * 3000))
tell("embeddings", lambda: client.embeddings.create(model="org/small", input="one").data)
