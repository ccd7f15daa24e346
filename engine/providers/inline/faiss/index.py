"""The vectors of one bank, searched by FAISS. Not safe for several threads at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Vectors = NDArray[np.float32]

# Equal texts can differ in the last bits, by where they stand in memory; so can scores.
_DIGITS = 6


class VectorIndex:
    """Vectors of length 1 by the row id of their chunk; a score is the cosine of two vectors."""

    def __init__(self, faiss: Any) -> None:
        self._faiss = faiss
        self._index: Any = None

    @property
    def dimension(self) -> int | None:
        """How long the vectors are; None while there are none."""
        return self._index.d if self._index is not None and self._index.ntotal else None

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Put in *vectors*, one for each of *ids*, which must be new."""
        if self.dimension is None:
            self._index = self._faiss.IndexIDMap2(self._faiss.IndexFlatIP(vectors.shape[1]))
        self._index.add_with_ids(vectors, np.asarray(ids, dtype=np.int64))

    def remove(self, ids: Sequence[int]) -> None:
        """Take out the vectors of *ids*; the others keep their order."""
        if self._index is not None and ids:
            self._index.remove_ids(np.asarray(ids, dtype=np.int64))

    def nearest(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Return the *count* nearest ids with their scores, best first, then the older first."""
        if self.dimension is None:
            return []
        # A few more than wanted, so that rounding cannot change who is among the best.
        wanted = min(self._index.ntotal, count + 16)
        scores, ids = self._index.search(vector.reshape(1, -1), wanted)
        found = [
            (int(key), round(float(score), _DIGITS))
            for key, score in zip(ids[0], scores[0], strict=True)
        ]
        found.sort(key=lambda pair: (-pair[1], pair[0]))
        return found[:count]


def unit_vectors(rows: Sequence[Sequence[float]], *, model: str) -> Vectors:
    """Return *rows* as vectors of length 1; a vector of zeros stays one.

    Raises:
        ValueError: If the rows are not equally long, or hold what is no finite number.
    """
    dimensions = {len(row) for row in rows}
    vectors = np.array([row for row in rows if len(dimensions) == 1], dtype=np.float32)
    if not vectors.size or not np.isfinite(vectors).all():
        msg = f"embedding model {model!r} gave vectors that are ragged, empty or not finite"
        raise ValueError(msg)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)
