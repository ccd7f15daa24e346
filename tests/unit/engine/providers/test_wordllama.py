"""The static embeddings, the real ones."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.contract.command_line import run_program

from rungraph.engine.providers.inline.embedding import EmbeddingProvider
from rungraph.engine.providers.inline.wordllama.config import WordLlamaConfig
from rungraph.engine.providers.inline.wordllama.provider import MODEL, get_provider_impl

wordllama = pytest.importorskip("wordllama")


@pytest.fixture
async def static(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[EmbeddingProvider]:
    """Yield the provider, loaded without a network."""

    def refuse(*_: object) -> None:
        message = "no network"
        raise OSError(message)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    provider = await get_provider_impl(WordLlamaConfig(), {})
    yield provider
    await provider.shutdown()


async def test_it_lists_its_one_model(static: EmbeddingProvider) -> None:
    """It has no context length, as it reads a text of any length whole."""
    (model,) = await static.list_models()
    assert model.identifier == MODEL
    assert model.model_type == "embedding"
    assert model.metadata == {"embedding_dimension": 256}


async def test_vectors_are_those_of_the_library(static: EmbeddingProvider) -> None:
    """Without padding, of texts of any length; nothing has no direction, and is no error."""
    texts = ["cats sleep a lot", "a", "Köln, 東京 and naïve words " * 9]
    library = wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )
    expected = library.embed(texts, norm=True)
    vectors = (await static.embeddings(MODEL, list(texts))).embeddings
    for vector, row in zip(vectors, expected.tolist(), strict=True):
        assert vector == pytest.approx(row, abs=1e-5)
    # A text beside which others are short takes the memory of its own tokens, no more.
    texts = ["cats and dogs " * 50_000, "cats and dogs", ""]
    long, short, nothing = (await static.embeddings(MODEL, list(texts))).embeddings
    assert sum(a * b for a, b in zip(long, short, strict=True)) > 0.99
    assert nothing == [0.0] * 256


def test_loading_leaves_logging_alone() -> None:
    """The library sets up logging for the whole process when it is imported; not here."""
    code = (
        "import asyncio, logging\n"
        "from rungraph.engine.providers.inline.wordllama import config, provider\n"
        "async def main():\n"
        "    made = await provider.get_provider_impl(config.WordLlamaConfig(), {})\n"
        "    await made.shutdown()\n"
        "asyncio.run(main())\n"
        "print(logging.getLogger().handlers, logging.getLogger().level)\n"
    )
    source = Path(__file__).parents[4] / "src"
    ended = run_program(sys.executable, "-c", code, env={"PYTHONPATH": str(source)})
    assert ended == (0, f"[] {logging.WARNING}\n", "")
