"""The checks of level ``health``: which remote providers' servers answer. Starts no provider."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.engine.preflight.endpoints import Endpoint, Unusable, endpoints_of
from rungraph.engine.preflight.quiet_imports import QuietImports
from rungraph.engine.preflight.reachability import Answer, reach
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

DEFAULT_TIMEOUT = 5.0
"""Seconds that one server may take to answer."""


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What one server of a remote provider has answered.

    Attributes:
        address: The provider.
        url: Where it was asked, without user, password and query.
        said: What it answered, such as ``HTTP 401``; empty when it did not.
        seconds: How long that took.
        reason: Why it did not answer; empty when it did.
    """

    address: Address
    url: str
    said: str
    seconds: float
    reason: str

    @property
    def is_there(self) -> bool:
        """Whether it answered."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What asking the remote providers of one graph came to.

    Attributes:
        answers: One for each server that was asked, by provider.
        diagnostics: What is wrong, and what could not be asked.
    """

    answers: tuple[RemoteAnswer, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def check_remotes(
    graphs: Sequence[RunGraph], *, timeout: float = DEFAULT_TIMEOUT
) -> tuple[HealthCheck, ...]:
    """Return what the servers of the remote providers of *graphs* answer, one value a graph.

    All servers are asked at the same time, each once, without credentials; see
    `rungraph.engine.preflight.reachability.reach`. No provider module is imported.

    Args:
        graphs: Compiled run configs.
        timeout: Seconds that each server may take.
    """
    with QuietImports() as quiet:
        remotes = [tuple(_remotes(graph, quiet)) for graph in graphs]
    endpoints = [
        endpoint
        for several in remotes
        for one in several
        for _, endpoint in one.found
        if isinstance(endpoint, Endpoint)
    ]
    answers = asyncio.run(reach(endpoints, timeout=timeout)) if endpoints else {}
    return tuple(
        _health_of(graph, several, answers) for graph, several in zip(graphs, remotes, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Remote:
    node: ProviderNode
    found: tuple[tuple[tuple[str | int, ...], Endpoint | Unusable], ...]


def _remotes(graph: RunGraph, quiet: QuietImports) -> Iterator[_Remote]:
    for node in graph.nodes.values():
        if isinstance(node, ProviderNode) and node.provider_type.startswith("remote::"):
            if node.spec is not None and node.spec.config_class:
                with suppress(Exception):  # Foreign code; the level import tells what is wrong.
                    quiet.load(node.spec.config_class.partition(":")[0])
            yield _Remote(node, endpoints_of(node))


def _health_of(
    graph: RunGraph, remotes: Sequence[_Remote], answers: dict[Endpoint, Answer]
) -> HealthCheck:
    answered: list[RemoteAnswer] = []
    problems: list[Diagnostic] = []
    if without := [remote.node for remote in remotes if not remote.found]:
        problems.append(_without_address(without))
    for remote in remotes:
        node = remote.node
        for keys, endpoint in remote.found:
            where = path_text(keys)
            if isinstance(endpoint, Unusable):
                message = f"'{node.address}' cannot be asked: '{where}': {endpoint.reason}"
                severity = Severity.ERROR if endpoint.is_wrong else Severity.NOTE
                code = "H006" if endpoint.is_wrong else "H007"
                problems.append(_at(graph, node, keys, code, message, severity))
                continue
            answer, shown = answers[endpoint], graph.scrubbed(str(endpoint))
            reason = graph.scrubbed(answer.reason)
            answered.append(RemoteAnswer(node.address, shown, answer.said, answer.seconds, reason))
            if reason:
                message = f"'{node.address}' gets no answer from {shown}: {reason}"
                problems.append(
                    _at(graph, node, keys, answer.code, message, Severity.ERROR, *answer.help)
                )
    return HealthCheck(tuple(answered), tuple(problems))


def _without_address(nodes: Sequence[ProviderNode]) -> Diagnostic:
    """Return one note on all providers that have no address: most know theirs by themselves."""
    first = nodes[0]
    one = len(nodes) == 1
    return Diagnostic(
        "H007",
        f"'{first.address}' has no address in its config, not checked"
        if one
        else f"{len(nodes)} remote providers have no address in their configs, not checked",
        Severity.NOTE,
        first.place,
        address=first.address,
        path=path_text(first.path),
        detail="" if one else "\n".join(str(node.address) for node in nodes),
    )


def _at(
    graph: RunGraph,
    node: ProviderNode,
    keys: tuple[str | int, ...],
    code: str,
    message: str,
    severity: Severity,
    *ways_out: str,
) -> Diagnostic:
    return Diagnostic(
        code,
        message,
        severity,
        graph.place_of_config(node.address, keys),
        ways_out,
        node.address,
        path_text((*node.path, "config", *keys)),
    )
