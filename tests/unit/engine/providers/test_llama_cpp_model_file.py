"""Which file the model of an ``inline::llama-cpp`` config means."""

from __future__ import annotations

from pathlib import Path

import pytest

from rungraph.engine.providers.inline.llama_cpp.model_file import ModelFileError, find_model
from rungraph.engine.weights import CATALOG, DEFAULT


def test_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path means that file, whose name without its ending is the model's; ``~`` works."""
    (tmp_path / "small.gguf").write_bytes(b"GGUF...")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = (tmp_path / "small.gguf", "small")
    assert find_model(str(tmp_path / "small.gguf")) == found
    assert find_model("~/small.gguf") == found
    assert find_model("small.gguf") == found


def test_missing_path(tmp_path: Path) -> None:
    """A file that is not there is an error that names the nearest in its folder."""
    (tmp_path / "small.gguf").touch()
    with pytest.raises(ModelFileError) as caught:
        find_model(f"{tmp_path}/smal.gguf")
    assert str(caught.value).splitlines() == [
        f"there is no model file '{tmp_path}/smal.gguf'",
        "help: did you mean 'small.gguf'?",
    ]


@pytest.mark.parametrize("content", [b"PK\x03\x04", b""])
def test_other_file(content: bytes, tmp_path: Path) -> None:
    """A file of another kind is refused before llama.cpp is asked."""
    path = tmp_path / "small.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        find_model(str(path))
    assert str(caught.value) == f"'{path}' is no GGUF file: it begins with {content!r}"


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there has no names to offer."""
    with pytest.raises(ModelFileError) as caught:
        find_model(f"{tmp_path}/no/small.gguf")
    assert str(caught.value) == f"there is no model file '{tmp_path}/no/small.gguf'"


def test_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of weights means their file in the cache, once they were pulled."""
    monkeypatch.setenv("RUNGRAPH_CACHE_DIR", str(tmp_path))
    with pytest.raises(ModelFileError) as caught:
        find_model(DEFAULT)
    assert str(caught.value).splitlines() == [
        f"the weights {DEFAULT!r} are not pulled",
        f"help: rungraph models pull {DEFAULT}",
    ]
    path = CATALOG[DEFAULT].path()
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(CATALOG[DEFAULT].size)
    assert find_model(DEFAULT) == (path, DEFAULT)


def test_unknown_weights() -> None:
    """A name that no weights have is an error that names the nearest."""
    with pytest.raises(ModelFileError) as caught:
        find_model("smolm2-135m-instruct")
    assert str(caught.value).splitlines() == [
        "no weights are called 'smolm2-135m-instruct'",
        f"known: {DEFAULT!r}; or give the path of a GGUF file",
        f"help: did you mean {DEFAULT!r}?",
    ]
