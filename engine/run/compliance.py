"""Does an instance implement its API's Protocol; reads signatures, calls nothing."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, cast, get_origin
from weakref import WeakKeyDictionary

from rungraph.engine.apis.routes import functions_of, routes_of


class Mismatch(StrEnum):
    """The ways in which a method is not what its Protocol says."""

    MISSING = "missing"
    NOT_CALLABLE = "not callable"
    NOT_IMPLEMENTED = "not implemented"
    """It is inherited from the Protocol itself, which only declares it."""
    PARAMETERS = "parameters"
    NOT_ASYNC = "not async"
    ASYNC = "async"


@dataclass(frozen=True, slots=True)
class ComplianceProblem:
    """One way in which an instance does not implement a Protocol.

    Attributes:
        protocol: The Protocol's name.
        method: The method's name.
        mismatch: What kind of problem it is.
        detail: What exactly, for people.
    """

    protocol: str
    method: str
    mismatch: Mismatch
    detail: str

    def __str__(self) -> str:
        return f"{self.method} (of {self.protocol}): {self.detail}"


def check_compliance(instance: object, protocol: type) -> tuple[ComplianceProblem, ...]:
    """Return every way in which *instance* does not implement *protocol*, in its order.

    The methods of a Protocol are those with a route; if none has one, all public functions.

    A method must accept every parameter of the Protocol's by name (``**kwargs`` accepts them
    all), must not require any other, and must be awaitable where the Protocol's is. A plain
    function counts as awaitable when it wraps (``functools.wraps``) or partially applies an
    ``async def``, or when its return annotation says that it returns an awaitable; any other
    plain function is a problem, for nobody can tell what it returns without calling it.

    The answer for a class is remembered; an instance with attributes of its own under the names
    of the methods is looked at afresh.
    """
    cls = cast("type", type(instance))
    own: Mapping[str, object] = getattr(instance, "__dict__", {})
    if hasattr(cls, "__getattr__") or not own.keys().isdisjoint(_methods_of(protocol)):
        return _problems(instance, cls, protocol)
    return _problems_of_class(cls, protocol)


_known: WeakKeyDictionary[type, dict[type, tuple[ComplianceProblem, ...]]] = WeakKeyDictionary()


def _problems_of_class(cls: type, protocol: type) -> tuple[ComplianceProblem, ...]:
    known = _known.setdefault(cls, {})
    if protocol not in known:
        known[protocol] = _problems(None, cls, protocol)
    return known[protocol]


@lru_cache(maxsize=256)
def _methods_of(protocol: type) -> Mapping[str, Callable[..., Any]]:
    """Return the functions of *protocol* that an instance must have."""
    functions = functions_of(protocol)
    return {name: functions[name] for name, _ in routes_of(protocol)} or functions


def _problems(instance: object | None, cls: type, protocol: type) -> tuple[ComplianceProblem, ...]:
    """Return the problems of *instance* or, without one, of every instance of *cls*."""
    return tuple(
        ComplianceProblem(protocol.__name__, name, mismatch, detail)
        for name, declared in _methods_of(protocol).items()
        for mismatch, detail in _mismatches(instance, cls, name, declared)
    )


def _mismatches(
    instance: object | None, cls: type, name: str, declared: Callable[..., Any]
) -> list[tuple[Mismatch, str]]:
    nothing = object()
    method: object = getattr(cls if instance is None else instance, name, nothing)
    if method is nothing:
        return [(Mismatch.MISSING, "missing")]
    is_own = instance is not None and name in getattr(instance, "__dict__", {})
    if not is_own and _is_only_declared(cls, name):
        return [(Mismatch.NOT_IMPLEMENTED, "not implemented, only inherited from the Protocol")]
    if isinstance(method, property):  # What it returns is known when it is asked for.
        return []
    if not callable(method):
        return [(Mismatch.NOT_CALLABLE, f"not callable, but {type(method).__name__}")]
    found = [
        (Mismatch.PARAMETERS, detail)
        for detail in _parameter_mismatches(
            declared, method, is_bound=instance is not None or not _takes_self(cls, name)
        )
    ]
    if _is_awaitable(declared) and not _is_awaitable(method):
        found.append((Mismatch.NOT_ASYNC, _why_not_awaitable(method)))
    elif not _is_awaitable(declared) and inspect.iscoroutinefunction(method):
        found.append((Mismatch.ASYNC, "must not be 'async def'"))
    return found


def _is_only_declared(cls: type, name: str) -> bool:
    """Whether the first class that has *name* is a Protocol."""
    owner = next((one for one in cls.__mro__ if name in vars(one)), None)
    return owner is not None and bool(vars(owner).get("_is_protocol", False))


def _takes_self(cls: type, name: str) -> bool:
    """Whether the method, read from its class, still has the parameter of the instance."""
    return inspect.isfunction(inspect.getattr_static(cls, name))


def _parameter_mismatches(
    declared: Callable[..., Any], method: Callable[..., Any], *, is_bound: bool
) -> list[str]:
    try:
        offered = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):  # A function written in C need not tell.
        return []
    if not is_bound:
        offered = offered[1:]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in offered)
    by_name = {
        one.name: one
        for one in offered
        if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}
    }
    wanted = list(inspect.signature(declared).parameters.values())[1:]
    found: list[str] = []
    for one in wanted:
        if one.kind is one.VAR_KEYWORD and not takes_any:
            found.append(f"does not accept '**{one.name}'")
        if one.kind in {one.VAR_KEYWORD, one.VAR_POSITIONAL}:
            continue
        mine = by_name.get(one.name)
        if mine is None and not takes_any:
            found.append(f"does not accept the parameter '{one.name}'")
        elif mine is not None and one.default is not one.empty and mine.default is mine.empty:
            found.append(f"requires the parameter '{one.name}', which callers may leave out")
    known = {one.name for one in wanted}
    found += [
        f"requires the parameter '{one.name}', which callers do not pass"
        for one in offered
        if one.default is one.empty
        and one.kind not in {one.VAR_KEYWORD, one.VAR_POSITIONAL}
        and (one.name not in known or one.kind is one.POSITIONAL_ONLY)
    ]
    return found


def _is_awaitable(function: Callable[..., Any]) -> bool:
    """Whether a call of *function* is known to return something to be awaited."""
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    call = getattr(function, "__call__", None)  # noqa: B004 (it is the callable of an object)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call):
        return True
    returned: object = getattr(function, "__annotations__", {}).get("return")
    if isinstance(returned, str):
        name = returned.partition("[")[0].rpartition(".")[2]
        return name in {"Awaitable", "Coroutine", "Future", "Task"}
    origin = get_origin(returned) or returned
    return isinstance(origin, type) and issubclass(origin, Awaitable | Coroutine)


def _why_not_awaitable(method: Callable[..., Any]) -> str:
    if inspect.isasyncgenfunction(method):
        return "must be an 'async def' that returns the asynchronous generator, not be one itself"
    return "must be 'async def'"
