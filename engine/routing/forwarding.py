"""Makes the functions behind a router's methods: one lookup, then the provider's own call."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from enum import Enum
from functools import lru_cache
from inspect import Parameter, ismethod, unwrap
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from rungraph.engine.routing.gate import LOCAL_NAME, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import CodeType, FunctionType

    from rungraph.engine.routing.signatures import Method

_MISSING = object()

_ALIKE = (str, int, float, bool, bytes, type(None), Enum)
"""Types whose equal values are as good as the same value; any other default counts by identity."""


class Forwarder:
    """One method of a router: what callers call, and where its calls go.

    `function` is written for the method's own parameters and compiled, as a dataclass's
    ``__init__`` is: forwarding through ``*args, **kwargs`` costs more than twice as much, and a
    routed call may add 0.5 µs. It takes the routing key, finds target and native name in one
    dictionary, and calls the target with every argument by keyword. While the call runs, the gate
    of its provider finds it.

    What a caller leaves out, the provider's own default decides, or the Protocol's where the
    provider has none. Where all providers agree on a default it is the function's default; where
    they do not, it is stored with each target.

    Args:
        method: The method.
        routing_key: The parameter that names the resource.
        find: Called with a routing key, which nobody has asked for, to `point` or `share` it.
        miss: Called with a routing key that has no target; what it returns or raises is the
            outcome of the call.
    """

    def __init__(
        self,
        method: Method,
        routing_key: str,
        find: Callable[[str], None],
        miss: Callable[[Any], Any],
    ) -> None:
        self.is_coroutine = method.is_coroutine
        self._method = method
        self._routing_key = routing_key
        self._find = find
        self._providers: Mapping[str, tuple[Callable[..., Any], Gate]] = {}
        self._targets: dict[str, tuple[Any, ...]] = {}
        self._routes: dict[str, tuple[str, str] | Callable[..., Any]] = {}
        self._own_defaults: dict[str, tuple[Any, ...]] = {}
        self._agreed: dict[str, Any] = {}
        self._differing: tuple[str, ...] = ()
        self._namespace: dict[str, Any] = {
            "__name__": __name__,  # By which its frames are known as ours.
            "_rungraph_targets": self._targets,
            "_rungraph_found": self._found,
            "_rungraph_miss": miss,
            "_rungraph_missing": _MISSING,
            "_rungraph_errors": (Exception, CancelledError),
            "_rungraph_stream": AsyncGeneratorType,
        }
        self._take_defaults()
        self.function: Callable[..., Any] = method.dress(self._compiled())

    def serve_by(self, providers: Mapping[str, tuple[Callable[..., Any], Gate]]) -> None:
        """Take the method and the gate of each provider, by id, for `point` from now on.

        The function stays the same object: whoever has kept it calls the new providers, too.
        """
        self._providers = providers
        if self._take_defaults():
            compiled, function = self._compiled(), cast("FunctionType", self.function)
            function.__code__ = compiled.__code__
            function.__defaults__ = compiled.__defaults__
            function.__kwdefaults__ = compiled.__kwdefaults__
        for key in self._routes:  # What is stored with each target depends on all providers.
            self._aim(key)

    def _take_defaults(self) -> bool:
        """Take in the defaults of all providers; return whether the function has others then."""
        agreed: dict[str, Any] = {}
        differing: dict[str, dict[str, Any]] = {}
        # Hundreds of providers share a function.
        functions = {name: _function_of(one) for name, (one, _) in self._providers.items()}
        for parameter in self._method.signature.parameters.values():
            if parameter.default is Parameter.empty or parameter.name == self._routing_key:
                continue
            defaults = {one: _default(one, parameter) for one in dict.fromkeys(functions.values())}
            first, *others = defaults.values() or [parameter.default]
            if all(_is_same(other, first) for other in others):
                agreed[parameter.name] = first
            else:
                by_provider = {name: defaults[one] for name, one in functions.items()}
                differing[parameter.name] = by_provider
        self._own_defaults = {
            name: tuple(defaults[name] for defaults in differing.values())
            for name in self._providers
        }
        before, self._agreed = self._agreed, agreed
        differed, self._differing = self._differing, (*differing,)
        is_as_before = differed == self._differing and before.keys() == agreed.keys()
        return not (is_as_before and all(_is_same(before[one], agreed[one]) for one in agreed))

    def _compiled(self) -> FunctionType:
        self._namespace |= {f"_rungraph_default_{name}": one for name, one in self._agreed.items()}
        source = _source(self._method, self._routing_key, self._agreed, self._differing)
        name = f"<router method {self._method.function.__qualname__}>"
        # The source is made of parameter names alone, which are identifiers.
        exec(_code_of(source, name), self._namespace)  # noqa: S102
        return cast("FunctionType", self._namespace[self._method.name])

    def point(self, key: str, provider_id: str, native_id: str) -> None:
        """Send calls for *key* to *provider_id*, under the name *native_id*, from now on.

        A provider without the method is no target: its calls go to *miss*.
        """
        self._routes[key] = provider_id, native_id
        self._aim(key)

    def share(self, key: str, call: Callable[..., Any]) -> None:
        """Send calls for *key* to *call*, which chooses another key for each, from now on."""
        self._routes[key] = call
        self._aim(key)

    def _found(self, key: object) -> tuple[Any, ...] | None:
        if not isinstance(key, str):
            return None
        self._find(key)
        return self._targets.get(key)

    def _aim(self, key: str) -> None:
        route = self._routes[key]
        if not isinstance(route, tuple):
            count = len(next(iter(self._own_defaults.values()), ()))
            self._targets[key] = (route, Gate(), key, *[_MISSING] * count)
        elif (provider := self._providers.get(route[0])) is not None:
            self._targets[key] = (*provider, route[1], *self._own_defaults[route[0]])
        else:
            self._targets.pop(key, None)

    def drop(self, key: str) -> None:
        """Send calls for *key* nowhere from now on; running calls go on."""
        self._routes.pop(key, None)
        self._targets.pop(key, None)

    def drop_all(self) -> None:
        """Send no call anywhere from now on; running calls go on."""
        self._routes.clear()
        self._targets.clear()


@lru_cache(maxsize=256)  # Each API's methods have few sources: most members take the same.
def _code_of(source: str, name: str) -> CodeType:
    return compile(source, name, "exec")


def is_left_out(key: object) -> bool:
    """Return whether *key* stands for a routing key that the caller left out."""
    return key is _MISSING


def _function_of(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return what tells the signature of a provider's *method*, without what is around it."""
    if not ismethod(method):  # Nearly all are: to ask `unwrap` takes long.
        method = unwrap(method, stop=lambda one: ismethod(one) or hasattr(one, "__signature__"))
    return getattr(method, "__func__", method)


def _default(function: Callable[..., Any], parameter: Parameter) -> Any:
    """Return what *function* has for *parameter* when a call leaves it out."""
    own = _parameters_of(function).get(parameter.name)
    return parameter.default if own is None or own.default is Parameter.empty else own.default


_parameters: WeakKeyDictionary[Callable[..., Any], Mapping[str, Parameter]] = WeakKeyDictionary()


def _parameters_of(function: Callable[..., Any]) -> Mapping[str, Parameter]:
    """Return the parameters of *function* by name: known, as hundreds of providers share one."""
    if function not in _parameters:
        try:
            _parameters[function] = inspect.signature(function).parameters
        except (TypeError, ValueError):  # A callable that does not tell its signature.
            return {}
    return _parameters[function]


def _is_same(value: object, other: object) -> bool:
    if value is other:
        return True
    return isinstance(value, _ALIKE) and type(value) is type(other) and value == other


class _Name:
    """A default value that is written as a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


def _source(
    method: Method, routing_key: str, agreed: Collection[str], differing: Collection[str]
) -> str:
    parameters = method.signature.parameters.values()
    has_var_positional = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    takes: list[Parameter] = []
    gives: list[str] = []
    for parameter in parameters:
        default: Any = Parameter.empty
        given = parameter.name
        if parameter.name == routing_key:
            given = "_rungraph_native"
            if parameter.default is not Parameter.empty:
                default = _Name("_rungraph_missing")
        elif parameter.name in differing:
            given = f"_rungraph_own_{given} if {given} is _rungraph_missing else {given}"
            default = _Name("_rungraph_missing")
        elif parameter.name in agreed:
            default = _Name(f"_rungraph_default_{given}")
        takes.append(parameter.replace(default=default, annotation=Parameter.empty))
        match parameter.kind:
            case Parameter.VAR_POSITIONAL:
                gives.append(f"*{given}")
            case Parameter.VAR_KEYWORD:
                gives.append(f"**{given}")
            case Parameter.POSITIONAL_ONLY:
                gives.append(given)
            case Parameter.POSITIONAL_OR_KEYWORD if has_var_positional:
                gives.append(given)
            case _:
                gives.append(f"{parameter.name}={given}")
    own = [f"_rungraph_own_{parameter}" for parameter in differing]
    found = ", ".join(["_rungraph_method", LOCAL_NAME, "_rungraph_native", *own])
    is_async = method.is_coroutine
    look_up = (
        f"{'async ' if is_async else ''}def {method.name}{inspect.Signature(takes)}:\n"
        "    try:\n"
        f"        {found} = _rungraph_targets[{routing_key}]\n"
        "    except (KeyError, TypeError):\n"
        f"        _rungraph_target = _rungraph_found({routing_key})\n"
        "        if _rungraph_target is None:\n"
        f"            return {'await ' if is_async else ''}_rungraph_miss({routing_key})\n"
        f"        {found} = _rungraph_target\n"
    )
    call = f"_rungraph_method({', '.join(gives)})"
    asked = (
        "    try:\n"
        f"        _rungraph_result = {'await ' if is_async else ''}{call}\n"
        "    except _rungraph_errors:\n"
        f"        {LOCAL_NAME}.raise_cut()\n"
        "        raise\n"
    )
    if not is_async:
        return f"{look_up}{asked}    return {LOCAL_NAME}.follow(_rungraph_result)\n"
    return (
        f"{look_up}{asked}"
        "    if _rungraph_result.__class__ is _rungraph_stream:\n"
        f"        return {LOCAL_NAME}.follow(_rungraph_result)\n"
        "    return _rungraph_result\n"
    )
