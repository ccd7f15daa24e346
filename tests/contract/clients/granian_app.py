"""Serves a stack by granian instead of uvicorn, asks it over HTTP, and prints the answers.

Its argument: the folder of the provider's module.
"""

import asyncio
import json
import socket
import sys
import tempfile
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from granian.constants import Interfaces
from granian.server.embed import Server

from rungraph import Stack, StackSettings, compile_config
from rungraph.engine.server.app import StackApp

sys.path.insert(0, sys.argv[1])
PROVIDER = {
    "provider_id": "told",
    "provider_type": "inline::told",
    "module": "fake_provider",
    "config": {},
}
CHAT = {"model": "echo", "messages": [{"role": "user", "content": "a b"}]}


def ask(port, path, body=None):
    """Return the status and the text of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}{path}", data, headers)) as answer:
            return [answer.status, answer.read().decode()]
    except HTTPError as error:
        return [error.code, error.read().decode()]


async def main():
    """Ask what goes through every part of the server: whole, streamed, below /v1, wrong."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp())
    (folder / "run.json").write_text(json.dumps({"providers": {"inference": [PROVIDER]}}))
    async with Stack(compile_config(folder / "run.json"), StackSettings(state_dir=folder)) as stack:
        app = StackApp(stack)
        app.open()
        server = Server(
            app,
            address="127.0.0.1",
            port=port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        for _ in range(100):
            await asyncio.sleep(0.1)
            with socket.socket() as connection:
                if not connection.connect_ex(("127.0.0.1", port)):
                    break
        for name, path, body in (
            ("live", "/livez", None),
            ("chat", "/inference/chat_completion", CHAT),
            ("chunks", "/inference/chat_completion", {**CHAT, "stream": True}),
            ("v1", "/v1/chat/completions", CHAT),
            ("v1 chunks", "/v1/chat/completions", {**CHAT, "stream": True}),
            ("wrong", "/inference/chat_completion", {}),
        ):
            value = await asyncio.to_thread(ask, port, path, body)
            print(json.dumps({"name": name, "value": value}), flush=True)
        server.stop()
        await serving


asyncio.run(main())
