"""Calls ``/v1`` as users of the openai SDK do; its argument is the server's URL."""

import sys

import openai
from pydantic import BaseModel
from telling import tell

client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
USER = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "book",
        "description": "Book a table.",
        "parameters": {
            "type": "object",
            "properties": {
                "table": {
                    "type": "object",
                    "properties": {"seats": {"type": "integer"}},
                    "required": ["seats"],
                }
            },
            "required": ["table"],
        },
    },
}


class City(BaseModel):
    """What a model is to answer with."""

    name: str


def refused(**call):
    """Return how the SDK tells of a chat that is refused."""
    try:
        client.chat.completions.create(messages=USER, **call)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.body, bool(error.request_id)]
    return None


tell("models", list(client.models.list()))
tell("model", client.models.retrieve("smollm2"))
for model in ("smollm2", "told/echo"):
    common = {"model": model, "messages": USER, "max_tokens": 12, "temperature": 0}
    tell(f"{model} chat", client.chat.completions.create(**common))
    stream = client.chat.completions.create(
        **common, stream=True, stream_options={"include_usage": True}
    )
    tell(f"{model} chunks", list(stream))
    done = client.completions.create(model=model, prompt="Paris is", max_tokens=8, temperature=0)
    tell(f"{model} completion", done)
    stream = client.completions.create(
        model=model, prompt="Paris is", max_tokens=8, temperature=0, stream=True
    )
    tell(f"{model} completion chunks", list(stream))
    call = client.chat.completions.create(**common, tools=[TOOL], tool_choice="auto")
    tell(f"{model} tools", call)
parsed = client.chat.completions.parse(
    model="smollm2", messages=USER, max_tokens=30, temperature=0, response_format=City
)
tell("parsed", parsed.choices[0].message.parsed)
long = client.chat.completions.create(
    model="smollm2", messages=USER, max_tokens=2, temperature=0, logprobs=True, top_logprobs=2
)
tell("logprobs", long)
packed = client.embeddings.create(model="multilingual-e5-small", input=["one", "two"])
plain = client.embeddings.create(
    model="multilingual-e5-small", input="one", encoding_format="float"
)
tell("embeddings", [packed.data[0].embedding, packed.data[1].index, plain.data[0].embedding])
tell("unknown model", refused(model="smolm2"))
tell("cannot honour", refused(model="told/echo", n=2))
tell("forwarded", refused(model="smollm2", n=0, extra_body={"unheard_of": 1}))
