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
        ├── MissingPackageError      a distribution that is not installed
        ├── RecordingError           a file that holds no recording of events
        ├── RecordedError            an error of an earlier run, read from its recording
        └── RoutingError             a call cannot be routed; also a ValueError
            ├── UnknownResourceError
            └── AmbiguousResourceError
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from rungraph.graph.errors import RungraphError
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.place import Place

_MOST_LISTED = 20


class EngineError(RungraphError):
    """Base of every error that running a graph raises on purpose."""


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


def describe(error: BaseException) -> str:
    """Return *error* in words: an own error's text as it is, another's behind its type.

    Examples:
        >>> describe(ConnectionError("connection refused"))
        'ConnectionError: connection refused'
        >>> describe(EngineError("no such thing"))
        'no such thing'
    """
    text = str(error)
    name = type(error).__name__
    if isinstance(error, RungraphError) and text:
        return text
    if isinstance(error, BaseExceptionGroup):
        parts = cast("BaseExceptionGroup[BaseException]", error).exceptions
        return f"{name}: " + "; ".join(map(describe, parts))
    return f"{name}: {text}" if text else name


class _FailuresError(EngineError):
    def __init__(self, failures: Iterable[NodeFailure], headline: str) -> None:
        self.failures = tuple(failures)
        super().__init__(self.failures)
        self._headline = headline

    def __str__(self) -> str:
        return "\n".join([self._headline, *_bullets(self.failures)])


def _bullets(failures: Iterable[NodeFailure]) -> list[str]:
    return ["  " + str(failure).replace("\n", "\n    ") for failure in failures]


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


class StartError(_FailuresError):
    """Raised when a stack did not start; nothing of it runs any more.

    Attributes:
        failures: Every node that failed to start, in start order.
        stop_failures: Every started node that then did not stop as it should.
    """

    def __init__(
        self, failures: Iterable[NodeFailure], stop_failures: Iterable[NodeFailure] = ()
    ) -> None:
        culprits = tuple(failures)
        what = f"{_nodes(len(culprits))} failed" if culprits else "it was killed"
        super().__init__(culprits, f"the stack did not start: {what}")
        self.stop_failures = tuple(stop_failures)

    def __str__(self) -> str:
        lines = [super().__str__()]
        if self.stop_failures:
            lines.append("while stopping what had started:")
            lines += _bullets(self.stop_failures)
        return "\n".join(lines)


class StopError(_FailuresError):
    """Raised when a stack stopped, but some of its nodes not as they should.

    Attributes:
        failures: Every such node, once, in the order in which they ended.
    """

    def __init__(self, failures: Iterable[NodeFailure]) -> None:
        culprits = tuple(failures)
        super().__init__(culprits, f"the stack stopped with errors in {_nodes(len(culprits))}")


# --- one node ----------------------------------------------------------------------------------


class NodeError(EngineError):
    """Base of what goes wrong in one node by the engine's own judgement."""


class ConfigRejectedError(NodeError):
    """Raised when a config class rejects a provider's config.

    The rejected values are never part of the text: they can be secrets.

    Attributes:
        problems: One line each, such as ``url: field required``.
    """

    def __init__(self, provider_type: str, problems: Sequence[str]) -> None:
        super().__init__(provider_type, tuple(problems))
        self.provider_type = provider_type
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([f"{self.provider_type!r} rejects its config", *self.problems])


class EntryPointError(NodeError):
    """Raised when a provider module cannot be imported or lacks its entry point."""


class DeadlineError(NodeError):
    """Raised when a node's start or stop takes longer than it may.

    Attributes:
        action: What overran: ``start``, ``stop`` or ``bind``.
        seconds: How long it may take.
        abandoned: Whether it also ignored being cancelled, and was left behind.
    """

    def __init__(self, action: str, seconds: float, *, abandoned: bool = False) -> None:
        super().__init__(action, seconds, abandoned)
        self.action = action
        self.seconds = seconds
        self.abandoned = abandoned

    def __str__(self) -> str:
        text = f"did not {self.action} within {self.seconds:g} s"
        return f"{text} and ignores being cancelled" if self.abandoned else text


class BackgroundError(NodeError):
    """Raised when a provider's background work ends a node that should go on running."""


class KilledError(NodeError):
    """Raised when a node's stop was cut short because the whole stack had to go at once."""


class ComplianceError(NodeError):
    """Raised when an instance does not implement the API that it is configured for.

    Attributes:
        provider: The node's address.
        api: The API.
        problems: Every problem, one line each, such as ``embeddings: missing``.
    """

    def __init__(self, provider: Address, api: str, problems: Iterable[str]) -> None:
        lines = tuple(problems)
        super().__init__(provider, api, lines)
        self.provider = provider
        self.api = api
        self.problems = lines

    def __str__(self) -> str:
        head = f"{str(self.provider)!r} does not implement the API {self.api!r}"
        return "\n".join([head, *self.problems])


# --- asking a stack ----------------------------------------------------------------------------


class NotServedError(EngineError, LookupError):
    """Raised when a stack is asked for an API or a node that it does not have.

    Attributes:
        key: What was asked for.
        served: What there is, sorted.
    """

    def __init__(self, key: str, served: Iterable[str]) -> None:
        self.key = key
        self.served = tuple(sorted(served))
        super().__init__(key, self.served)

    def __str__(self) -> str:
        return _unknown(f"{self.key!r} is not served", "served", self.key, self.served)


class NotRunningError(EngineError, LookupError):
    """Raised when a stack is asked for a node that does not run."""


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

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(extra, package)
        self.extra = extra
        self.package = package

    def __str__(self) -> str:
        return (
            f"{self.package!r} is not installed\nhelp: {install_command(self.extra, self.package)}"
        )


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
    words = (
        name if name.replace("-", "").replace("_", "").isalnum() else f'"{name}"'
        for name in packages
    )
    return "pip install " + " ".join(words)


# --- recordings --------------------------------------------------------------------------------


class RecordingError(EngineError):
    """Raised when a file holds no recording of events, or one that cannot be read.

    Attributes:
        file: The file.
        line: The line, counted from 1; None when it is about the whole file.
        problem: What is wrong there.

    Examples:
        >>> print(RecordingError("run.jsonl", 3, "not a JSON object"))
        run.jsonl:3: not a JSON object
        help: write one with 'rungraph run CONFIG --events FILE'
    """

    def __init__(self, file: str, line: int | None, problem: str) -> None:
        super().__init__(file, line, problem)
        self.file = file
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.problem}\nhelp: write one with 'rungraph run CONFIG --events FILE'"


class RecordedError(EngineError):
    """An error of an earlier run. Never raised: a recording's events hold it.

    Attributes:
        type_name: The name of the class that it was of.
        text: What it said.
    """

    def __init__(self, type_name: str, text: str) -> None:
        super().__init__(type_name, text)
        self.type_name = type_name
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordedError) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)

    def __str__(self) -> str:
        return self.text


# --- routing -----------------------------------------------------------------------------------


class RoutingError(EngineError, ValueError):
    """Base of the reasons for which a call cannot be routed."""


class UnknownResourceError(RoutingError):
    """Raised when no provider serves a resource of this name.

    Attributes:
        resource: What it would be: ``model``, ``shield``, ``memory_bank``.
        identifier: The name that was asked for.
        known: The names that are there, sorted.
    """

    def __init__(self, resource: str, identifier: str, known: Iterable[str] = ()) -> None:
        self.resource = resource
        self.identifier = identifier
        self.known = tuple(sorted(known))
        super().__init__(resource, identifier, self.known)

    def __str__(self) -> str:
        kind = self.resource.replace("_", " ")
        text = f"{kind} {self.identifier!r} is not registered"
        return _unknown(text, "registered", self.identifier, self.known)


class AmbiguousResourceError(RoutingError):
    """Raised when several providers serve a resource of this name.

    Attributes:
        resource: What it is: ``model``, ``shield``, ``memory_bank``.
        identifier: The name that was asked for.
        choices: The names that are not ambiguous, sorted, such as ``foo/small``.
    """

    def __init__(self, resource: str, identifier: str, choices: Iterable[str]) -> None:
        self.resource = resource
        self.identifier = identifier
        self.choices = tuple(sorted(choices))
        super().__init__(resource, identifier, self.choices)

    def __str__(self) -> str:
        kind = self.resource.replace("_", " ")
        return (
            f"{kind} {self.identifier!r} is served by {len(self.choices)} providers\n"
            f"help: ask for one of them: {', '.join(map(repr, self.choices))}"
        )


def _unknown(text: str, word: str, key: str, known: Sequence[str]) -> str:
    listed = ", ".join(map(repr, known[:_MOST_LISTED])) or "nothing"
    if len(known) > _MOST_LISTED:
        listed += f" and {len(known) - _MOST_LISTED} more"
    lines = [text, f"{word}: {listed}"]
    if question := did_you_mean(key, known):
        lines.append(f"help: {question}")
    return "\n".join(lines)
