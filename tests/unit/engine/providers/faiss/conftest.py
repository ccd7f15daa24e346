"""The fixtures of the embedded memory."""

from __future__ import annotations

from tests.unit.engine.providers.faiss.memory import clock, counter, memory, open_memory

__all__ = ["clock", "counter", "memory", "open_memory"]
