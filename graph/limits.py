"""How long calls of a provider may take, and how many of them it gets at a time."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_SECONDS = 0.001
MOST = 1_000_000_000
"""The largest limit of each kind."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one provider's calls; None where there is none.

    Attributes:
        call_timeout: Seconds for a whole answer, and for the first chunk of a stream and each
            pause in it, unless the next two say otherwise.
        first_chunk_timeout: Seconds from a call to the first chunk of its stream.
        idle_timeout: Seconds between two chunks.
        stream_timeout: Seconds for a whole stream.
        concurrent_calls: How many calls run at a time; further ones wait for their turn.
        queued_calls: How many calls wait; further ones are refused.
    """

    call_timeout: float | None = None
    first_chunk_timeout: float | None = None
    idle_timeout: float | None = None
    stream_timeout: float | None = None
    concurrent_calls: float | None = None
    queued_calls: float | None = None

    def given(self) -> dict[str, float]:
        """Return those that there are, by name, sorted."""
        values = {name: getattr(self, name) for name in sorted(self.__slots__)}
        return {name: value for name, value in values.items() if value is not None}


NO_LIMITS = Limits()
