"""The key of the fingerprints of saved plans: the user's own, or the environment's."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from rungraph.graph.errors import RungraphError
from rungraph.graph.plan.fingerprints import SHORTEST_KEY

KEY_VARIABLE = "RUNGRAPH_PLAN_KEY"
"""The key itself, for those who plan on one machine and run on another."""
_NEW_BYTES = 32
_FORBIDDEN = stat.S_IRWXG | stat.S_IRWXO


class PlanKeyError(RungraphError):
    """Raised when the key of saved plans cannot be used."""


def load_plan_key(*, make: bool = False) -> bytes:
    """Return the key: the value of ``RUNGRAPH_PLAN_KEY``, or else the content of the user's file.

    The file is ``rungraph/plan.key`` in ``$XDG_STATE_HOME``, by default ``~/.local/state``; nobody
    but its owner may read it.

    Args:
        make: Make the file, with a random key, if there is none.

    Raises:
        PlanKeyError: If there is no key, if it is too short, or if others may read its file.
    """
    written = os.environ.get(KEY_VARIABLE)
    if written:
        key = written.encode("utf-8", "surrogateescape")
        if len(key) < SHORTEST_KEY:
            msg = f"{KEY_VARIABLE} is too short: it needs at least {SHORTEST_KEY} characters"
            raise PlanKeyError(msg)
        return key
    path = key_file()
    with suppress(FileNotFoundError, NotADirectoryError):
        return _read(path)
    if not make:
        msg = (
            f"there is no key of saved plans: neither the file {path} nor {KEY_VARIABLE}; "
            "a plan that was saved on another machine needs that machine's key"
        )
        raise PlanKeyError(msg)
    try:
        _make(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        msg = f"the key of saved plans cannot be kept in {path}: {reason}; set {KEY_VARIABLE}"
        raise PlanKeyError(msg) from error
    return _read(path)


def key_file() -> Path:
    """Return where the user's key is."""
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "state"
    return home / "rungraph" / "plan.key"


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if mode & _FORBIDDEN:
            msg = f"others may use the key of saved plans: chmod 600 {path}"
            raise PlanKeyError(msg)
        key = stream.read()
    if len(key) < SHORTEST_KEY:
        msg = f"the key of saved plans is broken: remove {path}, and save the plans anew"
        raise PlanKeyError(msg)
    return key


def _make(path: Path) -> None:
    """Make the file whole or not at all; one that somebody else makes meanwhile stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = mkstemp(dir=path.parent, prefix=".plan.key.")  # With mode 0600.
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_NEW_BYTES))
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
