"""What the embedded memory keeps and refuses, and the file that it keeps it in."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.providers.faiss.conftest import (
    ALL_KINDS,
    VALUES,
    WORDS,
    Clock,
    LetterCounter,
    Open,
    contents,
    documents,
    found,
    stored,
    vector_bank,
)

from rungraph.engine.apis.common import ImageMedia
from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.apis.memory_banks import (
    GraphMemoryBank,
    KeyValueMemoryBank,
    KeywordMemoryBank,
    MemoryBank,
    VectorMemoryBank,
)
from rungraph.engine.providers.inline.faiss.config import FaissConfig
from rungraph.engine.providers.inline.faiss.provider import FaissMemory, get_provider_impl


async def test_everything_survives_a_restart(open_memory: Open) -> None:
    """Banks, documents, words and vectors are there again, and give the same answers."""
    memory = await open_memory()
    banks: list[MemoryBank] = [
        VALUES,
        vector_bank("named", provider_resource_id="v", metadata={"for": "tests"}),
        WORDS,
    ]
    for bank in banks:
        await stored(memory, bank, x="aab", y="bb", z="b a")
    queries = [("k", "x"), ("v", "ab"), ("w", "bb")]
    before = [await memory.query_documents(*query) for query in queries]
    again = await open_memory()
    assert await again.list_memory_banks() == banks
    assert [await again.query_documents(*query) for query in queries] == before


async def test_registering_a_bank_again_keeps_its_documents(open_memory: Open) -> None:
    """A run config registers its banks at every start; chunk sizes may change with it."""
    memory = await open_memory()
    await stored(memory, vector_bank(provider_id="p"), x="a")
    changed = vector_bank(chunk_size_in_tokens=7, overlap_size_in_tokens=0)
    assert await memory.register_memory_bank(changed) == changed
    assert await found(memory, "v", "a") == ["x"]
    assert await memory.list_memory_banks() == [changed]


async def test_a_bank_with_documents_keeps_its_model_and_kind(memory: FaissMemory) -> None:
    """Vectors of two models cannot be compared; an empty bank can still become anything."""
    await stored(memory, vector_bank(), x="a")
    other = VectorMemoryBank(identifier="v", embedding_model="other")
    with pytest.raises(
        ValueError, match="holds documents as vectors of 'letters' and cannot become"
    ):
        await memory.register_memory_bank(other)
    with pytest.raises(ValueError, match="cannot become a keyword bank"):
        await memory.register_memory_bank(KeywordMemoryBank(identifier="v"))
    await memory.unregister_memory_bank(vector_bank())
    for bank in (other, KeywordMemoryBank(identifier="v"), KeyValueMemoryBank(identifier="v")):
        await memory.register_memory_bank(bank)
        assert await memory.list_memory_banks() == [bank]


async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    memory: FaissMemory, counter: LetterCounter
) -> None:
    """Unknown and impossible banks, a bad document among good ones, vectors of no number."""
    with pytest.raises(ValueError, match="'g' is a 'graph' bank, which 'inline::faiss' does not"):
        await memory.register_memory_bank(GraphMemoryBank(identifier="g"))
    with pytest.raises(ValueError, match=r"overlap_size_in_tokens \(64\) must be less than"):
        await memory.register_memory_bank(vector_bank(chunk_size_in_tokens=64))
    await stored(memory, vector_bank(), x="a")
    assert await memory.list_memory_banks() == [vector_bank()]
    for call in (memory.query_documents("w", "a"), memory.insert_documents("w", [])):
        with pytest.raises(ValueError, match=r"no memory bank 'w' here \(known: 'v'\)"):
            await call
    bad = MemoryBankDocument(document_id="bad", content=ImageMedia(image="data:,"))
    with pytest.raises(ValueError, match="document 'bad' holds an image; this memory takes text"):
        await memory.insert_documents("v", [*documents(x="b", y="b"), bad])
    counter.letters = ""
    with pytest.raises(ValueError, match="'letters' gave vectors that are ragged, empty or not"):
        await memory.insert_documents("v", documents(x="a"))
    counter.letters = "abcdefgh"
    assert await contents(memory, "v", "a") == ["a"]


async def test_vectors_of_another_length_are_refused(
    memory: FaissMemory, counter: LetterCounter
) -> None:
    """The same model name with other vectors behind it is noticed, inserting and asking."""
    await stored(memory, vector_bank(), x="a")
    counter.letters = "abc"
    message = "holds vectors of 8 numbers, but embedding model 'letters' now gives 3"
    with pytest.raises(ValueError, match=message):
        await memory.insert_documents("v", documents(y="b"))
    with pytest.raises(ValueError, match=message):
        await memory.query_documents("v", "a")
    await memory.insert_documents("v", documents(x="b"))
    assert await found(memory, "v", "b") == ["x"]


async def test_expired_documents_do_not_come_back(
    open_memory: Open, clock: Clock, tmp_path: Path
) -> None:
    """When its time is over, a document is out of every answer, the index and the file."""
    memory = await open_memory()
    for bank in ALL_KINDS:
        await stored(memory, bank, stays="a b")
        await memory.insert_documents(bank.identifier, documents(goes="a"), ttl_seconds=10)
    clock.now += 9.5
    assert await found(memory, "v", "a") == ["goes", "stays"]
    clock.now += 0.5
    assert await found(memory, "v", "a", max_chunks=1) == ["stays"]
    assert await found(memory, "w", "a") == ["stays"]
    assert await found(memory, "k", ["goes", "stays"]) == ["stays"]
    file = sqlite3.connect(tmp_path / "deep" / "memory.db")
    assert file.execute("SELECT count(*) FROM chunk").fetchone() == (3,)
    file.close()
    await memory.insert_documents("v", documents(goes="a"))
    assert await found(memory, "v", "a") == ["goes", "stays"]


async def test_a_time_to_live_must_be_positive(memory: FaissMemory) -> None:
    """Zero seconds is a mistake rather than no limit."""
    with pytest.raises(ValueError, match="ttl_seconds must be positive, not 0"):
        await memory.insert_documents("v", [], ttl_seconds=0)


async def test_data_urls_carry_text(memory: FaissMemory) -> None:
    """Base64 and percent-encoding are decoded by the URL's own charset."""
    await stored(
        memory,
        VALUES,
        a="data:,caf%C3%A9%20noir",
        b="data:text/plain;charset=latin-1;base64,Y2Fm6Q==",
        c="data: these are only words, which begin so",
    )
    assert await contents(memory, "k", ["a", "b", "c"]) == [
        "café noir",
        "café",
        "data: these are only words, which begin so",
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"content": "https://example.org/a.txt"}, "'d' is a URL, and this memory fetches nothing"),
        ({"content": "file:///etc/passwd\n"}, "'d' is a URL, and this memory fetches nothing"),
        ({"content": "x", "mime_type": "application/pdf"}, "'d' is 'application/pdf'; this memory"),
        ({"content": "data:image/png;base64,AAAA"}, "'d' is 'image/png'; this memory takes text"),
        ({"content": "data:;base64,???"}, "'d' is a data: URL that cannot be decoded"),
        ({"content": "data:text/plain;charset=klingon,x"}, "cannot be decoded: unknown encoding"),
        ({"content": "data:,%FF"}, "'d' is a data: URL that cannot be decoded"),
    ],
)
async def test_what_is_no_text_is_refused(
    memory: FaissMemory, document: dict[str, Any], problem: str
) -> None:
    """Nothing is fetched, and nothing that is no text is indexed as if it were."""
    await memory.register_memory_bank(VALUES)
    with pytest.raises(ValueError, match=problem):
        await memory.insert_documents("k", [MemoryBankDocument(document_id="d", **document)])


async def test_odd_text_is_kept(memory: FaissMemory) -> None:
    """Empty documents, NULs and lone surrogates are stored without an error."""
    texts = {"empty": "", "nul": "a\0b", "half": "x\ud800y"}
    for bank in ALL_KINDS:
        await stored(memory, bank, **texts)
    assert await contents(memory, "k", list(texts)) == ["", "a\0b", "x?y"]
    assert await found(memory, "v", "a\ud800") == ["nul", "half"]


async def test_many_tasks_at_once_are_safe(memory: FaissMemory) -> None:
    """Inserts and queries of many tasks mix freely, and none is lost."""
    await memory.register_memory_bank(vector_bank())

    async def work(number: int) -> None:
        await memory.insert_documents("v", documents(**{f"d{number}": "a" * number, "same": "b"}))
        await memory.query_documents("v", "a")

    await asyncio.gather(*(work(number) for number in range(1, 41)))
    assert sorted(await found(memory, "v", "a", max_chunks=100)) == sorted(
        [*(f"d{n}" for n in range(1, 41)), "same"]
    )


async def test_inserts_of_one_document_keep_their_order(
    memory: FaissMemory, counter: LetterCounter
) -> None:
    """The later call wins, however long the embeddings of the earlier take."""
    await memory.register_memory_bank(vector_bank())
    counter.gate.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(memory.insert_documents("v", documents(x="first")))
        await counter.called.wait()
        group.create_task(memory.insert_documents("v", documents(x="second")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(counter.batches) == 1
        counter.gate.set()
    assert await contents(memory, "v", "a") == ["second"]


async def test_a_bank_that_goes_while_its_documents_are_embedded_is_an_error(
    memory: FaissMemory, counter: LetterCounter
) -> None:
    """Documents never turn up in a new bank of the same name."""
    await memory.register_memory_bank(vector_bank())
    counter.gate.clear()
    inserting = asyncio.create_task(memory.insert_documents("v", documents(x="a")))
    await counter.called.wait()
    await memory.unregister_memory_bank(vector_bank())
    await memory.register_memory_bank(vector_bank())
    counter.gate.set()
    with pytest.raises(ValueError, match="memory bank 'v' was unregistered meanwhile"):
        await inserting


async def test_two_memories_share_a_file(open_memory: Open) -> None:
    """What one commits, the other finds, in its indexes too."""
    one, two = await open_memory(), await open_memory()
    await stored(one, vector_bank(), x="a")
    assert await found(one, "v", "a") == ["x"]
    assert await found(two, "v", "a") == ["x"]
    await two.insert_documents("v", documents(x="b", y="ab"))
    assert await found(one, "v", "a") == ["y", "x"]
    await one.unregister_memory_bank(vector_bank())
    with pytest.raises(ValueError, match="no memory bank 'v' here"):
        await two.query_documents("v", "a")


async def test_a_file_that_is_no_memory_is_refused_and_left_alone(
    open_memory: Open, counter: LetterCounter, tmp_path: Path
) -> None:
    """Something else, somebody else's database, no place for a file; or no file at all."""
    content = b"this is no database, but long enough to be taken for one" * 99
    path = tmp_path / "deep" / "memory.db"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot keep memory banks in '.*memory.db': file is not"):
        await open_memory()
    assert path.read_bytes() == content
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE notes (text)")
    with pytest.raises(ValueError, match="is a database, but not of memory banks in version 1"):
        await open_memory()
    config = FaissConfig(db_path=str(path / "faiss.db"))
    with pytest.raises(ValueError, match=r"cannot open db_path '.*faiss\.db': .*can be written"):
        await get_provider_impl(config, {"inference": None})
    memory = await get_provider_impl(FaissConfig(db_path=":memory:"), {"inference": counter})
    await stored(memory, vector_bank(), x="a")
    assert await found(memory, "v", "a") == ["x"]
    await memory.shutdown()


async def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    """Whoever gives up waiting for the file to open leaves no thread and no open file."""
    config = FaissConfig(db_path=str(tmp_path / "memory.db"))
    starting = asyncio.create_task(get_provider_impl(config, {"inference": LetterCounter()}))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    for thread in threading.enumerate():
        if "faiss" in thread.name:
            await asyncio.to_thread(thread.join)


def test_the_default_file_is_in_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """``XDG_STATE_HOME`` counts; without it, the usual place does."""
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert FaissConfig().db_path == "/state/rungraph/faiss.db"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert FaissConfig().db_path == "/home/me/.local/state/rungraph/faiss.db"
