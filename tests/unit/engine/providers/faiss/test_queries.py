"""What queries of the embedded memory find, in banks of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.engine.providers.faiss.memory import (
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
    """Scores are cosines, best first, and equal ones come in the order of insertion."""
    await stored(memory, vector_bank(), x="aaa", y="ab", z="bb", w="aa")
    assert await found(memory, "v", "a") == ["x", "w", "y", "z"]
    answer = await memory.query_documents("v", "a")
    assert answer.scores == pytest.approx([1.0, 1.0, 0.5**0.5, 0.0], abs=1e-6)
    assert answer.chunks[2].content == "ab"
    assert answer.chunks[2].token_count == 1


async def test_max_chunks_and_score_threshold_limit_an_answer(memory: FaissMemory) -> None:
    """Five chunks are the default; fewer, or better ones only, can be asked for."""
    await stored(memory, vector_bank(), **{f"d{i}": "a" * i + "b" for i in range(1, 9)})
    assert len(await found(memory, "v", "a")) == 5
    assert await found(memory, "v", "a", max_chunks=2) == ["d8", "d7"]
    assert await found(memory, "v", "a", score_threshold=0.98) == ["d8", "d7", "d6", "d5"]


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


async def test_what_was_replaced_takes_no_place_in_an_answer(memory: FaissMemory) -> None:
    """The index forgets the vectors of a document that is not there any more."""
    await stored(memory, vector_bank(), x="a", y="ab")
    assert await found(memory, "v", "a", max_chunks=1) == ["x"]
    await memory.insert_documents("v", documents(x="b"))
    assert await found(memory, "v", "a", max_chunks=1) == ["y"]


async def test_of_namesakes_in_one_call_the_last_counts(memory: FaissMemory) -> None:
    """The same id twice in one call is the same as two calls."""
    await memory.register_memory_bank(vector_bank())
    await memory.insert_documents("v", [*documents(x="a"), *documents(x="b")])
    assert await contents(memory, "v", "ab") == ["b"]


async def test_a_keyvalue_bank_finds_whole_documents_by_id(memory: FaissMemory) -> None:
    """Each part of a query is an id; unknown ones give nothing."""
    await stored(memory, VALUES, x="one  two\n", y="three")
    answer = await memory.query_documents("k", ["y", "z", "x", "y"])
    assert [chunk.content for chunk in answer.chunks] == ["three", "one  two\n"]
    assert answer.scores == [1.0, 1.0]
    assert await found(memory, "k", "one") == []


async def test_a_keyword_bank_finds_any_of_the_words(memory: FaissMemory) -> None:
    """More and rarer words make a higher score; accents and case do not matter."""
    await stored(memory, WORDS, x="red car", y="red Café noir", z="a boat")
    assert await found(memory, "w", "RED cafe") == ["y", "x"]
    answer = await memory.query_documents("w", "RED cafe")
    assert answer.scores[0] > answer.scores[1] > 0


async def test_a_keyword_bank_finds_words_of_scripts_without_spaces(memory: FaissMemory) -> None:
    """A word within a Japanese sentence is found, and only where its characters stand together."""
    await stored(memory, WORDS, x="彼は東京に住む", y="京は東にある")
    assert await found(memory, "w", "東京") == ["x"]


@pytest.mark.parametrize(
    "query",
    ['"', "a OR", "NEAR(", "x*", "(", "content:y", "-a", "a AND NOT b", "'; DROP", "^", "\0"],
)
async def test_no_query_is_a_syntax_error(memory: FaissMemory, query: str) -> None:
    """What means something to the search engine is only words here."""
    await stored(memory, WORDS, x="nothing near")
    await memory.query_documents("w", query)


async def test_a_query_of_thousands_of_words_is_answered(memory: FaissMemory) -> None:
    """The first hundred different words are looked for."""
    await stored(memory, WORDS, x="w7", y="w4000")
    query = " ".join(f"w{i}" for i in range(5000))
    assert await found(memory, "w", query) == ["x"]


@pytest.mark.parametrize("query", ["", "  ", "?!"])
async def test_an_empty_query_finds_nothing(memory: FaissMemory, query: str) -> None:
    """No words are no error."""
    await stored(memory, WORDS, x="a")
    assert await found(memory, "w", query) == []
