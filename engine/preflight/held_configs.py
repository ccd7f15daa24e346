"""Holds configs and resources against the classes that read them."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from rungraph.engine.module_files import importable
from rungraph.engine.preflight.configs import read_config, texts_in
from rungraph.engine.preflight.diagnostics import at_config, at_provider
from rungraph.engine.preflight.importing import Importing, QuietImports
from rungraph.graph.catalog.discovery import discover_catalog
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.source.positions import path_text, value_at
from rungraph.graph.wording import counted, first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.catalog.specs import Catalog, RoutedPair
    from rungraph.graph.model import RunGraph

MOST_NAMED = 8


def check_installed(graph: RunGraph) -> tuple[Diagnostic, ...]:
    """Return what the types that installed catalogs offer say of their configs and resources.

    Nothing else is imported: no module that the config names, no package around one, and nothing
    that a catalog file names. So a stranger's config can be checked, and none of its code runs.
    """
    with QuietImports() as quiet:
        return tuple(_InstalledCheck(graph, Importing(quiet)).problems(discover_catalog()))


def configs_of_others(graph: RunGraph) -> tuple[Address, ...]:
    """Return the providers with configs that `check_installed` leaves, of types of others."""
    offered = discover_catalog()
    return tuple(
        node.address
        for node in graph.nodes.values()
        if isinstance(node, ProviderNode) and node.written and not _is_installed(node, offered)
    )


def configs_unread(graph: RunGraph, *, of_others: bool) -> tuple[Address, ...]:
    """Return all providers that the note I006 of *graph* is about; the note names a few of them.

    Args:
        graph: A graph with what `check_installed` or `check_imports` found.
        of_others: Whether types of others were looked at, too; if not, nothing of theirs is now.
    """
    if all(one.code != "I006" for one in graph.diagnostics):
        return ()
    offered = discover_catalog()
    with QuietImports() as quiet:
        check = ConfigCheck(graph, Importing(quiet))
        return tuple(
            node.address
            for node in graph.nodes.values()
            if isinstance(node, ProviderNode)
            and (of_others or _is_installed(node, offered))
            and check.is_unread(node)
        )


def checks_unseeing(graph: RunGraph, *, of_others: bool) -> Iterator[str]:
    """Yield the checks that have no class for what they are about; see `configs_unread`."""
    if _has_resources_unread(graph, of_others=of_others):
        yield "resources-accepted"
    configured = [one for one in graph.nodes.values() if getattr(one, "written", None)]
    if configured and not of_others and len(configs_of_others(graph)) == len(configured):
        yield "configs-accepted"


def _has_resources_unread(graph: RunGraph, *, of_others: bool) -> bool:
    tables = [one for one in graph.nodes.values() if isinstance(one, TableNode) and one.resources]
    offered = discover_catalog().pairs if tables else ()
    with QuietImports() as quiet:
        check = ConfigCheck(graph, Importing(quiet))
        return any(
            check.is_type_unread(one.pair)
            or (one.pair not in offered and not (of_others and one.pair.resource_type))
            for one in tables
        )


def _is_installed(node: ProviderNode, offered: Catalog) -> bool:
    """Return whether the type of *node* is one that *offered* has, and just as it is there."""
    spec = node.spec
    return spec is not None and offered.providers.get((node.api, node.provider_type)) == spec


class ConfigCheck:
    """One check of one graph; what it finds is kept for as long as the check lasts."""

    def __init__(self, graph: RunGraph, importing: Importing) -> None:
        self._graph = graph
        self._importing = importing
        self._unread: list[ProviderNode] = []

    def _can_be_imported(self, reference: str, node: ProviderNode | None = None) -> bool:
        name = importable(reference, node) if node is not None else reference
        return not (self._importing.absent_package(name) or self._importing.wrong_import(name))

    def is_unread(self, node: ProviderNode) -> bool:
        """Return whether the config class of *node* cannot be imported."""
        name = node.spec.config_class if node.spec else ""
        return bool(name) and not self._can_be_imported(name, node)

    def is_type_unread(self, pair: RoutedPair) -> bool:
        """Return whether the resource type of *pair* cannot be imported."""
        return bool(pair.resource_type) and not self._can_be_imported(pair.resource_type)

    def _resources_of(self, node: TableNode) -> Iterator[Diagnostic]:
        name = node.pair.resource_type
        if not name or self.is_type_unread(node.pair):
            return
        # Most configs register nothing.
        from rungraph.engine.routing.resources import ResourceType

        kind = ResourceType(node.pair, resolve_name(name))
        noun = node.pair.noun
        for resource in node.resources:
            for problem in kind.problems_of(resource):
                message = f"{noun} '{resource.identifier}' is not valid: {problem}"
                yield Diagnostic("I004", message, place=resource.place)

    def _config_of(self, node: ProviderNode) -> Iterator[Diagnostic]:
        if node.spec is None or not node.spec.config_class or "config" in node.unread:
            return  # It is taken as it is.
        read = read_config(node, environment_text=self._graph.environment_text)
        rejects, ignores = "rejects its config", "does not know all its config"
        renames = "has its own name for a key"
        found = [
            ("I003", rejects, Severity.ERROR, one)
            for one in read.problems
            if not (one.is_of_value and _is_open(node.config, one.path))
        ]
        found += [("I005", ignores, Severity.WARNING, one) for one in read.unknown]
        found += [("I007", renames, Severity.NOTE, one) for one in read.renamed]
        for code, verb, severity, problem in found:
            text = self._graph.scrubbed(problem.message)
            where = f"'{path_text(problem.path)}': {text}" if problem.path else text
            message = f"'{node.provider_type}' {verb}: {where}"
            ways_out = (problem.help,) if problem.help else ()
            yield at_config(
                self._graph, node, problem.path, code, message, *ways_out, severity=severity
            )

    def _unchecked(self, apart: Sequence[ProviderNode], *ways_out: str) -> Diagnostic:
        """Return that configs were not read; those *apart* are not listed elsewhere."""
        first, *others = self._unread
        message = f"the config of '{first.address}' is not checked: its class cannot be imported"
        detail = ""
        if others:
            count = counted(len(self._unread), "config")
            message = f"{count} are not checked: their classes cannot be imported"
            detail = "\n".join(first_lines([node.address for node in apart], MOST_NAMED))
        return at_provider(first, "I006", message, *ways_out, severity=Severity.NOTE, detail=detail)


class _InstalledCheck(ConfigCheck):
    """The check of what installed catalogs offer."""

    def problems(self, offered: Catalog) -> Iterator[Diagnostic]:
        for node in self._graph.nodes.values():
            if isinstance(node, TableNode):
                if node.resources and node.pair in offered.pairs:
                    yield from self._resources_of(node)
            elif isinstance(node, ProviderNode) and node.spec and _is_installed(node, offered):
                if self.is_unread(node):
                    self._unread.append(node)
                else:
                    yield from self._config_of(node)
        if self._unread:
            yield self._unchecked(self._unread, "rungraph validate --level import says why")


def _is_open(config: Any, path: Sequence[str | int]) -> bool:
    """Whether the value at *path* depends on a variable that is not set."""
    return any(map(has_placeholder, texts_in(value_at(config, path))))
