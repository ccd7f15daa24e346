"""The memory API: documents go into banks; queries find the fitting chunks again."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import Field

from rungraph.engine.apis.common import ApiModel, InterleavedContent
from rungraph.engine.apis.routes import route


class MemoryBankDocument(ApiModel):
    """A document to remember; one with the same *document_id* takes its place."""

    document_id: str = Field(min_length=1)
    content: InterleavedContent
    mime_type: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Chunk(ApiModel):
    """A piece of a document."""

    content: InterleavedContent
    token_count: int
    document_id: str


class QueryDocumentsResponse(ApiModel):
    """What a query found, best first; *scores* has one number a chunk, higher is better."""

    chunks: list[Chunk] = Field(default_factory=list[Chunk])
    scores: list[float] = Field(default_factory=list[float])


class Memory(Protocol):
    """Remembers documents. The routing key is *bank_id*: the identifier of the bank."""

    @route("POST", "/memory/insert")
    async def insert_documents(
        self, bank_id: str, documents: list[MemoryBankDocument], ttl_seconds: int | None = None
    ) -> None:
        """Put *documents* into a bank: all of them, or on an error none.

        Args:
            bank_id: The bank; a router takes the identifier, a provider its own name.
            documents: What to remember.
            ttl_seconds: Forget them after so many seconds; None means never.

        Raises:
            ValueError: If the bank is unknown or cannot hold such documents.
        """
        ...

    @route("POST", "/memory/query")
    async def query_documents(
        self, bank_id: str, query: InterleavedContent, params: dict[str, Any] | None = None
    ) -> QueryDocumentsResponse:
        """Return the chunks of a bank that fit *query* best.

        Args:
            bank_id: The bank; a router takes the identifier, a provider its own name.
            query: What is looked for.
            params: ``max_chunks`` (how many at most) and what else the provider understands.

        Raises:
            ValueError: If the bank is unknown or cannot be asked so.
        """
        ...
