"""Fixtures and settings that several folders of tests share."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings
from tests.real import llama_server, weights

__all__ = ["llama_server", "weights"]

# A test never asserts a time; on a busy machine one example can take a second.
settings.register_profile(
    "rungraph", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("rungraph")
# A shell lets what it runs in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
