"""The checks of level ``health``: which remote providers' servers answer. Starts no provider."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.engine.module_files import importable
from rungraph.engine.preflight.diagnostics import at_config, at_provider
from rungraph.engine.preflight.endpoints import Endpoint, Found, Unusable, endpoints_of
from rungraph.engine.preflight.importing import QuietImports
from rungraph.engine.preflight.reachability import Answer, reach
from rungraph.graph.address import Address
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import did_you_mean
from rungraph.graph.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rungraph.graph.model import RunGraph

DEFAULT_TIMEOUT = 5.0
"""Seconds that one server may take to answer."""


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What one server of a remote provider answers.

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
    """What the servers of one graph's remote providers answer.

    Attributes:
        answers: One for each server that was asked, by provider.
        diagnostics: What is wrong, and what could not be asked.
        unseen: The names of the checks that have not seen all that they are about.
    """

    answers: tuple[RemoteAnswer, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    unseen: frozenset[str] = frozenset()


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
        remotes = [_remotes(graph, quiet) for graph in graphs]
    endpoints = [
        endpoint
        for found_by_node in remotes
        for _, found in found_by_node
        for _, endpoint in found
        if isinstance(endpoint, Endpoint)
    ]
    answers = asyncio.run(reach(endpoints, timeout=timeout)) if endpoints else {}
    return tuple(_health_of(*one, answers) for one in zip(graphs, remotes, strict=True))


_NOT_FOUND = frozenset({"HTTP 404", "HTTP 405", "HTTP 410"})
_WANTS_KEY = frozenset({"HTTP 401", "HTTP 403"})
_Remotes = list[tuple[ProviderNode, tuple[Found, ...]]]


def _remotes(graph: RunGraph, quiet: QuietImports) -> _Remotes:
    remotes: _Remotes = []
    for node in graph.nodes.values():
        if not isinstance(node, ProviderNode) or "config" in node.unread:
            continue
        if node.provider_type.partition("::")[0] == "remote":
            if node.spec is not None and node.spec.config_class:
                # Foreign code; the level import reports what is wrong.
                with suppress(Exception, SystemExit):
                    quiet.load(importable(node.spec.config_class, node).partition(":")[0])
            remotes.append((node, endpoints_of(node)))
    return remotes


def _health_of(
    graph: RunGraph, remotes: _Remotes, answers: Mapping[Endpoint, Answer]
) -> HealthCheck:
    answered: list[RemoteAnswer] = []
    problems: list[Diagnostic] = []
    unseen: set[str] = set()
    if without := [node for node, found in remotes if not found]:
        problems.append(_without_address(without))
        unseen.add("remotes-reachable")
    for node, found in remotes:
        for keys, endpoint in found:
            if isinstance(endpoint, Unusable):
                unseen.add("remotes-reachable")
                code, severity = (
                    ("H006", Severity.ERROR) if endpoint.is_wrong else ("H007", Severity.NOTE)
                )
                why = f"'{path_text(keys)}': {endpoint.reason}"
                message = f"'{node.address}' cannot be asked: {why}"
                problems.append(at_config(graph, node, keys, code, message, severity=severity))
                continue
            answer, url = answers[endpoint], graph.scrubbed(str(endpoint))
            reason = graph.scrubbed(answer.reason)
            answered.append(RemoteAnswer(node.address, url, answer.said, answer.seconds, reason))
            if wrong := _is_other_server(endpoint, answer):
                message = f"'{node.address}' {wrong} {url}: {answer.said}"
                way_out = f"check '{path_text(keys)}': a {node.provider_type} server answers there"
                problems.append(at_config(graph, node, keys, "H008", message, way_out))
            if reason:
                message = f"'{node.address}' gets no answer from {url}: {reason}"
                problems.append(at_config(graph, node, keys, answer.code, message, *answer.help))
        problems += _resources_on(graph, node, found, answers, unseen)
    return HealthCheck(tuple(answered), tuple(problems), frozenset(unseen))


def _is_other_server(endpoint: Endpoint, answer: Answer) -> str:
    """Return how what answers shows that it is no server of the provider's type; empty if not."""
    if not endpoint.is_probe:
        return ""
    if answer.said in _NOT_FOUND:
        return "finds nothing at"
    if answer.said.startswith("HTTP 3"):
        return "is sent elsewhere from"
    if endpoint.served_names and answer.said == "HTTP 200" and answer.served is None:
        return "does not understand what answers at"
    return ""


def _resources_on(
    graph: RunGraph,
    node: ProviderNode,
    found: Sequence[Found],
    answers: Mapping[Endpoint, Answer],
    unseen: set[str],
) -> Iterator[Diagnostic]:
    """Yield which resources that the config places on *node* its servers do not have."""
    spec, pair = node.spec, graph.catalog.pair_of_router(node.api)
    table = graph.nodes.get(Address.table(pair.table_api)) if pair else None
    if spec is None or not isinstance(table, TableNode):
        return
    key, _, value = spec.fetches_if.partition("=")
    placed = [
        one
        for one in table.resources
        if one.provider_id == node.provider_id and not has_placeholder(one.native_id)
    ]
    if not placed or (key and node.config.get(key) == value):
        return
    noun = table.pair.noun
    asked = [
        (keys, answers[one])
        for keys, one in found
        if isinstance(one, Endpoint) and one.served_names
    ]
    for keys, answer in asked:
        if answer.said in _WANTS_KEY:
            what = counted(len(placed), noun)
            message = f"'{node.address}' is not asked for its {what}: no key is sent"
            yield at_config(graph, node, keys, "H007", message, severity=Severity.NOTE)
    served: set[str] = set()
    for _, answer in asked:
        names = answer.served or ()
        served |= {*names, *(one.removesuffix(spec.implied_suffix) for one in names)}
    if not asked or any(answer.served is None for _, answer in asked):
        unseen.add("resources-served")
        return
    for one in placed:
        if one.native_id not in served:
            message = f"{noun} '{one.native_id}' is not on the server of '{node.address}'"
            ways_out = (did_you_mean(one.native_id, served) or _there_is(served),)
            yield Diagnostic(
                "H009",
                message,
                place=one.place,
                help=ways_out,
                address=table.address,
                path=path_text(one.path),
            )


def _there_is(names: Collection[str]) -> str:
    return f"there is: {listed(sorted(names))}" if names else "the server has none"


def _without_address(nodes: Sequence[ProviderNode]) -> Diagnostic:
    """Return one note on all providers without an address; most have one built in."""
    first, *others = nodes
    message, detail = f"'{first.address}' has no address in its config, not checked", ""
    if others:
        count = counted(len(nodes), "remote provider")
        message = f"{count} have no address in their configs, not checked"
        detail = "\n".join(str(node.address) for node in nodes)
    return at_provider(first, "H007", message, severity=Severity.NOTE, detail=detail)
