"""The config of ``remote::rungraph``."""

from __future__ import annotations

from rungraph.engine.providers.server_config import ServerRoot


class RemoteStackConfig(ServerRoot):
    """Where the other stack is served, and how long to wait for it."""
