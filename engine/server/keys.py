"""Keys, by which a server knows its callers, and what they are good for."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from rungraph.engine.errors import EngineError
from rungraph.engine.server.failures import invalid
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.source.document import load_document

if TYPE_CHECKING:
    from os import PathLike


class Permission(StrEnum):
    """What a key is good for."""

    CALL = "call"
    """Calls of models, memory, shields, agents, telemetry."""
    REGISTER = "register"
    """Registrations of resources."""
    INSPECT = "inspect"
    """How the stack is made, how it is, and what happens in it."""


CALL, REGISTER, INSPECT = (frozenset({one}) for one in Permission)
ANY = frozenset(Permission)


class KeyFileError(EngineError):
    """Raised when a file of keys cannot be read."""


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Key:
    """A key as the server keeps it, and as a file of keys has it.

    Attributes:
        name: Whose it is; the log may say it.
        sha256: The SHA-256 hash, in hexadecimal, of the key itself, which is not kept.
        may: What it is good for.
        most_streams: How many streams its callers may read at a time; None for any number.
        streams: What its callers read now.
    """

    name: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    may: frozenset[Permission] = ANY
    most_streams: Annotated[int, Field(ge=1)] | None = None
    streams: set[object] = field(default_factory=set[object], init=False, compare=False, repr=False)

    @classmethod
    def of(cls, secret: str, name: str) -> Key:
        """Return the key *secret*, which is good for everything."""
        return cls(name, sha256(secret.encode()).hexdigest())


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Annotated[list[Key], Field(min_length=1)]


def load_keys(path: str | PathLike[str]) -> tuple[Key, ...]:
    """Return the keys of a YAML file: ``keys: [{name, sha256, may: [call, …], most_streams}]``.

    Raises:
        KeyFileError: If it is no such file, has no key, or cannot be read; the text holds none of
            its values.
    """
    document = load_document(Path(path))
    for problem in errors_in(document.diagnostics):
        # Neither its message nor its line, which can hold a key.
        where = str(problem.place) if problem.place else str(path)
        msg = f"{where}: not YAML" if problem.code == "C003" else f"{where}: {problem.message}"
        raise KeyFileError(msg)
    try:
        return tuple(_KeyFile.model_validate(document.value).keys)
    except ValidationError as error:
        msg = f"{path}: {invalid(error, lambda _: '')}"
        raise KeyFileError(msg) from None
