"""The embedded memory: vector, keyvalue and keyword banks that survive a restart."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import time
import warnings
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rungraph.engine.apis.common import HealthResponse, HealthStatus, InterleavedContent, text_of
from rungraph.engine.apis.memory import MemoryBankDocument, QueryDocumentsResponse
from rungraph.engine.apis.memory_banks import MemoryBank, VectorMemoryBank
from rungraph.engine.errors import MissingPackageError
from rungraph.engine.providers.inline.faiss.chunks import (
    TextChunk,
    chunk_text,
    count_tokens,
    spaced,
)
from rungraph.engine.providers.inline.faiss.documents import encodable, text_of_document
from rungraph.engine.providers.inline.faiss.index import Vectors, unit_vectors
from rungraph.engine.providers.inline.faiss.storage import CutDocument, Storage
from rungraph.graph.invalid_values import invalid_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rungraph.engine.apis.inference import Inference
    from rungraph.engine.providers.inline.faiss.config import FaissConfig

P = ParamSpec("P")
T = TypeVar("T")

_BATCH = 64
"""How many chunks one call of the inference API embeds."""

_MOST_WORDS = 100
"""How many different words of a query a keyword bank looks for."""

_WORD = re.compile(r"\w+")

_KEYWORD_CHUNK_SIZE = 512
_KEYWORD_CHUNK_OVERLAP = 64
"""A keyword bank does not say how its documents are to be cut."""


class QueryParams(BaseModel):
    """What a query can ask for.

    Attributes:
        max_chunks: How many chunks at most.
        score_threshold: Leave out chunks with a lower score; None leaves out none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_chunks: int = Field(default=5, ge=1, le=10_000)
    score_threshold: float | None = None


class FaissMemory:
    """The memory API over FAISS and SQLite.

    - A vector bank finds the chunks that mean what the query means; a score is the cosine of the
      two vectors, from -1 to 1. The vectors come from the bank's model through *inference*.
    - A keyvalue bank finds whole documents: each part of the query is the id of one. The score
      is 1.
    - A keyword bank finds the chunks with any word of the query, ranked by BM25: the more of the
      words, and the rarer they are, the higher the score, which is above 0.

    Equal scores come in the order of insertion. Inserting is all or nothing and survives the
    sudden death of the process; inserts into one bank happen in the order of their calls.
    SQLite and FAISS work in one thread of their own, so the event loop never waits for them.

    Args:
        storage: What the banks hold; used in *thread* alone.
        thread: An executor with one thread.
        inference: What embeds.
    """

    def __init__(
        self, storage: Storage, *, thread: ThreadPoolExecutor, inference: Inference
    ) -> None:
        self._storage = storage
        self._thread = thread
        self._inference = inference
        self._writers: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def list_memory_banks(self) -> list[MemoryBank]:
        """Return all banks, sorted by their native ids."""
        return await self._run(self._storage.banks)

    async def register_memory_bank(self, memory_bank: MemoryBank) -> MemoryBank:
        """Create *memory_bank*, or take over its new definition.

        A bank whose documents are stored already keeps them; new chunk sizes are for documents
        to come.

        Raises:
            ValueError: If it is a graph bank, or is there with documents that another model has
                embedded.
        """
        if memory_bank.type == "graph":
            msg = (
                f"memory bank {memory_bank.identifier!r} is a 'graph' bank, which 'inline::faiss' "
                "does not have (known: 'keyvalue', 'keyword', 'vector')"
            )
            raise ValueError(msg)
        await self._run(self._storage.register, memory_bank)
        return memory_bank

    async def unregister_memory_bank(self, memory_bank: MemoryBank) -> None:
        """Drop *memory_bank* and all documents in it."""
        await self._run(self._storage.unregister, memory_bank.native_id)

    async def insert_documents(
        self, bank_id: str, documents: list[MemoryBankDocument], ttl_seconds: int | None = None
    ) -> None:
        """Put *documents* into a bank, in the place of those with the same ids.

        The content of a document is text, or a ``data:`` URL with text in it. Of several
        documents with one id, the last one counts.

        Raises:
            ValueError: If the bank is unknown, a document is no text, *ttl_seconds* is not
                positive, or the model's vectors do not fit those in the bank.
        """
        if ttl_seconds is not None and ttl_seconds <= 0:
            msg = f"ttl_seconds must be positive, not {ttl_seconds}"
            raise ValueError(msg)
        bank = await self._run(self._storage.bank, bank_id)
        async with self._writers[bank_id]:
            latest = tuple({document.document_id: document for document in documents}.values())
            cut = await asyncio.to_thread(_cut, bank.definition, latest)
            if isinstance(bank.definition, VectorMemoryBank):
                cut = await self._with_vectors(bank.definition.embedding_model, cut)
            await self._run(self._storage.insert, bank, cut, ttl_seconds=ttl_seconds)

    async def query_documents(
        self, bank_id: str, query: InterleavedContent, params: dict[str, Any] | None = None
    ) -> QueryDocumentsResponse:
        """Return the chunks of a bank that fit *query* best, best first.

        Args:
            bank_id: The bank's native id.
            query: Text; in a keyvalue bank, the ids of documents.
            params: See `QueryParams`.

        Raises:
            ValueError: If the bank is unknown, the query is no text, or *params* are wrong.
        """
        asked = _parse_params(params)
        limits: dict[str, Any] = {"count": asked.max_chunks, "threshold": asked.score_threshold}
        bank = await self._run(self._storage.bank, bank_id)
        text = encodable(text_of(query))
        if isinstance(bank.definition, VectorMemoryBank):
            if not text.strip():
                return QueryDocumentsResponse()
            vectors = await self._embed(bank.definition.embedding_model, [text])
            return await self._run(self._storage.nearest, bank, vectors[0], **limits)
        if bank.definition.type == "keyword":
            return await self._run(self._storage.matching, bank, _phrases(text), **limits)
        keys = [
            encodable(text_of(part)) for part in (query if isinstance(query, list) else [query])
        ]
        return await self._run(self._storage.exact, bank, keys, **limits)

    async def health(self) -> HealthResponse:
        """Return ``OK`` when the file can be read."""
        banks = await self._run(self._storage.banks)
        return HealthResponse(status=HealthStatus.OK, message=f"{len(banks)} memory banks")

    async def shutdown(self) -> None:
        """Close the file and end the thread, after what is already under way."""
        await self._run(self._storage.close)
        await asyncio.to_thread(self._thread.shutdown)

    async def _with_vectors(
        self, model: str, documents: Sequence[CutDocument]
    ) -> tuple[CutDocument, ...]:
        texts = [chunk.text for document in documents for chunk in document.chunks]
        batches = [
            await self._embed(model, texts[start : start + _BATCH])
            for start in range(0, len(texts), _BATCH)
        ]
        rows = iter(row for batch in batches for row in batch)
        return tuple(
            document._replace(vectors=tuple(next(rows) for _ in document.chunks))
            for document in documents
        )

    async def _embed(self, model: str, texts: Sequence[str]) -> Vectors:
        answer = await self._inference.embeddings(model=model, contents=list(texts))
        count = len(answer.embeddings)
        if count != len(texts):
            msg = f"embedding model {model!r} gave {count} vectors for {len(texts)} texts"
            raise ValueError(msg)
        return await asyncio.to_thread(unit_vectors, answer.embeddings, model=model)

    async def _run(self, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: step(*args, **kwargs))


async def get_provider_impl(config: FaissConfig, deps: Mapping[str, Any]) -> FaissMemory:
    """Return the memory, its file open and its indexes in memory.

    Raises:
        MissingPackageError: If FAISS is not installed.
        ValueError: If the file is something else, or cannot be opened or made.
    """
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rungraph-faiss")
    opening = thread.submit(_open, config.db_path)
    try:
        storage = await asyncio.wrap_future(opening)
    except Exception:
        thread.shutdown()
        raise
    except BaseException:
        # Nobody waits for the file any more; it is closed as soon as it is open.
        thread.submit(_close, opening)
        thread.shutdown(wait=False)
        raise
    return FaissMemory(storage, thread=thread, inference=cast("Inference", deps["inference"]))


def _open(db_path: str) -> Storage:
    with warnings.catch_warnings():
        # SWIG's types announce on import that they have no module.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            faiss = importlib.import_module("faiss")
        except ImportError as error:
            raise MissingPackageError(extra="faiss", package="faiss-cpu") from error
    path = db_path if db_path == ":memory:" else str(Path(db_path).expanduser())
    try:
        return Storage(path, faiss=faiss, clock=time.time)
    except OSError as error:
        reason = error.strerror or str(error)
        msg = f"cannot open db_path {path!r}: {reason}; name a file in a folder that can be written"
        raise ValueError(msg) from error


def _close(opening: Future[Storage]) -> None:
    """Close what was opened for a start that is no longer wanted."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _cut(bank: MemoryBank, documents: Sequence[MemoryBankDocument]) -> tuple[CutDocument, ...]:
    return tuple(
        CutDocument(
            document.document_id,
            document.mime_type,
            json.dumps(document.metadata),
            tuple(_chunks(bank, text_of_document(document))),
        )
        for document in documents
    )


def _chunks(bank: MemoryBank, text: str) -> Iterable[TextChunk]:
    if isinstance(bank, VectorMemoryBank):
        size, overlap = bank.chunk_size_in_tokens, bank.overlap_size_in_tokens
    elif bank.type == "keyword":
        size, overlap = _KEYWORD_CHUNK_SIZE, _KEYWORD_CHUNK_OVERLAP
    else:
        return (TextChunk(text, count_tokens(text)),)
    return chunk_text(text, size=size, overlap=overlap)


def _phrases(query: str) -> tuple[str, ...]:
    """Return the words of *query*, none of which can be an operator of FTS5 once quoted."""
    words = (" ".join(spaced(word).split()) for word in _WORD.findall(query.lower()))
    return tuple(dict.fromkeys(words))[:_MOST_WORDS]


def _parse_params(params: Mapping[str, Any] | None) -> QueryParams:
    try:
        return QueryParams.model_validate(params or {})
    except ValidationError as error:
        problems = "; ".join(map(str, invalid_values(error)))
        known = ", ".join(sorted(QueryParams.model_fields))
        msg = f"wrong query params: {problems} (known: {known})"
        raise ValueError(msg) from None
