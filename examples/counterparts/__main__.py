"""Run one counterpart: ``python -m counterparts tgi org/alpha --port 8080``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

from counterparts.hugging_face import HuggingFace
from counterparts.llama import Llama
from counterparts.ollama import Ollama
from counterparts.tgi import TGI
from counterparts.vllm import VLLM

KINDS: dict[str, type[Ollama | TGI | VLLM]] = {
    "hugging-face": HuggingFace,
    "ollama": Ollama,
    "tgi": TGI,
    "vllm": VLLM,
}


async def main() -> None:
    """Serve until standard input ends; the first line of output is ``{"url": …}``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS, help="which server it stands for")
    parser.add_argument("model", help="the name that its model has")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--api-key", default="", help="what callers have to bring")
    parser.add_argument("--weights", type=Path, help="a GGUF file; default: the demo's")
    words = parser.parse_args()
    llama = Llama(words.weights)
    app = web.Application()
    app.add_routes(KINDS[words.kind](llama, words.model, words.api_key).routes())
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", words.port).start()
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    try:
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await runner.cleanup()
        await llama.close()


if __name__ == "__main__":
    asyncio.run(main())
