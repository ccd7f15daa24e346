"""The memory_banks API: which memory banks there are, and which provider holds each."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, model_validator

from rungraph.engine.apis.resource import Resource
from rungraph.engine.apis.routes import route


class VectorMemoryBank(Resource):
    """A bank that finds what means the same.

    Attributes:
        embedding_model: The model of the inference API that turns text into vectors.
        chunk_size_in_tokens: How long a chunk is at most.
        overlap_size_in_tokens: How much of a chunk's end the next one repeats.
    """

    type: Literal["vector"] = "vector"
    embedding_model: str = Field(min_length=1)
    chunk_size_in_tokens: int = Field(default=512, gt=0)
    overlap_size_in_tokens: int = Field(default=64, ge=0)

    @model_validator(mode="after")
    def _check_overlap(self) -> Self:
        size, overlap = self.chunk_size_in_tokens, self.overlap_size_in_tokens
        if overlap >= size:
            than = f"must be less than chunk_size_in_tokens ({size})"
            msg = f"overlap_size_in_tokens ({overlap}) {than}"
            if "overlap_size_in_tokens" not in self.model_fields_set:
                msg += f"; {overlap} is its default"
            raise ValueError(msg)
        return self


class KeyValueMemoryBank(Resource):
    """A bank that finds a document by its id."""

    type: Literal["keyvalue"] = "keyvalue"


class KeywordMemoryBank(Resource):
    """A bank that finds documents by the words in them."""

    type: Literal["keyword"] = "keyword"


class GraphMemoryBank(Resource):
    """A bank that finds documents by the entities that they connect."""

    type: Literal["graph"] = "graph"


MemoryBank = Annotated[
    VectorMemoryBank | KeyValueMemoryBank | KeywordMemoryBank | GraphMemoryBank,
    Field(discriminator="type"),
]
"""A memory bank that calls of the memory API are routed by, told apart by ``type``."""


class MemoryBanks(Protocol):
    """Answers for the memory banks of a stack. Only what is really there is listed."""

    @route("GET", "/memory_banks/list")
    async def list_memory_banks(self) -> list[MemoryBank]:
        """Return all banks, sorted by identifier, then provider."""
        ...

    @route("GET", "/memory_banks/get")
    async def get_memory_bank(self, identifier: str) -> MemoryBank | None:
        """Return the bank named *identifier* (or ``provider_id/identifier``); None if unknown.

        Raises:
            ValueError: If several providers hold a bank of that name.
        """
        ...

    @route("POST", "/memory_banks/register")
    async def register_memory_bank(self, memory_bank: MemoryBank) -> MemoryBank:
        """Create *memory_bank* with its provider; return it as accepted. It survives a restart.

        Raises:
            ValueError: If the provider is unknown, several could be meant, or it refuses.
        """
        ...

    @route("POST", "/memory_banks/unregister")
    async def unregister_memory_bank(self, identifier: str, provider_id: str = "") -> None:
        """Take back a registration; the provider may drop what the bank holds.

        Raises:
            ValueError: If there is no such bank, or several providers hold it.
        """
        ...


class MemoryBanksPrivate(Protocol):
    """What the memory_banks table asks of each provider of the memory API."""

    async def list_memory_banks(self) -> list[MemoryBank]:
        """Return all banks that the provider holds now, including what it accepted."""
        ...

    async def register_memory_bank(self, memory_bank: MemoryBank) -> MemoryBank:
        """Create *memory_bank* unless it is there, and return it as accepted.

        Raises:
            ValueError: If the provider cannot hold such a bank.
        """
        ...

    async def unregister_memory_bank(self, memory_bank: MemoryBank) -> None:
        """Drop *memory_bank*, which was registered before."""
        ...
