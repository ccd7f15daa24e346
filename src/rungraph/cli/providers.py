"""``rungraph providers``: what a run config can be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.options import format_option
from rungraph.cli.terminal import show, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph import ApiSpec, Catalog, ProviderSpec


@click.command(short_help="List the provider types that there are.")
@click.argument("api", required=False)
@format_option
def providers(api: str | None, form: str) -> None:
    """List the provider types of an API, or of all APIs."""
    from rungraph.graph import discover_catalog

    catalog = discover_catalog()
    for problem in catalog.problems:
        tell(f"warning: {problem}")
    found = [_described(catalog, one) for one in _wanted(catalog, api)]
    if form == "json":
        import json

        show(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        show("\n\n".join(_as_text(one) for one in found))


def _wanted(catalog: Catalog, api: str | None) -> Iterable[ApiSpec]:
    if api is None:
        return catalog.apis.values()
    if api in catalog.apis:
        return (catalog.apis[api],)
    from rungraph.graph.suggest import did_you_mean

    question = did_you_mean(api, catalog.apis) or f"there is: {', '.join(catalog.apis)}"
    msg = f"no API is called '{api}'; {question}"
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
        "provider_types": [_type_described(spec) for spec in specs],
    }


def _type_described(spec: ProviderSpec) -> dict[str, Any]:
    from rungraph.engine.errors import install_command
    from rungraph.engine.requirements import unmet

    missing = [package for package in spec.packages if unmet(package)]
    return {
        "provider_type": spec.provider_type,
        "description": spec.description,
        "dependencies": list(spec.dependencies),
        "optional_dependencies": list(spec.optional_dependencies),
        "packages": list(spec.packages),
        "missing_packages": missing,
        "installed": not missing,
        "install": install_command(spec.extra, *spec.packages) if spec.packages else None,
        "deprecated": spec.deprecated or None,
        "removed": spec.removed,
        "origin": spec.origin,
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
        lines += [f"      {line}" for line in _type_lines(one)]
    if not (api["provider_types"] or api["table_of"]):
        lines.append("  no installed package offers one; name a module of your own with 'module:'")
    return "\n".join(lines)


def _type_lines(one: dict[str, Any]) -> list[str]:
    lines = [one["description"]] if one["description"] else []
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
