"""What the banks hold, on disk and in FAISS. Every method blocks, and all run in one thread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from rungraph.engine.apis.memory import Chunk, QueryDocumentsResponse
from rungraph.engine.apis.memory_banks import MemoryBank, VectorMemoryBank
from rungraph.engine.providers.inline.faiss.chunks import TextChunk, spaced
from rungraph.engine.providers.inline.faiss.index import VectorIndex, Vectors
from rungraph.engine.providers.inline.faiss.schema import open_file, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_BANK: TypeAdapter[MemoryBank] = TypeAdapter(MemoryBank)


class StoredBank(NamedTuple):
    """A bank and its row in the file, which a bank registered anew does not share."""

    row: int
    definition: MemoryBank


class CutDocument(NamedTuple):
    """A document that is ready to be stored.

    Attributes:
        document_id: Its name within the bank.
        mime_type: As the caller gave it.
        metadata: As JSON.
        chunks: Its chunks in order.
        vectors: One a chunk; None in a bank without vectors.
    """

    document_id: str
    mime_type: str | None
    metadata: str
    chunks: tuple[TextChunk, ...]
    vectors: tuple[Vectors, ...] | None = None


class Storage:
    """The banks of one file.

    Several processes may share the file: what others have committed is taken in before each
    step. The FAISS indexes always hold what the file holds.

    Args:
        path: The SQLite file, or ``:memory:``.
        faiss: The module.
        clock: Seconds since the epoch, by which documents expire.

    Raises:
        ValueError: If the file is something else.
    """

    def __init__(self, path: str, *, faiss: Any, clock: Callable[[], float]) -> None:
        self._faiss = faiss
        self._clock = clock
        self._indexes: dict[int, VectorIndex] = {}
        self._connection = open_file(path)
        self._version = self._data_version()
        for bank in self._all():
            if bank.definition.type == "vector":
                self._index(bank)

    def close(self) -> None:
        """Close the file."""
        self._indexes.clear()
        self._connection.close()

    def banks(self) -> list[MemoryBank]:
        """Return all banks, sorted by their native ids."""
        return [bank.definition for bank in self._all()]

    def bank(self, native_id: str) -> StoredBank:
        """Return the bank that is called *native_id*.

        Raises:
            ValueError: If there is none.
        """
        bank = self._find(native_id)
        if bank is None:
            known = ", ".join(repr(other.definition.native_id) for other in self._all())
            msg = f"no memory bank {native_id!r} here (known: {known or 'none'})"
            raise ValueError(msg)
        return bank

    def register(self, definition: MemoryBank) -> None:
        """Add the bank, or give a bank that is there already its new definition.

        Raises:
            ValueError: If the bank holds documents that do not fit the new definition.
        """
        name = definition.native_id
        text = definition.model_copy(update={"provider_id": ""}).model_dump_json()
        with writing(self._connection):
            bank = self._find(name)
            if bank is not None and _kind(bank.definition) != _kind(definition):
                if self._holds_documents(bank):
                    msg = (
                        f"memory bank {name!r} holds documents as {_kind(bank.definition)} "
                        f"and cannot become {_kind(definition)}\n"
                        "help: unregister it first, which drops its documents, or take another name"
                    )
                    raise ValueError(msg)
                self._drop(bank)
                bank = None
            if bank is not None:
                self._run("UPDATE bank SET definition = ? WHERE id = ?", text, bank.row)
                return
            row = self._run("INSERT INTO bank (native_id, definition) VALUES (?, ?)", name, text)
            if definition.type == "keyword":
                self._run(
                    f"CREATE VIRTUAL TABLE keyword_{row} "
                    "USING fts5(content, tokenize = 'unicode61 remove_diacritics 2')"
                )

    def unregister(self, native_id: str) -> None:
        """Drop the bank and all that it holds; one that is not there is no error."""
        with writing(self._connection):
            bank = self._find(native_id)
            if bank is not None:
                self._drop(bank)

    def insert(
        self, bank: StoredBank, documents: Sequence[CutDocument], *, ttl_seconds: int | None
    ) -> None:
        """Put *documents*, of distinct ids, in the place of those with the same ids.

        Raises:
            ValueError: If the bank is gone, or its vectors have another dimension.
        """
        ids = json.dumps([document.document_id for document in documents])
        expires_at = None if ttl_seconds is None else self._clock() + ttl_seconds
        added: list[tuple[list[int], tuple[Vectors, ...]]] = []
        with writing(self._connection):
            self._take_in()
            self._check_present(bank)
            gone = self._delete(bank, "document_id IN (SELECT value FROM json_each(?))", ids)
            for document in documents:
                chunk_ids = self._store(bank, document, expires_at)
                if document.vectors:
                    added.append((chunk_ids, document.vectors))
        index = self._indexes.get(bank.row)
        if index is not None:
            index.remove(gone)
            for chunk_ids, vectors in added:
                index.add(chunk_ids, np.stack(vectors))

    def nearest(
        self, bank: StoredBank, vector: Vectors, *, count: int, threshold: float | None
    ) -> QueryDocumentsResponse:
        """Return the chunks whose vectors are nearest to *vector*; a score is a cosine.

        Raises:
            ValueError: If the bank's vectors have another dimension.
        """
        self._prepare_to_read(bank)
        self._check_dimension(bank, vector)
        return self._found(self._index(bank).nearest(vector, count), threshold)

    def matching(
        self, bank: StoredBank, phrases: Iterable[str], *, count: int, threshold: float | None
    ) -> QueryDocumentsResponse:
        """Return the chunks with any of *phrases*; a score grows with how many and how rare."""
        self._prepare_to_read(bank)
        expression = " OR ".join(f'"{phrase}"' for phrase in phrases)
        if not expression:
            return QueryDocumentsResponse()
        table = f"keyword_{bank.row}"
        rows: list[tuple[int, float]] = self._connection.execute(
            f"SELECT rowid, round(-bm25({table}), 6) AS score FROM {table} "  # noqa: S608 (our id)
            f"WHERE {table} MATCH ? ORDER BY score DESC, rowid LIMIT ?",
            (expression, count),
        ).fetchall()
        return self._found(rows, threshold)

    def exact(
        self, bank: StoredBank, keys: Sequence[str], *, count: int, threshold: float | None
    ) -> QueryDocumentsResponse:
        """Return the documents whose ids are *keys*, in the order of *keys*, with a score of 1."""
        self._prepare_to_read(bank)
        rows: list[tuple[str, int]] = self._connection.execute(
            "SELECT document_id, chunk.id FROM chunk JOIN document ON document.id = document "
            "WHERE bank = ? AND document_id IN (SELECT value FROM json_each(?))",
            (bank.row, json.dumps(list(keys))),
        ).fetchall()
        chunk_ids = dict(rows)
        found = [(chunk_ids[key], 1.0) for key in dict.fromkeys(keys) if key in chunk_ids]
        return self._found(found[:count], threshold)

    def _store(
        self, bank: StoredBank, document: CutDocument, expires_at: float | None
    ) -> list[int]:
        """Write one document; return the ids of its chunks."""
        if document.vectors:
            self._check_dimension(bank, document.vectors[0])
        row = self._run(
            "INSERT INTO document (bank, document_id, mime_type, metadata, expires_at) "
            "VALUES (?, ?, ?, ?, ?)",
            *(bank.row, document.document_id, document.mime_type, document.metadata, expires_at),
        )
        chunk_ids: list[int] = []
        for position, (text, token_count) in enumerate(document.chunks):
            vector = _blob(document.vectors[position]) if document.vectors else None
            chunk_id = self._run(
                "INSERT INTO chunk (document, content, token_count, vector) VALUES (?, ?, ?, ?)",
                *(row, text, token_count, vector),
            )
            if bank.definition.type == "keyword":
                statement = f"INSERT INTO keyword_{bank.row} (rowid, content) VALUES (?, ?)"  # noqa: S608 (our id)
                self._run(statement, chunk_id, spaced(text))
            chunk_ids.append(chunk_id)
        return chunk_ids

    def _delete(self, bank: StoredBank, condition: str, value: object) -> list[int]:
        """Delete the documents of *bank* that meet *condition*; return the ids of their chunks."""
        where = f"bank = ? AND {condition}"
        rows = self._connection.execute(
            f"SELECT chunk.id FROM chunk JOIN document ON document.id = document WHERE {where}",  # noqa: S608 (our text)
            (bank.row, value),
        )
        gone: list[int] = [row[0] for row in rows]
        if bank.definition.type == "keyword":
            for chunk_id in gone:
                self._run(f"DELETE FROM keyword_{bank.row} WHERE rowid = ?", chunk_id)  # noqa: S608 (our id)
        self._run(f"DELETE FROM document WHERE {where}", bank.row, value)  # noqa: S608 (our text)
        return gone

    def _prepare_to_read(self, bank: StoredBank) -> None:
        """Take in what others did, and forget what has expired."""
        self._take_in()
        self._check_present(bank)
        now = self._clock()
        condition = "expires_at <= ?"
        any_expired = "SELECT 1 FROM document WHERE bank = ? AND expires_at <= ? LIMIT 1"
        if self._connection.execute(any_expired, (bank.row, now)).fetchone():
            with writing(self._connection):
                self._take_in()
                gone = self._delete(bank, condition, now)
            index = self._indexes.get(bank.row)
            if index is not None:
                index.remove(gone)

    def _drop(self, bank: StoredBank) -> None:
        if bank.definition.type == "keyword":
            self._run(f"DROP TABLE keyword_{bank.row}")
        self._run("DELETE FROM bank WHERE id = ?", bank.row)
        self._indexes.pop(bank.row, None)

    def _check_present(self, bank: StoredBank) -> None:
        current = self._find(bank.definition.native_id)
        if current is None or current.row != bank.row:
            msg = f"memory bank {bank.definition.native_id!r} was unregistered meanwhile"
            raise ValueError(msg)

    def _check_dimension(self, bank: StoredBank, vector: Vectors) -> None:
        row = self._connection.execute(
            "SELECT length(vector) / 4 FROM chunk JOIN document ON document.id = document "
            "WHERE bank = ? LIMIT 1",
            (bank.row,),
        ).fetchone()
        if row is None or row[0] == len(vector):
            return
        definition = bank.definition
        model = definition.embedding_model if isinstance(definition, VectorMemoryBank) else ""
        msg = (
            f"memory bank {definition.native_id!r} holds vectors of {row[0]} numbers, "
            f"but embedding model {model!r} now gives {len(vector)}\n"
            "help: go back to the model that they came from, or unregister the bank "
            "and insert its documents again"
        )
        raise ValueError(msg)

    def _index(self, bank: StoredBank) -> VectorIndex:
        """Return the index of a vector bank, made from the file when there is none yet."""
        index = self._indexes.get(bank.row)
        if index is None:
            rows: list[tuple[int, bytes]] = self._connection.execute(
                "SELECT chunk.id, vector FROM chunk JOIN document ON document.id = document "
                "WHERE bank = ? ORDER BY chunk.id",
                (bank.row,),
            ).fetchall()
            index = VectorIndex(self._faiss)
            if rows:
                numbers = np.frombuffer(b"".join(blob for _, blob in rows), dtype="<f4")
                index.add([key for key, _ in rows], numbers.reshape(len(rows), -1))
            self._indexes[bank.row] = index
        return index

    def _found(
        self, scored: Sequence[tuple[int, float]], threshold: float | None
    ) -> QueryDocumentsResponse:
        good = [(key, score) for key, score in scored if threshold is None or score >= threshold]
        rows = self._connection.execute(
            "SELECT chunk.id, content, token_count, document_id "
            "FROM chunk JOIN document ON document.id = document "
            "WHERE chunk.id IN (SELECT value FROM json_each(?))",
            (json.dumps([key for key, _ in good]),),
        )
        chunks = {
            key: Chunk(content=content, token_count=token_count, document_id=document_id)
            for key, content, token_count, document_id in rows
        }
        # Another process may have deleted a chunk a moment ago.
        kept = [(chunks[key], score) for key, score in good if key in chunks]
        return QueryDocumentsResponse(
            chunks=[chunk for chunk, _ in kept], scores=[score for _, score in kept]
        )

    def _find(self, native_id: str) -> StoredBank | None:
        return next((bank for bank in self._all(native_id)), None)

    def _all(self, native_id: str | None = None) -> list[StoredBank]:
        rows = self._connection.execute(
            "SELECT id, definition FROM bank "
            "WHERE :id IS NULL OR native_id = :id ORDER BY native_id",
            {"id": native_id},
        ).fetchall()
        return [StoredBank(row, _BANK.validate_json(text)) for row, text in rows]

    def _holds_documents(self, bank: StoredBank) -> bool:
        row = self._connection.execute("SELECT 1 FROM document WHERE bank = ? LIMIT 1", (bank.row,))
        return row.fetchone() is not None

    def _take_in(self) -> None:
        """Forget the indexes if another process has changed the file."""
        version = self._data_version()
        if version != self._version:
            self._version = version
            self._indexes.clear()

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _run(self, statement: str, *values: object) -> int:
        return self._connection.execute(statement, values).lastrowid or 0


def _kind(definition: MemoryBank) -> str:
    if isinstance(definition, VectorMemoryBank):
        return f"vectors of {definition.embedding_model!r}"
    return f"a {definition.type} bank"


def _blob(vector: Vectors) -> bytes:
    return vector.astype("<f4").tobytes()
