"""What a process logs, written without the secrets of configs."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from rungraph.engine.errors import describe
from rungraph.engine.request import without_call_data

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger(__name__)


def log_scrubbed(scrub: Callable[[str], str], write: Callable[[str], None]) -> None:
    """Have all that this process logs or warns of written without what *scrub* masks.

    So is what Python says of errors that nobody handles: in threads, and while objects are removed.

    Args:
        scrub: Masks the secrets in a text.
        write: Writes a text to standard error; what it has from elsewhere commands no terminal.
    """
    logging.basicConfig(handlers=[ScrubbedLog(scrub, write)], level=logging.WARNING)
    logging.captureWarnings(capture=True)

    def take(found: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
        error = found.exc_value
        _logger.error("an error that nobody handled", exc_info=error)

    threading.excepthook = take
    sys.unraisablehook = take


class ScrubbedLog(logging.Handler):
    """Hands log records as text to *write*, without the secrets that *scrub* masks."""

    def __init__(self, scrub: Callable[[str], str], write: Callable[[str], None]) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s: %(name)s: %(message)s"))
        self._scrub = scrub
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record*."""
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001  (whoever logs is not to fail because of that)
            text = f"{record.levelname}: {record.name}: cannot be written: {describe(error)}"
        self._write(without_call_data(self._scrub(text)))
