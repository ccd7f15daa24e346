"""Makes the functions behind a router's methods: one lookup, then the provider's own call."""

from __future__ import annotations

import inspect
from enum import Enum
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from rungraph.engine.routing.signatures import dress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MISSING = object()

_ALIKE = (str, int, float, bool, bytes, type(None), Enum)
"""Types whose equal values are as good as the same value; any other default counts by identity."""


class Forwarder:
    """One method of a router: what callers call, and what its calls are sent to.

    `function` is written for the method's own parameters and compiled, as a dataclass's
    ``__init__`` is: forwarding through ``*args, **kwargs`` costs more than twice as much. It takes
    the routing key, finds target and native name in one dictionary, and calls the target with
    every argument by keyword. It is no coroutine: a coroutine or an async generator that the
    provider's method returns is returned as it is.

    What a caller leaves out, the provider's own default decides, or the Protocol's where the
    provider has none. Where all providers agree on a default it is the function's default; where
    they do not, it is stored with each target.

    Args:
        protocol: The router API's Protocol.
        name: The method.
        signature: The method's signature, without ``self``.
        routing_key: The parameter that names the resource.
        methods: The method of each provider, by provider id.
        miss: Called with a routing key that has no target; what it returns or raises is the
            outcome of the call.
    """

    def __init__(
        self,
        protocol: type,
        name: str,
        signature: inspect.Signature,
        *,
        routing_key: str,
        methods: Mapping[str, Callable[..., Any]],
        miss: Callable[[Any], Any],
    ) -> None:
        self._methods = methods
        self._targets: dict[str, tuple[Any, ...]] = {}
        defaults = {
            parameter.name: {
                provider_id: _default(method, parameter) for provider_id, method in methods.items()
            }
            for parameter in signature.parameters.values()
            if parameter.default is not Parameter.empty and parameter.name != routing_key
        }
        agreed: dict[str, Any] = {}
        for parameter_name, by_provider in defaults.items():
            values = list(by_provider.values()) or [signature.parameters[parameter_name].default]
            if all(_is_same(value, values[0]) for value in values):
                agreed[parameter_name] = values[0]
        differing = [parameter_name for parameter_name in defaults if parameter_name not in agreed]
        self._own_defaults = {
            provider_id: tuple(
                defaults[parameter_name][provider_id] for parameter_name in differing
            )
            for provider_id in methods
        }
        source, values_by_name = _source(name, signature, routing_key, agreed, differing)
        namespace: dict[str, Any] = {
            **values_by_name,
            "_rungraph_targets": self._targets,
            "_rungraph_miss": miss,
            "_rungraph_missing": _MISSING,
        }
        code = compile(source, f"<router method {protocol.__qualname__}.{name}>", "exec")
        # The source is made of parameter names alone, which are identifiers.
        exec(code, namespace)  # noqa: S102
        self.function: Callable[..., Any] = dress(namespace[name], protocol, name, signature)

    def point(self, key: str, provider_id: str, native_id: str) -> None:
        """Send calls for *key* to *provider_id*, under the name *native_id*, from now on.

        A provider without the method is no target: its calls go to *miss*.
        """
        method = self._methods.get(provider_id)
        if method is None:
            self.drop(key)
        else:
            self._targets[key] = (method, native_id, *self._own_defaults[provider_id])

    def drop(self, key: str) -> None:
        """Send calls for *key* nowhere from now on; running calls go on."""
        self._targets.pop(key, None)


def is_left_out(key: object) -> bool:
    """Return whether *key* stands for a routing key that the caller left out."""
    return key is _MISSING


def _default(method: Callable[..., Any], parameter: Parameter) -> Any:
    """Return what *method* has for *parameter* when a call leaves it out."""
    try:
        own = inspect.signature(method).parameters.get(parameter.name)
    except (TypeError, ValueError):  # A callable that does not tell its signature.
        own = None
    return parameter.default if own is None or own.default is Parameter.empty else own.default


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
    name: str,
    signature: inspect.Signature,
    routing_key: str,
    agreed: Mapping[str, Any],
    differing: Sequence[str],
) -> tuple[str, dict[str, Any]]:
    """Return the function's source, and the values that it refers to."""
    parameters = signature.parameters.values()
    has_var_positional = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    values: dict[str, Any] = {}
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
            values[repr(default)] = agreed[given]
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
    source = (
        f"def {name}{inspect.Signature(takes)}:\n"
        "    try:\n"
        f"        {', '.join(['_rungraph_method', '_rungraph_native', *own])} = "
        f"_rungraph_targets[{routing_key}]\n"
        "    except (KeyError, TypeError):\n"
        f"        return _rungraph_miss({routing_key})\n"
        f"    return _rungraph_method({', '.join(gives)})\n"
    )
    return source, values
