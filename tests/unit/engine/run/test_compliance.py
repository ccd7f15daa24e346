"""Compliance: what makes an instance implement a Protocol, and what does not."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, Protocol

import pytest

from rungraph.engine.apis.routes import route
from rungraph.engine.run.compliance import Mismatch, check_compliance


class Greeting(Protocol):
    """An API with a routed method; the other is no part of it."""

    @route("POST", "/greet")
    async def greet(self, name: str, loud: bool = False) -> str:
        """Greet someone."""
        ...

    async def internal(self) -> None:
        """Do something that no caller sees."""
        ...


class Listing(Protocol):
    """A private protocol: no routes, so all of its public functions count."""

    async def list_names(self) -> list[str]:
        """Return the names."""
        ...

    async def register_name(self, name: str) -> str:
        """Take a name."""
        ...

    def plain(self) -> int:
        """Return a number."""
        ...


class Wide(Listing, Protocol):
    """Extends another protocol and takes anything."""

    async def anything(self, **more: Any) -> None:
        """Take anything."""
        ...


class Good:
    """Implements ``Greeting`` and ``Listing``."""

    async def greet(self, name: str, loud: bool = False, extra: int = 0) -> str:
        return name

    async def list_names(self) -> list[str]:
        return []

    async def register_name(self, name: str) -> str:
        return name

    def plain(self) -> int:
        return 1


def _found(instance: object, protocol: type = Greeting) -> list[tuple[str, Mismatch, str]]:
    problems = check_compliance(instance, protocol)
    return [(problem.method, problem.mismatch, problem.detail) for problem in problems]


def _made(cls: type[Any]) -> object:
    """Return an instance of *cls*; the type checkers know that some cannot be made."""
    return cls()


def test_an_instance_with_all_methods_complies() -> None:
    """More optional parameters than the Protocol's are welcome."""
    assert check_compliance(Good(), Greeting) == ()
    assert check_compliance(Good(), Listing) == ()


def test_only_methods_with_a_route_count_where_there_are_any() -> None:
    """A public protocol asks for its routed methods, not for its others."""
    assert not hasattr(Good(), "internal")
    assert check_compliance(Good(), Greeting) == ()


def test_all_public_functions_count_where_no_method_has_a_route() -> None:
    """A private protocol asks for all of its functions; all that are missing are listed."""
    assert [(method, kind) for method, kind, _ in _found(object(), Listing)] == [
        ("list_names", Mismatch.MISSING),
        ("register_name", Mismatch.MISSING),
        ("plain", Mismatch.MISSING),
    ]


def test_inherited_protocols_count_too() -> None:
    """The functions of a protocol that another extends come first."""
    missing = [method for method, _, _ in _found(object(), Wide)]
    assert missing == ["list_names", "register_name", "plain", "anything"]


def test_what_is_no_function_is_not_callable() -> None:
    """A value under the name of a method is named with its type."""

    class Bad:
        greet = 3

    assert _found(Bad()) == [("greet", Mismatch.NOT_CALLABLE, "not callable, but int")]


def test_a_declaration_is_no_implementation() -> None:
    """A method inherited from the Protocol itself, or from another Protocol, is not implemented."""

    class Lazy(Greeting):
        pass

    class Crossed(Listing):
        async def greet(self, name: str, loud: bool = False) -> str:
            return name

    assert [kind for _, kind, _ in _found(_made(Lazy))] == [Mismatch.NOT_IMPLEMENTED]
    assert _found(_made(Crossed)) == []
    assert {kind for _, kind, _ in _found(_made(Crossed), Listing)} == {Mismatch.NOT_IMPLEMENTED}


def test_an_inherited_implementation_counts() -> None:
    """A method may come from a base class that is no Protocol."""

    class Child(Good, Greeting):
        pass

    assert _found(_made(Child)) == []


async def _no_name(self: object, loud: bool = False) -> str:
    return ""


async def _positional(self: object, name: str, /, loud: bool = False) -> str:
    return ""


async def _one_more(self: object, name: str, loud: bool = False, *, style: str) -> str:
    return ""


async def _all_required(self: object, name: str, loud: bool) -> str:
    return ""


@pytest.mark.parametrize(
    ("method", "details"),
    [
        (_no_name, ["does not accept the parameter 'name'"]),
        (
            _positional,
            [
                "does not accept the parameter 'name'",
                "requires the parameter 'name', which callers do not pass",
            ],
        ),
        (_one_more, ["requires the parameter 'style', which callers do not pass"]),
        (_all_required, ["requires the parameter 'loud', which callers may leave out"]),
    ],
)
def test_every_mismatch_of_parameters_is_named(method: Any, details: list[str]) -> None:
    """A method takes the Protocol's parameters by name and requires no others."""
    instance = type("Bad", (), {"greet": method})()
    assert _found(instance) == [("greet", Mismatch.PARAMETERS, detail) for detail in details]


def test_arbitrary_keywords_accept_every_parameter() -> None:
    """A method with ``**kwargs`` accepts what the Protocol has; one without cannot stand for it."""

    class Open:
        async def greet(self, **arguments: Any) -> str:
            return ""

    class Closed(Good):
        async def anything(self) -> None:
            return None

    assert _found(Open()) == []
    assert _found(Closed(), Wide) == [("anything", Mismatch.PARAMETERS, "does not accept '**more'")]


def test_a_plain_function_is_no_async_def() -> None:
    """Nobody knows what a plain function returns, unless its annotation says so."""

    class Plain:
        def greet(self, name: str, loud: bool = False) -> str:
            return name

    class Annotated:
        def greet(self, name: str, loud: bool = False) -> Awaitable[str]:
            raise NotImplementedError

    assert _found(Plain()) == [("greet", Mismatch.NOT_ASYNC, "must be 'async def'")]
    assert _found(Annotated()) == []


def test_an_async_generator_is_no_async_def() -> None:
    """A streaming method is awaited for its generator; it is not one itself."""

    class Streaming:
        async def greet(self, name: str, loud: bool = False) -> AsyncGenerator[str]:
            yield name

    (problem,) = _found(Streaming())
    assert problem[1] is Mismatch.NOT_ASYNC
    assert "returns the asynchronous generator" in problem[2]


def test_wrapped_and_partial_functions_are_seen_through() -> None:
    """A decorator that uses ``functools.wraps`` and a partial application stay ``async def``."""

    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    class Wrapped:
        @logged
        async def greet(self, name: str, loud: bool = False) -> str:
            return name

    class Assigned:
        def __init__(self) -> None:
            self.greet = functools.partial(Good().greet, extra=1)

    assert _found(Wrapped()) == []
    assert _found(Assigned()) == []


def test_a_callable_object_with_an_async_call_complies() -> None:
    """What counts is how the method can be called, not that it is a function."""

    class Call:
        async def __call__(self, name: str, loud: bool = False) -> str:
            return name

    class Holder:
        def __init__(self) -> None:
            self.greet = Call()

    assert _found(Holder()) == []


def test_an_async_def_cannot_stand_for_a_plain_function() -> None:
    """Where the Protocol's method is not awaited, the instance's must not need it."""

    class Eager(Good):
        async def plain(self) -> int:  # type: ignore[override]  # the point of the test
            return 1

    assert _found(Eager(), Listing) == [("plain", Mismatch.ASYNC, "must not be 'async def'")]


def test_static_and_class_methods_are_bound_already() -> None:
    """A method without ``self`` is compared by all of its parameters."""

    class Odd:
        @staticmethod
        async def greet(name: str, loud: bool = False) -> str:
            return name

    class Classy:
        @classmethod
        async def greet(cls, name: str, loud: bool = False) -> str:
            return name

    assert _found(Odd()) == []
    assert _found(Classy()) == []


def test_the_answer_for_a_class_does_not_hide_an_instance() -> None:
    """An instance with an attribute of its own is looked at itself, each time."""
    good, bad = Good(), Good()
    vars(bad)["greet"] = None
    assert _found(good) == []
    assert [kind for _, kind, _ in _found(bad)] == [Mismatch.NOT_CALLABLE]
    assert _found(good) == []


def test_attributes_made_on_demand_count() -> None:
    """A class that forwards everything complies with what it forwards to."""

    class Proxy:
        def __getattr__(self, name: str) -> Any:
            return getattr(Good(), name)

    assert _found(Proxy()) == []
    assert [method for method, _, _ in _found(Proxy(), Wide)] == ["anything"]


def test_a_problem_says_all_in_one_line() -> None:
    """The text names the method, its Protocol and what is wrong."""
    (problem,) = check_compliance(object(), Greeting)
    assert str(problem) == "greet (of Greeting): missing"
