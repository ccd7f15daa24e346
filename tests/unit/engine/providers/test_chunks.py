"""Cutting text into chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rungraph.engine.providers.inline.faiss.chunks import chunk_text, count_tokens


def test_neighbours_share_the_overlap() -> None:
    """Each chunk begins with the last tokens of the one before."""
    text = " ".join(map(str, range(10)))
    assert [piece.text for piece in chunk_text(text, size=4, overlap=1)] == [
        "0 1 2 3",
        "3 4 5 6",
        "6 7 8 9",
    ]


def test_a_last_chunk_is_never_only_overlap() -> None:
    """Text that fills its chunks exactly has no further chunk that says nothing new."""
    assert [piece.token_count for piece in chunk_text("a b c d", size=4, overlap=3)] == [4]


def test_a_short_text_is_one_chunk_as_it_is() -> None:
    """White space and line breaks within a chunk are kept."""
    assert [piece.text for piece in chunk_text("  one\n\n two. ", size=9, overlap=2)] == [
        "one\n\n two."
    ]


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_text_without_tokens_has_no_chunk(text: str) -> None:
    """Nothing to say gives nothing to find."""
    assert list(chunk_text(text, size=4, overlap=1)) == []


def test_text_without_spaces_is_cut_between_characters() -> None:
    """A Japanese sentence does not become one endless token."""
    assert [piece.text for piece in chunk_text("東京は首都です", size=3, overlap=0)] == [
        "東京は",
        "首都で",
        "す",
    ]


def test_a_long_word_is_several_tokens() -> None:
    """A word of 40 letters cannot make a chunk as long as it likes."""
    assert count_tokens("x" * 40) == 3


@pytest.mark.parametrize(("size", "overlap"), [(4, 4), (4, 5), (4, -1), (0, 0)])
def test_an_overlap_must_fit(size: int, overlap: int) -> None:
    """Chunks that would never get on are refused."""
    with pytest.raises(ValueError, match=rf"an overlap of {overlap} tokens does not fit"):
        list(chunk_text("a b c", size=size, overlap=overlap))


@given(st.text(), st.integers(1, 8), st.integers(0, 7))
def test_every_token_is_in_a_chunk(text: str, size: int, overlap: int) -> None:
    """Chunks are slices with no more tokens than allowed, and together hold all of them."""
    overlap = min(overlap, size - 1)
    pieces = list(chunk_text(text, size=size, overlap=overlap))
    assert all(piece.text in text and 0 < piece.token_count <= size for piece in pieces)
    repeated = overlap * max(len(pieces) - 1, 0)
    assert sum(piece.token_count for piece in pieces) - repeated == count_tokens(text)
