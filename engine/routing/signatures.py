"""What a Protocol says about its methods, and functions made to look like them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, update_wrapper
from typing import Any, TypeVar

from rungraph.engine.apis.routes import functions_of

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _LeftOut:
    def __bool__(self) -> bool:
        return False


LEFT_OUT = _LeftOut()
"""Stands for an argument that is not sent elsewhere, since the provider there has a default."""


@dataclass(frozen=True, slots=True)
class Method:
    """A public method of a Protocol.

    Attributes:
        name: Its name.
        function: The function that the Protocol has.
        signature: Its signature without ``self``; annotations are resolved where the Protocol's
            module lets them be.
    """

    name: str
    function: Callable[..., Any]
    signature: inspect.Signature

    @property
    def is_coroutine(self) -> bool:
        """Whether it is an ``async def`` to be awaited."""
        return inspect.iscoroutinefunction(self.function)

    def dress(self, function: _Function, left_out: Collection[str] = ()) -> _Function:
        """Make *function* look like this method, its signature and route included; return it.

        What is *left_out*, as far as it may be, has the default `LEFT_OUT`.
        """
        signature = self.signature
        if left_out:
            parameters = [
                one.replace(default=LEFT_OUT)
                if one.name in left_out and one.default is not one.empty
                else one
                for one in signature.parameters.values()
            ]
            signature = signature.replace(parameters=parameters)
        update_wrapper(function, self.function)
        function.__signature__ = signature  # type: ignore[attr-defined]  # for inspect
        return function


@cache
def methods_of(protocol: type) -> dict[str, Method]:
    """Return the public methods of *protocol* by name, in the order of `functions_of`."""
    found = functions_of(protocol).items()
    return {name: Method(name, function, _signature(function)) for name, function in found}


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # Names that the module imports for type checkers only.
        signature = inspect.signature(function)
    _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)
