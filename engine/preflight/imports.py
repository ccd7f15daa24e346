"""The checks of level ``import``: modules, packages and config classes; starts nothing."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rungraph.engine.errors import install_command
from rungraph.engine.module_files import importable, is_file
from rungraph.engine.preflight.diagnostics import at_provider
from rungraph.engine.preflight.held_configs import MOST_NAMED, ConfigCheck
from rungraph.engine.preflight.importing import Importing, QuietImports
from rungraph.engine.preflight.requirements import Unmet, unmet
from rungraph.graph.diagnostics import Diagnostic
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.wording import counted, first_lines, joined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rungraph.graph.catalog.specs import ProviderSpec
    from rungraph.graph.model import RunGraph

_FILE_HELP = "check the path: it begins in the folder of the run config"
_MODULE_HELP = "check the name, or install the package that has it where rungraph runs"


def check_imports(
    graph: RunGraph,
    *,
    quietly: bool = False,
    imports_named: bool = False,
    seconds: float | None = None,
) -> tuple[Diagnostic, ...]:
    """Return every problem of importing what *graph* is made of.

    The modules of config classes, of APIs and of resource types are imported; a provider's module
    is only looked for, unless *imports_named* and the config itself names it. No config value is
    part of any diagnostic, and a value that depends on a variable that is not set is not judged.
    What many providers lack is reported once.

    Args:
        graph: A compiled run config.
        quietly: Do not run the packages around those modules either, unless a module needs them
            (see `QuietImports`): for a check that nothing follows. Not while other threads import.
        imports_named: Import the modules that the config names for its providers: for a check that
            no start follows, which does so itself and knows what to do when one fails.
        seconds: How long each import may take; None for as long as it likes.

    Raises:
        EngineError: If an import takes too long.
    """
    with QuietImports() if quietly else nullcontext() as quiet:
        importing = Importing(quiet)
        checking: Future[tuple[Diagnostic, ...]] = Future()

        def check() -> None:
            try:
                checking.set_result(import_problems(graph, importing, imports_named=imports_named))
            except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
                checking.set_exception(error)

        # Whoever does not wait for an import that hangs leaves it to its thread.
        Thread(target=check, daemon=True).start()
        while True:
            with suppress(TimeoutError):
                return checking.result(seconds)
            importing.check_going_on(seconds)


def import_problems(
    graph: RunGraph, importing: Importing, *, imports_named: bool = False
) -> tuple[Diagnostic, ...]:
    """Return what `check_imports` does, in this thread, however long that takes."""
    check = _Check(graph, importing, imports_named=imports_named)
    return tuple(_merged(check.problems()))


@dataclass
class _AbsentPackage:
    """What comes from a package that is not installed."""

    providers: list[ProviderNode] = field(default_factory=list[ProviderNode])
    references: dict[str, str] = field(default_factory=dict[str, str])
    """What each other import is for, and what it names."""


class _Check(ConfigCheck):
    """One check of one graph; what it finds is kept for as long as the check lasts."""

    def __init__(self, graph: RunGraph, importing: Importing, *, imports_named: bool) -> None:
        super().__init__(graph, importing)
        self._imports_named = imports_named
        self._unmet = cache(unmet)
        self._absent: dict[str, _AbsentPackage] = {}
        self._sound: dict[str, ProviderSpec] = {}

    def problems(self) -> Iterator[Diagnostic]:
        for api in self._graph.apis:
            yield from self._protocols(api)
        for node in self._graph.nodes.values():
            if isinstance(node, ProviderNode) and node.spec is not None:
                if "module" in node.unread:
                    continue
                yield from self._provider(node, node.spec)
            elif isinstance(node, TableNode) and node.resources:
                purpose = f"the resource type of '{node.api}'"
                yield from self._reference(purpose, node.pair.resource_type)
                yield from self._resources_of(node)
        for package, absent in self._absent.items():
            yield from self._absent_package(package, absent)
        if self._unread:
            # Those whose whole package is absent are listed with it.
            listed = [node for absent in self._absent.values() for node in absent.providers]
            yield self._unchecked([node for node in self._unread if node not in listed])

    def _protocols(self, api: str) -> Iterator[Diagnostic]:
        spec = self._graph.catalog.apis.get(api)
        for name in (spec.protocol, spec.private_protocol) if spec is not None else ():
            yield from self._reference(f"the Protocol of the API '{api}'", name)

    def _reference(self, purpose: str, name: str) -> Iterator[Diagnostic]:
        """Yield why *name* cannot be imported; an absent package is only noted for later."""
        if not name:
            return
        if package := self._importing.absent_package(name):
            self._absent.setdefault(package, _AbsentPackage()).references[purpose] = name
        elif wrong := self._importing.wrong_import(name):
            yield Diagnostic("I001", f"{purpose} {wrong}")

    def _provider(self, node: ProviderNode, spec: ProviderSpec) -> Iterator[Diagnostic]:
        if self._sound.get(node.provider_type) is spec:  # Many are of one type.
            yield from self._config_of(node)
            return
        lacking = self._lacking([node])
        at_file = is_file(spec.module)
        package = "" if at_file else self._importing.absent_package(spec.module)
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
        module = importable(spec.module, node)
        wrong = self._importing.wrong_module(module, spec.module)
        hints = [_FILE_HELP if at_file else _MODULE_HELP] if wrong else []
        known = self._graph.catalog.provider(node.api, node.provider_type)
        if not wrong and self._imports_named and (known is None or known.module != spec.module):
            wrong = self._importing.wrong_import(f"{module}:{spec.entry_point}", spec.module)
        if wrong and is_whole:
            yield at_provider(node, "I001", f"the module of '{node.provider_type}' {wrong}", *hints)
        if not self.is_unread(node):
            if not (lacking or wrong or at_file or is_file(spec.config_class)):
                self._sound[node.provider_type] = spec
            yield from self._config_of(node)
            return
        self._unread.append(node)
        if is_whole and not (wrong and spec.config_class.startswith(f"{spec.module}:")):
            name = importable(spec.config_class, node)
            wrong = self._importing.wrong_import(name, spec.config_class)
            message = f"the config class of '{node.provider_type}' {wrong}"
            yield at_provider(node, "I001", message, _MODULE_HELP)

    # --- what many have in common --------------------------------------------------------------

    def _absent_package(self, package: str, absent: _AbsentPackage) -> Iterator[Diagnostic]:
        """Yield that *package* is not installed, once for all that comes from it."""
        first = absent.providers[0] if absent.providers else None
        message, detail = self._absence_text(package, absent)
        way_out = _way_out(package, first, Path(self._graph.file).parent)
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
            return message, "\n".join(first_lines(names, MOST_NAMED))
        for purpose, name in references.items():
            return f"{purpose} {self._importing.wrong_import(name)}", ""
        [node] = nodes
        wrong = self._importing.wrong_module(node.spec.module) if node.spec else ""
        return f"the module of '{node.provider_type}' {wrong}", ""

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
        elif one.place is not None and len(first.related) < MOST_NAMED:
            related = (*first.related, (one.place, f"the same for '{one.address}'"))
            kept[key] = replace(first, related=related)
    yield from kept.values()


def _way_out(package: str, node: ProviderNode | None, folder: Path) -> str:
    if node is not None and node.spec is not None and node.spec.origin == "run config":
        path = Path(*node.spec.module.split("."))
        for file in (path.with_suffix(".py"), path):
            if (folder / file).exists():
                return (
                    "it stands beside the config, where Python does not look: "
                    f"write 'module: ./{file.as_posix()}'"
                )
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
