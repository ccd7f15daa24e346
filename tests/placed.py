"""Inference that does what must not hurt others: it ends its process, or never lets go of it."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import BaseModel
from tests.letters import count_letters

from rungraph.engine.apis.inference import CompletionResponseStreamChunk, EmbeddingsResponse
from rungraph.engine.providers.inline.embedding import Embedder, EmbeddingProvider
from rungraph.engine.request import headers_of_way, provider_data, session_of_call, trying_once
from rungraph.engine.tracing import headers_of_trace


class Data(BaseModel):
    """What a caller sends."""

    letter: str


class Bound:
    """Can be made in one process alone."""

    def __reduce__(self) -> Any:
        return _make_bound, (os.getpid(),)


def _make_bound(process: int) -> Bound:
    if process != os.getpid():
        msg = "made elsewhere"
        raise RuntimeError(msg)
    return Bound()


class Unruly(EmbeddingProvider):
    """Does what the content of a completion says."""

    config: Mapping[str, Any]
    provider_data_validator = Data

    async def completion(
        self, model: str, content: Any, *args: Any, logprobs: Any = "own", **kwargs: Any
    ) -> Any:
        """Do what *content* says."""
        if content == "logprobs":
            return logprobs
        if content == "exit":
            os._exit(7)
        if content == "pid":
            return os.getpid()
        if content == "at exit":
            Thread(target=time.sleep, args=(3600,)).start()
            atexit.register(Path(self.config["file"]).write_text, content)
        if content == "end loop":
            Thread(target=time.sleep, args=(3600,)).start()
            asyncio.get_running_loop().call_soon(sys.exit, "enough")
            await asyncio.Event().wait()
        if content == "hog":
            while True:
                pass
        if content == "stdin":
            return sys.stdin.read()
        if content == "bound":
            return Bound()
        if content == "fork":
            if pid := os.fork():
                return pid
            time.sleep(10_000)  # noqa: ASYNC251  (it holds what it inherits)
        if content == "data":
            return [self._told(), headers_of_way()]
        if content == "carried":
            return self.carried
        if content == "log":
            logging.getLogger("unruly").warning("with %s\x1b[2J", self.config["api_key"])
        if content == "refuse":
            msg = "not that"
            raise ValueError(msg)
        if content == "wait":
            await self._until_cancelled()
        if content == "deaf":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            await asyncio.sleep(1)
        if content == "cancel":
            raise asyncio.CancelledError
        if content == "cancel task" and (task := asyncio.current_task()) is not None:
            task.cancel()
            await asyncio.sleep(0)
        return self._lasting() if content == "lasting" else self._count()

    @property
    def device(self) -> str:
        """Where its weights are, which are loaded when they are needed."""
        msg = "they are not loaded"
        raise RuntimeError(msg)

    async def embeddings(self, *args: Any, **kwargs: Any) -> EmbeddingsResponse:
        """Note what the call carries."""
        self.carried = session_of_call(), headers_of_trace()
        return await super().embeddings(*args, **kwargs)

    def _told(self) -> str:
        data = provider_data(self)
        return data.letter if data else ""

    async def _until_cancelled(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            Path(self.config["file"]).write_text("cancelled")  # noqa: ASYNC240

    async def _count(self) -> AsyncGenerator[CompletionResponseStreamChunk, None]:
        number = 0
        # What is set for one step is there at the next, and can be put back at the last.
        with suppress(GeneratorExit), trying_once():
            while True:
                yield CompletionResponseStreamChunk(delta=f"{self._told()}{number}")
                number += 1
        Path(self.config["file"]).write_text(f"closed after {number}")  # noqa: ASYNC240

    async def _lasting(self) -> AsyncGenerator[CompletionResponseStreamChunk, None]:
        try:
            while True:
                yield CompletionResponseStreamChunk(delta="")
        finally:
            await asyncio.sleep(1)

    async def shutdown(self) -> None:
        """Shut down, or never."""
        if self.config.get("stubborn"):
            time.sleep(10_000)  # noqa: ASYNC251  (that is what it must be killed for)
        await super().shutdown()


async def get_provider_impl(config: Mapping[str, Any], deps: Mapping[str, Any]) -> Unruly:
    """Return the provider, or fail as the config says."""
    if "exits" in config:
        os._exit(config["exits"])
    if "refusal" in config:
        raise ConnectionError(config["refusal"])
    embedder = Embedder(identifier="letters", dimension=3, embed=count_letters)
    provider = await Unruly.load("unruly", lambda: embedder)
    provider.config = config
    return provider
