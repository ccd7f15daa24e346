"""A provider of speech that writes instead of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from speech_package.apis import Voice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Echo:
    """Says what it is told, in the name of a voice."""

    def __init__(self, voices: list[str]) -> None:
        self.voices = {name: Voice(identifier=name) for name in voices}

    async def list_voices(self) -> list[Voice]:
        return list(self.voices.values())

    async def register_voice(self, voice: Voice) -> Voice:
        if voice.native_id.startswith("x"):
            msg = f"cannot learn the voice {voice.native_id!r}"
            raise ValueError(msg)
        self.voices[voice.native_id] = Voice(identifier=voice.native_id)
        return voice

    async def unregister_voice(self, voice: Voice) -> None:
        self.voices.pop(voice.native_id, None)

    async def say(self, voice: str, text: str) -> str:
        return f"{voice}: {text}"

    async def stream(self, voice: str, text: str) -> AsyncGenerator[str, None]:
        async def words() -> AsyncGenerator[str, None]:
            for word in text.split():
                yield f"{voice}: {word}"

        return words()


async def get_provider_impl(config: dict[str, Any], deps: dict[str, Any]) -> Echo:
    """Return a provider with the voices of its config."""
    return Echo(config["voices"])
