"""Makes the calls that only llama-stack-client 0.7.5 has; its argument is the server's URL."""

import sys

from llama_stack_client import LlamaStackClient
from telling import tell

client = LlamaStackClient(
    base_url=sys.argv[1], provider_data={"told_key": "key-of-ann"}, max_retries=0
)
USER = [{"role": "user", "content": "whose key"}]

tell("health", client.inspect.health())
tell("version", client.inspect.version())
tell("providers", client.providers.list())
tell("provider", client.providers.retrieve("llm"))
tell("admin health", client.alpha.admin.health())
tell("routes", client.routes.list())
tell("models", client.models.list())
tell("model", client.models.retrieve("smollm2"))
tell("shields", client.shields.list())
tell("shield", client.shields.register(shield_id="stern", provider_id="words"))
tell("shield read", client.shields.retrieve("stern"))
shouted = [{"role": "user", "content": "a forbidden word"}]
tell("shield run", client.safety.run_shield(shield_id="stern", messages=shouted))
client.shields.delete("stern")
tell("shields left", client.shields.list())
tell("chat", client.chat.completions.create(model="told/echo", messages=USER))
stream = client.chat.completions.create(model="told/echo", messages=USER, stream=True)
tell("chat chunks", list(stream))
tell("completion", client.completions.create(model="told/echo", prompt="Paris is"))
tell("embeddings", client.embeddings.create(model="multilingual-e5-small", input="x"))
