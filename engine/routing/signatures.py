"""What a Protocol says of its methods, and functions made to look like them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])

_BASES: tuple[object, ...] = (object, Generic, Protocol)


def methods_of(protocol: type) -> dict[str, inspect.Signature]:
    """Return the public methods of *protocol* with their signatures, ``self`` left out.

    They come in the order of their definition; a protocol that extends another has the other's
    first. Annotations are resolved where the protocol's module lets them be.
    """
    found: dict[str, inspect.Signature] = {}
    for owner in reversed(protocol.__mro__):
        if owner in _BASES:
            continue
        for name, member in vars(owner).items():
            if not name.startswith("_") and inspect.isfunction(member):
                found[name] = _signature(member)
    return found


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # Names that the module imports for type checkers only.
        signature = inspect.signature(function)
    _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)


def is_coroutine_method(protocol: type, name: str) -> bool:
    """Return whether the method *name* of *protocol* is an ``async def`` to be awaited."""
    return inspect.iscoroutinefunction(getattr(protocol, name))


def dress(
    function: _Function, protocol: type, name: str, signature: inspect.Signature
) -> _Function:
    """Make *function* look like the method *name* of *protocol*, and return it.

    Its name, documentation, signature and what decorators left on the method (such as its route)
    are the method's.
    """
    method = cast("Callable[..., Any]", getattr(protocol, name))
    function.__dict__.update(vars(method))
    function.__name__ = name
    function.__qualname__ = f"{protocol.__qualname__}.{name}"
    function.__module__ = protocol.__module__
    function.__doc__ = method.__doc__
    annotations = {
        parameter.name: parameter.annotation
        for parameter in signature.parameters.values()
        if parameter.annotation is not inspect.Parameter.empty
    }
    if signature.return_annotation is not inspect.Signature.empty:
        annotations["return"] = signature.return_annotation
    function.__annotations__ = annotations
    function.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect.signature
    return function
