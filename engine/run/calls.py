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
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from rungraph.engine.apis.routes import routes_of
from rungraph.engine.errors import EngineError, NotServedError
from rungraph.graph.invalid_values import invalid_values
from rungraph.graph.suggest import closest, did_you_mean
from rungraph.graph.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.engine.run.stack import Stack
    from rungraph.graph.model import RunGraph

_MOST_PROBLEMS = 5
"""How many problems of one value are named."""


class CallError(EngineError):
    """Base of the reasons for which a text makes no call."""


@dataclass(eq=False)
class UnknownMethodError(CallError):
    """Raised when an API has no method of this name.

    Attributes:
        api: The API.
        method: What was asked for.
        known: The methods that the API has, in the order of its definition.
    """

    api: str
    method: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{self.api!r} has no method {self.method!r}"
        if not self.method:
            head = f"{self.api!r} alone is no call: a call names an API and a method"
        lines = [head, f"methods: {', '.join(map(repr, self.known)) or 'none'}"]
        if near := closest(self.method, self.known):
            lines.append(f"help: did you mean '{self.api}.{near[0]}'?")
        return "\n".join(lines)


@dataclass(eq=False)
class ArgumentsError(CallError):
    """Raised when a method cannot be called with these arguments.

    Attributes:
        target: The API and the method, such as ``inference.chat_completion``.
        problems: Every problem, one line each.
        usage: How the method is called.
    """

    target: str
    problems: tuple[str, ...]
    usage: str

    def __str__(self) -> str:
        lines = [f"{self.target!r} cannot be called with these arguments"]
        lines += ["  " + problem.replace("\n", "\n    ") for problem in self.problems]
        return "\n".join([*lines, f"help: {self.usage}"])


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

    async def on(self, stack: Stack | Mapping[str, Any]) -> Any:
        """Return what *stack* answers; an asynchronous generator when the answer is a stream."""
        return await getattr(stack[self.api], self.method)(**self.arguments)

    def __str__(self) -> str:
        return f"{self.api}.{self.method}"


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
    protocol: type = resolve_name(graph.catalog.apis[api].protocol)
    routes = dict(routes_of(protocol))
    if method not in routes:
        raise UnknownMethodError(api, method, tuple(routes))
    function = getattr(protocol, method)
    hints = get_type_hints(function, include_extras=True)
    _, *parameters = inspect.signature(function).parameters.values()  # Without self.
    required = {one.name: one.default is one.empty for one in parameters}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for given, text in arguments.items():
        name = given if given in required else routes[method].aliases.get(given, given)
        if name not in required:
            near = did_you_mean(given, required)
            problems.append(f"unknown parameter {given!r}" + (f"; {near}" if near else ""))
        elif name in values:
            problems.append(f"parameter {name!r} is given twice")
        else:
            values[name] = None
            try:
                values[name] = _read(name, hints.get(name, Any), text)
            except ValidationError as error:
                problems.append(f"{name}: {_problems_of(error)}")
    problems += [
        f"parameter {name!r} is missing"
        for name, is_required in required.items()
        if is_required and name not in values
    ]
    if problems:
        shown = [name if is_required else f"[{name}]" for name, is_required in required.items()]
        called = f"{api}.{method}"
        usage = f"{called} takes {' '.join(shown) or 'no parameters'}"
        raise ArgumentsError(called, tuple(problems), usage)
    return Call(api, method, values)


def _read(name: str, hint: Any, text: str) -> Any:
    """Return the value of the type *hint* that *text* means.

    Raises:
        ValidationError: If it is none.
    """
    if hint is str or (
        get_origin(hint) in {Union, UnionType} and {str} == set(get_args(hint)) - {NoneType}
    ):
        return text
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
    except PydanticSchemaGenerationError:
        return _parsed(text)  # A type that only the API itself understands.
    if text.lstrip()[:1] in {"{", "["}:  # JSON, or clearly meant to be.
        return adapter.validate_json(text)
    if name == "messages":
        content = _parsed(text)
        content = content if isinstance(content, str) else text
        return adapter.validate_python([{"role": "user", "content": content}])
    try:
        return adapter.validate_json(text)
    except ValidationError:
        return adapter.validate_python(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _problems_of(error: ValidationError) -> str:
    return "\n".join(first_lines(invalid_values(error), _MOST_PROBLEMS, "more problems"))
