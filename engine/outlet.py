"""Text streams that hold up nobody: a thread writes them to whoever reads, or does not."""

from __future__ import annotations

import atexit
import errno
import os
import sys
from collections import deque
from contextlib import suppress
from threading import Condition, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

END_SECONDS = 0.25
"""Seconds that the end of a process waits for what is still to be written."""
_MOST_WAITING = 1 << 20
"""Bytes that wait at most for a reader; what comes on top is dropped, or refused."""


class Outlet:
    """A text stream over *stream*, an open file, whose writes never wait.

    All that is written comes out, in its order, as long as somebody reads it. Errors of the file
    are raised by the next write, and by every one after that.

    Args:
        stream: Where to; nobody else may write to it. What is no write is its own.
        drops: What to do with what nobody reads: drop whole texts, and tell of it on standard
            error later, or else raise BlockingIOError.
    """

    def __init__(self, stream: TextIO, *, drops: bool = True) -> None:
        self._stream = stream
        self._drops = drops
        self._changed = Condition()
        self._texts: deque[bytes] = deque()
        self._waiting = 0
        self._dropped = 0
        self._error: Exception | None = None
        self._thread: Thread | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Have *text* written."""
        data = text.encode(self._stream.encoding, self._stream.errors or "strict")
        with self._changed:
            if self._error is not None:
                raise self._error.with_traceback(None)
            if self._waiting > _MOST_WAITING:
                if not self._drops:
                    raise _unread()
                self._dropped += 1
            elif data:
                self._texts.append(data)
                self._waiting += len(data)
                self._changed.notify_all()
                if self._thread is None:
                    self._thread = Thread(target=self._write_all, name="output", daemon=True)
                    self._thread.start()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Have *lines* written."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Return at once: nothing is held back but by its reader."""

    def finish(self, seconds: float | None = None) -> None:
        """Wait until all is written, but not longer than *seconds*.

        Raises:
            OSError: If it cannot be written, or if nobody has read it until then.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting, seconds):
                raise _unread()
            if self._error is not None:
                raise self._error.with_traceback(None)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._texts)
                data = b"".join(self._texts)
                self._texts.clear()
            left = memoryview(data)
            try:
                while left:
                    # Not through the stream: a thread that waits would keep its lock.
                    left = left[os.write(self._stream.fileno(), left) :]
            except (OSError, ValueError) as error:  # The latter where the stream is closed.
                self._error = error
            with self._changed:
                self._waiting -= len(data)
                dropped = 0 if self._waiting else self._dropped
                self._dropped -= dropped
                self._changed.notify_all()
            if dropped:
                name = str(self._stream.name).strip("<>")
                text = f"warning: {dropped:,} texts for {name} were dropped: nobody read it\n"
                with suppress(OSError):
                    sys.stderr.write(text)


def _unread() -> BlockingIOError:
    return BlockingIOError(errno.EAGAIN, "nobody reads it")


def release_output() -> None:
    """Let standard output and error hold up nobody from now on, until the process ends.

    Where both are one file, as on a terminal, both are one outlet, too: their order stays. Streams
    of no file stay as they are.
    """
    streams = (sys.stdout, sys.stderr)
    try:
        out, err = (os.fstat(one.fileno()) for one in streams)
    except (OSError, ValueError):
        return
    for one in streams:
        one.flush()
    sys.stderr = Outlet(streams[1])
    sys.stdout = sys.stderr if os.path.samestat(out, err) else Outlet(streams[0])

    def restore() -> None:
        sys.stdout, sys.stderr = streams

    os.register_at_fork(after_in_child=restore)  # Threads do not come along.
    atexit.register(finish_output)


def finish_output() -> None:
    """Give what is still to be written a last moment, one for both streams."""
    end = monotonic() + END_SECONDS
    for stream in {sys.stdout, sys.stderr}:
        with suppress(OSError, ValueError):
            if isinstance(stream, Outlet):
                stream.finish(end - monotonic())
            else:
                stream.flush()
