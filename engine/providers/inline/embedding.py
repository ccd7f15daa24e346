"""What the providers share that embed text in this process and do nothing else."""

from __future__ import annotations

import asyncio
import importlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self

from rungraph.engine.apis.common import (
    HealthResponse,
    HealthStatus,
    InterleavedContent,
    text_of,
)
from rungraph.engine.apis.inference import EmbeddingsResponse
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BATCH = 16
"""How many texts are embedded in one go; between two goes, other callers have their turn."""


def import_package(module: str, *, extra: str, package: str) -> Any:
    """Return the module *module* of the distribution *package*.

    Raises:
        MissingPackageError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingPackageError(extra=extra, package=package) from error


@dataclass(frozen=True, slots=True)
class Embedder:
    """A loaded model.

    Attributes:
        identifier: What the model is called.
        dimension: How long its vectors are.
        embed: Gives one vector for each text. It blocks; it is called in one thread at a time,
            with at least one text, each of which UTF-8 can write.
        context_length: How many tokens of a text the model sees; None when it sees all of them.
        max_characters: Longer texts are refused; None refuses none.
    """

    identifier: str
    dimension: int
    embed: Callable[[Sequence[str]], list[list[float]]]
    context_length: int | None = None
    max_characters: int | None = None


class EmbeddingProvider:
    """The inference API with one model that only embeds.

    The model is loaded and runs in a thread of its own, so that the event loop never waits for
    it and calls of several tasks take turns. It can have further names: a model registered with
    its identifier as ``provider_resource_id`` is another name for it.

    An empty text has a vector too: whatever the model makes of nothing, which can be zeros.

    Args:
        embedder: The model.
        thread: An executor with one thread, which alone uses *embedder*.
    """

    def __init__(self, embedder: Embedder, *, thread: ThreadPoolExecutor) -> None:
        self._embedder = embedder
        self._thread = thread
        metadata = {"embedding_dimension": embedder.dimension}
        if embedder.context_length is not None:
            metadata["context_length"] = embedder.context_length
        self._model = Model(
            identifier=embedder.identifier, model_type="embedding", metadata=metadata
        )
        self._names: dict[str, Model] = {embedder.identifier: self._model}

    @classmethod
    async def load(cls, name: str, load: Callable[[], Embedder]) -> Self:
        """Return a provider of the model that *load* gives, which runs in the provider's thread.

        Args:
            name: What the thread is called.
            load: Loads the model; whatever it raises is raised.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"rungraph-{name}")
        loading: Future[Embedder] = thread.submit(load)
        try:
            embedder = await asyncio.wrap_future(loading)
        except BaseException as error:
            # A failed load is over; one that nobody waits for any more ends by itself.
            thread.shutdown(wait=isinstance(error, Exception))
            raise
        return cls(embedder, thread=thread)

    async def list_models(self) -> list[Model]:
        """Return the model, and its other names as models of their own."""
        return [self._names[name] for name in sorted(self._names)]

    async def register_model(self, model: Model) -> Model:
        """Accept another name for the model.

        Raises:
            ValueError: If another model is meant.
        """
        if model.native_id != self._model.identifier:
            raise ValueError(self._unknown(model.native_id))
        metadata = {**model.metadata, **self._model.metadata}
        accepted = model.model_copy(update={"model_type": "embedding", "metadata": metadata})
        if model.identifier != self._model.identifier:
            self._names[model.identifier] = accepted.model_copy(update={"provider_id": ""})
        return accepted

    async def unregister_model(self, model: Model) -> None:
        """Forget a name. The model's own name stays."""
        if model.identifier != self._model.identifier:
            self._names.pop(model.identifier, None)

    async def embeddings(
        self, model: str, contents: list[InterleavedContent]
    ) -> EmbeddingsResponse:
        """Return one vector for each of *contents*, in their order; of nothing, nothing.

        Raises:
            ValueError: If the model is another one, or a content is no text or too long.
        """
        self._check_model(model)
        texts = [self._text(position, content) for position, content in enumerate(contents)]
        loop = asyncio.get_running_loop()
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            vectors += await loop.run_in_executor(self._thread, self._embedder.embed, batch)
        return EmbeddingsResponse(embeddings=vectors)

    async def chat_completion(self, model: str, *_: Any, **__: Any) -> NoReturn:
        """Refuse: the model does not chat.

        Raises:
            NotImplementedError: Always.
        """
        self._refuse(model, "chat")

    async def completion(self, model: str, *_: Any, **__: Any) -> NoReturn:
        """Refuse: the model does not write.

        Raises:
            NotImplementedError: Always.
        """
        self._refuse(model, "complete text")

    async def health(self) -> HealthResponse:
        """Return ``OK``: a model that is loaded can embed."""
        message = f"{self._model.identifier}, {self._embedder.dimension} dimensions"
        return HealthResponse(status=HealthStatus.OK, message=message)

    async def shutdown(self) -> None:
        """End the thread, after the batch that it is at."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _check_model(self, model: str) -> None:
        if model not in self._names:
            raise ValueError(self._unknown(model))

    def _unknown(self, model: str) -> str:
        return f"no model {model!r} here (known: {self._model.identifier!r})"

    def _refuse(self, model: str, action: str) -> NoReturn:
        self._check_model(model)
        msg = (
            f"model {model!r} only embeds text and cannot {action}\n"
            "help: ask a model whose model_type is 'llm'"
        )
        raise NotImplementedError(msg)

    def _text(self, position: int, content: InterleavedContent) -> str:
        try:
            text = text_of(content)
        except ValueError as error:
            msg = (
                f"contents[{position}]: model {self._model.identifier!r} embeds text only: {error}"
            )
            raise ValueError(msg) from None
        longest = self._embedder.max_characters
        if longest is not None and len(text) > longest:
            msg = (
                f"contents[{position}]: {len(text)} characters are too many for one vector "
                f"(at most {longest}: 'max_characters' of the provider's config)"
            )
            raise ValueError(msg)
        return text.encode("utf-8", "replace").decode("utf-8")
