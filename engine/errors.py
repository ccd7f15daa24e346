"""The errors of running a graph.

::

    RungraphError (rungraph.graph.errors)
    └── EngineError
        ├── StartError               a stack did not start
        ├── StopError                some nodes did not stop as they should
        ├── NodeError                one node; the cause that the two above name
        │   ├── ComplianceError      an instance does not implement its API
        │   ├── ConfigRejectedError  a config class rejects a provider's config
        │   ├── EntryPointError      a provider module cannot create an instance
        │   ├── DeadlineError        a start or a stop took longer than it may
        │   ├── BackgroundError      a provider's background work ended while it ran
        │   └── KilledError          a stop was cut short
        ├── NotServedError           a key that a stack does not serve
        ├── NotRunningError          a node of the stack that does not run
        │   └── RestartingError      it is being started again
        ├── MissingPackageError      a distribution that is not installed
        ├── KeyRefusedError          a server refuses a provider's key; also a PermissionError
        ├── RateLimitError           a server takes no more requests now; also a ConnectionError
        ├── LoopError                a stack would call itself, through other ones
        ├── ProviderDataError        what a caller sends is not what the provider takes
        ├── RecordingError, RecordedError  (rungraph.engine.recorded_errors) of an earlier run
        ├── LoopHeldError            (rungraph.engine.interruption) also a TimeoutError
        ├── ReloadError, RunError    (rungraph.engine.run.errors) what ends a reload, or a stack
        └── RoutingError             a call cannot be routed; also a ValueError
            ├── UnknownResourceError
            │   └── UnavailableResourceError
            └── AmbiguousResourceError
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from rungraph.graph.errors import RungraphError, message_of
from rungraph.graph.suggest import did_you_mean
from rungraph.graph.wording import counted, duration, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.place import Place

_MOST_LISTED = 20


class EngineError(RungraphError):
    """Base of every error that running a graph raises on purpose."""


def describe(error: BaseException) -> str:
    """Return *error* as text; that of a foreign error begins with its type.

    Examples:
        >>> describe(ConnectionError("connection refused"))
        'ConnectionError: connection refused'
        >>> describe(EngineError("no such thing"))
        'no such thing'
    """
    text = message_of(error)
    if isinstance(error, RungraphError) and text:
        return text
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        text = "; ".join(map(describe, group.exceptions))
    return ": ".join(filter(None, [type(error).__name__, text]))


def unknown(text: str, kind: str, key: str, known: Collection[str]) -> str:
    """Return *text*, then what is known instead of *key*, and which of it may be meant.

    Examples:
        >>> print(unknown("'smal' is not served", "served", "smal", ["big", "small"]))
        'smal' is not served
        served: 'big', 'small'
        help: did you mean 'small'?
    """
    lines = [text, f"{kind}: {listed([repr(one) for one in known], _MOST_LISTED) or 'nothing'}"]
    if question := did_you_mean(key, known):
        lines.append(f"help: {question}")
    return "\n".join(lines)


# --- a whole stack -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeFailure:
    """What went wrong in one node.

    Attributes:
        address: The node.
        phase: What the node was doing.
        error: The cause.
        place: Where the node is configured; None for a table, a router or a builtin.
    """

    address: Address
    phase: Literal["start", "run", "stop"]
    error: BaseException
    place: Place | None = None

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place is not None else ""
        return f"{self.address}{where}: {describe(self.error)}"


def bullets(failures: Iterable[NodeFailure]) -> list[str]:
    """Return *failures* as the lines of a list."""
    return ["  " + str(failure).replace("\n", "\n    ") for failure in failures]


@dataclass(eq=False)
class StartError(EngineError):
    """Raised when a stack did not start; nothing of it runs any more.

    Attributes:
        failures: Every node that failed to start, in start order.
        stop_failures: Every started node that then did not stop as it should.
    """

    failures: tuple[NodeFailure, ...]
    stop_failures: tuple[NodeFailure, ...] = ()

    def __str__(self) -> str:
        failed = f"{counted(len(self.failures), 'node')} failed" if self.failures else ""
        lines = [f"the stack did not start: {failed or 'it was killed'}", *bullets(self.failures)]
        if self.stop_failures:
            lines += ["while stopping what had started:", *bullets(self.stop_failures)]
        return "\n".join(lines)


@dataclass(eq=False)
class StopError(EngineError):
    """Raised when a stack stopped, but some of its nodes not as they should.

    Attributes:
        failures: What was wrong of each, in the order in which they ended; some ended repeatedly.
    """

    failures: tuple[NodeFailure, ...]

    def __str__(self) -> str:
        nodes = counted(len({failure.address for failure in self.failures}), "node")
        return "\n".join([f"the stack stopped with errors in {nodes}", *bullets(self.failures)])


# --- one node ----------------------------------------------------------------------------------


class NodeError(EngineError):
    """Base of what goes wrong in one node by the engine's own judgement."""


@dataclass(eq=False)
class ConfigRejectedError(NodeError):
    """Raised when a config class rejects a provider's config.

    The rejected values are never part of the text: they can be secrets.

    Attributes:
        provider_type: The provider's type.
        problems: One line each, such as ``url: field required``.
    """

    provider_type: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.provider_type!r} rejects its config", *self.problems])


class EntryPointError(NodeError):
    """Raised when a provider module cannot be imported or lacks its entry point."""


@dataclass(eq=False)
class DeadlineError(NodeError):
    """Raised when a node's start or stop takes longer than it may.

    Attributes:
        action: What overran: ``start``, ``stop``, ``end`` or ``bind``, or ``take its new config``.
        seconds: How long it may take.
        abandoned: Whether it also ignored being cancelled, and was left behind.
        blocking: Whether it held the event loop meanwhile, so that nobody could end it.
    """

    action: str
    seconds: float
    abandoned: bool = False
    blocking: bool = False

    def __str__(self) -> str:
        text = f"did not {self.action} within {self.seconds:g} s"
        if self.blocking:
            return f"{text}: it held the event loop, so nothing else could run"
        return f"{text} and ignores being cancelled" if self.abandoned else text


class BackgroundError(NodeError):
    """Raised when a provider's background work ends a node that should go on running."""


class KilledError(NodeError):
    """Raised when a node's stop was cut short because the whole stack had to go at once."""


@dataclass(eq=False)
class ComplianceError(NodeError):
    """Raised when an instance does not implement the API that it is configured for.

    Attributes:
        provider: The node's address.
        api: The API.
        problems: Every problem, one line each, such as ``embeddings: missing``.
    """

    provider: Address
    api: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{str(self.provider)!r} does not implement the API {self.api!r}"
        return "\n".join([head, *self.problems])


# --- asking a stack ----------------------------------------------------------------------------


@dataclass(eq=False)
class NotServedError(EngineError, LookupError):
    """Raised when a stack is asked for an API or a node that it does not have.

    Attributes:
        key: What was asked for.
        served: What there is, sorted.
    """

    key: str
    served: tuple[str, ...]

    def __str__(self) -> str:
        return unknown(f"{self.key!r} is not served", "served", self.key, self.served)


class NotRunningError(EngineError, LookupError):
    """Raised when a stack is asked for a node that does not run."""


@dataclass(eq=False)
class RestartingError(NotRunningError):
    """Raised when a stack is asked for a node that is being started again.

    Attributes:
        node: The node.
        retry_after: Seconds after which it is worth another try.
    """

    node: str
    retry_after: float = 1.0

    def __str__(self) -> str:
        return f"'{self.node}' is being restarted; retry after {duration(self.retry_after)}"


@dataclass(eq=False)
class MissingPackageError(EngineError, ImportError):
    """Raised when a distribution that a provider imports is not installed.

    Attributes:
        extra: The extra that installs it, such as ``faiss`` or ``rungraph[faiss]``; empty when
            there is none.
        package: The distribution, such as ``faiss-cpu``.

    Examples:
        >>> print(MissingPackageError("faiss", "faiss-cpu"))
        'faiss-cpu' is not installed
        help: pip install "rungraph[faiss]"
    """

    extra: str
    package: str

    def __str__(self) -> str:
        command = install_command(self.extra, self.package)
        return f"{self.package!r} is not installed\nhelp: {command}"


class KeyRefusedError(EngineError, PermissionError):
    """Raised when a server refuses the key that a provider is configured with.

    The caller of the provider is not at fault.
    """


class RateLimitError(EngineError, ConnectionError):
    """Raised when a server takes no more requests for now.

    Attributes:
        retry_after: Seconds after which it is worth another try; None if the server does not say.
    """

    retry_after: float | None = None


def install_command(extra: str, *packages: str) -> str:
    """Return the command that installs *extra* or, when there is none, *packages*.

    Examples:
        >>> install_command("faiss")
        'pip install "rungraph[faiss]"'
        >>> install_command("", "faiss-cpu>=1.10", "numpy")
        'pip install "faiss-cpu>=1.10" numpy'
    """
    if extra:
        return f'pip install "{extra if "[" in extra else f"rungraph[{extra}]"}"'
    quoted = (
        name if name.replace("-", "").replace("_", "").isalnum() else f'"{name}"'
        for name in packages
    )
    return "pip install " + " ".join(quoted)


@dataclass(eq=False)
class LoopError(EngineError):
    """Raised when a stack would call itself, through others that stand behind it."""

    def __str__(self) -> str:
        return "this stack is behind itself: a call would never end"


# --- routing -----------------------------------------------------------------------------------


class RoutingError(EngineError, ValueError):
    """Base of the reasons for which a call cannot be routed."""


@dataclass(eq=False)
class UnknownResourceError(RoutingError):
    """Raised when no provider serves a resource of this name.

    Attributes:
        resource: What it would be: ``model``, ``shield``, ``memory bank``.
        identifier: The name that was asked for.
        known: The names that are there, sorted.
        told: What another stack says of it, which serves it no more.
    """

    resource: str
    identifier: str
    known: tuple[str, ...]
    told: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        text = f"{self.resource} {self.identifier!r} is not registered"
        return self.told or unknown(text, "registered", self.identifier, self.known)


@dataclass(eq=False)
class UnavailableResourceError(UnknownResourceError):
    """Raised when a resource is known but cannot be requested now.

    Attributes:
        reason: Why, such as ``is on 'foo', which failed``.
        retry_after: Seconds after which it is worth another try; None where nobody knows.
        provider_id: The provider that has it; empty where that is not said.
    """

    reason: str
    retry_after: float | None = None
    provider_id: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        return f"{self.resource} {self.identifier!r} {self.reason}"


@dataclass(eq=False)
class AmbiguousResourceError(RoutingError):
    """Raised when several providers serve a resource of this name.

    Attributes:
        resource: What it is: ``model``, ``shield``, ``memory bank``.
        identifier: The name that was asked for.
        choices: The names that are not ambiguous, sorted, such as ``foo/small``.
    """

    resource: str
    identifier: str
    choices: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.resource} {self.identifier!r} is served by {len(self.choices)} providers\n"
            f"help: ask for one of them: {', '.join(map(repr, self.choices))}"
        )
