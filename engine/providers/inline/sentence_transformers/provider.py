"""A sentence-transformers model in this process, from a folder or an installed package.

Weights are never fetched. A text longer than the model's context is cut off, as the library does.
"""

from __future__ import annotations

import importlib.metadata
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rungraph.engine.providers.inline.embedding import Embedder, EmbeddingProvider, import_package

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.engine.providers.inline.sentence_transformers.config import (
        SentenceTransformersConfig,
    )

_MARK = "modules.json"
"""The file that every saved model has in its folder."""


async def get_provider_impl(
    config: SentenceTransformersConfig,
    deps: Mapping[str, Any],
) -> EmbeddingProvider:
    """Return the provider, its model loaded.

    Raises:
        MissingPackageError: If sentence-transformers is not installed.
        ValueError: If there are no weights where the config says.
    """
    return await EmbeddingProvider.load("sentence-transformers", partial(_load, config))


def _load(config: SentenceTransformersConfig) -> Embedder:
    folder = find_weights(config)
    name = "sentence-transformers"
    library = import_package("sentence_transformers", extra=name, package=name)
    model = library.SentenceTransformer(str(folder), device=config.device, local_files_only=True)
    probe = _embed(model, ["probe"])
    return Embedder(
        identifier=config.model_id or config.package or folder.name,
        dimension=len(probe[0]),
        embed=partial(_embed, model),
        context_length=model.max_seq_length,
    )


def find_weights(config: SentenceTransformersConfig) -> Path:
    """Return the folder with the model that *config* names.

    Raises:
        ValueError: If there is none.
    """
    if config.package is None:
        folder = Path(config.path or "").expanduser().resolve()
        if (folder / _MARK).is_file():
            return folder
        missing = f"no model in the folder {str(folder)!r}: it has no {_MARK}"
    else:
        try:
            files = importlib.metadata.files(config.package) or []
        except importlib.metadata.PackageNotFoundError:
            missing = f"the package {config.package!r} is not installed"
        else:
            marks = sorted((file for file in files if file.name == _MARK), key=str)
            if marks:
                return Path(str(marks[0].locate())).resolve().parent
            missing = f"no model in the package {config.package!r}: it has no {_MARK}"
    msg = f"{missing}\nhelp: weights are not fetched; install a package with them or name a folder"
    raise ValueError(msg)


def _embed(model: Any, texts: Sequence[str]) -> list[list[float]]:
    vectors = model.encode(
        list(texts),
        convert_to_numpy=True,
        normalize_embeddings=True,
        show_progress_bar=False,
    )
    return cast("list[list[float]]", vectors.tolist())
