"""``rungraph providers``: what a run config can be made of."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.inputs.options import Reading, catalog_errors, catalog_option, format_option
from rungraph.cli.terminal import show, show_json, tell
from rungraph.engine.errors import install_command
from rungraph.engine.preflight.requirements import unmet
from rungraph.graph.catalog.choice import INSTALLED, SHIPPED, named_catalog
from rungraph.graph.catalog.discovery import discover_catalog
from rungraph.graph.catalog.history import during, history_of
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.suggest import near_or_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RunGraph


@click.command()
@click.argument("api", required=False)
@click.argument("provider_type", required=False, metavar="[TYPE]")
@click.option(
    "--needed-by",
    metavar="CONFIG",
    help="List the packages that the enabled providers of a run config need.",
)
@catalog_option
@format_option("pip", "uv", help="How results are written; pip and uv, the packages of a config.")
def providers(
    api: str | None,
    provider_type: str | None,
    needed_by: str | None,
    catalog: str | None,
    form: str,
) -> None:
    """List the provider types of an API, or of all APIs; of one TYPE, all that is known.

    Of one type that is the keys of its config with their types and defaults, which of them are
    secrets, what to install, and an entry to paste.

    Of a catalog with releases, such as llama-stack, they are those of the newest one, or of the one
    that is named, as in llama-stack@0.1.0; then come the types that earlier releases had.

    With --needed-by, list the packages that a config's providers need instead, each with the
    providers that brought it: as text, as JSON, as the lines of a requirements file (pip), or as a
    command (uv).
    """
    if needed_by is not None:
        # Only a config makes a graph, which needs networkx.
        from rungraph.cli.inputs.configs import check_readable, load_graph

        graph = load_graph(needed_by, Reading(catalog=catalog))
        check_readable(graph)
        _show_packages(graph, form)
        return
    if form in ("pip", "uv"):
        msg = f"'{form}' is a format of --needed-by"
        raise click.UsageError(msg)
    with catalog_errors():
        known = named_catalog(catalog or INSTALLED)
    for problem in known.problems:
        tell(f"warning: {problem}")
    if api is not None and provider_type is not None:
        _show_type(known, api, provider_type, form)
        return
    found = [_described(known, one) for one in _wanted(known, api)]
    if form == "json":
        show_json(found)
    else:
        show("\n\n".join(_as_text(one) for one in found))


def _show_type(catalog: Catalog, api: str, name: str, form: str) -> None:
    """Write all that is known of one provider type."""
    # Only this reads a config class.
    from rungraph.cli.output.provider_types import entry_of, keys_of, type_text

    [known] = [one.name for one in _wanted(catalog, api)]
    spec = catalog.providers.get((known, name))
    if spec is None:
        types = [one for of, one in catalog.providers if of == known]
        msg = f"no provider type of {known} is called '{name}'; {near_or_all(name, types)}"
        raise click.BadParameter(msg, param_hint="TYPE")
    # A catalog file may be anyone's: what it names is not imported for being looked at.
    offered = discover_catalog().providers.get((known, name))
    keys = keys_of(spec) if spec == offered else None
    described = _type_described(spec, catalog)
    entry = entry_of(spec, keys or [])
    if form == "json":
        show_json({"api": known, **described, "config": keys, "entry": entry})
    else:
        lines = _type_lines(described, catalog.release)
        show(type_text({**described, "lines": lines}, keys, entry))


def _show_packages(graph: RunGraph, form: str) -> None:
    """Write the packages that the providers of a graph need, sorted, with what brought each."""
    brought: dict[str, list[str]] = {}
    by_indexes: dict[tuple[str, ...], set[str]] = {}
    for node in graph.nodes.values():
        if isinstance(node, ProviderNode) and node.spec:
            packages, indexes = _divided(node.spec)
            by_indexes.setdefault(tuple(indexes), set()).update(packages)
            for package in node.spec.packages:
                brought.setdefault(package, []).append(str(node.address))
    rows = sorted(brought.items())
    unknown = [
        str(node.address)
        for node in graph.nodes.values()
        if isinstance(node, ProviderNode) and node.spec is None
    ]
    if form == "json":
        listed = [{"package": name, "needed_by": by} for name, by in rows if name[0] != "-"]
        urls = [{"url": name.split()[-1], "needed_by": by} for name, by in rows if name[0] == "-"]
        catalog = graph.catalog.to_json()
        show_json({"catalog": catalog, "packages": listed, "indexes": urls, "unknown": unknown})
    elif form == "uv":
        # uv takes all that an index has from it, so each has a command of its own; it comes before
        # the one that would bring the same packages from elsewhere, as what others need.
        show(
            "\n".join(
                " ".join(["uv pip install", *indexes, shlex.join(sorted(names))])
                for indexes, names in sorted(by_indexes.items(), reverse=True)
                if names
            )
        )
    elif form == "pip":
        show("\n".join(f"{name}  # {', '.join(by)}" for name, by in rows))
    else:
        width = max((len(name) for name, _ in rows), default=0)
        show("\n".join(f"{name:<{width}}  {', '.join(by)}" for name, by in rows))
    if unknown:
        tell(f"what these need is not known: {', '.join(unknown)}")


def _divided(spec: ProviderSpec) -> tuple[list[str], list[str]]:
    """Return the packages that a type needs, and the options of pip that say from where."""
    options = [one for one in spec.packages if one.startswith("-")]
    return [one for one in spec.packages if one not in options], options


def _wanted(catalog: Catalog, api: str | None) -> Iterable[ApiSpec]:
    if api is None:
        return catalog.apis.values()
    if api in catalog.apis:
        return (catalog.apis[api],)
    history = history_of(catalog)
    span = history.releases_of(api) if history else None
    if history is not None and span is not None:
        msg = f"'{api}' is an API of releases {span[0]} to {span[1]}: say --catalog "
        msg += history.pinned(span[1])
        raise click.BadParameter(msg, param_hint="API")
    msg = f"no API is called '{api}'; {near_or_all(api, catalog.apis)}"
    raise click.BadParameter(msg, param_hint="API")


def _described(catalog: Catalog, api: ApiSpec) -> dict[str, Any]:
    pair = catalog.pair_of(api.name)
    specs = [spec for spec in catalog.providers.values() if spec.api == api.name]
    return {
        "api": api.name,
        "description": api.description,
        "routed_by": pair.table_api if pair and pair.router_api == api.name else None,
        "table_of": pair.router_api if pair and pair.table_api == api.name else None,
        "builtin": bool(api.builtin),
        "release": catalog.release or None,
        "provider_types": [_type_described(spec, catalog) for spec in specs],
        "earlier_provider_types": [*_earlier_types(catalog, api.name)],
    }


def _earlier_types(catalog: Catalog, api: str) -> Iterator[dict[str, Any]]:
    """Yield the types of *api* that only releases before the catalog's had."""
    history = history_of(catalog)
    if history is None:
        return
    now = history.index_of(catalog)
    for name in sorted({spec.provider_type for spec in history.providers if spec.api == api}):
        span = history.releases_of(api, name)
        if span is not None and history.releases.index(span[1]) < now:
            yield {
                "provider_type": name,
                "releases": list(span),
                "successor": history.successor_of(api, name) or None,
            }


def _type_described(spec: ProviderSpec, catalog: Catalog) -> dict[str, Any]:
    packages, indexes = _divided(spec)
    missing = [package for package in packages if unmet(package)]
    history = history_of(catalog)
    span = history.releases_of(spec.api, spec.provider_type) if history else None
    return {
        "provider_type": spec.provider_type,
        "description": spec.description,
        "dependencies": list(spec.dependencies),
        "optional_dependencies": list(spec.optional_dependencies),
        "packages": packages,
        "missing_packages": missing,
        "installed": not missing,
        "install": " ".join([install_command(spec.extra, *packages), *indexes])
        if packages
        else None,
        "deprecated": spec.deprecated or None,
        "removed": spec.removed,
        "releases": list(span) if span else None,
        "origin": "" if spec.origin == catalog.name or spec.origin in SHIPPED else spec.origin,
    }


def _as_text(api: dict[str, Any]) -> str:
    head = f"{api['api']}: {api['description']}" if api["description"] else api["api"]
    lines = [head]
    if api["routed_by"]:
        lines.append(f"  any number of providers; {api['routed_by']} says which serves what")
    elif api["table_of"]:
        lines.append(f"  there whenever {api['table_of']} is; takes no provider")
    elif api["builtin"]:
        lines.append("  in every stack; takes no provider")
    else:
        lines.append("  one provider")
    for one in api["provider_types"]:
        lines.append(f"  {one['provider_type']}")
        lines += [f"      {line}" for line in _type_lines(one, api["release"])]
    for one in api["earlier_provider_types"]:
        now = f"; now {one['successor']}" if one["successor"] else ""
        lines.append(f"  {one['provider_type']} (only {during(one['releases'])}{now})")
    if not (api["provider_types"] or api["table_of"]):
        lines.append("  no installed package offers one; name a module of your own with 'module:'")
    return "\n".join(lines)


def _type_lines(one: dict[str, Any], release: str | None) -> list[str]:
    lines = [one["description"]] if one["description"] else []
    if one["releases"]:
        first, last = one["releases"]
        lines.append(
            f"since {first}" if last.rpartition("@")[2] == release else during((first, last))
        )
    if one["dependencies"]:
        lines.append(f"needs {', '.join(one['dependencies'])}")
    if one["optional_dependencies"]:
        lines.append(f"uses, if there: {', '.join(one['optional_dependencies'])}")
    if one["missing_packages"]:
        lines.append(f"not installed ({', '.join(one['missing_packages'])}): {one['install']}")
    elif one["packages"]:
        lines.append(f"installed ({', '.join(one['packages'])})")
    if one["deprecated"]:
        state = "removed" if one["removed"] else "deprecated"
        lines.append(f"{state}: {one['deprecated']}")
    if one["origin"] not in {"", "rungraph"}:
        lines.append(f"from {one['origin']}")
    return lines
