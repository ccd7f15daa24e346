"""The methods of a routing table, as its API names them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from rungraph.engine.routing.errors import PairError

if TYPE_CHECKING:
    from rungraph.engine.routing.signatures import Method

Operation = tuple[Callable[..., Coroutine[Any, Any, Any]], int]
"""What a method does, and how many parameters it may have."""


def dressed(
    method: Method,
    operations: Mapping[str, Operation],
    api: str,
    check_open: Callable[[], None],
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return the operation of *method*'s name that looks like it, whatever its parameters are.

    Every call raises what *check_open* raises.

    Raises:
        PairError: If there is none of that name with so many parameters.
    """
    operation, most = operations.get(method.name, (None, -1))
    if operation is None or len(method.signature.parameters) > most:
        msg = (
            f"the table API {api!r} asks for {method.name}(), which no table offers "
            f"so\nknown: {', '.join(operations)}"
        )
        raise PairError(msg)

    async def call(*args: Any, **kwargs: Any) -> Any:
        check_open()
        bound = method.signature.bind(*args, **kwargs)
        return await operation(*bound.arguments.values())

    return method.dress(call)
