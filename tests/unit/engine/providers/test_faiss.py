"""The embedded memory, with an embedding model that counts letters."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from rungraph.engine.apis import (
    EmbeddingsResponse,
    GraphMemoryBank,
    ImageMedia,
    InterleavedContent,
    KeyValueMemoryBank,
    KeywordMemoryBank,
    MemoryBank,
    MemoryBankDocument,
    QueryDocumentsResponse,
    VectorMemoryBank,
    text_of,
)
from rungraph.engine.providers.inline.faiss import provider as faiss_provider
from rungraph.engine.providers.inline.faiss.config import FaissConfig
from rungraph.engine.providers.inline.faiss.provider import FaissMemory, get_provider_impl

if TYPE_CHECKING:
    from pathlib import Path

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
        self,
        model: str,
        contents: list[InterleavedContent],
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


def documents(**texts: InterleavedContent) -> list[MemoryBankDocument]:
    """Return documents from their texts by id."""
    return [MemoryBankDocument(document_id=name, content=text) for name, text in texts.items()]


def all_kinds() -> tuple[MemoryBank, ...]:
    """Return one bank of every kind: ``v``, ``w`` and ``k``."""
    return (
        vector_bank("v"),
        KeywordMemoryBank(identifier="w"),
        KeyValueMemoryBank(identifier="k"),
    )


def ids(answer: QueryDocumentsResponse) -> list[str]:
    """Return the documents that were found, best first."""
    return [chunk.document_id for chunk in answer.chunks]


async def stored(memory: FaissMemory, bank: MemoryBank, **texts: InterleavedContent) -> None:
    """Register *bank* and put documents into it."""
    await memory.register_memory_bank(bank)
    await memory.insert_documents(bank.native_id, documents(**texts))


async def test_a_vector_bank_finds_the_nearest_first(memory: FaissMemory) -> None:
    """Scores are cosines, best first, and equal ones come in the order of insertion."""
    await stored(memory, vector_bank(), x="aaa", y="ab", z="bb", w="aa")
    answer = await memory.query_documents("v", "a")
    assert ids(answer) == ["x", "w", "y", "z"]
    assert answer.scores == pytest.approx([1.0, 1.0, 0.5**0.5, 0.0], abs=1e-6)
    assert answer.chunks[2].content == "ab"
    assert answer.chunks[2].token_count == 1


async def test_max_chunks_and_score_threshold_limit_an_answer(memory: FaissMemory) -> None:
    """Five chunks are the default; fewer, or better ones only, can be asked for."""
    await stored(memory, vector_bank(), **{f"d{i}": "a" * i + "b" for i in range(1, 9)})
    assert len((await memory.query_documents("v", "a")).chunks) == 5
    assert ids(await memory.query_documents("v", "a", {"max_chunks": 2})) == ["d8", "d7"]
    best = await memory.query_documents("v", "a", {"score_threshold": 0.98})
    assert ids(best) == ["d8", "d7", "d6", "d5"]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"max_chunks": 0}, "max_chunks: input should be greater than or equal to 1"),
        ({"max_chunk": 3}, "max_chunk: extra inputs are not permitted"),
    ],
)
async def test_wrong_params_are_refused(
    memory: FaissMemory, params: dict[str, Any], problem: str
) -> None:
    """A misspelt option does not silently do nothing."""
    with pytest.raises(ValueError, match=problem) as caught:
        await memory.query_documents("v", "a", params)
    assert "(known: max_chunks, score_threshold)" in str(caught.value)


async def test_documents_are_chunked_as_the_bank_says(
    memory: FaissMemory, counter: LetterCounter
) -> None:
    """Chunks have the bank's size and overlap, and are embedded in batches."""
    bank = vector_bank(chunk_size_in_tokens=2, overlap_size_in_tokens=1)
    await stored(memory, bank, long=" ".join(["a", "b"] * 50))
    assert counter.batches == [64, 35]
    answer = await memory.query_documents("v", "a", {"max_chunks": 200})
    assert {chunk.token_count for chunk in answer.chunks} == {2}
    assert len(answer.chunks) == 99


async def test_a_document_takes_the_place_of_its_namesake(memory: FaissMemory) -> None:
    """Inserting an id again replaces its chunks, in every kind of bank."""
    for bank in all_kinds():
        await stored(memory, bank, x="aaa", y="bbb")
        await memory.insert_documents(bank.identifier, documents(x="ccc"))
    assert [c.content for c in (await memory.query_documents("v", "c")).chunks] == ["ccc", "bbb"]
    assert ids(await memory.query_documents("w", "aaa bbb")) == ["y"]
    assert (await memory.query_documents("k", "x")).chunks[0].content == "ccc"


async def test_what_was_replaced_takes_no_place_in_an_answer(memory: FaissMemory) -> None:
    """The index forgets the vectors of a document that is not there any more."""
    await stored(memory, vector_bank(), x="a", y="ab")
    assert ids(await memory.query_documents("v", "a", {"max_chunks": 1})) == ["x"]
    await memory.insert_documents("v", documents(x="b"))
    assert ids(await memory.query_documents("v", "a", {"max_chunks": 1})) == ["y"]


async def test_of_namesakes_in_one_call_the_last_counts(memory: FaissMemory) -> None:
    """The same id twice in one call is the same as two calls."""
    await memory.register_memory_bank(vector_bank())
    await memory.insert_documents("v", [*documents(x="a"), *documents(x="b")])
    assert [c.content for c in (await memory.query_documents("v", "ab")).chunks] == ["b"]


async def test_a_keyvalue_bank_finds_whole_documents_by_id(memory: FaissMemory) -> None:
    """Each part of a query is an id; unknown ones give nothing."""
    await stored(memory, KeyValueMemoryBank(identifier="k"), x="one  two\n", y="three")
    answer = await memory.query_documents("k", ["y", "z", "x", "y"])
    assert [chunk.content for chunk in answer.chunks] == ["three", "one  two\n"]
    assert answer.scores == [1.0, 1.0]
    assert (await memory.query_documents("k", "one")).chunks == []


async def test_a_keyword_bank_finds_any_of_the_words(memory: FaissMemory) -> None:
    """More and rarer words make a higher score; accents and case do not matter."""
    await stored(
        memory, KeywordMemoryBank(identifier="w"), x="red car", y="red Café noir", z="a boat"
    )
    answer = await memory.query_documents("w", "RED cafe")
    assert ids(answer) == ["y", "x"]
    assert answer.scores[0] > answer.scores[1] > 0


async def test_a_keyword_bank_finds_words_of_scripts_without_spaces(memory: FaissMemory) -> None:
    """A word within a Japanese sentence is found, and only where its characters stand together."""
    await stored(memory, KeywordMemoryBank(identifier="w"), x="彼は東京に住む", y="京は東にある")
    assert ids(await memory.query_documents("w", "東京")) == ["x"]


@pytest.mark.parametrize(
    "query",
    ['"', "a OR", "NEAR(", "x*", "(", "content:y", "-a", "a AND NOT b", "'; DROP", "^", "\0"],
)
async def test_no_query_is_a_syntax_error(memory: FaissMemory, query: str) -> None:
    """What means something to the search engine is only words here."""
    await stored(memory, KeywordMemoryBank(identifier="w"), x="nothing near")
    await memory.query_documents("w", query)


async def test_a_query_of_thousands_of_words_is_answered(memory: FaissMemory) -> None:
    """The first hundred different words are looked for."""
    await stored(memory, KeywordMemoryBank(identifier="w"), x="w7", y="w4000")
    query = " ".join(f"w{i}" for i in range(5000))
    assert ids(await memory.query_documents("w", query)) == ["x"]


@pytest.mark.parametrize("query", ["", "  ", "?!"])
async def test_an_empty_query_finds_nothing(memory: FaissMemory, query: str) -> None:
    """No words are no error."""
    await stored(memory, KeywordMemoryBank(identifier="w"), x="a")
    assert (await memory.query_documents("w", query)).chunks == []


async def test_everything_survives_a_restart(open_memory: Open) -> None:
    """Banks, documents, words and vectors are there again, and give the same answers."""
    memory = await open_memory()
    banks: list[MemoryBank] = [
        KeyValueMemoryBank(identifier="k"),
        vector_bank("named", provider_resource_id="v", metadata={"for": "tests"}),
        KeywordMemoryBank(identifier="w"),
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
    assert ids(await memory.query_documents("v", "a")) == ["x"]
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
    assert ids(await memory.query_documents("v", "b")) == ["x"]


async def test_bad_vectors_are_refused(memory: FaissMemory, counter: LetterCounter) -> None:
    """Vectors of no number, or none at all, never reach the index."""
    await memory.register_memory_bank(vector_bank())
    counter.letters = ""
    with pytest.raises(ValueError, match="'letters' gave vectors that are ragged, empty or not"):
        await memory.insert_documents("v", documents(x="a"))
    assert (await memory.query_documents("v", " ")).chunks == []


async def test_a_failed_insert_leaves_nothing_behind(memory: FaissMemory) -> None:
    """One bad document of several keeps all of them out."""
    await stored(memory, vector_bank(), x="a")
    bad = MemoryBankDocument(document_id="bad", content=ImageMedia(image="data:,"))
    with pytest.raises(ValueError, match="document 'bad' holds an image; this memory takes text"):
        await memory.insert_documents("v", [*documents(x="b", y="b"), bad])
    assert [c.content for c in (await memory.query_documents("v", "a")).chunks] == ["a"]


async def test_expired_documents_do_not_come_back(
    open_memory: Open, clock: Clock, tmp_path: Path
) -> None:
    """When its time is over, a document is out of every answer, the index and the file."""
    memory = await open_memory()
    for bank in all_kinds():
        await stored(memory, bank, stays="a b")
        await memory.insert_documents(bank.identifier, documents(goes="a"), ttl_seconds=10)
    clock.now += 9.5
    assert ids(await memory.query_documents("v", "a")) == ["goes", "stays"]
    clock.now += 0.5
    assert ids(await memory.query_documents("v", "a", {"max_chunks": 1})) == ["stays"]
    assert ids(await memory.query_documents("w", "a")) == ["stays"]
    assert ids(await memory.query_documents("k", ["goes", "stays"])) == ["stays"]
    file = sqlite3.connect(tmp_path / "deep" / "memory.db")
    assert file.execute("SELECT count(*) FROM chunk").fetchone() == (3,)
    file.close()
    await memory.insert_documents("v", documents(goes="a"))
    assert ids(await memory.query_documents("v", "a")) == ["goes", "stays"]


async def test_a_time_to_live_must_be_positive(memory: FaissMemory) -> None:
    """Zero seconds is a mistake rather than no limit."""
    with pytest.raises(ValueError, match="ttl_seconds must be positive, not 0"):
        await memory.insert_documents("v", [], ttl_seconds=0)


async def test_data_urls_carry_text(memory: FaissMemory) -> None:
    """Base64 and percent-encoding are decoded by the URL's own charset."""
    await stored(
        memory,
        KeyValueMemoryBank(identifier="k"),
        a="data:,caf%C3%A9%20noir",
        b="data:text/plain;charset=latin-1;base64,Y2Fm6Q==",
        c="data: these are only words, which begin so",
    )
    answer = await memory.query_documents("k", ["a", "b", "c"])
    assert [chunk.content for chunk in answer.chunks] == [
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
    await memory.register_memory_bank(KeyValueMemoryBank(identifier="k"))
    with pytest.raises(ValueError, match=problem):
        await memory.insert_documents("k", [MemoryBankDocument(document_id="d", **document)])


async def test_odd_text_is_kept(memory: FaissMemory) -> None:
    """Empty documents, NULs and lone surrogates are stored without an error."""
    texts = {"empty": "", "nul": "a\0b", "half": "x\ud800y"}
    for bank in all_kinds():
        await stored(memory, bank, **texts)
    answer = await memory.query_documents("k", list(texts))
    assert [chunk.content for chunk in answer.chunks] == ["", "a\0b", "x?y"]
    assert ids(await memory.query_documents("v", "a\ud800")) == ["nul", "half"]


async def test_unknown_banks_name_the_known(memory: FaissMemory) -> None:
    """The error of a misspelt bank shows what there is."""
    await memory.register_memory_bank(vector_bank("docs"))
    for call in (memory.query_documents("doc", "a"), memory.insert_documents("doc", [])):
        with pytest.raises(ValueError, match=r"no memory bank 'doc' here \(known: 'docs'\)"):
            await call


async def test_graph_banks_and_endless_overlaps_are_refused(memory: FaissMemory) -> None:
    """What cannot work is refused when it is registered."""
    with pytest.raises(ValueError, match="'g' is a 'graph' bank, which 'inline::faiss' does not"):
        await memory.register_memory_bank(GraphMemoryBank(identifier="g"))
    with pytest.raises(ValueError, match=r"overlap_size_in_tokens \(64\) must be less than"):
        await memory.register_memory_bank(vector_bank(chunk_size_in_tokens=64))
    assert await memory.list_memory_banks() == []


async def test_many_tasks_at_once_are_safe(memory: FaissMemory) -> None:
    """Inserts and queries of many tasks mix freely, and none is lost."""
    await memory.register_memory_bank(vector_bank())

    async def work(number: int) -> None:
        await memory.insert_documents("v", documents(**{f"d{number}": "a" * number, "same": "b"}))
        await memory.query_documents("v", "a")

    await asyncio.gather(*(work(number) for number in range(1, 41)))
    answer = await memory.query_documents("v", "a", {"max_chunks": 100})
    assert sorted(ids(answer)) == sorted([*(f"d{n}" for n in range(1, 41)), "same"])


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
    assert [c.content for c in (await memory.query_documents("v", "a")).chunks] == ["second"]


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
    assert ids(await one.query_documents("v", "a")) == ["x"]
    assert ids(await two.query_documents("v", "a")) == ["x"]
    await two.insert_documents("v", documents(x="b", y="ab"))
    assert ids(await one.query_documents("v", "a")) == ["y", "x"]
    await one.unregister_memory_bank(vector_bank())
    with pytest.raises(ValueError, match="no memory bank 'v' here"):
        await two.query_documents("v", "a")


async def test_another_kind_of_file_is_refused(open_memory: Open, tmp_path: Path) -> None:
    """A file of something else is left as it is."""
    content = b"this is no database, but long enough to be taken for one" * 99
    path = tmp_path / "deep" / "memory.db"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot keep memory banks in '.*memory.db': file is not"):
        await open_memory()
    assert path.read_bytes() == content


async def test_a_database_of_something_else_is_refused(open_memory: Open, tmp_path: Path) -> None:
    """Tables are never added to somebody else's database."""
    path = tmp_path / "deep" / "memory.db"
    path.parent.mkdir()
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE notes (text)")
    file.close()
    with pytest.raises(ValueError, match="is a database, but not of memory banks in version 1"):
        await open_memory()


async def test_memory_can_be_kept_nowhere(counter: LetterCounter) -> None:
    """With ``:memory:`` no file is made."""
    memory = await get_provider_impl(FaissConfig(db_path=":memory:"), {"inference": counter})
    await stored(memory, vector_bank(), x="a")
    assert ids(await memory.query_documents("v", "a")) == ["x"]
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


async def test_a_file_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path) -> None:
    """The error names the setting, the path and what would be right."""
    (tmp_path / "file").write_text("no folder")
    config = FaissConfig(db_path=str(tmp_path / "file" / "faiss.db"))
    with pytest.raises(ValueError, match=r"cannot open db_path '.*faiss\.db': .*can be written"):
        await get_provider_impl(config, {"inference": None})
