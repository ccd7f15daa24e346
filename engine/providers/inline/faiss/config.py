"""What a run config can say of the embedded memory."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


def default_path() -> str:
    """Return where the banks are kept when the run config does not say it.

    It is ``rungraph/faiss.db`` in ``$XDG_STATE_HOME``, by default ``~/.local/state``.
    """
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return str(Path(state).expanduser() / "rungraph" / "faiss.db")


class FaissConfig(BaseModel):
    """The config of ``inline::faiss``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    db_path: str = Field(
        default_factory=default_path,
        min_length=1,
        description="The SQLite file that holds everything; ':memory:' keeps nothing.",
    )
