"""Which HTTP route an API's method has; set by a decorator, read by compliance and servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from inspect import isfunction
from types import MappingProxyType, UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

HttpMethod = Literal["GET", "POST", "DELETE"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_ATTRIBUTE = "__route__"
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    501: "not_implemented_error",
    504: "timeout_error",
}
"""What errors are called over HTTP, by status; others by their class of statuses."""


class Route(NamedTuple):
    """Where a method is served.

    Attributes:
        method: The HTTP method. The parameters of a GET or DELETE are its query; those of a POST
            are the keys of one JSON object.
        path: The path, without any prefix, such as ``/inference/chat_completion``.
        aliases: Other names under which callers may send a parameter: alias to parameter.
    """

    method: HttpMethod
    path: str
    aliases: Mapping[str, str] = MappingProxyType({})


def route(
    method: HttpMethod, path: str, *, aliases: Mapping[str, str] | None = None
) -> Callable[[_Function], _Function]:
    """Return a decorator that makes a Protocol's method part of its API.

    Args:
        method: The HTTP method that calls it.
        path: The path that calls it.
        aliases: Other names under which callers may send a parameter: alias to parameter.

    Examples:
        >>> class Greeter:
        ...     @route("GET", "/greet")
        ...     async def greet(self, name: str) -> str: ...
        >>> routes_of(Greeter)[0][1].path
        '/greet'
    """

    def mark(function: _Function) -> _Function:
        setattr(function, _ATTRIBUTE, Route(method, path, MappingProxyType(dict(aliases or {}))))
        return function

    return mark


def functions_of(protocol: type) -> dict[str, Callable[..., Any]]:
    """Return the public functions of *protocol* by name, in the order of their definition.

    A protocol that extends another has the other's functions first.
    """
    return {
        name: member
        for owner in reversed(protocol.__mro__)
        for name, member in vars(owner).items()
        if isfunction(member) and not name.startswith("_")
    }


def routes_of(protocol: type) -> tuple[tuple[str, Route], ...]:
    """Return the API methods of *protocol* with their routes, in the order of `functions_of`.

    Methods without a route are no part of the API.
    """
    routes = {name: getattr(one, _ATTRIBUTE, None) for name, one in functions_of(protocol).items()}
    return tuple((name, route) for name, route in routes.items() if route is not None)


def answers_of(function: Callable[..., Any]) -> tuple[Any, Any]:
    """Return the types of a method's whole answers, and of the chunks of its streams.

    Returns:
        ``typing.Any`` for whole answers that it does not tell, None for streams that it has not.
    """
    hint = get_type_hints(function, include_extras=True).get("return", Any)
    options = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    whole = [one for one in options if get_origin(one) is not AsyncGenerator]
    chunks = [get_args(one)[0] for one in options if get_origin(one) is AsyncGenerator]
    return Union[tuple(whole)] if whole else Any, chunks[0] if chunks else None  # noqa: UP007


def error_type(status: int) -> str:
    """Return what an error of an HTTP *status* is called."""
    return ERROR_TYPES.get(status, "server_error" if status >= 500 else ERROR_TYPES[400])
