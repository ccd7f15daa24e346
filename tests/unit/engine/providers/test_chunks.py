"""Cutting text into chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rungraph.engine.providers.inline.faiss.chunks import chunk_text, count_tokens


@pytest.mark.parametrize(
    ("text", "size", "overlap", "chunks"),
    [
        # Each begins with the last tokens of the one before, and the last is never only those.
        ("0 1 2 3 4 5 6 7 8 9", 4, 1, ["0 1 2 3", "3 4 5 6", "6 7 8 9"]),
        ("a b c d", 4, 3, ["a b c d"]),
        # White space and line breaks within a chunk are kept.
        ("  one\n\n two. ", 9, 2, ["one\n\n two."]),
        ("", 4, 1, []),
        ("  \n\t ", 4, 1, []),
        # A Japanese sentence does not become one endless token, and neither does a long word.
        ("東京は首都です", 3, 0, ["東京は", "首都で", "す"]),
        ("x" * 40, 2, 0, ["x" * 32, "x" * 8]),
    ],
)
def test_a_text_is_cut_into_chunks(text: str, size: int, overlap: int, chunks: list[str]) -> None:
    """Between words where there are any, and with the overlap that is asked for."""
    assert [chunk.text for chunk in chunk_text(text, size=size, overlap=overlap)] == chunks


@pytest.mark.parametrize(("size", "overlap"), [(4, 4), (4, 5), (4, -1), (0, 0)])
def test_an_overlap_must_fit(size: int, overlap: int) -> None:
    """Chunks that would never get on are refused."""
    with pytest.raises(ValueError, match=rf"an overlap of {overlap} tokens does not fit"):
        list(chunk_text("a b c", size=size, overlap=overlap))


@given(st.text(), st.integers(1, 8), st.integers(0, 7))
def test_every_token_is_in_a_chunk(text: str, size: int, overlap: int) -> None:
    """Chunks are slices with no more tokens than allowed, and together hold all of them."""
    overlap = min(overlap, size - 1)
    chunks = list(chunk_text(text, size=size, overlap=overlap))
    assert all(chunk.text in text and 0 < chunk.token_count <= size for chunk in chunks)
    repeated = overlap * max(len(chunks) - 1, 0)
    assert sum(chunk.token_count for chunk in chunks) - repeated == count_tokens(text)
