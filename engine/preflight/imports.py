"""The checks of level ``import``: modules, packages and config classes; starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from rungraph.engine.errors import install_command
from rungraph.engine.preflight.configs import read_config, texts_in
from rungraph.engine.preflight.diagnostics import at_config, at_provider
from rungraph.engine.preflight.importing import Importing, QuietImports
from rungraph.engine.preflight.requirements import Unmet, unmet
from rungraph.engine.routing.resources import ResourceType
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.source.positions import path_text
from rungraph.graph.wording import counted, first_lines, joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from rungraph.graph.catalog.specs import ProviderSpec
    from rungraph.graph.model import RunGraph

_MODULE_HELP = "check the name, or install the package that has it where rungraph runs"
_MOST_NAMED = 8


def check_imports(graph: RunGraph, *, quietly: bool = False) -> tuple[Diagnostic, ...]:
    """Return every problem of importing what *graph* is made of.

    The modules of config classes, of APIs and of resource types are imported; a provider's module
    is only looked for. No config value is part of any diagnostic, and a value that depends on a
    variable that is not set is not judged. What many providers lack is reported once.

    Args:
        graph: A compiled run config.
        quietly: Do not run the packages around those modules either, unless a module needs them
            (see `QuietImports`): for a check that nothing follows. Not while other threads import.
    """
    with QuietImports() if quietly else nullcontext() as quiet:
        return tuple(_merged(_Check(graph, Importing(quiet)).problems()))


@dataclass
class _AbsentPackage:
    """What comes from a package that is not installed."""

    providers: list[ProviderNode] = field(default_factory=list[ProviderNode])
    references: dict[str, str] = field(default_factory=dict[str, str])
    """What each other import is for, and what it names."""


class _Check:
    """One check of one graph; what it finds is kept for as long as the check lasts."""

    def __init__(self, graph: RunGraph, importing: Importing) -> None:
        self._graph = graph
        self._importing = importing
        self._unmet = cache(unmet)
        self._absent: dict[str, _AbsentPackage] = {}
        self._unread: list[ProviderNode] = []

    def problems(self) -> Iterator[Diagnostic]:
        for api in self._graph.apis:
            yield from self._protocols(api)
        for node in self._graph.nodes.values():
            if isinstance(node, ProviderNode) and node.spec is not None:
                yield from self._provider(node, node.spec)
            elif isinstance(node, TableNode) and node.resources:
                yield from self._resources(node)
        for package, absent in self._absent.items():
            yield from self._absent_package(package, absent)
        if self._unread:
            yield self._unchecked()

    def _protocols(self, api: str) -> Iterator[Diagnostic]:
        spec = self._graph.catalog.apis.get(api)
        for name in (spec.protocol, spec.private_protocol) if spec is not None else ():
            if name:
                yield from self._reference(f"the Protocol of the API '{api}'", name)

    def _reference(self, purpose: str, name: str) -> Iterator[Diagnostic]:
        """Yield why *name* cannot be imported; an absent package is only noted for later."""
        if package := self._importing.absent_package(name):
            self._absent.setdefault(package, _AbsentPackage()).references[purpose] = name
        elif wrong := self._importing.wrong_import(name):
            yield Diagnostic("I001", f"{purpose} {wrong}")

    def _provider(self, node: ProviderNode, spec: ProviderSpec) -> Iterator[Diagnostic]:
        lacking = self._lacking([node])
        package = self._importing.absent_package(spec.module)
        if package and canonicalize_name(package) not in {
            canonicalize_name(one.name) for one in lacking
        }:
            self._absent.setdefault(package, _AbsentPackage()).providers.append(node)
            if spec.config_class:
                self._unread.append(node)
            return
        if lacking:
            command = install_command(spec.extra, *(one.requirement for one in lacking))
            message = f"'{node.provider_type}' needs {_lacking_text(lacking)}"
            yield at_provider(node, "I002", message, command)
        is_whole = all(one.installed for one in lacking)
        wrong = self._importing.wrong_module(spec.module)
        if wrong and is_whole:
            message = f"the module of '{node.provider_type}' {wrong}"
            yield at_provider(node, "I001", message, _MODULE_HELP)
        wrong = self._importing.wrong_import(spec.config_class) if spec.config_class else ""
        if not wrong:
            yield from self._config(node)
            return
        self._unread.append(node)
        if is_whole:
            message = f"the config class of '{node.provider_type}' {wrong}"
            yield at_provider(node, "I001", message, _MODULE_HELP)

    def _resources(self, node: TableNode) -> Iterator[Diagnostic]:
        name = node.pair.resource_type
        if not name:
            return
        yield from self._reference(f"the resource type of '{node.api}'", name)
        if self._importing.absent_package(name) or self._importing.wrong_import(name):
            return
        kind = ResourceType(node.pair, resolve_name(name))
        noun = node.pair.noun
        for resource in node.resources:
            for problem in kind.problems_of(resource):
                message = f"{noun} '{resource.identifier}' is not valid: {problem}"
                yield Diagnostic("I004", message, place=resource.place)

    def _config(self, node: ProviderNode) -> Iterator[Diagnostic]:
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

    # --- what many have in common --------------------------------------------------------------

    def _absent_package(self, package: str, absent: _AbsentPackage) -> Iterator[Diagnostic]:
        """Yield that *package* is not installed, once for all that comes from it."""
        first = absent.providers[0] if absent.providers else None
        message, detail = self._absence_text(package, absent)
        way_out = _way_out(package, first)
        if first is None:
            yield Diagnostic("I001", message, help=(way_out,), detail=detail)
            return
        yield at_provider(first, "I001", message, way_out, detail=detail)
        if lacking := sorted(self._lacking(absent.providers)):
            yield at_provider(
                first,
                "I002",
                f"what comes from '{package}' needs {_lacking_text(lacking)}",
                install_command("", *sorted({one.requirement for one in lacking})),
            )

    def _absence_text(self, package: str, absent: _AbsentPackage) -> tuple[str, str]:
        """Return the message and the detail for a package that is not installed."""
        nodes, references = absent.providers, absent.references
        if len(nodes) + len(references) > 1:
            counts = [counted(len(nodes), "provider")] if nodes else []
            if references:
                counts.append(f"{counted(len(references), 'type')} of APIs")
            message = f"'{package}' is not installed here; {joined(counts)} come from it"
            names = [*(node.address for node in nodes), *references]
            return message, "\n".join(first_lines(names, _MOST_NAMED))
        for purpose, name in references.items():
            return f"{purpose} {self._importing.wrong_import(name)}", ""
        [node] = nodes
        wrong = self._importing.wrong_module(node.spec.module) if node.spec else ""
        return f"the module of '{node.provider_type}' {wrong}", ""

    def _unchecked(self) -> Diagnostic:
        first, *others = self._unread
        message = f"the config of '{first.address}' is not checked: its class cannot be imported"
        detail = ""
        if others:
            count = counted(len(self._unread), "config")
            message = f"{count} are not checked: their classes cannot be imported"
            # Those whose whole package is absent are listed with it.
            listed = [node for absent in self._absent.values() for node in absent.providers]
            unlisted = [node.address for node in self._unread if node not in listed]
            detail = "\n".join(first_lines(unlisted, _MOST_NAMED))
        return at_provider(first, "I006", message, severity=Severity.NOTE, detail=detail)

    def _lacking(self, nodes: Iterable[ProviderNode]) -> tuple[Unmet, ...]:
        specs = [node.spec for node in nodes if node.spec is not None]
        packages = [package for spec in specs for package in spec.packages]
        return tuple(dict.fromkeys(one for package in packages for one in self._unmet(package)))


def _merged(problems: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield *problems*; what is the same at several providers comes once, with all places."""
    kept: dict[object, Diagnostic] = {}
    for number, one in enumerate(problems):
        is_shared = one.code in ("I001", "I002")
        key = (one.code, one.message, one.help) if is_shared else number
        first = kept.get(key)
        if first is None:
            kept[key] = one
        elif one.place is not None and len(first.related) < _MOST_NAMED:
            related = (*first.related, (one.place, f"the same for '{one.address}'"))
            kept[key] = replace(first, related=related)
    yield from kept.values()


def _is_open(config: Any, path: Sequence[str | int]) -> bool:
    """Whether the value at *path* depends on a variable that is not set."""
    for key in path:
        if isinstance(config, Mapping):
            config = config.get(key)
        elif isinstance(config, list | tuple):
            config = config[int(key)]
    return any(map(has_placeholder, texts_in(config)))


def _way_out(package: str, node: ProviderNode | None) -> str:
    origin = node.spec.origin if node is not None and node.spec else ""
    # Only a distribution that is called like its package is sure to be the right one.
    is_sure = canonicalize_name(origin) == canonicalize_name(package)
    return install_command("", origin) if is_sure else _MODULE_HELP


def _lacking_text(lacking: Collection[Unmet]) -> str:
    """Return what is lacking, such as ``the package 'x', not installed here``."""
    absent = [f"'{one.name}'" for one in lacking if not one.installed]
    noun = "packages" if len(absent) > 1 else "package"
    clauses = [f"the {noun} {joined(absent)}, not installed here"] if absent else []
    clauses += [
        f"'{one.requirement}', of which {one.installed} is installed"
        for one in lacking
        if one.installed
    ]
    return "; and ".join(clauses)
