"""The catalog of the Llama Stack or ogx that is installed, read from its own registry."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from rungraph.engine.errors import describe
from rungraph.graph.catalog.choice import shipped_history
from rungraph.graph.catalog.external import requirements_among
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError
from rungraph.graph.source.document import document_of
from rungraph.graph.source.environment import Substitution
from rungraph.graph.wording import joined

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

NAME = "llama-stack-installed"
"""What users call this catalog."""

# Where the registry is: in ogx, in llama-stack since 0.2.17, and before.
_REGISTRIES = (
    "ogx.core.distribution",
    "llama_stack.core.distribution",
    "llama_stack.distribution.distribution",
)
_INSTALL = "pip install ogx, or llama-stack"
_NEEDS = (3, 12)
_BUILTIN = ("inspect", "providers")
"""The builtins of releases that have no list of them."""


def installed_catalog(config: Mapping[str, Any]) -> Catalog:
    """Return the catalog of the ``ogx`` or ``llama-stack`` that is installed here.

    Its own types come from its registry, external ones from where *config* names them:
    ``external_providers_dir``, ``external_apis_dir``, and the ``module`` of an entry. Those modules
    and the registry are imported. What cannot be read of the external ones is left out and becomes
    one of the catalog's problems.

    Args:
        config: A run config; ``${env.X}`` in it stands for the process's environment.

    Raises:
        CatalogError: If neither is installed, or it cannot be imported.
    """
    problems: list[str] = []
    with _silence():
        package = _registry_module()
        registry = _registry(package, config, problems)
        providers = [*_specs(registry), *_module_specs(config, registry, problems)]
        apis = [*_names(package.stack_apis())]
        routed = [
            _names((one.router_api, one.routing_table_api))
            for one in package.builtin_automatically_routed_apis()
        ]
    apis = list(dict.fromkeys([*apis, *(spec.api for spec in providers)]))
    folder = package.__name__.rpartition(".")[0]
    builtins = {
        name: f"{folder}.{name}"
        for name in (*_BUILTIN, *_names(getattr(package, "INTERNAL_APIS", ())))
        if name in apis and _is_there(f"{folder}.{name}")
    }
    providers += [
        ProviderSpec(name, f"inline::{name}", module) for name, module in builtins.items()
    ]
    name, release = _distribution(package.__name__)
    known = _shipped(name, release)
    # What a resolver makes by itself stands in no list.
    unlisted = {*apis} & known.apis.keys() - {spec.api for spec in providers}
    providers += [
        spec
        for one in sorted(unlisted)
        if (spec := known.provider(one, known.apis[one].builtin)) and _is_there(spec.module)
    ]
    catalog = Catalog.of(
        apis=[_api(one, builtins, known) for one in apis],
        pairs=[_pair(router, table, apis, known) for router, table in routed],
        providers=providers,
    )
    return replace(
        catalog,
        problems=tuple(problems),
        name=NAME,
        release=release,
        # How a release starts is not told by its registry: as the nearest that is known does.
        traits=known.traits,
        keys=known.keys,
        stores=known.stores,
        sections=known.sections if known.release == release else (),
    )


def _registry_module() -> Any:
    there = [name for name in ("ogx", "llama_stack") if find_spec(name)]
    if not there:
        needs = ""
        if sys.version_info < _NEEDS:
            here = ".".join(map(str, sys.version_info[:2]))
            needs = f" (it needs Python {'.'.join(map(str, _NEEDS))}, and this is {here})"
        msg = f"neither ogx nor llama-stack is installed here: {_INSTALL}{needs}"
        raise CatalogError(msg)
    called = " ".join(_distribution(there[0]))
    found = [name for name in _REGISTRIES if _is_there(name)]
    if not found:
        msg = f"{called} has no registry of providers where the releases that are known have it"
        raise CatalogError(msg)
    try:
        return import_module(found[0])
    except (Exception, SystemExit) as error:
        # A package that is not whole can fail in any way.
        msg = f"{called} cannot be imported: {describe(error)}"
        raise CatalogError(msg) from error


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _distribution(module: str) -> tuple[str, str]:
    """Return the name and the version of the distribution that *module* comes from."""
    # The first release of ogx still has the package of llama-stack.
    names = ("ogx",) if module.partition(".")[0] == "ogx" else ("llama-stack", "ogx")
    for name in names:
        try:
            return name, version(name)
        except PackageNotFoundError:
            continue
    return names[0], ""


def installed_distribution() -> tuple[str, str]:
    """Return the name and the version of what is installed here: ogx, or else llama-stack."""
    return _distribution("ogx" if find_spec("ogx") else "llama_stack")


def _shipped(name: str, release: str) -> Catalog:
    """Return what is known of a release, or of the newest before it."""
    return shipped_history().nearest(name, release)


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Keep what the package logs and warns of as it is read off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _registry(package: Any, config: Mapping[str, Any], problems: list[str]) -> Mapping[Any, Any]:
    """Return the package's registry, with the external types of the folders that *config* names."""
    folders = {
        key: Path(written).expanduser()
        for key in ("external_providers_dir", "external_apis_dir")
        if isinstance(written := _resolved(config.get(key)), str)
    }
    if folders:
        providers_dir = folders.get("external_providers_dir")
        asked = SimpleNamespace(
            external_providers_dir=providers_dir and str(providers_dir),
            external_apis_dir=folders.get("external_apis_dir"),
            providers={},  # Entries that name a module are read apart, each for itself.
        )
        try:
            return cast("Mapping[Any, Any]", package.get_provider_registry(asked))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (others' specs, and code)
            names = joined([f"{key} '{folder}'" for key, folder in sorted(folders.items())])
            problems.append(f"{names} cannot be read: {describe(error)}")
    return cast("Mapping[Any, Any]", package.get_provider_registry())


def _resolved(written: Any) -> Any:
    return Substitution(document_of({"value": written}), os.environ).resolve(written, ("value",))


def _specs(registry: Mapping[Any, Any]) -> Iterator[ProviderSpec]:
    for api, by_type in registry.items():
        for provider_type, spec in by_type.items():
            yield _spec(str(api.value), str(provider_type), spec)


def _module_specs(
    config: Mapping[str, Any], registry: Mapping[Any, Any], problems: list[str]
) -> Iterator[ProviderSpec]:
    """Yield the specs that modules named by the config's own entries give."""
    known = {(spec.api, spec.provider_type) for spec in _specs(registry)}
    providers = config.get("providers")
    for api, entries in providers.items() if isinstance(providers, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            module = entry.get("module") if isinstance(entry, dict) else None
            name = entry.get("provider_type") if module else None
            if not isinstance(module, str) or not isinstance(name, str) or (api, name) in known:
                continue
            known.add((api, name))
            try:
                offered = import_module(f"{module.partition('==')[0]}.provider").get_provider_spec()
            except (Exception, SystemExit) as error:  # noqa: BLE001 (others' module)
                problems.append(f"the spec of '{name}' of {api} in '{module}': {describe(error)}")
                continue
            specs = offered if isinstance(offered, list) else [offered]
            for spec in specs:
                if str(spec.provider_type) == name or len(specs) == 1:
                    yield _spec(str(api), name, spec)


def _spec(api: str, provider_type: str, spec: Any) -> ProviderSpec:
    adapter = getattr(spec, "adapter", None)
    module = str(getattr(spec, "module", None) or getattr(adapter, "module", None) or "")
    description = getattr(adapter or spec, "description", None) or ""
    error = getattr(spec, "deprecation_error", None) or ""
    warning = getattr(spec, "deprecation_warning", None) or ""
    return ProviderSpec(
        api,
        provider_type,
        module,
        # A class is written ``package.module.Class`` there and ``package.module:Class`` here.
        config_class=":".join(str(getattr(spec, "config_class", None) or "").rsplit(".", 1)),
        dependencies=_names(spec.api_dependencies),
        optional_dependencies=_names(getattr(spec, "optional_api_dependencies", ())),
        packages=requirements_among(map(str, getattr(spec, "pip_packages", ()) or ())),
        description=" ".join(description.strip().partition("\n")[0].split()),
        deprecated=" ".join((error or warning).split()),
        removed=bool(error),
        origin=module.partition(".")[0].replace("_", "-"),
    )


def _names(apis: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(api.value) for api in apis)


def _api(name: str, builtins: Mapping[str, str], known: Catalog) -> ApiSpec:
    spec = known.apis.get(name)
    return ApiSpec(
        name,
        description=spec.description if spec else "",
        builtin=f"inline::{name}" if name in builtins else spec.builtin if spec else "",
        switch=spec.switch if spec else "",
    )


def _pair(router: str, table: str, apis: list[str], known: Catalog) -> RoutedPair:
    """Return a routed pair; the registry does not tell what its resources are called."""
    pair = known.pair_of_table(table)
    if pair is not None and pair.router_api == router:
        return replace(pair, releases="")
    optional = ("telemetry",) if "telemetry" in apis else ()
    return RoutedPair(
        router, table, table.removesuffix("s"), resources=table, optional_dependencies=optional
    )
