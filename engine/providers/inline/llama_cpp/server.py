"""A llama.cpp server in the threads of this process, and what it says when it cannot start."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from importlib import import_module
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

from rungraph.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig

_STANDARD_ERROR = 2
_ERRORS_ONLY = 1
_LOG_SECONDS = 0.2
_MOST_REASONS = 2


class LoadError(EngineError):
    """Raised when llama.cpp cannot load a model; the text is what it says itself."""


def open_server(path: Path, names: Sequence[str], api_key: str, config: LlamaCppConfig) -> Any:
    """Return a server of the model at *path*; ``listening_address`` is where it answers.

    The process stands still until the model is loaded. The server ends with the process: its
    destructor may wait for its threads for ever, so whoever has it must keep it.

    Args:
        path: A GGUF file.
        names: What the model is called.
        api_key: What callers have to bring.
        config: How the model runs.

    Raises:
        LoadError: If llama.cpp cannot load the model.
    """
    xllamacpp: Any = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.verbosity = _ERRORS_ONLY
    params.model.path = str(path)
    params.model_alias = set(names)
    params.api_keys = [api_key]
    params.hostnames = ["127.0.0.1"]
    params.ui = False
    # llama.cpp divides it among the slots.
    params.n_ctx = config.context_size * config.parallel
    params.n_parallel = config.parallel
    # Threads wait for each other by spinning: one more than there are idle cores, and everything
    # takes many times as long.
    threads = config.threads or max(1, _cores() - 1)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    if config.gpu_layers is not None:
        params.n_gpu_layers = config.gpu_layers
    if config.seed is not None:
        params.sampling.seed = config.seed
    if config.chat_template is not None:
        params.chat_template = config.chat_template
    with _standard_error() as said:
        try:
            return xllamacpp.Server(params)
        except Exception as error:  # Whatever it raises, it has logged why.
            # It logs in a thread of its own, which needs a moment to tell why.
            time.sleep(_LOG_SECONDS)
            said.seek(0)
            msg = f"llama.cpp cannot load {str(path)!r}: {_reason(said.read()) or error}"
            raise LoadError(msg) from error


@contextmanager
def _standard_error() -> Generator[BinaryIO]:
    """Let what this process writes to standard error meanwhile go to a file."""
    before = os.dup(_STANDARD_ERROR)
    try:
        with TemporaryFile() as file:
            os.dup2(file.fileno(), _STANDARD_ERROR)
            yield file
    finally:
        os.dup2(before, _STANDARD_ERROR)
        os.close(before)


def _reason(said: bytes) -> str:
    """Return the first errors in llama.cpp's log, whose lines are like ``0.00.1 E srv: …``."""
    lines = (line.partition(" ")[2] for line in said.decode(errors="replace").splitlines())
    errors = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    return "\n".join(errors[:_MOST_REASONS])


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
