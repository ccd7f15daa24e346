"""Where the registrations of a stack are kept."""

from __future__ import annotations

import logging
import os
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from rungraph.engine.routing.store import RegistrationStore
from rungraph.graph.place import absolute

if TYPE_CHECKING:
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.model import RunGraph

_logger = logging.getLogger(__name__)


def registration_store(graph: RunGraph, settings: StackSettings) -> RegistrationStore:
    """Return the store of *graph*'s registrations; no file is opened yet, but found from then on.

    It is the file ``registrations.db`` in the settings' ``state_dir``; else the ``db_path`` of the
    config's ``metadata_store``; else a file of the config's own in the user's state folder, which
    is named after the config and its path: two configs of one name do not mix.
    """
    if settings.state_dir is not None:
        return RegistrationStore(absolute(Path(settings.state_dir)) / "registrations.db")
    configured = graph.metadata_store or {}
    path, kind = configured.get("db_path"), configured.get("type", "sqlite")
    if kind == "sqlite" and isinstance(path, str) and path:
        path = absolute(Path(path).expanduser())
        return RegistrationStore(path, setting="metadata_store.db_path")
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "state"
    name = graph.name.replace("/", "-").strip(".") or "default"
    earlier = home / "rungraph" / name / "registrations.db"
    path = earlier
    if Path(graph.file).is_file():
        config = str(Path(graph.file).resolve())
        path = earlier.parent.with_name(f"{name}-{sha256(config.encode()).hexdigest()[:8]}")
        path /= "registrations.db"
        if earlier.is_file() and not path.exists():
            _tell_earlier(earlier, path)
    return RegistrationStore(path)


@cache  # Several ask where registrations are: it is told once.
def _tell_earlier(earlier: Path, path: Path) -> None:
    _logger.warning(
        "registrations of an earlier rungraph are in %s; to go on with them, move them to %s",
        earlier,
        path,
    )
