"""The SQLite file that holds the banks: opening it, its tables, its transactions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_VERSION = 1
_BUSY_SECONDS = 10.0

# AUTOINCREMENT: the id of a chunk is never given again, and later chunks have higher ids.
_TABLES = """
CREATE TABLE bank (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    native_id TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL
) STRICT;
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    bank INTEGER NOT NULL REFERENCES bank ON DELETE CASCADE,
    document_id TEXT NOT NULL,
    mime_type TEXT,
    metadata TEXT NOT NULL,
    expires_at REAL,
    UNIQUE (bank, document_id)
) STRICT;
CREATE INDEX document_expiry ON document (bank, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    content TEXT NOT NULL,
    token_count INTEGER NOT NULL,
    vector BLOB
) STRICT;
CREATE INDEX chunk_document ON chunk (document);
"""


def open_file(path: str) -> sqlite3.Connection:
    """Return a connection to the file at *path*, which is made if it is not there.

    What is committed survives the end of the process, however it comes, and a power cut.

    Raises:
        ValueError: If the file is something else, or of another version of this software.
        OSError: If its folder cannot be made.
    """
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            with writing(connection):
                _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        msg = f"cannot keep memory banks in {path!r}: {error}"
        raise ValueError(msg) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == _VERSION:
        return
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if version or tables:
        msg = (
            f"{path!r} is a database, but not of memory banks in version {_VERSION}\n"
            "help: name another file as db_path, or move this one away"
        )
        raise ValueError(msg)
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_VERSION}")


@contextmanager
def writing(connection: sqlite3.Connection) -> Generator[None]:
    """Make the statements of the block one transaction: all of them, or on an error none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
