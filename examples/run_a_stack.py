"""Run a stack with a provider of one's own, call it, and see when its nodes started."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from greeter import CATALOG

from rungraph import Stack, StackSettings, compile_config

CONFIG = """
image_name: greetings
providers:
  greetings:
  - provider_id: polite
    provider_type: inline::greeter
    config: {word: Good morning}
"""


async def main() -> None:
    """Start the stack, make one call, stop the stack."""
    graph = compile_config(CONFIG, catalog=CATALOG).check()
    with TemporaryDirectory() as folder:
        async with Stack(graph, StackSettings(state_dir=Path(folder))) as stack:
            print(await stack["greetings"].greet(name="Ada"))
            print("started:", *stack.timeline().nodes)


if __name__ == "__main__":
    asyncio.run(main())
