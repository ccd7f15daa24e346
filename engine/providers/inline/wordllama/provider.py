"""WordLlama (256 dimensions) in this process: the mean of a vector a token, so very fast.

There is no limit to how long a text is, and nothing tells the order of its words. A text without
a token has a vector of zeros.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rungraph.engine.providers.inline.embedding import Embedder, EmbeddingProvider, import_package

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.engine.providers.inline.wordllama.config import WordLlamaConfig

MODEL = "wordllama-l2-supercat-256"
_SLICE = 8192
"""How many tokens' vectors are in memory at once."""


async def get_provider_impl(config: WordLlamaConfig, deps: Mapping[str, Any]) -> EmbeddingProvider:
    """Return the provider, its model loaded.

    Raises:
        MissingPackageError: If wordllama is not installed.
    """
    return await EmbeddingProvider.load("wordllama", _load)


def _load() -> Embedder:
    wordllama = _import_quietly()
    # By itself it looks for its tokenizer in a folder that its package does not have, and then
    # on the network.
    model = wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )
    # Padding would make a batch as long as its longest text.
    model.tokenizer.no_padding()
    return Embedder(
        identifier=MODEL, dimension=model.embedding.shape[1], embed=partial(_embed, model)
    )


def _import_quietly() -> Any:
    """Import wordllama without letting it set up logging for the whole process."""
    root = logging.getLogger()
    guard = logging.NullHandler()
    root.addHandler(guard)
    try:
        return import_package("wordllama", extra="wordllama", package="wordllama")
    finally:
        root.removeHandler(guard)


def _embed(model: Any, texts: Sequence[str]) -> list[list[float]]:
    encoded = model.tokenizer.encode_batch(list(texts), add_special_tokens=False)
    vectors = np.zeros((len(texts), model.embedding.shape[1]), dtype=np.float32)
    for row, tokens in enumerate(encoded):
        for start in range(0, len(tokens.ids), _SLICE):
            ids = tokens.ids[start : start + _SLICE]
            vectors[row] += model.embedding.take(ids, axis=0, mode="clip").sum(axis=0)
    # The mean and the sum of a text's vectors point the same way, and only the way counts.
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return cast("list[list[float]]", (vectors / np.where(lengths == 0, 1, lengths)).tolist())
