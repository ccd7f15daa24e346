"""Calls what openai and llama-stack-client have alike below ``/v1``; prints what they make of it.

The arguments: which of the two packages, and the server's URL.
"""

import sys
from importlib import import_module

from telling import tell

package = import_module(sys.argv[1])
BASE = {"max_retries": 0, "timeout": 60}
if sys.argv[1] == "openai":
    client = package.OpenAI(base_url=f"{sys.argv[2]}/v1", api_key="none", **BASE)
else:
    provider_data = {"told_key": "key-of-ann"}
    client = package.LlamaStackClient(base_url=sys.argv[2], provider_data=provider_data, **BASE)
TOOL = {
    "type": "function",
    "name": "book",
    "parameters": {"type": "object", "properties": {"seats": {"type": "integer"}}},
}
ASK = "What is the capital of France?"


def refused(call):
    """Return how the SDK tells of a call that is refused."""
    try:
        call()
    except package.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.body]
    return None


for model in ("smollm2", "told/echo"):
    common = {"model": model, "input": ASK, "max_output_tokens": 12, "temperature": 0}
    tell(f"{model} response", client.responses.create(**common, instructions="Be brief."))
    tell(f"{model} events", list(client.responses.create(stream=True, **common)))
history = [
    {"role": "user", "content": [{"type": "input_text", "text": "Book a table for two."}]},
    {"type": "function_call", "call_id": "c1", "name": "book", "arguments": '{"seats": 2}'},
    {"type": "function_call_output", "call_id": "c1", "output": "booked"},
]
tell("history", client.responses.create(model="told/echo", input=history, tools=[TOOL]))
kept = {"model": "smollm2", "input": ASK, "previous_response_id": "resp_1"}
tell("kept", refused(lambda: client.responses.create(**kept)))
tell("moderation", client.moderations.create(input=["a forbidden word", "fine"], model="words"))
with open(sys.argv[3], "rb") as text:  # noqa: PTH123
    file = client.files.create(file=text, purpose="assistants")
tell("file", file)
tell("file read", client.files.retrieve(file.id))
tell("files", list(client.files.list()))
content = client.files.content(file.id)
with open(sys.argv[3], "rb") as text:  # noqa: PTH123
    second = client.files.create(file=text, purpose="batch")
page = client.files.list(limit=1)
tell("newest", [[one.id == second.id for one in page.data], page.has_more])
oldest_first = [one.id for one in client.files.list(limit=1, order="asc")]  # Page after page.
tell("paged", [one for one in oldest_first if one in {file.id, second.id}] == [file.id, second.id])
tell("after", [one.id for one in client.files.list(after=second.id, limit=1).data] == [file.id])
tell("batch", [one.purpose for one in client.files.list(purpose="batch")])
tell("after nothing", refused(lambda: client.files.list(after="file-none")))
client.files.delete(second.id)
tell("content", content if isinstance(content, str) else getattr(content, "text", repr(content)))
more = {"embedding_model": "multilingual-e5-small"}
store = client.vector_stores.create(name="notes of mine", extra_body=more)
tell("store", store)
tell("store file", client.vector_stores.files.create(vector_store_id=store.id, file_id=file.id))
tell("store files", [one.id for one in client.vector_stores.files.list(vector_store_id=store.id)])
pieces = client.vector_stores.files.content(vector_store_id=store.id, file_id=file.id)
tell("store file content", "".join(piece.text for piece in getattr(pieces, "data", pieces)))
found = client.vector_stores.search(vector_store_id=store.id, query="How do I make a loaf?")
tell("found", found.data[0])
tell("store read", client.vector_stores.retrieve(store.id))
tell("stores", [one.id for one in client.vector_stores.list()])
tell("file deleted", client.files.delete(file.id))
tell("store deleted", client.vector_stores.delete(store.id))
tell("no store", refused(lambda: client.vector_stores.retrieve(store.id)))
tell("no file", refused(lambda: client.files.retrieve(file.id)))
