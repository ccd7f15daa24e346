"""Files and vector stores below ``/v1``: a store is a vector memory bank, a file a document."""

from __future__ import annotations

import secrets
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from pydantic_core import to_json
from python_multipart import parse_form

from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.apis.memory_banks import VectorMemoryBank
from rungraph.engine.errors import UnknownResourceError
from rungraph.engine.run.registrations import registration_store
from rungraph.engine.server.failures import RequestError, the_only
from rungraph.engine.server.files import Files
from rungraph.engine.server.translation import Sent

if TYPE_CHECKING:
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange
    from rungraph.engine.server.files import Attached, File

_TABLE = "memory_banks"
_STORE = "vector store"
_CREATED = "created_at"
_NAME = "name"
_TEXT = "text/plain"


class _Sizes(Sent):
    max_chunk_size_tokens: int = Field(default=512, gt=0)
    chunk_overlap_tokens: int = Field(default=64, ge=0)


class _Chunking(Sent):
    type: Literal["auto", "static"] = "auto"
    static: _Sizes = Field(default_factory=_Sizes)


class NewStore(Sent):
    """The body of a request for a new vector store."""

    name: str | None = None
    file_ids: list[str] = Field(default_factory=list[str])
    metadata: dict[str, Any] = Field(default_factory=dict)
    chunking_strategy: _Chunking = Field(default_factory=_Chunking)
    embedding_model: str | None = None
    embedding_dimension: int | None = None
    provider_id: str = ""


class NewStoreFile(Sent):
    """The body of a request that puts a file into a vector store."""

    file_id: str
    attributes: dict[str, Any] = Field(default_factory=dict)
    chunking_strategy: _Chunking = Field(default_factory=_Chunking)


class Search(Sent):
    """The body of a search."""

    query: str | list[str]
    max_num_results: int = Field(default=10, ge=1, le=50)
    rewrite_query: Literal[False] = False


class Listing(Sent):
    """How much of a list is asked for, in the query."""

    after: str | None = None
    before: str | None = None
    limit: int = Field(default=10_000, ge=1, le=10_000)
    order: Literal["asc", "desc"] = "desc"
    purpose: str | None = None
    filter: Literal["in_progress", "completed", "failed", "cancelled"] | None = None


class StoreRoutes:
    """Serves vector stores over the memory API, and the files that go into them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        folder = registration_store(stack.graph, stack.settings).path.parent
        self._files = Files(folder / "files.db")

    # --- files ---------------------------------------------------------------------------------

    async def upload(self, exchange: Exchange) -> None:
        """Keep the file of a form, and answer once it is on disk."""
        fields, files = _form_of(await exchange.body(), exchange.header(b"content-type"))
        for name in (*fields, *files):
            if name not in {"file", "purpose"}:
                text = f"{name}: this server cannot honour it"
                raise RequestError(400, text, name, "unsupported_parameter")
        if "file" not in files:
            raise RequestError(400, "file: is missing", "file", "invalid_value")
        if "purpose" not in fields:
            raise RequestError(400, "purpose: is missing", "purpose", "invalid_value")
        filename, media, content = files["file"]
        file = await self._files.add(filename, fields["purpose"], media, content)
        await exchange.answer(to_json(_file(file)))

    async def list_files(self, asked: Listing) -> dict[str, Any]:
        """Return the files."""
        return page_of([_file(one) for one in await self._files.all()], asked)

    async def get_file(self, file_id: str) -> dict[str, Any]:
        """Return what is known of a file."""
        return _file(await self._files.get(file_id))

    async def download(self, exchange: Exchange) -> None:
        """Answer with what is in a file: nothing that a browser would show or run."""
        content = await self._files.content(exchange.path_values["file_id"])
        headers = ((b"x-content-type-options", b"nosniff"), (b"content-disposition", b"attachment"))
        await exchange.answer(content, media=b"application/octet-stream", headers=headers)

    async def delete_file(self, file_id: str) -> dict[str, Any]:
        """Forget a file."""
        await self._files.delete(file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    # --- vector stores -------------------------------------------------------------------------

    async def create(self, asked: NewStore) -> dict[str, Any]:
        """Register a vector bank, and put the files into it that are named."""
        files = [await self._files.get(one) for one in asked.file_ids]
        sizes = asked.chunking_strategy.static
        bank = VectorMemoryBank(
            identifier=f"vs_{secrets.token_hex(12)}",
            provider_id=asked.provider_id,
            embedding_model=asked.embedding_model or await self._embedding_model(),
            chunk_size_in_tokens=sizes.max_chunk_size_tokens,
            overlap_size_in_tokens=sizes.chunk_overlap_tokens,
            metadata={**asked.metadata, _NAME: asked.name, _CREATED: int(time.time())},
        )
        made = await self._stack[_TABLE].register_memory_bank(memory_bank=bank)
        for file in files:
            await self._put(made.identifier, file, {})
        return await self._store(made)

    async def list_stores(self, asked: Listing) -> dict[str, Any]:
        """Return the vector banks, however they were registered."""
        banks = await self._stack[_TABLE].list_memory_banks()
        stores = [await self._store(one) for one in banks if isinstance(one, VectorMemoryBank)]
        return page_of(stores, asked)

    async def get_store(self, store_id: str) -> dict[str, Any]:
        """Return one vector bank."""
        return await self._store(self._bank(store_id))

    async def delete_store(self, store_id: str) -> dict[str, Any]:
        """Take back a registration, with all that is in the bank."""
        bank = self._bank(store_id)
        await self._stack[_TABLE].unregister_memory_bank(
            identifier=bank.identifier, provider_id=bank.provider_id
        )
        await self._files.drop(bank.identifier)
        return {"id": store_id, "object": "vector_store.deleted", "deleted": True}

    async def search(self, store_id: str, asked: Search) -> dict[str, Any]:
        """Return the pieces of a store that fit the query best."""
        store = self._bank(store_id).identifier
        queries = [asked.query] if isinstance(asked.query, str) else asked.query
        found = await self._stack["memory"].query_documents(
            bank_id=store, query="\n".join(queries), params={"max_chunks": asked.max_num_results}
        )
        files = await self._files.attached(store)
        data = [
            {
                "file_id": chunk.document_id,
                "filename": one.filename if (one := files.get(chunk.document_id)) else "",
                "score": score,
                "attributes": one.attributes if one else {},
                "content": [{"type": "text", "text": chunk.content}],
            }
            for chunk, score in zip(found.chunks, found.scores, strict=True)
        ]
        return {
            "object": "vector_store.search_results.page",
            "search_query": queries,
            "data": data,
            "has_more": False,
            "next_page": None,
        }

    async def put_file(self, store_id: str, asked: NewStoreFile) -> dict[str, Any]:
        """Put an uploaded file into a store; it can be found when this returns."""
        bank = self._bank(store_id)
        file = await self._files.get(asked.file_id)
        attached = await self._put(bank.identifier, file, asked.attributes)
        return _store_file(attached, bank)

    async def list_store_files(self, store_id: str, asked: Listing) -> dict[str, Any]:
        """Return the files that are in a store."""
        bank = self._bank(store_id)
        files = await self._files.attached(bank.identifier)
        return page_of([_store_file(one, bank) for one in files.values()], asked)

    async def store_file_content(self, store_id: str, file_id: str) -> dict[str, Any]:
        """Return the text of a file in a store."""
        await self.get_store_file(store_id, file_id)
        text = (await self._files.content(file_id)).decode()
        return {
            "object": "vector_store.file_content.page",
            "data": [{"type": "text", "text": text}],
            "has_more": False,
            "next_page": None,
        }

    async def get_store_file(self, store_id: str, file_id: str) -> dict[str, Any]:
        """Return what is known of a file in a store."""
        bank = self._bank(store_id)
        files = await self._files.attached(bank.identifier)
        if file_id not in files:
            text = f"the vector store {store_id!r} has no file {file_id!r}"
            raise RequestError(404, text, code="file_not_found")
        return _store_file(files[file_id], bank)

    async def take_file(self, store_id: str, file_id: str) -> dict[str, Any]:
        """Say that memory gives nothing back.

        Raises:
            NotImplementedError: Always.
        """
        self._bank(store_id)
        msg = f"the memory API cannot take {file_id!r} out; delete the whole vector store"
        raise NotImplementedError(msg)

    async def _put(self, store: str, file: File, attributes: dict[str, Any]) -> Attached:
        try:
            text = (await self._files.content(file.id)).decode()
        except UnicodeDecodeError as error:
            problem = f"the file {file.filename!r} is no UTF-8 text"
            raise RequestError(400, problem, "file_id", "unsupported_file") from error
        document = MemoryBankDocument(
            document_id=file.id, content=text, mime_type=_TEXT, metadata={"filename": file.filename}
        )
        await self._stack["memory"].insert_documents(bank_id=store, documents=[document])
        return await self._files.attach(store, file, attributes)

    def _bank(self, store_id: str) -> VectorMemoryBank:
        """Return the bank of a store.

        Raises:
            UnknownResourceError: If there is none; a bank without vectors is none.
        """
        found = self._stack[_TABLE].resolve(store_id)
        if not isinstance(found, VectorMemoryBank):
            raise UnknownResourceError(_STORE, store_id, ())
        return found

    async def _embedding_model(self) -> str:
        models = await self._stack["models"].list_models()
        names = (one.identifier for one in models if one.model_type == "embedding")
        return the_only(names, "embedding_model")

    async def _store(self, bank: VectorMemoryBank) -> dict[str, Any]:
        files = await self._files.attached(bank.identifier)
        counts = dict.fromkeys(("in_progress", "failed", "cancelled"), 0)
        metadata = {**bank.metadata, "embedding_model": bank.embedding_model}
        return {
            "id": bank.identifier,
            "object": "vector_store",
            "created_at": metadata.pop(_CREATED, 0),
            "name": metadata.pop(_NAME, None) or bank.identifier,
            "usage_bytes": sum(one.size for one in files.values()),
            "file_counts": {**counts, "completed": len(files), "total": len(files)},
            "status": "completed",
            "expires_after": None,
            "expires_at": None,
            "last_active_at": None,
            "metadata": {**metadata, "provider_id": bank.provider_id},
        }


def page_of(data: list[dict[str, Any]], asked: Listing) -> dict[str, Any]:
    """Return the part of *data*, which is told from the oldest on, that is *asked* for.

    Raises:
        RequestError: If it is to begin or end at what is not in it.
    """
    wanted = {"purpose": asked.purpose, "status": asked.filter}
    found = [one for one in data if all(one.get(key) == it for key, it in wanted.items() if it)]
    found.sort(key=lambda one: one["created_at"])
    if asked.order == "desc":
        found.reverse()  # Also those of the same second.
    ids = [one["id"] for one in found]
    for name, given in (("after", asked.after), ("before", asked.before)):
        if given is not None and given not in ids:
            raise RequestError(400, f"{name}: {given!r} is not in this list", name, "invalid_value")
    begin = 0 if asked.after is None else ids.index(asked.after) + 1
    end = len(found) if asked.before is None else ids.index(asked.before)
    if asked.before is not None:
        begin = max(begin, end - asked.limit)
    page = found[begin : min(end, begin + asked.limit)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": begin > 0 if asked.before is not None else begin + len(page) < end,
    }


def _file(file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at,
        "expires_at": None,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    }


def _store_file(file: Attached, bank: VectorMemoryBank) -> dict[str, Any]:
    sizes = {
        "max_chunk_size_tokens": bank.chunk_size_in_tokens,
        "chunk_overlap_tokens": bank.overlap_size_in_tokens,
    }
    return {
        "id": file.id,
        "object": "vector_store.file",
        "created_at": file.created_at,
        "vector_store_id": bank.identifier,
        "status": "completed",
        "last_error": None,
        "usage_bytes": file.size,
        "attributes": file.attributes,
        "chunking_strategy": {"type": "static", "static": sizes},
    }


def _form_of(
    body: bytes, content_type: str
) -> tuple[dict[str, str], dict[str, tuple[str, str, bytes]]]:
    """Return the fields of a form, and its files: name, media type and content of each.

    Raises:
        RequestError: If it is no form.
    """
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, str, bytes]] = {}

    def take_field(field: Any) -> None:
        fields[field.field_name.decode()] = (field.value or b"").decode()

    def take_file(file: Any) -> None:
        name = (file.file_name or b"").decode()
        file.file_object.seek(0)
        media = file.content_type or "application/octet-stream"
        files[file.field_name.decode()] = (name, media, file.file_object.read())

    if not content_type.lower().startswith("multipart/form-data"):
        text = f"a file is sent as 'multipart/form-data', not {content_type!r}"
        raise RequestError(415, text)
    try:
        headers = {"Content-Type": content_type.encode("latin-1")}
        parse_form(headers, BytesIO(body), take_field, take_file)
    except (ValueError, RuntimeError) as error:
        raise RequestError(400, "the body is no form", code="invalid_value") from error
    return fields, files
