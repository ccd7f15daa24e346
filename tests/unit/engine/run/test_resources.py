"""What a stack does without something that its run config wants a table to offer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.letters import BREAKERS, LETTERS
from tests.unit.engine.fakes import told
from tests.unit.engine.run.models import until

from rungraph.engine import Stack, StackSettings
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import StartError, UnavailableResourceError
from rungraph.engine.events import NodeDegraded, NodeRecovered, State
from rungraph.graph import Address, InvalidGraph, RunGraph, compile_config

_BANKS = Address.table("memory_banks")


def _graph(tmp_path: Path, model: str, memory: str = "needy", more: str = "") -> RunGraph:
    file = tmp_path / "run.yaml"
    file.write_text(
        "providers:\n"
        "  inference:\n"
        "  - {provider_id: emb, provider_type: inline::silent, config: {model: letters}}\n"
        "  - {provider_id: other, provider_type: inline::silent, config: {model: more-letters}}\n"
        "  memory:\n"
        f"  - {{provider_id: f, provider_type: 'inline::{memory}', config: {{}}}}\n"
        "memory_banks:\n"
        f"- {{memory_bank_id: notes, type: vector, embedding_model: {model}}}\n{more}"
    )
    return compile_config(file, catalog=LETTERS, environment={})


def _settings(**more: Any) -> StackSettings:
    return StackSettings(refresh_interval=None, **more)


@pytest.mark.parametrize("memory", ["needy", "own"])
async def test_a_bank_whose_model_nobody_serves_is_a_failure_of_the_start(
    tmp_path: Path, memory: str
) -> None:
    """With ``rollback`` nothing is left running, and the error names the place in the config."""
    graph = _graph(tmp_path, "nope", memory)
    stack = Stack(graph, _settings())
    with pytest.raises(StartError) as caught:
        await stack.__aenter__()
    assert str(caught.value) == (
        "the stack did not start: 1 node failed\n"
        f"  table:memory_banks: memory bank 'notes' ({tmp_path / 'run.yaml'}:8:3) needs model "
        "'nope', which is not registered"
    )
    assert set(stack.status().values()) == {State.STOPPED}


async def test_a_table_that_lacks_something_is_degraded_and_says_what(tmp_path: Path) -> None:
    """With ``degrade`` the rest runs, and whoever asks for the bank is told what it lacks."""
    graph = _graph(tmp_path, "nope")
    async with Stack(graph, _settings(on_failure="degrade")) as stack:
        assert stack.status()[_BANKS] is State.DEGRADED
        (event,) = told(stack.events, NodeDegraded)
        place = f"{tmp_path / 'run.yaml'}:8:3"
        why = "needs model 'nope', which is not registered"
        assert event.detail == f"memory bank 'notes' ({place}) {why}"
        assert (await stack.health([_BANKS]))[_BANKS].message == event.detail
        assert await stack["memory_banks"].list_memory_banks() == []
        with pytest.raises(UnavailableResourceError, match=f"^memory bank 'notes' {why}$"):
            await stack["memory"].query_documents("notes", "a")


async def test_a_bank_goes_and_comes_with_its_model(tmp_path: Path) -> None:
    """It is offered as long as its model is, and whoever asks meanwhile is told who failed."""
    graph = _graph(tmp_path, "letters")
    async with Stack(graph, _settings(on_failure="degrade")) as stack:
        await stack["memory"].query_documents("notes", "a")
        models = stack["models"]
        model = Model(identifier="mine", provider_id="other", provider_resource_id="more-letters")
        await models.register_model(model)
        mine = {"identifier": "own", "type": "vector", "embedding_model": "mine"}
        await stack["memory_banks"].register_memory_bank(mine)
        await models.unregister_model("mine")
        with pytest.raises(
            UnavailableResourceError,
            match=r"^memory bank 'own' needs model 'mine', which is not registered$",
        ):
            await stack["memory"].query_documents("own", "a")
        await models.register_model(model)
        await stack["memory"].query_documents("own", "a")
        assert stack.status()[_BANKS] is State.READY


async def test_a_bank_falls_with_the_provider_of_its_model(tmp_path: Path) -> None:
    """A provider that breaks down takes with it what stands on it in other tables."""
    graph = _graph(tmp_path, "letters")
    stack = Stack(graph, _settings(on_failure="degrade", restart_limit=0))
    await stack.__aenter__()
    BREAKERS["letters"].set()
    await until(lambda: told(stack.events, NodeDegraded))
    why = "needs model 'letters', which is on 'emb', which failed"
    with pytest.raises(UnavailableResourceError, match=f"^memory bank 'notes' {why}$"):
        await stack["memory"].query_documents("notes", "a")
    with pytest.raises(UnavailableResourceError, match=r"^model 'letters' is on 'emb', which"):
        await stack["inference"].embeddings("letters", [])
    (event,) = told(stack.events, NodeDegraded)
    assert event.detail == f"memory bank 'notes' ({tmp_path / 'run.yaml'}:8:3) {why}"
    assert not told(stack.events, NodeRecovered)
    with pytest.raises(Exception, match="it broke down"):
        await stack.__aexit__(None, None, None)


async def test_nobody_registers_what_names_nothing(tmp_path: Path) -> None:
    """A bank that could not be used is refused before its provider has anything of it."""
    async with Stack(_graph(tmp_path, "letters"), _settings()) as stack:
        wanted = {"identifier": "b", "type": "vector", "embedding_model": "nope"}
        with pytest.raises(
            UnavailableResourceError,
            match=r"^memory bank 'b' needs model 'nope', which is not registered$",
        ):
            await stack["memory_banks"].register_memory_bank(wanted)
        assert [one.identifier for one in await stack["memory_banks"].list_memory_banks()] == [
            "notes"
        ]


async def test_an_overlap_that_the_default_breaks_is_told_before_the_start(
    tmp_path: Path,
) -> None:
    """What the type of a resource says of it alone needs no provider."""
    more = (
        "- {memory_bank_id: small, type: vector, embedding_model: letters, "
        "chunk_size_in_tokens: 32}\n"
    )
    graph = _graph(tmp_path, "letters", more=more)
    with pytest.raises(InvalidGraph) as caught:
        await Stack(graph, _settings()).__aenter__()
    assert f"{tmp_path / 'run.yaml'}:9:3" in str(caught.value)
    why = "(64) must be less than chunk_size_in_tokens (32); 64 is its default"
    assert f"overlap_size_in_tokens {why}" in str(caught.value)


async def test_a_bank_finds_what_its_name_means_once_the_provider_has_that_no_more(
    tmp_path: Path,
) -> None:
    """What another one calls ``emb/letters`` is meant as soon as emb's own is known to be gone."""
    graph = _graph(tmp_path, "emb/letters")
    async with Stack(graph, _settings()) as stack:
        models = stack["models"]
        for name, provider_id, model in (
            ("emb/letters", "other", "more-letters"),
            ("emb/mine", "other", "more-letters"),
            ("mine", "emb", "letters"),
        ):
            await models.register_model(
                Model(identifier=name, provider_id=provider_id, provider_resource_id=model)
            )
        bank = {"identifier": "own", "type": "vector", "embedding_model": "emb/mine"}
        await stack["memory_banks"].register_memory_bank(bank)

        await stack.drain("emb")
        assert await stack["memory_banks"].list_memory_banks() == []
        await models.unregister_model("emb/mine")
        assert [one.identifier for one in await stack["memory_banks"].list_memory_banks()] == [
            "own"
        ]
        await stack.undrain("emb")
        assert stack.status()[_BANKS] is State.READY

        text = (tmp_path / "run.yaml").read_text()
        changed = text.replace("config: {model: letters}", "config: {model: others}")
        for now in changed, text, re.sub(".*provider_id: emb.*\n", "", text):
            (tmp_path / "run.yaml").write_text(now)
            after = compile_config(tmp_path / "run.yaml", catalog=LETTERS, environment={})
            await stack.apply(after)
            asked = await stack["models"].get_model("emb/letters")
            assert asked.provider_id == ("emb" if now is text else "other")
            await stack["memory"].query_documents("notes", "a")
            if now is changed:  # Away once more, it may come back with it.
                await stack.drain("emb")
                [own] = await stack["memory_banks"].list_memory_banks()
                assert own.identifier == "own"
                await stack.undrain("emb")
