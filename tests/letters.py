"""Providers of the engine's own classes whose model counts letters, and that fail when told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faiss

from rungraph.engine.apis.inference import EmbeddingsResponse
from rungraph.engine.catalog import CATALOG
from rungraph.engine.providers.inline.embedding import Embedder, EmbeddingProvider
from rungraph.engine.providers.inline.faiss.provider import FaissMemory
from rungraph.engine.providers.inline.faiss.storage import Storage
from rungraph.graph.catalog.specs import Catalog, ProviderSpec

_HERE = "tests.letters"

LETTERS = CATALOG.merged(
    Catalog.of(
        providers=[
            ProviderSpec("inference", "inline::told", _HERE, offers=("config.model",)),
            ProviderSpec("inference", "inline::silent", _HERE),
            ProviderSpec("memory", "inline::needy", _HERE, dependencies=("inference",)),
            ProviderSpec("memory", "inline::own", _HERE),
        ]
    )
)
"""Inference whose type tells its model or not, and memory that needs inference or has its own."""

BREAKERS: dict[str, asyncio.Event] = {}
"""By model, what breaks the running provider of it down once it is set."""


def count_letters(texts: Sequence[str]) -> list[list[float]]:
    """Return how often ``a`` and ``e`` stand in each text, and 1."""
    return [[float(text.count("a")), float(text.count("e")), 1.0] for text in texts]


class BreakableInference(EmbeddingProvider):
    """Inference that breaks down once its event is set."""

    def __init__(self, embedder: Embedder, *, thread: ThreadPoolExecutor) -> None:
        super().__init__(embedder, thread=thread)
        self._name = embedder.identifier
        self._group = asyncio.TaskGroup()

    async def begin(self) -> None:
        """Wait for the event in the background."""
        await self._group.__aenter__()
        BREAKERS[self._name] = asyncio.Event()
        self._task = self._group.create_task(self._break())

    async def shutdown(self) -> None:
        """End the background work."""
        self._task.cancel()
        try:
            await self._group.__aexit__(None, None, None)
        finally:
            await super().shutdown()

    async def _break(self) -> None:
        await BREAKERS[self._name].wait()
        msg = "it broke down"
        raise RuntimeError(msg)


class AnyModel:
    """Embeds, whatever the model is called."""

    async def embeddings(self, model: str, contents: Sequence[str]) -> EmbeddingsResponse:
        """Return the vectors of *contents*."""
        return EmbeddingsResponse(embeddings=count_letters(contents))


async def get_provider_impl(config: Mapping[str, Any], deps: Mapping[str, Any]) -> Any:
    """Return inference with the model that *config* names, or else a memory."""
    if config.get("crash"):
        msg = "refused"
        raise ConnectionError(msg)
    if "model" in config:
        name = str(config["model"])
        breakable = await BreakableInference.load(
            name, lambda: Embedder(identifier=name, dimension=3, embed=count_letters)
        )
        await breakable.begin()
        return breakable
    thread = ThreadPoolExecutor(max_workers=1)
    opening = thread.submit(lambda: Storage(":memory:", faiss=faiss, clock=time.time))
    storage = await asyncio.wrap_future(opening)
    inference: Any = deps.get("inference", AnyModel())
    return FaissMemory(storage, thread=thread, inference=inference)
