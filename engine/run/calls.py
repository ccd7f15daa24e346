"""A call that somebody wrote as text, turned into one that a stack can answer.

::

    EngineError
    └── CallError                    the text makes no call
        ├── UnknownMethodError       the API has no such method
        └── ArgumentsError           parameters are unknown, missing or of the wrong form
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pkgutil import resolve_name
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Protocol,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from rungraph.engine.apis.routes import Route, routes_of
from rungraph.engine.errors import EngineError, NotServedError
from rungraph.graph.suggest import closest, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.model import RunGraph

_MOST_PROBLEMS = 5
"""How many problems of one value are named."""


class CallError(EngineError):
    """Base of the reasons for which a text makes no call."""


class UnknownMethodError(CallError):
    """Raised when an API has no method of this name.

    Attributes:
        api: The API.
        method: What was asked for.
        known: The methods that the API has, in the order of its definition.
    """

    def __init__(self, api: str, method: str, known: Iterable[str]) -> None:
        self.api = api
        self.method = method
        self.known = tuple(known)
        super().__init__(api, method, self.known)

    def __str__(self) -> str:
        head = f"{self.api!r} has no method {self.method!r}"
        if not self.method:
            head = f"{self.api!r} alone is no call: a call names an API and a method"
        lines = [head, f"methods: {', '.join(map(repr, self.known)) or 'none'}"]
        if near := closest(self.method, self.known):
            lines.append(f"help: did you mean '{self.api}.{near[0]}'?")
        return "\n".join(lines)


class ArgumentsError(CallError):
    """Raised when a method cannot be called with these arguments.

    Attributes:
        target: The API and the method, such as ``inference.chat_completion``.
        problems: Every problem, one line each.
        usage: How the method is called.
    """

    def __init__(self, target: str, problems: Iterable[str], usage: str) -> None:
        self.target = target
        self.problems = tuple(problems)
        self.usage = usage
        super().__init__(target, self.problems, usage)

    def __str__(self) -> str:
        lines = [f"{self.target!r} cannot be called with these arguments"]
        lines += ["  " + problem.replace("\n", "\n    ") for problem in self.problems]
        return "\n".join([*lines, f"help: {self.usage}"])


class Answering(Protocol):
    """What a call is made on: a stack."""

    @property
    def graph(self) -> RunGraph:
        """The graph that the stack runs."""
        ...

    def __getitem__(self, api: str, /) -> Any:
        """Return what answers for *api*."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one method, its arguments typed as the method wants them.

    Attributes:
        api: The API, such as ``inference``.
        method: The method, such as ``chat_completion``.
        arguments: The arguments by parameter name.
    """

    api: str
    method: str
    arguments: Mapping[str, Any]

    async def on(self, stack: Answering) -> Any:
        """Return what *stack* answers; an asynchronous generator when the answer is a stream."""
        return await getattr(stack[self.api], self.method)(**self.arguments)

    def __str__(self) -> str:
        return f"{self.api}.{self.method}"


async def call(stack: Answering, target: str, arguments: Mapping[str, str]) -> Any:
    """Return what *stack* answers to a call that is written as text; see `read_call`.

    Raises:
        CallError: If the text makes no call of an API that the stack serves.
    """
    return await read_call(stack.graph, target, arguments).on(stack)


def read_call(graph: RunGraph, target: str, arguments: Mapping[str, str]) -> Call:
    """Return the call that a text means. Nothing is called yet.

    A value is read as JSON where the parameter's type takes what the JSON says, else as the text
    itself; a parameter that is text alone is never read as JSON. For ``messages``, text that is
    no JSON list means one message of the user.

    Args:
        graph: What serves the call.
        target: ``api.method``, such as ``inference.chat_completion``.
        arguments: The values by parameter name.

    Raises:
        NotServedError: If *graph* serves no such API.
        UnknownMethodError: If the API has no such method.
        ArgumentsError: If parameters are unknown, missing or of the wrong form: all of them.
    """
    api, _, method = target.strip().partition(".")
    if api not in graph.apis:
        raise NotServedError(api, graph.apis)
    protocol = cast("type", resolve_name(graph.catalog.apis[api].protocol))
    routes = dict(routes_of(protocol))
    if method not in routes:
        raise UnknownMethodError(api, method, routes)
    return _Signature(protocol, api, method, routes[method]).call(arguments)


class _Signature:
    """What a method takes."""

    def __init__(self, protocol: type, api: str, method: str, route: Route) -> None:
        function = getattr(protocol, method)
        parameters = list(inspect.signature(function).parameters.items())
        self._api = api
        self._method = method
        self._aliases = route.aliases
        self._hints = get_type_hints(function, include_extras=True)
        self._parameters = dict(parameters[1:])  # Without self.

    def call(self, arguments: Mapping[str, str]) -> Call:
        """Return the call with *arguments*; raise `ArgumentsError` with all that is wrong."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        for given, text in arguments.items():
            name = given if given in self._parameters else self._aliases.get(given, given)
            if name not in self._parameters:
                near = did_you_mean(given, self._parameters)
                problems.append(f"unknown parameter {given!r}" + (f"; {near}" if near else ""))
            elif name in values:
                problems.append(f"parameter {name!r} is given twice")
            else:
                try:
                    values[name] = _read(name, self._hints.get(name, Any), text)
                except _UnreadableError as error:
                    values[name] = None
                    problems.append(f"{name}: {error}")
        for name, parameter in self._parameters.items():
            if parameter.default is parameter.empty and name not in values:
                problems.append(f"parameter {name!r} is missing")
        if problems:
            target = f"{self._api}.{self._method}"
            raise ArgumentsError(target, problems, f"{target} takes {self._usage()}")
        return Call(self._api, self._method, values)

    def _usage(self) -> str:
        words = [
            name if parameter.default is parameter.empty else f"[{name}]"
            for name, parameter in self._parameters.items()
        ]
        return " ".join(words) or "no parameters"


class _UnreadableError(Exception):
    """Raised when a text is no value of a type; it never leaves this module."""


def _read(name: str, hint: Any, text: str) -> Any:
    """Return the value of the type *hint* that *text* means."""
    if _is_text_alone(hint):
        return text
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
    except PydanticSchemaGenerationError:
        return _parsed(text)  # A type that only the API itself understands.
    if name == "messages" and not _is_structured(text):
        said = _parsed(text)
        return _valid(adapter, [{"role": "user", "content": said if said == str(said) else text}])
    if _is_structured(text):
        return _valid_json(adapter, text)
    try:
        return _valid_json(adapter, text)
    except _UnreadableError:
        return _valid(adapter, text)


def _is_text_alone(hint: Any) -> bool:
    if get_origin(hint) in {Union, UnionType}:
        return {str} == set(get_args(hint)) - {NoneType}
    return hint is str


def _is_structured(text: str) -> bool:
    """Return whether *text* is a JSON object or array, or was clearly meant to be one."""
    return text.lstrip()[:1] in {"{", "["}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _valid_json(adapter: TypeAdapter[Any], text: str) -> Any:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise _UnreadableError(_problems_of(error)) from None


def _valid(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _UnreadableError(_problems_of(error)) from None


def _problems_of(error: ValidationError) -> str:
    lines: list[str] = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in detail["loc"])
        text = detail["msg"][:1].lower() + detail["msg"][1:]
        lines.append(f"{where}: {text}" if where else text)
    if len(lines) > _MOST_PROBLEMS:
        lines[_MOST_PROBLEMS:] = [f"and {len(lines) - _MOST_PROBLEMS} more problems"]
    return "\n".join(lines)
