"""A memory in a file of the test, with an embedding model that counts letters."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from rungraph.engine.apis.common import InterleavedContent, text_of
from rungraph.engine.apis.inference import EmbeddingsResponse
from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.apis.memory_banks import (
    KeyValueMemoryBank,
    KeywordMemoryBank,
    MemoryBank,
    VectorMemoryBank,
)
from rungraph.engine.providers.inline.faiss import provider as faiss_provider
from rungraph.engine.providers.inline.faiss.config import FaissConfig
from rungraph.engine.providers.inline.faiss.provider import FaissMemory, get_provider_impl

Open = Callable[..., Awaitable[FaissMemory]]


class LetterCounter:
    """Embeds a text as how often each of the first letters of the alphabet is in it."""

    def __init__(self, letters: str = "abcdefgh") -> None:
        self.letters = letters
        self.batches: list[int] = []
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def embeddings(
        self, model: str, contents: list[InterleavedContent]
    ) -> EmbeddingsResponse:
        self.batches.append(len(contents))
        self.called.set()
        await self.gate.wait()
        rows = [[float(text_of(text).count(c)) for c in self.letters] for text in contents]
        return EmbeddingsResponse(embeddings=rows)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which the memory's documents expire."""
    clock = Clock()
    monkeypatch.setattr(faiss_provider, "time", clock)
    return clock


@pytest.fixture
def counter() -> LetterCounter:
    """Return the model behind the memory."""
    return LetterCounter()


@pytest.fixture
async def open_memory(tmp_path: Path, counter: LetterCounter) -> AsyncGenerator[Open]:
    """Yield a function that opens the test's file, any number of times."""
    opened: list[FaissMemory] = []

    async def open_memory(inference: Any = counter) -> FaissMemory:
        config = FaissConfig(db_path=str(tmp_path / "deep" / "memory.db"))
        opened.append(await get_provider_impl(config, {"inference": inference}))
        return opened[-1]

    yield open_memory
    for memory in opened:
        await memory.shutdown()
    assert not [thread for thread in threading.enumerate() if "faiss" in thread.name]


@pytest.fixture
async def memory(open_memory: Open) -> FaissMemory:
    """Return a memory without any bank."""
    return await open_memory()


def vector_bank(identifier: str = "v", **more: Any) -> VectorMemoryBank:
    """Return a bank for the letter counter."""
    return VectorMemoryBank(identifier=identifier, embedding_model="letters", **more)


WORDS = KeywordMemoryBank(identifier="w")
VALUES = KeyValueMemoryBank(identifier="k")
ALL_KINDS: tuple[MemoryBank, ...] = (vector_bank(), WORDS, VALUES)


def documents(**texts: InterleavedContent) -> list[MemoryBankDocument]:
    """Return documents from their texts by id."""
    return [MemoryBankDocument(document_id=name, content=text) for name, text in texts.items()]


async def found(
    memory: FaissMemory, bank: str, query: InterleavedContent, **params: Any
) -> list[str]:
    """Return the ids of the documents that a query finds, best first."""
    answer = await memory.query_documents(bank, query, params)
    return [chunk.document_id for chunk in answer.chunks]


async def contents(memory: FaissMemory, bank: str, query: InterleavedContent) -> list[object]:
    """Return the contents of the chunks that a query finds, best first."""
    return [chunk.content for chunk in (await memory.query_documents(bank, query)).chunks]


async def stored(memory: FaissMemory, bank: MemoryBank, **texts: InterleavedContent) -> None:
    """Register *bank* and put documents into it."""
    await memory.register_memory_bank(bank)
    await memory.insert_documents(bank.native_id, documents(**texts))
