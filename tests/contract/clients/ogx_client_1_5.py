"""Makes the calls of ogx-client 1.5 that are served; its argument is the server's URL."""

import sys

from ogx_client import OgxClient
from telling import tell

client = OgxClient(base_url=sys.argv[1], provider_data={"told_key": "key-of-ann"})
USER = [{"role": "user", "content": "whose key"}]

tell("health", client.inspect.health())
tell("version", client.inspect.version())
tell("providers", client.providers.list())
tell("provider", client.providers.retrieve("llm"))
tell("admin", [client.admin.health(), client.admin.version(), client.admin.list_providers()])
tell("routes", client.routes.list())
tell("models", client.models.list())
tell("model", client.models.retrieve("smollm2"))
tell("chat", client.chat.completions.create(model="told/echo", messages=USER))
# Not drawn: a first token that is no whole character leaves the role out of the first chunk.
small = {"model": "smollm2", "messages": USER, "max_tokens": 5, "temperature": 0}
chunks = client.chat.completions.create(**small, stream=True)
tell("chat chunks", list(chunks))
tell("completion", client.completions.create(model="told/echo", prompt="Paris is"))
tell("embeddings", client.embeddings.create(model="multilingual-e5-small", input="x"))
tell("response", client.responses.create(model="smollm2", input="Hello", max_output_tokens=5))
tell("events", list(client.responses.create(model="told/echo", input="Hello", stream=True)))
file = client.files.create(
    file=("bread.txt", b"Knead the dough, then bake it."), purpose="assistants"
)
tell("file", client.files.retrieve(file.id))
tell("files", client.files.list())
tell("content", str(client.files.content(file.id)))
store = client.vector_stores.create(name="mine", embedding_model="multilingual-e5-small")
tell("store", client.vector_stores.retrieve(store.id))
tell("store file", client.vector_stores.files.create(store.id, file_id=file.id))
tell("store files", client.vector_stores.files.list(store.id))
tell("found", client.vector_stores.search(store.id, query="How do I make a loaf?"))
tell("stores", client.vector_stores.list())
tell("deleted", [client.vector_stores.delete(store.id), client.files.delete(file.id)])
