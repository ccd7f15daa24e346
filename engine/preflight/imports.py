"""The checks of level ``import``: modules, packages and config classes; starts nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, cast

from rungraph.engine.errors import install_command
from rungraph.engine.preflight.configs import ConfigProblem, read_config
from rungraph.engine.preflight.importing import Importing
from rungraph.engine.preflight.quiet_imports import QuietImports
from rungraph.engine.preflight.requirements import Unmet, unmet
from rungraph.engine.routing.resources import ResourceType
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import ProviderNode, TableNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rungraph.graph.catalog.specs import ProviderSpec
    from rungraph.graph.model import RunGraph

_MODULE_HELP = "check the name, or install the package that has it where rungraph runs"
_MOST_NAMED = 8


def check_imports(graph: RunGraph, *, quietly: bool = False) -> tuple[Diagnostic, ...]:
    """Return every problem of importing what *graph* is made of.

    The modules of config classes, of APIs and of resource types are imported; a provider's module
    is only looked for. No config value is part of any diagnostic, and a value that depends on a
    variable that is not set is not judged. What many providers lack is told of once.

    Args:
        graph: A compiled run config.
        quietly: Do not run the packages around those modules either, unless a module needs them
            (see `QuietImports`): for a check that nothing follows. Not while other threads import.
    """
    if not quietly:
        return tuple(_merged(_Check(graph, Importing()).problems()))
    with QuietImports() as quiet:
        return tuple(_merged(_Check(graph, Importing(quiet)).problems()))


@dataclass
class _Absent:
    """What comes from a package that is not there at all."""

    providers: list[ProviderNode] = field(default_factory=list[ProviderNode])
    others: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class _Check:
    """One check of one graph; remembers what it has found as long as it lasts, not longer."""

    def __init__(self, graph: RunGraph, importing: Importing) -> None:
        self._graph = graph
        self._importing = importing
        self._requirements: dict[str, tuple[Unmet, ...]] = {}
        self._absent: dict[str, _Absent] = {}
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
            yield from self._absence(package, absent)
        if self._unread:
            yield self._unchecked(self._unread)

    def _protocols(self, api: str) -> Iterator[Diagnostic]:
        spec = self._graph.catalog.apis.get(api)
        for name in (spec.protocol, spec.private_protocol) if spec is not None else ():
            what = f"the Protocol of the API '{api}'"
            if name and not self._is_absent(name, what) and (wrong := self._wrong_import(name)):
                yield Diagnostic("I001", f"{what} {wrong}")

    def _provider(self, node: ProviderNode, spec: ProviderSpec) -> Iterator[Diagnostic]:
        lacking = self._lacking(spec)
        package = self._importing.absent_package(spec.module)
        if package and _plain(package) not in {_plain(one.name) for one in lacking}:
            self._absent.setdefault(package, _Absent()).providers.append(node)
            if spec.config_class:
                self._unread.append(node)
            return
        if lacking:
            yield self._at_provider(
                node,
                "I002",
                f"'{node.provider_type}' needs {_listed(lacking)}",
                install_command(spec.extra, *(one.requirement for one in lacking)),
            )
        is_whole = all(one.installed for one in lacking)
        wrong = self._importing.wrong_module(spec.module)
        if wrong and is_whole:
            text = f"the module of '{node.provider_type}' {wrong}"
            yield self._at_provider(node, "I001", text, _MODULE_HELP)
        wrong = self._wrong_import(spec.config_class) if spec.config_class else ""
        if not wrong:
            yield from self._config(node)
            return
        self._unread.append(node)
        if is_whole:
            text = f"the config class of '{node.provider_type}' {wrong}"
            yield self._at_provider(node, "I001", text, _MODULE_HELP)

    def _resources(self, node: TableNode) -> Iterator[Diagnostic]:
        what = f"the resource type of '{node.api}'"
        if not node.pair.resource_type or self._is_absent(node.pair.resource_type, what):
            return
        wrong = self._wrong_import(node.pair.resource_type)
        if wrong:
            yield Diagnostic("I001", f"{what} {wrong}")
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
            if not (problem.is_of_value and _is_open(node.config, problem.path)):
                yield self._at_config(node, "I003", problem, Severity.ERROR)
        for problem in read.unknown:
            yield self._at_config(node, "I005", problem, Severity.WARNING)

    # --- what many have in common --------------------------------------------------------------

    def _is_absent(self, reference: str, what: str) -> bool:
        """Whether the package around *reference* is not there; *what* is then told with it."""
        package = self._importing.absent_package(reference)
        if package:
            self._absent.setdefault(package, _Absent()).others.append((what, reference))
        return bool(package)

    def _absence(self, package: str, absent: _Absent) -> Iterator[Diagnostic]:
        """Yield that *package* is not there, once for all that comes from it."""
        nodes = absent.providers
        first = nodes[0] if nodes else None
        message, detail = self._absence_in_words(package, absent)
        yield Diagnostic(
            "I001",
            message,
            place=first.place if first else None,
            help=(_way_out(package, first),),
            address=first.address if first else None,
            path=path_text(first.path) if first else "",
            detail=detail,
        )
        lacking = {one: None for node in nodes if node.spec for one in self._lacking(node.spec)}
        if lacking and first:
            yield self._at_provider(
                first,
                "I002",
                f"what comes from '{package}' needs {_listed(sorted(lacking))}",
                install_command("", *sorted({one.requirement for one in lacking})),
            )

    def _absence_in_words(self, package: str, absent: _Absent) -> tuple[str, str]:
        nodes, others = absent.providers, absent.others
        if len(nodes) + len(others) > 1:
            parts = [
                f"{len(some)} {noun}{'' if len(some) == 1 else 's'}{more}"
                for some, noun, more in ((nodes, "provider", ""), (others, "type", " of APIs"))
                if some
            ]
            names = [*(str(node.address) for node in nodes), *(what for what, _ in others)]
            verb = "come from it"
            return f"'{package}' is not installed here; {_joined(parts)} {verb}", _lines(names)
        if not nodes:
            [(what, reference)] = others
            return f"{what} {self._wrong_import(reference)}", ""
        [node] = nodes
        wrong = self._importing.wrong_module(node.spec.module) if node.spec else ""
        return f"the module of '{node.provider_type}' {wrong}", ""

    def _unchecked(self, nodes: Sequence[ProviderNode]) -> Diagnostic:
        one = len(nodes) == 1
        # Those whose whole package is absent are listed with it.
        listed = {node.address for absent in self._absent.values() for node in absent.providers}
        names = [str(node.address) for node in nodes if node.address not in listed]
        return Diagnostic(
            "I006",
            f"the config of '{nodes[0].address}' is not checked: its class cannot be imported"
            if one
            else f"{len(nodes)} configs are not checked: their classes cannot be imported",
            Severity.NOTE,
            nodes[0].place,
            address=nodes[0].address,
            path=path_text(nodes[0].path),
            detail="" if one else _lines(names),
        )

    # --- places --------------------------------------------------------------------------------

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

    def _lacking(self, spec: ProviderSpec) -> tuple[Unmet, ...]:
        for package in spec.packages:
            if package not in self._requirements:
                self._requirements[package] = unmet(package)
        found = (one for package in spec.packages for one in self._requirements[package])
        return tuple(dict.fromkeys(found))

    def _wrong_import(self, reference: str) -> str:
        return self._importing.wrong_import(reference)


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


def _is_open(config: object, path: Sequence[str | int]) -> bool:
    """Whether the value at *path* depends on a variable that is not set."""
    for key in path:
        if isinstance(config, Mapping):
            config = cast("Mapping[Any, object]", config).get(key)
        elif isinstance(config, list | tuple):
            config = cast("Sequence[object]", config)[cast("int", key)]
    return _holds_placeholder(config)


def _holds_placeholder(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_placeholder, cast("Mapping[Any, object]", value).values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_placeholder, cast("Sequence[object]", value)))
    return isinstance(value, str) and has_placeholder(value)


def _way_out(package: str, node: ProviderNode | None) -> str:
    origin = node.spec.origin if node is not None and node.spec else ""
    # Only a distribution that is called like its package is sure to be the right one.
    return install_command("", origin) if _plain(origin) == _plain(package) else _MODULE_HELP


def _listed(lacking: Collection[Unmet]) -> str:
    """Return what is lacking in words, such as ``the package 'x', not installed here``."""
    names = [f"'{one.name}'" for one in lacking if not one.installed]
    parts = [
        f"'{one.requirement}', of which {one.installed} is installed"
        for one in lacking
        if one.installed
    ]
    if names:
        what = "packages" if len(names) > 1 else "package"
        parts.insert(0, f"the {what} {_joined(names)}, not installed here")
    return "; and ".join(parts)


def _joined(names: Sequence[str]) -> str:
    """Return *names* as words: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _lines(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return "\n".join([*names[:_MOST_NAMED], *more])


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
