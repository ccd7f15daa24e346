"""The protocols and the resource of this package's APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rungraph.engine.apis.resource import Resource
from rungraph.engine.apis.routes import route

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Voice(Resource):
    """Someone who can read."""

    language: str = "en"


class Speech(Protocol):
    """Reads text aloud."""

    @route("POST", "/speech/say")
    async def say(self, voice: str, text: str) -> str:
        """Return what is heard."""
        ...

    @route("POST", "/speech/stream")
    async def stream(self, voice: str, text: str) -> AsyncGenerator[str, None]:
        """Return what is heard, word by word."""
        ...


class Voices(Protocol):
    """Which voices there are."""

    @route("GET", "/voices/list")
    async def list_voices(self) -> list[Voice]:
        """Return all voices."""
        ...

    @route("POST", "/voices/register")
    async def register_voice(self, voice: Voice) -> Voice:
        """Add a voice."""
        ...


class VoicesPrivate(Protocol):
    """What a provider of speech tells the table of voices."""

    async def list_voices(self) -> list[Voice]:
        """Return the voices of this provider."""
        ...

    async def register_voice(self, voice: Voice) -> Voice:
        """Take a voice on, or refuse it with ValueError."""
        ...

    async def unregister_voice(self, voice: Voice) -> None:
        """Let a voice go."""
        ...


class Captions(Protocol):
    """Writes what was said."""

    @route("POST", "/captions/write")
    async def write(self, text: str) -> str:
        """Return the text as said by every voice."""
        ...
