"""The checks of level ``import``: modules, packages and config classes; starts nothing."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from rungraph.engine.configs import ConfigProblem, read_config
from rungraph.engine.errors import describe, install_command
from rungraph.engine.routing.resources import ResourceType
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.layout import path_text
from rungraph.graph.nodes import ProviderNode, TableNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.catalog import ProviderSpec
    from rungraph.graph.model import RunGraph

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*([^;]*)(;.*)?")
_MODULE_HELP = "check the name, or install the package that has it where rungraph runs"


def check_imports(graph: RunGraph) -> tuple[Diagnostic, ...]:
    """Return every problem of importing what *graph* is made of.

    The modules of config classes are imported, and so are the packages around a provider's module;
    the module itself is only looked for. No config value is part of any diagnostic.
    """
    return tuple(_Check(graph).problems())


class _Check:
    """One check of one graph; remembers what it has found as long as it lasts, not longer."""

    def __init__(self, graph: RunGraph) -> None:
        self._graph = graph
        self._missing_packages: dict[str, bool] = {}
        self._wrong_modules: dict[str, str] = {}
        self._wrong_imports: dict[str, str] = {}

    def problems(self) -> Iterator[Diagnostic]:
        for api in self._graph.apis:
            yield from self._protocols(api)
        for node in self._graph.nodes.values():
            if isinstance(node, ProviderNode) and node.spec is not None:
                yield from self._provider(node, node.spec)
            elif isinstance(node, TableNode) and node.resources:
                yield from self._resources(node)

    def _protocols(self, api: str) -> Iterator[Diagnostic]:
        spec = self._graph.catalog.apis.get(api)
        for name in (spec.protocol, spec.private_protocol) if spec is not None else ():
            if name and (wrong := self._wrong_import(name)):
                yield Diagnostic("I001", f"the Protocol of the API '{api}' {wrong}")

    def _provider(self, node: ProviderNode, spec: ProviderSpec) -> Iterator[Diagnostic]:
        missing = [package for package in spec.packages if self._is_missing(package)]
        if missing:
            names = " and ".join(f"'{_name_of(package)}'" for package in missing)
            what = "packages" if len(missing) > 1 else "package"
            yield self._at_provider(
                node,
                "I002",
                f"'{node.provider_type}' needs the {what} {names}, not installed here",
                install_command(spec.extra, *missing),
            )
        wrong = self._wrong_module(spec.module)
        if wrong and not missing:
            text = f"the module of '{node.provider_type}' {wrong}"
            yield self._at_provider(node, "I001", text, _MODULE_HELP)
        wrong = self._wrong_import(spec.config_class) if spec.config_class else ""
        if wrong and not missing:
            text = f"the config class of '{node.provider_type}' {wrong}"
            yield self._at_provider(node, "I001", text, _MODULE_HELP)
        if not wrong:
            yield from self._config(node)

    def _resources(self, node: TableNode) -> Iterator[Diagnostic]:
        wrong = self._wrong_import(node.pair.resource_type)
        if wrong:
            yield Diagnostic("I001", f"the resource type of '{node.api}' {wrong}")
            return
        kind = ResourceType(node.pair, resolve_name(node.pair.resource_type))
        noun = node.pair.resource.replace("_", " ")
        for resource in node.resources:
            for problem in kind.problems_of(resource):
                message = f"{noun} '{resource.identifier}' is not valid: {problem}"
                yield Diagnostic("I004", message, place=resource.place)

    def _config(self, node: ProviderNode) -> Iterator[Diagnostic]:
        read = read_config(node, environment_text=self._graph.environment_text)
        for problem in read.problems:
            yield self._at_config(node, "I003", problem, Severity.ERROR)
        for problem in read.unknown:
            yield self._at_config(node, "I005", problem, Severity.WARNING)

    def _at_provider(self, node: ProviderNode, code: str, message: str, *hints: str) -> Diagnostic:
        return Diagnostic(
            code,
            message,
            place=node.place,
            help=hints,
            address=node.address,
            path=path_text(node.path),
        )

    def _at_config(
        self, node: ProviderNode, code: str, problem: ConfigProblem, severity: Severity
    ) -> Diagnostic:
        inside = path_text(problem.path)
        text = self._graph.scrubbed(problem.message)
        where = f"'{inside}': {text}" if inside else text
        verb = (
            "rejects its config" if severity is Severity.ERROR else "does not know all its config"
        )
        return Diagnostic(
            code,
            f"'{node.provider_type}' {verb}: {where}",
            severity,
            place=self._graph.place_of_config(node.address, problem.path),
            help=(problem.help,) if problem.help else (),
            address=node.address,
            path=path_text((*node.path, "config", *problem.path)),
        )

    def _is_missing(self, requirement: str) -> bool:
        """Whether a package is not installed; one that only some systems need never is."""
        if requirement not in self._missing_packages:
            match = _REQUIREMENT.match(requirement)
            self._missing_packages[requirement] = False
            if match is not None and not match[3]:
                try:
                    distribution(match[1])
                except PackageNotFoundError:
                    self._missing_packages[requirement] = True
        return self._missing_packages[requirement]

    def _wrong_module(self, module: str) -> str:
        """Return why *module* cannot be found; empty if it can. The module is not imported."""
        if module not in self._wrong_modules:
            wrong = ""
            try:
                if module not in sys.modules and find_spec(module) is None:
                    wrong = f"cannot be found: '{module}'"
            except ModuleNotFoundError as error:
                wrong = f"cannot be found: '{module}' ({error})"
            except Exception as error:  # noqa: BLE001 (the packages around it are foreign code)
                wrong = f"cannot be imported: '{module}' ({describe(error)})"
            self._wrong_modules[module] = wrong
        return self._wrong_modules[module]

    def _wrong_import(self, reference: str) -> str:
        """Return why ``module:name`` cannot be imported; empty if it can."""
        if reference not in self._wrong_imports:
            self._wrong_imports[reference] = _import_error(reference)
        return self._wrong_imports[reference]


def _import_error(reference: str) -> str:
    module, _, name = reference.partition(":")
    try:
        found: object = import_module(module)
    except Exception as error:  # noqa: BLE001 (a module is foreign code)
        return f"cannot be imported: '{module}' ({describe(error)})"
    for part in name.split("."):
        if not hasattr(found, part):
            return f"cannot be imported: '{module}' has no '{name}'"
        found = getattr(found, part)
    return ""


def _name_of(requirement: str) -> str:
    match = _REQUIREMENT.match(requirement)
    return match[1] if match is not None else requirement
