"""The models API: which models there are, and which provider serves each."""

from __future__ import annotations

from typing import Literal, Protocol, Self

from pydantic import model_validator

from rungraph.engine.apis.resource import SharedResource
from rungraph.engine.apis.routes import route


class Model(SharedResource):
    """A model that calls of the inference API are routed by.

    Attributes:
        llama_model: The well-known name of the weights, when they have one.
        model_type: What it is for: ``llm`` writes text, ``embedding`` makes vectors.
    """

    llama_model: str | None = None
    model_type: Literal["llm", "embedding"] = "llm"

    @model_validator(mode="after")
    def _hedges_embeddings_alone(self) -> Self:
        if self.routing and self.routing.hedge_after is not None and self.model_type == "llm":
            msg = f"{self.identifier!r} writes text: only embeddings can be asked for twice"
            raise ValueError(msg)
        return self


class Models(Protocol):
    """Answers for the models of a stack. Only what is really served is listed."""

    @route("GET", "/models/list")
    async def list_models(self) -> list[Model]:
        """Return all models, sorted by identifier, then provider."""
        ...

    @route("GET", "/models/get")
    async def get_model(self, identifier: str) -> Model | None:
        """Return the model named *identifier* (or ``provider_id/identifier``); None if unknown.

        Raises:
            ValueError: If several providers serve a model of that name.
        """
        ...

    @route("POST", "/models/register")
    async def register_model(self, model: Model) -> Model:
        """Have *model* served by its provider; return it as accepted. It survives a restart.

        What has members is served by each of them, or by none if one refuses.

        Raises:
            ValueError: If the provider is unknown, several could be meant, or it refuses.
        """
        ...

    @route("POST", "/models/unregister")
    async def unregister_model(self, identifier: str, provider_id: str = "") -> None:
        """Take back a registration.

        Raises:
            ValueError: If there is no such model, or several providers serve it.
        """
        ...


class ModelsPrivate(Protocol):
    """What the models table asks of each provider of the inference API."""

    async def list_models(self) -> list[Model]:
        """Return all that the provider serves now, including what it accepted."""
        ...

    async def register_model(self, model: Model) -> Model:
        """Serve *model* from now on and return it as accepted.

        Raises:
            ValueError: If the provider cannot serve it.
        """
        ...

    async def unregister_model(self, model: Model) -> None:
        """Stop serving *model*, which was registered before."""
        ...
