"""What queries of the embedded memory find, in banks of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.engine.providers.faiss.conftest import (
    ALL_KINDS,
    VALUES,
    WORDS,
    LetterCounter,
    contents,
    documents,
    found,
    stored,
    vector_bank,
)

from rungraph.engine.providers.inline.faiss.provider import FaissMemory


async def test_a_vector_bank_finds_the_nearest_first(memory: FaissMemory) -> None:
    """By cosine, equal ones as inserted; five chunks, unless fewer or better are wanted."""
    await stored(memory, vector_bank(), x="aaa", y="ab", z="bb", w="aa")
    assert await found(memory, "v", "a") == ["x", "w", "y", "z"]
    answer = await memory.query_documents("v", "a")
    assert answer.scores == pytest.approx([1.0, 1.0, 0.5**0.5, 0.0], abs=1e-6)
    assert answer.chunks[2].content == "ab"
    assert answer.chunks[2].token_count == 1
    await memory.insert_documents("v", documents(**{f"d{i}": "a" * i + "b" for i in range(2, 9)}))
    assert await found(memory, "v", "a") == ["x", "w", "d8", "d7", "d6"]
    assert await found(memory, "v", "a", max_chunks=2) == ["x", "w"]
    assert await found(memory, "v", "a", score_threshold=0.992) == ["x", "w", "d8"]


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
    for bank in ALL_KINDS:
        await stored(memory, bank, x="aaa", y="bbb")
        await memory.insert_documents(bank.identifier, documents(x="ccc"))
    assert await contents(memory, "v", "c") == ["ccc", "bbb"]
    assert await found(memory, "w", "aaa bbb") == ["y"]
    assert (await memory.query_documents("k", "x")).chunks[0].content == "ccc"
    # The index forgets the vectors of what is not there any more.
    await memory.insert_documents("v", documents(x="a", y="ab"))
    assert await found(memory, "v", "a", max_chunks=1) == ["x"]
    # Of namesakes in one call the last counts.
    await memory.insert_documents("v", [*documents(x="a"), *documents(x="b")])
    assert await found(memory, "v", "a", max_chunks=1) == ["y"]


async def test_a_keyvalue_bank_finds_whole_documents_by_id(memory: FaissMemory) -> None:
    """Each part of a query is an id; unknown ones give nothing."""
    await stored(memory, VALUES, x="one  two\n", y="three")
    answer = await memory.query_documents("k", ["y", "z", "x", "y"])
    assert [chunk.content for chunk in answer.chunks] == ["three", "one  two\n"]
    assert answer.scores == [1.0, 1.0]
    assert await found(memory, "k", "one") == []


async def test_a_keyword_bank_finds_any_of_the_words(memory: FaissMemory) -> None:
    """More and rarer words score higher, without accents and case; also where no spaces are."""
    await stored(memory, WORDS, x="red car", y="red Café noir", z="a boat")
    assert await found(memory, "w", "RED cafe") == ["y", "x"]
    answer = await memory.query_documents("w", "RED cafe")
    assert answer.scores[0] > answer.scores[1] > 0
    await memory.insert_documents(
        "w", documents(x="彼は東京に住む", y="京は東にある", z="w7 w4000")
    )
    assert await found(memory, "w", "東京") == ["x"]
    # The first hundred different words are looked for; no words are no error.
    assert await found(memory, "w", " ".join(f"w{i}" for i in range(5000))) == ["z"]
    assert await found(memory, "w", " ".join(f"w{i}" for i in range(100, 5000))) == []
    assert [await found(memory, "w", query) for query in ("", "  ", "?!")] == [[], [], []]


@pytest.mark.parametrize(
    "query",
    ['"', "a OR", "NEAR(", "x*", "(", "content:y", "-a", "a AND NOT b", "'; DROP", "^", "\0"],
)
async def test_no_query_is_a_syntax_error(memory: FaissMemory, query: str) -> None:
    """What means something to the search engine is only words here."""
    await stored(memory, WORDS, x="nothing near")
    await memory.query_documents("w", query)
