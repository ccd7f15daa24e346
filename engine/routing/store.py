"""Keeps registrations in one SQLite file that several processes may use at once."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from rungraph.engine.routing.errors import RegistrationStoreError
from rungraph.engine.routing.registration import Registration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_T = TypeVar("_T")
_logger = logging.getLogger(__name__)

# Tells a file of ours from any other SQLite file ("rung" in ASCII).
_APPLICATION_ID = 0x72756E67
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE registrations (
    table_api   TEXT NOT NULL,
    identifier  TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    form        INTEGER NOT NULL,
    content     TEXT NOT NULL CHECK (json_valid(content)),
    PRIMARY KEY (table_api, identifier, provider_id)
) STRICT, WITHOUT ROWID
"""


class RegistrationStore:
    """Registrations that survive a restart, in the SQLite file at *path*.

    The file and its folder are created by the first registration, never by reading. A file that is
    not a store is left as it is. Every call is carried out in one thread of the store's own, in
    the order of the calls; a call that has begun is carried out even if its caller is cancelled.

    Any number of processes may use the file at once: each write is one transaction in SQLite's
    write-ahead log, so a process that is killed in the middle of one leaves the file as it was.

    Args:
        path: The file.
        setting: What the user calls the setting that *path* comes from, for error messages.
        patience: Seconds to wait for another process that is writing.
    """

    def __init__(self, path: Path, *, setting: str = "state_dir", patience: float = 10.0) -> None:
        self.path = path
        self._setting = setting
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False

    async def load(self, table_api: str) -> tuple[Registration, ...]:
        """Return the registrations of *table_api*, sorted by identifier, then provider.

        Raises:
            RegistrationStoreError: If the file cannot be read or is not a store.
        """
        return await self._call(lambda: self._load(table_api))

    async def save(self, registration: Registration) -> None:
        """Keep *registration*, in place of what was kept under the same names; on disk on return.

        Raises:
            RegistrationStoreError: If the file cannot be written or is not a store.
        """
        await self._call(lambda: self._save(registration))

    async def forget(self, table_api: str, identifier: str, provider_id: str) -> None:
        """Drop the registration of these names; do nothing if there is none.

        Raises:
            RegistrationStoreError: If the file cannot be written or is not a store.
        """
        await self._call(lambda: self._forget((table_api, identifier, provider_id)))

    async def aclose(self) -> None:
        """Carry out what has been asked, close the file and end the thread; again is harmless."""
        thread, self._thread, self._closed = self._thread, None, True
        if thread is None:
            return
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(thread, self._disconnect))
        thread.shutdown()

    async def _call(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            msg = f"the registration store {str(self.path)!r} is closed"
            raise RegistrationStoreError(msg)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="rungraph-registrations")
        # Shielded: a cancelled caller must not leave half of what a provider already accepted.
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)
        return await asyncio.shield(done)

    # What follows runs in the store's own thread.

    def _guarded(self, work: Callable[[], _T]) -> _T:
        """Return what *work* returns; an objection of SQLite or the system names file and help."""
        try:
            return work()
        except OSError as error:
            self._give_up(error.strerror or str(error), error)
        except sqlite3.OperationalError as error:
            self._give_up(str(error), error)
        except sqlite3.DatabaseError as error:
            self._reject(str(error), error)

    def _load(self, table_api: str) -> tuple[Registration, ...]:
        if self._connection is None and not self.path.exists():
            return ()
        if self._connection is None and not self.path.stat().st_size:
            what = "%s is an empty file: if it held registrations, they are lost"
            _logger.warning(what, self.path)
        rows = self._connected().execute(
            "SELECT table_api, identifier, provider_id, content, form FROM registrations"
            " WHERE table_api = ? ORDER BY identifier, provider_id",
            (table_api,),
        )
        return tuple(
            Registration(table, identifier, provider_id, json.loads(content), form)
            for table, identifier, provider_id, content, form in rows
        )

    def _save(self, registration: Registration) -> None:
        self._connected().execute(
            "INSERT OR REPLACE INTO registrations VALUES (?, ?, ?, ?, ?)",
            (
                registration.table_api,
                registration.identifier,
                registration.provider_id,
                registration.form,
                json.dumps(registration.content, sort_keys=True),
            ),
        )

    def _forget(self, names: tuple[str, str, str]) -> None:
        if self._connection is None and not self.path.exists():
            return
        self._connected().execute(
            "DELETE FROM registrations WHERE table_api = ? AND identifier = ? AND provider_id = ?",
            names,
        )

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # isolation_level=None: every statement is a transaction of its own.
            connection = sqlite3.connect(self.path, timeout=self._patience, isolation_level=None)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make sure that the file is a store of ours, creating the schema in an empty one."""
        if _is_empty(connection):
            self._use_write_ahead_log(connection)
            connection.execute("BEGIN IMMEDIATE")
            if _is_empty(connection):  # No other process was faster.
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            connection.execute("COMMIT")
        if _pragma(connection, "application_id") != _APPLICATION_ID:
            self._reject("it holds other data")
        version = _pragma(connection, "user_version")
        if version != _SCHEMA_VERSION:
            self._reject(f"it has schema version {version}, known is {_SCHEMA_VERSION}")
        damage = _pragma(connection, "quick_check(1)")
        if damage != "ok":
            self._reject(f"it is damaged: {damage}")

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Switch the journal mode; SQLite does not wait for other processes when it does that."""
        end = time.monotonic() + self._patience
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _give_up(self, reason: str, cause: BaseException) -> NoReturn:
        msg = (
            f"cannot use the registration store {str(self.path)!r}: {reason}\n"
            f"help: name a folder that can be written with the setting {self._setting!r}"
        )
        raise RegistrationStoreError(msg) from cause

    def _reject(self, reason: str, cause: BaseException | None = None) -> NoReturn:
        msg = (
            f"{str(self.path)!r} is not a registration store: {reason}\n"
            "help: it was left as it is; move it away or name another folder "
            f"with the setting {self._setting!r}"
        )
        raise RegistrationStoreError(msg) from cause


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _is_empty(connection: sqlite3.Connection) -> bool:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return (
        not tables
        and not _pragma(connection, "application_id")
        and not _pragma(connection, "user_version")
    )
