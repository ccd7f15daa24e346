"""Routers: every call reaches the right provider as if it had been called itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from tests.unit.engine.routing.routed import Table, router_of, router_to

from rungraph.engine.apis.inference import Inference
from rungraph.engine.apis.memory import Memory
from rungraph.engine.apis.routes import routes_of
from rungraph.engine.apis.safety import Safety
from rungraph.engine.catalog import CATALOG
from rungraph.engine.errors import (
    AmbiguousResourceError,
    NotRunningError,
    RoutingError,
    UnknownResourceError,
)
from rungraph.engine.routing import PairError, ProviderNeededError
from rungraph.graph.catalog.specs import RoutedPair

pytestmark = pytest.mark.usefixtures("observe")


class Chat:
    """A provider of inference that tells what it was called with."""

    async def chat_completion(
        self,
        model: str,
        messages: list[Any],
        sampling_params: Any = None,
        response_format: Any = None,
        tools: Any = None,
        tool_choice: Any = "auto",
        tool_prompt_format: Any = "json",
        stream: bool = False,
        logprobs: Any = None,
    ) -> Any:
        said = {name: value for name, value in locals().items() if name != "self"}
        return self.chunks(said) if stream else said

    async def embeddings(self, model: str, contents: list[str]) -> Any:
        return model, contents

    async def chunks(self, said: dict[str, Any]) -> AsyncGenerator[Any, None]:
        for item in said.items():
            yield item


@pytest.fixture
def table() -> Table:
    """A table with two providers, one model each."""
    made = Table(foo=Chat(), bar=Chat())
    made.serve("small", "foo", "org/small-1b")
    made.serve("large", "bar")
    return made


@pytest.mark.parametrize(
    ("api", "protocol"), [("inference", Inference), ("memory", Memory), ("safety", Safety)]
)
def test_a_router_looks_like_its_protocol(api: str, protocol: type) -> None:
    """It has the API's methods with their signature and documentation, and what the engine uses."""
    pair = CATALOG.pair_of_router(api)
    assert pair is not None
    router = router_of(Table(foo=Chat()), protocol, pair)
    methods = {name for name in dir(router) if not name.startswith("_")}
    own = {"bind", "resource_called", "resource_of", "shutdown", "traced_relay"}
    own |= {"stop_routing", "stop_tracing"}
    assert methods == {*own, *(name for name, _ in routes_of(protocol))}
    for name, route in routes_of(protocol):
        function, method = getattr(router, name), getattr(protocol, name)
        _, *expected = inspect.signature(method).parameters.values()
        shown = inspect.signature(function).parameters.values()
        assert [(p.name, p.kind, p.default) for p in shown] == [
            (p.name, p.kind, p.default) for p in expected
        ]
        assert function.__route__ == route
        assert (function.__name__, function.__doc__) == (name, method.__doc__)


async def test_calls_reach_the_provider_of_the_model(table: Table) -> None:
    """The provider is handed its own name of the model, and everything else as it was."""
    router = router_of(table)
    messages: list[Any] = []
    said = await router.chat_completion(model="small", messages=messages)
    assert said["model"] == "org/small-1b"
    assert said["messages"] is messages
    assert await router.embeddings("large", ["x"]) == ("large", ["x"])
    assert await router.embeddings("bar/large", contents=["x"]) == ("large", ["x"])


async def test_a_name_is_looked_up_when_it_is_first_called(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, a router costs nothing before; a change of a name counts at once."""
    asked: list[str] = []
    resolve = table.resolve

    def counted(name: str) -> Any:
        asked.append(name)
        return resolve(name)

    monkeypatch.setattr(table, "resolve", counted)
    router = router_of(table)
    assert asked == []
    for _ in range(2):
        assert (await router.chat_completion("small", []))["model"] == "org/small-1b"
    assert asked == ["small"]
    table.serve("small", "foo", "other")
    assert (await router.chat_completion("small", []))["model"] == "other"
    assert asked == ["small", "small"]


async def test_keyword_and_positional_calls_are_the_same(table: Table) -> None:
    """Every parameter arrives under its name, however it was given."""
    router = router_of(table)
    values = ["small", [1], "sampling", "format", ["tool"], "required", "function_tag", False, 5]
    names = list(inspect.signature(router.chat_completion).parameters)
    by_position = await router.chat_completion(*values)
    by_keyword = await router.chat_completion(**dict(zip(names, values, strict=True)))
    mixed = await router.chat_completion(*values[:3], **dict(zip(names[3:], values[3:])))  # noqa: B905
    assert by_position == by_keyword == mixed
    assert by_position == {**dict(zip(names, values, strict=True)), "model": "org/small-1b"}


# --- what the caller leaves out -----------------------------------------------------------------


async def test_the_providers_own_defaults_count() -> None:
    """Providers that disagree on a default each get their own; one without gets the Protocol's."""

    class Own:
        async def completion(
            self,
            model: str,
            content: str,
            sampling_params: Any = "own",
            *,
            response_format: Any,
            stream: Any = False,
            logprobs: Any = None,
            extra: int = 7,
        ) -> Any:
            return model, content, sampling_params, response_format, stream, logprobs, extra

    class Others:
        async def completion(self, logprobs: Any, content: str, model: str, **more: Any) -> Any:
            return model, content, logprobs, more

    table = Table(own=Own(), others=Others())
    table.serve("a", "own")
    table.serve("b", "others")
    router = router_of(table)
    assert await router.completion("a", "hi") == ("a", "hi", "own", None, False, None, 7)
    assert await router.completion("a", "hi", None) == ("a", "hi", None, None, False, None, 7)
    more = {"sampling_params": None, "response_format": None, "stream": True}
    assert await router.completion("b", "hi", stream=True) == ("b", "hi", None, more)


async def test_a_default_that_all_providers_share_is_handed_on_as_it_is() -> None:
    """A mutable default stays the provider's own object."""
    shared: list[Any] = []

    class Own:
        async def embeddings(self, model: str, contents: Any = shared) -> Any:
            del model
            return contents

    class Api(Protocol):
        async def embeddings(self, model: str, contents: Any = ()) -> Any: ...

    assert await router_to(Own(), "m", protocol=Api).embeddings("m") is shared


async def test_defaults_that_are_only_equal_are_not_shared() -> None:
    """Each provider gets its own of two equal lists, and 0 where another says False."""
    lists: list[list[Any]] = [[], []]

    class First:
        async def embeddings(self, model: str, contents: Any = lists[0], flag: Any = False) -> Any:
            del model
            return contents, flag

    class Second:
        async def embeddings(self, model: str, contents: Any = lists[1], flag: Any = 0) -> Any:
            del model
            return contents, flag

    class Api(Protocol):
        async def embeddings(self, model: str, contents: Any = (), flag: Any = None) -> Any: ...

    table = Table(foo=First(), bar=Second())
    table.serve("a", "foo")
    table.serve("b", "bar")
    router = router_of(table, Api)
    first, second = await router.embeddings("a"), await router.embeddings("b")
    assert (first[0], second[0]) == ([], [])
    assert (first[0] is lists[0], second[0] is lists[1]) == (True, True)
    assert (first[1] is False, type(second[1])) == (True, int)


async def test_an_instance_that_does_not_tell_its_signature_works() -> None:
    """A callable object without a signature is handed the Protocol's defaults."""

    class Opaque:
        __signature__ = "none"

        async def __call__(self, **arguments: Any) -> Any:
            return arguments

    router = router_to(SimpleNamespace(embeddings=Opaque()), "m")
    assert await router.embeddings("m", ["x"]) == {"model": "m", "contents": ["x"]}


# --- what cannot be routed ----------------------------------------------------------------------


async def test_an_unknown_model_fails_when_awaited(table: Table) -> None:
    """As in a call of a provider, the error comes from awaiting, so gathering can collect it."""
    router = router_of(table)
    calls = [router.embeddings(name, []) for name in ("small", "smal", "")]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[0] == ("org/small-1b", [])
    assert isinstance(results[1], UnknownResourceError)
    assert str(results[1]) == (
        "model 'smal' is not registered\nregistered: 'large', 'small'\nhelp: did you mean 'small'?"
    )
    assert isinstance(results[2], UnknownResourceError)


async def test_an_ambiguous_model_names_the_choices(table: Table) -> None:
    """A name that two providers serve is not sent to either."""
    table.serve("small", "bar")
    with pytest.raises(AmbiguousResourceError) as caught:
        await router_of(table).embeddings("small", [])
    assert caught.value.choices == ("bar/small", "foo/small")


async def test_a_missing_routing_key_is_a_type_error(table: Table) -> None:
    """A call that names no model fails like any call that lacks an argument."""
    router = router_of(table)
    with pytest.raises(TypeError, match=r"chat_completion\(\) missing .* 'model'"):
        router.chat_completion(messages=[])
    with pytest.raises(TypeError, match="unexpected keyword argument 'mesages'"):
        router.chat_completion(model="small", mesages=[])
    with pytest.raises(TypeError, match="multiple values for argument 'model'"):
        router.embeddings("small", [], model="small")
    for key in (None, 7, ["small"]):
        with pytest.raises(TypeError) as caught:
            await router.embeddings(key, [])
        kind = type(key).__name__
        assert str(caught.value) == f"inference.embeddings() needs a str as 'model', not {kind}"


async def test_a_routing_key_with_a_default_is_needed_all_the_same(table: Table) -> None:
    """A Protocol that gives the key a default does not make it a choice of the provider's."""

    class Api(Protocol):
        async def embeddings(self, contents: Any, model: str = "small") -> Any: ...

    router = router_of(table, Api)
    assert await router.embeddings(["x"], "small") == ("org/small-1b", ["x"])
    with pytest.raises(TypeError) as caught:
        await router.embeddings(["x"])
    assert str(caught.value) == (
        "inference.embeddings() needs 'model': the model that it is routed by"
    )


async def test_a_method_that_the_provider_lacks_is_named(table: Table) -> None:
    """A provider that does not have a method is no reason for an AttributeError."""
    with pytest.raises(RoutingError, match="'foo' of model 'small' has no method 'completion'"):
        await router_of(table).completion("small", "hi")


# --- changes -----------------------------------------------------------------------------------


async def test_later_calls_see_a_change_at_once_and_running_ones_go_on(table: Table) -> None:
    """A model that goes, comes or moves does so for the next call; a stream goes on."""
    router = router_of(table)
    stream = await router.chat_completion("small", ["x"], stream=True)
    assert await anext(stream) == ("model", "org/small-1b")
    table.drop("small", "foo")
    with pytest.raises(UnknownResourceError):
        await router.chat_completion("small", ["x"])
    with pytest.raises(UnknownResourceError):
        await router.chat_completion("foo/small", ["x"])
    assert await anext(stream) == ("messages", ["x"])
    await stream.aclose()
    table.serve("small", "bar", "other")
    assert (await router.chat_completion("small", []))["model"] == "other"
    table.serve("small", "bar", "another")
    assert (await router.chat_completion("bar/small", []))["model"] == "another"


async def test_a_router_that_was_kept_after_the_stop_calls_nobody(table: Table) -> None:
    """After its shutdown a router says so, whatever the table offers."""
    router = router_of(table)
    kept = router.chat_completion
    await router.shutdown()
    table.serve("new", "foo")
    for name in ("small", "new"):
        with pytest.raises(NotRunningError, match=r"^'router:inference' has stopped$"):
            await kept(name, [])


# --- APIs that nobody here knows ----------------------------------------------------------------


class Gadgets(Protocol):
    """An API with every kind of parameter, and a method without a routing key."""

    async def turn(
        self, first: int, /, widget: str, *rest: int, far: int = 1, **more: int
    ) -> Any: ...

    async def press(self, first: int, /, widget: str, *, far: int = 1) -> Any: ...

    async def version(self, loud: bool = False) -> str: ...


class Gadget:
    async def turn(self, first: int, /, widget: str, *rest: int, far: int = 2, **more: int) -> Any:
        return first, widget, rest, far, more

    async def press(self, first: int, /, widget: str, *, far: int = 3) -> Any:
        return first, widget, far

    async def version(self, loud: bool = False) -> str:
        return "ONE" if loud else "one"


GADGETS = RoutedPair("gadgets", "widgets", "widget", "widget", "somewhere:Widget")


async def test_every_kind_of_parameter_is_handed_on() -> None:
    """Positional-only, variadic and keyword-only parameters arrive as they were given."""
    table = Table("widget", foo=Gadget())
    table.serve("w", "foo", "native")
    router = router_of(table, Gadgets, GADGETS)
    assert await router.turn(1, "w", 2, 3, near=4) == (1, "native", (2, 3), 2, {"near": 4})
    assert await router.turn(1, widget="w", far=5) == (1, "native", (), 5, {})
    assert await router.press(1, "w") == (1, "native", 3)


async def test_a_method_without_a_routing_key_goes_to_the_only_provider() -> None:
    """With one provider it is clear where to; with several or none, the call says why not."""
    router = router_of(Table("widget", foo=Gadget()), Gadgets, GADGETS)
    assert await router.version(loud=True) == "ONE"
    router = router_of(Table("widget", foo=Gadget(), bar=Gadget()), Gadgets, GADGETS)
    with pytest.raises(ProviderNeededError) as caught:
        await router.version()
    assert str(caught.value) == (
        "there are several providers that gadgets.version could be sent to: 'bar', 'foo'\n"
        "help: configure only one of them, or call it directly"
    )
    router = router_of(Table("widget"), Gadgets, GADGETS)
    with pytest.raises(ProviderNeededError, match=r"there is no provider that gadgets\.version"):
        await router.version()


def test_a_method_that_every_router_has_cannot_be_routed() -> None:
    """An API with a method called ``bind`` is refused instead of half working."""

    class Api(Protocol):
        async def bind(self, widget: str) -> None: ...

    with pytest.raises(PairError, match="every router has its own 'bind'"):
        router_of(Table("widget"), Api, GADGETS)
