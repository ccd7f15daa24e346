"""The files that callers upload, and which of them are in which vector store; on disk."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.engine.server.failures import RequestError

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    id TEXT PRIMARY KEY, filename TEXT NOT NULL, purpose TEXT NOT NULL, media TEXT NOT NULL,
    created_at INTEGER NOT NULL, content BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS attached (
    store TEXT NOT NULL, file TEXT NOT NULL, created_at INTEGER NOT NULL, bytes INTEGER NOT NULL,
    filename TEXT NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (store, file)
) STRICT;
"""
_FILE = "SELECT id, filename, purpose, media, created_at, length(content) FROM file"
_ATTACHED = "SELECT file, filename, bytes, created_at, attributes FROM attached WHERE store = ?"


class File(NamedTuple):
    """What is known of an uploaded file."""

    id: str
    filename: str
    purpose: str
    media: str
    created_at: int
    size: int


class Attached(NamedTuple):
    """A file of which a vector store has the text, even when the file itself is gone."""

    id: str
    filename: str
    size: int
    created_at: int
    attributes: dict[str, Any]


class Files:
    """The files in the SQLite file at *path*, which the first upload creates."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def add(self, filename: str, purpose: str, media: str, content: bytes) -> File:
        """Keep a file; return what is known of it once it is on disk."""
        new = File(f"file-{secrets.token_hex(12)}", filename, purpose, media, _now(), len(content))
        await self._do("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", *new[:5], content)
        return new

    async def all(self) -> list[File]:
        """Return all files, the oldest first."""
        return [File(*row) for row in await self._do(f"{_FILE} ORDER BY rowid")]

    async def get(self, file_id: str) -> File:
        """Return the file named *file_id*.

        Raises:
            RequestError: If there is none.
        """
        return File(*_found(await self._do(f"{_FILE} WHERE id = ?", file_id), file_id))

    async def content(self, file_id: str) -> bytes:
        """Return what is in a file; raises as `get` does."""
        rows = await self._do("SELECT content FROM file WHERE id = ?", file_id)
        return bytes(_found(rows, file_id)[0])

    async def delete(self, file_id: str) -> None:
        """Forget a file, though not what vector stores have of it; raises as `get` does."""
        _found(await self._do("DELETE FROM file WHERE id = ? RETURNING id", file_id), file_id)

    async def attach(self, store: str, file: File, attributes: dict[str, Any]) -> Attached:
        """Note that *store* has the text of *file*."""
        new = Attached(file.id, file.filename, file.size, _now(), attributes)
        row = (store, new.id, new.created_at, new.size, new.filename, json.dumps(attributes))
        await self._do("INSERT OR REPLACE INTO attached VALUES (?, ?, ?, ?, ?, ?)", *row)
        return new

    async def attached(self, store: str) -> dict[str, Attached]:
        """Return the files that *store* has the text of, by id, the oldest first."""
        rows = await self._do(f"{_ATTACHED} ORDER BY created_at, rowid", store)
        return {row[0]: Attached._make((*row[:4], json.loads(row[4]))) for row in rows}

    async def drop(self, store: str) -> None:
        """Forget what *store* had."""
        await self._do("DELETE FROM attached WHERE store = ?", store)

    async def _do(self, statement: str, *values: object) -> list[Any]:
        """Return the rows of *statement*: one transaction, in a thread of its own."""

        def work() -> list[Any]:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path)) as connection, connection:
                connection.executescript(_SCHEMA)
                return connection.execute(statement, values).fetchall()

        return await asyncio.to_thread(work)


def _now() -> int:
    return int(time.time())


def _found(rows: list[Any], file_id: str) -> Any:
    if not rows:
        raise RequestError(404, f"there is no file {file_id!r}", code="file_not_found")
    return rows[0]
