"""The program that runs in a worker process: one llama.cpp server for one model.

It reads its settings from the first line of standard input, prints ``{"url": ...}`` once the
server answers, and ends as soon as standard input does: no worker outlives its owner. It is run
by its path, so that nothing but llama.cpp is imported; it must import nothing of rungraph.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import sys
import threading
import time
from typing import Any

_ORPHAN_CHECK_SECONDS = 2.0
_EXIT_SECONDS = 5.0
_LOG_SECONDS = 0.2


def serve(settings: dict[str, Any]) -> Any:
    """Start the server that *settings* describe and return it; keep it, or it ends.

    Keys: ``model`` (a path), ``aliases``, ``api_key``, ``context_size`` (of all slots together),
    ``parallel`` (slots), ``threads``; ``gpu_layers``, ``seed`` and ``chat_template`` may be
    None, which leaves them to llama.cpp.
    """
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = set(settings["aliases"])
    params.api_keys = [settings["api_key"]]
    params.hostnames = ["127.0.0.1"]
    params.ui = False
    params.n_ctx = settings["context_size"]
    params.n_parallel = settings["parallel"]
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    if settings["gpu_layers"] is not None:
        params.n_gpu_layers = settings["gpu_layers"]
    if settings["seed"] is not None:
        params.sampling.seed = settings["seed"]
    if settings["chat_template"] is not None:
        params.chat_template = settings["chat_template"]
    return xllamacpp.Server(params)


def main() -> None:
    """Serve until standard input ends or the owner is gone."""
    owner = os.getppid()
    # Whatever llama.cpp prints goes to standard error; standard output is for the one line.
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        server = serve(json.loads(sys.stdin.readline()))
    except Exception as error:  # noqa: BLE001 (whatever it is, the owner reads it)
        print(f"E {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        # llama.cpp logs in a thread of its own, which needs a moment to tell why.
        time.sleep(_LOG_SECONDS)
        unstoppable = threading.Timer(_EXIT_SECONDS, os._exit, (1,))
        unstoppable.daemon = True
        unstoppable.start()
        sys.exit(1)
    report.write(json.dumps({"url": server.listening_address}) + "\n")
    report.flush()
    stdin = sys.stdin.fileno()
    while os.getppid() == owner:
        readable, _, _ = select.select([stdin], [], [], _ORPHAN_CHECK_SECONDS)
        if readable and not os.read(stdin, 4096):
            break
    # The server's destructor can wait forever for its threads, so nothing is torn down.
    os._exit(0)


if __name__ == "__main__":
    main()
