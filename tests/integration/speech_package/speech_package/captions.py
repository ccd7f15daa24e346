"""A provider of captions that has every voice say the text."""

from __future__ import annotations

from typing import Any


class Spoken:
    """Depends on a router and a table of the same package."""

    def __init__(self, speech: Any, voices: Any) -> None:
        self.speech = speech
        self.voices = voices

    async def write(self, text: str) -> str:
        voices = await self.voices.list_voices()
        return "; ".join(
            [await self.speech.say(voice=voice.identifier, text=text) for voice in voices]
        )


async def get_provider_impl(config: dict[str, Any], deps: dict[str, Any]) -> Spoken:
    """Return the provider."""
    return Spoken(deps["speech"], deps["voices"])
