"""Fixtures that several folders of tests share."""

from __future__ import annotations

from tests.real import llama_server, weights

__all__ = ["llama_server", "weights"]
