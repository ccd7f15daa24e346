"""All providers of inference, each with a server behind it, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from tests.counterparts import KEY, serve_counterpart
from tests.real import serve_llama
from tests.wire import Reply, sse

from rungraph.engine.catalog import CATALOG
from rungraph.engine.run.placement import open_in_process
from rungraph.graph.address import Address

BUSY = Reply({"error": {"message": "busy", "code": 429}}, 429)
FAILURE = sse(
    {"choices": [{"delta": {"content": "hi"}}]},
    {"error": {"message": "out of memory", "code": 500}},
)


@dataclass(frozen=True)
class Kind:
    """A type of provider, and how the server that it asks is.

    Attributes:
        provider_type: The type.
        model: The name of the chat model.
        chat: The path of a chat.
        busy: What the server says when it takes no more calls.
        failure: A stream that ends with an error of the server.
        cannot: What the provider has not: such a row is ``NotImplementedError``.
        has_server: Whether it asks a server at a URL, and runs no model itself.
        tells_key: Whether the server asks for a key.
    """

    provider_type: str
    model: str
    chat: str = "/v1/chat/completions"
    busy: Reply = field(default_factory=lambda: BUSY)
    failure: Reply = field(default_factory=lambda: FAILURE)
    cannot: frozenset[str] = frozenset()
    tells_key: bool = True
    has_server: bool = True

    @contextmanager
    def served(self, weights: Path) -> Generator[str]:
        """Run the server; yield its URL, or the path of the weights where there is no server."""
        name = self.provider_type.partition("::")[2]
        if not self.has_server:
            yield str(weights)
        elif name in {"tgi", "ollama", "vllm"}:
            with serve_counterpart(name, self.model) as url:
                yield url
        else:
            with serve_llama(weights, [self.model], api_key=KEY) as server:
                yield server.url

    @asynccontextmanager
    async def provider(self, url: str, **config: Any) -> AsyncGenerator[Any]:
        settings = {"url": url, "api_key": KEY, "max_retries": 0, **config}
        if not self.has_server:
            settings = {"model": url, "model_id": self.model, **config}
        elif self.provider_type == "remote::openai":
            settings["url"] = f"{url}/v1"
        spec = CATALOG.providers["inference", self.provider_type]
        module, _, name = spec.config_class.partition(":")
        made = getattr(import_module(module), name).model_validate(settings)
        entry_point = "get_adapter_impl" if self.has_server else "get_provider_impl"
        if spec.placement == "process":
            api = CATALOG.apis["inference"]
            protocols = {one: resolve_name(one) for one in (api.protocol, api.private_protocol)}
            address = Address.provider("inference", "it")
            provider: Any = await open_in_process(
                *(address, spec.module, entry_point, made), protocols=protocols, dependencies={}
            )
        else:
            provider = await getattr(import_module(spec.module), entry_point)(made, {})
        try:
            yield provider
        finally:
            await provider.shutdown()


_OLLAMA_LINE = b'{"model": "m", "message": {"role": "assistant", "content": "hi"}, "done": false}\n'
_NDJSON = {"Content-Type": "application/x-ndjson"}

KINDS = (
    Kind(
        "inline::llama-cpp",
        "small",
        cannot=frozenset({"embeddings"}),
        tells_key=False,
        has_server=False,
    ),
    Kind("remote::openai", "small", cannot=frozenset({"embeddings"})),
    Kind(
        "remote::tgi",
        "org/small",
        busy=Reply({"error": "Model is overloaded", "error_type": "overloaded"}, 429),
        failure=sse(
            {"choices": [{"delta": {"content": "hi"}}]},
            {"error": {"message": "Request failed during generation", "http_status_code": 500}},
        ),
        cannot=frozenset({"embeddings"}),
    ),
    Kind("remote::vllm", "org/small", cannot=frozenset({"embeddings", "tools"})),
    Kind(
        "remote::ollama",
        "small",
        chat="/api/chat",
        busy=Reply(
            {"error": "server busy, please try again.  maximum pending requests exceeded"}, 503
        ),
        failure=Reply(_OLLAMA_LINE + b'{"error": "out of memory"}\n', headers=_NDJSON),
        cannot=frozenset({"logprobs", "tools"}),
        tells_key=False,
    ),
)
