"""What Llama Stack 0.0.41's inference router adds to a call; run by routed_call.py in its venv."""

from __future__ import annotations

import asyncio
import json
import sys
from types import SimpleNamespace

from llama_stack.apis.models import ModelDef
from llama_stack.distribution.datatypes import Api
from llama_stack.distribution.routers.routers import InferenceRouter
from llama_stack.distribution.routers.routing_tables import ModelsRoutingTable
from routed_call import Provider, added_by


class Serving(Provider):
    """The same provider, as Llama Stack wants it."""

    __provider_spec__ = SimpleNamespace(api=Api.inference)

    async def list_models(self) -> list[ModelDef]:
        """Return the one model."""
        return [ModelDef(identifier="m", llama_model="m")]


async def main() -> None:
    direct = Serving()
    table = ModelsRoutingTable({"foo": direct})
    await table.initialize()
    json.dump(await added_by(direct, router=InferenceRouter(table)), sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
