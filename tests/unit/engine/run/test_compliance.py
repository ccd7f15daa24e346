"""Compliance: what makes an instance implement a Protocol, and what does not."""

from __future__ import annotations

import functools
import gc
from collections.abc import AsyncGenerator, Awaitable
from types import SimpleNamespace
from typing import Any, Protocol
from weakref import ref

import pytest

from rungraph.engine.apis.routes import route
from rungraph.engine.run.compliance import Mismatch, check_compliance


class Greeting(Protocol):
    """An API with a routed method; the other is no part of it."""

    @route("POST", "/greet")
    async def greet(self, name: str, loud: bool = False) -> str: ...

    async def internal(self) -> None: ...


class Listing(Protocol):
    """A private protocol: no routes, so all of its public functions count."""

    async def list_names(self) -> list[str]: ...

    async def register_name(self, name: str) -> str: ...

    def plain(self) -> int: ...


class Wide(Listing, Protocol):
    """Extends another protocol and takes anything."""

    async def anything(self, **more: Any) -> None: ...


class Good:
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


# --- what complies -----------------------------------------------------------------------------


class Child(Good, Greeting):
    """Inherits its method from a base that is no Protocol."""


class Open:
    """Takes any keyword."""

    async def greet(self, **arguments: Any) -> str:
        return ""


class Annotated:
    """Is no ``async def``, but says that it returns an awaitable."""

    def greet(self, name: str, loud: bool = False) -> Awaitable[str]:
        raise NotImplementedError


def logged(function: Any) -> Any:
    """Wrap *function* as decorators do."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


class Wrapped:
    @logged
    async def greet(self, name: str, loud: bool = False) -> str:
        return name


class Call:
    async def __call__(self, name: str, loud: bool = False) -> str:
        return name


class Static:
    @staticmethod
    async def greet(name: str, loud: bool = False) -> str:
        return name


class Classy:
    @classmethod
    async def greet(cls, name: str, loud: bool = False) -> str:
        return name


class Proxy:
    """Makes its methods on demand."""

    def __getattr__(self, name: str) -> Any:
        return getattr(Good(), name)


@pytest.mark.parametrize(
    ("instance", "protocol"),
    [
        (Good(), Greeting),  # More optional parameters than the Protocol's are welcome,
        (Good(), Listing),  # and of a Protocol with routes only what has one is asked for.
        (_made(Child), Greeting),
        (Open(), Greeting),
        (Annotated(), Greeting),
        (Wrapped(), Greeting),
        (SimpleNamespace(greet=functools.partial(Good().greet, extra=1)), Greeting),
        (SimpleNamespace(greet=Call()), Greeting),
        (Static(), Greeting),
        (Classy(), Greeting),
        (Proxy(), Greeting),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, type) else one.__name__,
)
def test_what_can_be_called_as_the_protocol_says_complies(instance: object, protocol: type) -> None:
    """Inherited, decorated, partial, bound or made on demand: what counts is how it is called."""
    assert not hasattr(Good(), "internal")
    assert check_compliance(instance, protocol) == ()


# --- what does not -----------------------------------------------------------------------------


class Lazy(Greeting):
    """Inherits the declaration and nothing else."""


class Crossed(Listing):
    """Implements one Protocol and only declares another."""

    async def greet(self, name: str, loud: bool = False) -> str:
        return name


class Closed(Good):
    """Takes no further keywords."""

    async def anything(self) -> None:
        return None


class Plain:
    """Nobody knows what a plain function returns, unless it says so."""

    def greet(self, name: str, loud: bool = False) -> str:
        return name


class Streaming:
    """Is a generator itself instead of being awaited for one."""

    async def greet(self, name: str, loud: bool = False) -> AsyncGenerator[str]:
        yield name


class Eager(Good):
    """Must be awaited where the Protocol's method is not."""

    async def plain(self) -> int:  # type: ignore[override]  # the point of the test
        return 1


async def _no_name(self: object, loud: bool = False) -> str:
    return ""


async def _positional(self: object, name: str, /, loud: bool = False) -> str:
    return ""


async def _one_more(self: object, name: str, loud: bool = False, *, style: str) -> str:
    return ""


async def _all_required(self: object, name: str, loud: bool) -> str:
    return ""


def _with(greet: object) -> object:
    return type("Bad", (), {"greet": greet})()


MISSING, PARAMETERS = Mismatch.MISSING, Mismatch.PARAMETERS
NO_NAME = "does not accept the parameter 'name'"


@pytest.mark.parametrize(
    ("instance", "protocol", "found"),
    [
        (object(), Greeting, [("greet", MISSING, "missing")]),
        # A private protocol asks for all of its functions, those of one that it extends first.
        (object(), Wide, [(name, MISSING, "missing")
                          for name in ("list_names", "register_name", "plain", "anything")]),
        (Proxy(), Wide, [("anything", MISSING, "missing")]),
        (_with(3), Greeting, [("greet", Mismatch.NOT_CALLABLE, "not callable, but int")]),
        (_with(_no_name), Greeting, [("greet", PARAMETERS, NO_NAME)]),
        (_with(_positional), Greeting,
         [("greet", PARAMETERS, NO_NAME),
          ("greet", PARAMETERS, "requires the parameter 'name', which callers do not pass")]),
        (_with(_one_more), Greeting,
         [("greet", PARAMETERS, "requires the parameter 'style', which callers do not pass")]),
        (_with(_all_required), Greeting,
         [("greet", PARAMETERS, "requires the parameter 'loud', which callers may leave out")]),
        (Closed(), Wide, [("anything", PARAMETERS, "does not accept '**more'")]),
        (Plain(), Greeting, [("greet", Mismatch.NOT_ASYNC, "must be 'async def'")]),
        (Eager(), Listing, [("plain", Mismatch.ASYNC, "must not be 'async def'")]),
    ],
)  # fmt: skip
def test_every_mismatch_is_named(
    instance: object, protocol: type, found: list[tuple[str, Mismatch, str]]
) -> None:
    """A method takes the Protocol's parameters by name and no others, and is awaited alike."""
    assert _found(instance, protocol) == found


def test_a_declaration_is_no_implementation() -> None:
    """Neither a method inherited from the Protocol itself, nor one from another Protocol."""
    assert [kind for _, kind, _ in _found(_made(Lazy))] == [Mismatch.NOT_IMPLEMENTED]
    assert _found(_made(Crossed)) == []
    assert {kind for _, kind, _ in _found(_made(Crossed), Listing)} == {Mismatch.NOT_IMPLEMENTED}


def test_an_async_generator_is_no_async_def() -> None:
    """A streaming method is awaited for its generator; it is not one itself."""
    (problem,) = _found(Streaming())
    assert problem[1] is Mismatch.NOT_ASYNC
    assert "returns the asynchronous generator" in problem[2]


def test_the_answer_for_a_class_does_not_hide_an_instance() -> None:
    """An instance with an attribute of its own is looked at itself, each time."""
    good, bad = Good(), Good()
    vars(bad)["greet"] = None
    assert _found(good) == []
    assert [kind for _, kind, _ in _found(bad)] == [Mismatch.NOT_CALLABLE]
    assert _found(good) == []


def test_a_class_is_not_kept_for_its_answer() -> None:
    """One that nobody uses any more goes, as after a reload that drops its provider."""

    class Local(Good):
        """A class of its own."""

    assert _found(Local()) == []
    kept = ref(Local)
    del Local
    gc.collect()
    assert kept() is None


def test_a_problem_says_all_in_one_line() -> None:
    """The text names the method, its Protocol and what is wrong."""
    (problem,) = check_compliance(object(), Greeting)
    assert str(problem) == "greet (of Greeting): missing"
