"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from rungraph.graph.errors import RungraphError

if TYPE_CHECKING:
    from collections.abc import Generator


class FileWriteError(RungraphError):
    """Raised when a file cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error

    def __str__(self) -> str:
        reason = (self.error.strerror or str(self.error)).lower()
        if isinstance(self.error, FileNotFoundError):
            folder = self.path.resolve().parent  # Of what a link leads to.
            shown = folder if self.path.is_symlink() else self.path.parent
            missing = f"there is no folder '{shown}'"
            reason = "no file can be made there" if folder.is_dir() else missing
        return f"cannot write {self.path}: {reason}"


def write_file(path: Path, content: bytes) -> None:
    """Make *path* a file with *content*; what was there is replaced at once, at the end.

    A link stays one: what it leads to is replaced. Devices and pipes are written to.

    Raises:
        FileWriteError: If that cannot be done; what was there is as before.
    """
    try:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            mode = None
        target = path.resolve()
        if mode is None or stat.S_ISREG(mode):
            _replace(target, content, mode)
        else:
            target.write_bytes(content)
    except OSError as error:
        raise FileWriteError(path, error) from error


def _replace(target: Path, content: bytes, mode: int | None) -> None:
    with written_beside(target, content) as temporary:
        temporary.chmod(_new_mode() if mode is None else stat.S_IMODE(mode))
        temporary.replace(target)


@contextmanager
def written_beside(target: Path, content: bytes) -> Generator[Path]:
    """Give a whole file with *content* in the folder of *target*, which only its owner may use.

    Afterwards it is gone, unless it was moved: an interruption leaves no half a file behind.
    """
    descriptor, name = mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


def _new_mode() -> int:
    """Return the permissions of a file that ``open`` would make."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
