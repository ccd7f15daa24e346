"""The registration store: one SQLite file, several processes, no half writes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.contract.command_line import ROOT

from rungraph.engine.routing import Registration, RegistrationStore, RegistrationStoreError


def registration(identifier: str, provider_id: str = "foo", **content: Any) -> Registration:
    """Return a registration of a model."""
    return Registration("models", identifier, provider_id, {"identifier": identifier, **content})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store's file goes; its folder is not there yet."""
    return tmp_path / "state" / "registrations.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[RegistrationStore]:
    """Yield a store that is closed afterwards."""
    opened = RegistrationStore(path)
    yield opened
    await opened.aclose()


@pytest.fixture
def without_rights(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that this process may read, but not write."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:  # Root may write everywhere.
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)
    folder.chmod(0o755)


def bytes_of(path: Path) -> bytes:
    """Return what is in the file."""
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    """Fill a file, and create its folder."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


async def reloaded(path: Path, table_api: str = "models") -> tuple[Registration, ...]:
    """Return what a new process would find."""
    other = RegistrationStore(path)
    try:
        return await other.load(table_api)
    finally:
        await other.aclose()


async def refusal(path: Path, **options: Any) -> str:
    """Return why a store on *path* does not save."""
    store = RegistrationStore(path, **options)
    with pytest.raises(RegistrationStoreError) as caught:
        await store.save(registration("a"))
    await store.aclose()
    return str(caught.value)


async def test_what_is_saved_is_there_after_a_restart(store: RegistrationStore, path: Path) -> None:
    """Sorted; one per table, identifier and provider: the newest. Others may be forgotten."""
    await store.save(registration("b", size=1))
    await store.save(registration("b", size=2))
    await store.save(registration("a", "foo"))
    await store.save(registration("a", "bar", metadata={"é": [1, None]}))
    await store.save(Registration("shields", "a", "foo", {}))
    await store.forget("shields", "a", "foo")
    await store.forget("models", "unknown", "foo")
    await store.aclose()
    assert await reloaded(path, "shields") == ()
    assert await reloaded(path) == (
        registration("a", "bar", metadata={"é": [1, None]}),
        registration("a", "foo"),
        registration("b", size=2),
    )


async def test_reading_creates_no_file(store: RegistrationStore, path: Path) -> None:
    """The file and its folder appear with the first registration, not before."""
    assert await store.load("models") == ()
    await store.forget("models", "a", "foo")
    assert [*path.parents[1].iterdir()] == []
    await store.save(registration("a"))
    assert bytes_of(path)


def sqlite_file(path: Path, *statements: str) -> bytes:
    """Make or change an SQLite file, and return its bytes."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in statements:
            other.execute(statement)
    return bytes_of(path)


@pytest.mark.parametrize("kind", ["text", "short text", "other tables", "newer", "damaged"])
async def test_a_file_that_is_no_store_of_ours_is_left_alone(
    store: RegistrationStore, path: Path, kind: str
) -> None:
    """It is named in the error, and not touched, not even its journal mode."""
    reason = "is not a registration store"
    match kind:
        case "text":
            write(path, b"not a database, and longer than a header" * 50)
        case "short text":
            write(path, b"hello")
        case "other tables":
            sqlite_file(path, "CREATE TABLE notes (text)")
            reason = "it holds other data"
        case _:
            for index in range(300):
                await store.save(registration(f"model-{index:04}", note="x" * 100))
            await store.aclose()
            if kind == "newer":
                sqlite_file(path, "PRAGMA user_version = 7")
                reason = "it has schema version 7, known is 1"
            else:
                write(path, bytes_of(path)[:-4096] + b"\xff" * 4096)
    content = bytes_of(path)
    said = await refusal(path)
    assert reason in said
    assert str(path) in said
    assert "'state_dir'" in said
    assert bytes_of(path) == content


async def test_a_place_that_cannot_be_written_is_named(without_rights: Path) -> None:
    """Whoever may not write is told which path, and by which setting to change it."""
    locked = without_rights / "state" / "registrations.sqlite"
    assert await refusal(locked) == (
        f"cannot use the registration store {str(locked)!r}: Permission denied\n"
        "help: name a folder that can be written with the setting 'state_dir'"
    )


async def test_a_file_in_the_way_and_a_lock_are_errors_and_no_hang(path: Path) -> None:
    """A path through a file, and a file that another process keeps locked."""
    write(path, b"")
    assert "cannot use the registration store" in await refusal(path / "x.sqlite")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "database is locked" in await refusal(path, patience=0.02)


async def test_every_call_runs_in_one_thread_that_ends(path: Path) -> None:
    """No thread is left once the store is closed, and closing again is harmless."""
    before = threading.active_count()
    store = RegistrationStore(path)
    await asyncio.gather(*(store.save(registration(f"m{index}")) for index in range(20)))
    assert threading.active_count() == before + 1
    await store.aclose()
    await store.aclose()
    assert threading.active_count() == before
    with pytest.raises(RegistrationStoreError, match="is closed"):
        await store.load("models")


async def test_a_cancelled_save_is_carried_out(store: RegistrationStore) -> None:
    """A save that has begun is on disk although nobody waits for it any more."""
    saves = [asyncio.create_task(store.save(registration(name))) for name in "abcdefgh"]
    await asyncio.sleep(0)
    for save in saves:
        save.cancel()
    results = await asyncio.gather(*saves, return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
    assert await store.load("models") == tuple(map(registration, "abcdefgh"))


WRITER = """
import asyncio, sys
from pathlib import Path
from rungraph.engine.routing import Registration, RegistrationStore

async def main(path, name, count):
    store = RegistrationStore(Path(path))
    for index in range(count):
        content = {"identifier": f"{name}-{index}", "padding": "x" * 2000, "index": index}
        await store.save(Registration("models", f"{name}-{index}", name, content))
        if index % 3 == 2:
            await store.forget("models", f"{name}-{index - 1}", name)
        print(index, flush=True)
    await store.aclose()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    """Return a process that saves and forgets as *name*, printing what is on disk."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )


async def test_several_processes_write_at_once(path: Path) -> None:
    """Processes that create and fill one file at the same time lose nothing of each other's."""
    names = ["a", "b", "c"]
    processes = [writer(path, name, 30) for name in names]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]
    kept = await reloaded(path)
    expected = {f"{name}-{index}" for name in names for index in range(30) if index % 3 != 1}
    assert {each.identifier for each in kept} == expected


async def test_stores_that_create_one_file_at_once(tmp_path: Path) -> None:
    """Whoever is first creates the file; the others wait, and nobody fails."""
    for round_ in range(10):
        path = tmp_path / f"{round_}.sqlite"
        stores = [RegistrationStore(path) for _ in range(8)]
        await asyncio.gather(
            *(store.save(registration(f"m{index}")) for index, store in enumerate(stores))
        )
        await asyncio.gather(*(store.aclose() for store in stores))
        assert len(await reloaded(path)) == 8


async def test_creating_waits_for_another_process_that_writes(
    store: RegistrationStore, path: Path
) -> None:
    """SQLite does not wait by itself when a journal's mode changes; the store does."""
    write(path, b"")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    saving = asyncio.create_task(store.save(registration("a")))
    await asyncio.sleep(0.05)
    assert not saving.done()
    other.execute("ROLLBACK")
    other.close()
    await saving


async def test_a_killed_writer_leaves_a_consistent_file(path: Path) -> None:
    """After kill -9 in the middle of writing, everything reported as saved is there, and whole."""
    for round_ in range(3):
        name = f"killed-{round_}"
        process = writer(path, name, 1_000_000)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(7 + 5 * round_)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
        process.wait()
        process.stdout.close()
        saved = int(lines[-1])
        kept = {each.identifier: each for each in await reloaded(path)}
        for index in range(saved - 2):
            assert (f"{name}-{index}" in kept) == (index % 3 != 1)
        assert all(each.content["padding"] == "x" * 2000 for each in kept.values())
    survivor = RegistrationStore(path)
    await survivor.save(registration("after"))
    await survivor.aclose()


async def test_an_emptied_file_is_told(
    store: RegistrationStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of no bytes may have held registrations: reading it says so."""
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(path.touch)
    assert await store.load("models") == ()
    assert caplog.messages == [f"{path} is an empty file: if it held registrations, they are lost"]
