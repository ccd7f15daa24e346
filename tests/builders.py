"""Small run configs and graphs, each said in a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config


def run_config(providers: Mapping[str, Mapping[str, str]], **more: Any) -> dict[str, Any]:
    """Return a run config of provider types by API and id, with *more* keys.

    Examples:
        >>> run_config({"memory": {"m": "inline::faiss"}})
        {'providers': {'memory': [{'provider_id': 'm', 'provider_type': 'inline::faiss'}]}}
    """
    entries = {
        api: [{"provider_id": name, "provider_type": kind} for name, kind in types.items()]
        for api, types in providers.items()
    }
    return {"providers": entries, **more}


def entry(provider_id: str, provider_type: str, module: str = "", **config: Any) -> dict[str, Any]:
    """Return a provider as a run config has it, of a *module* of its own if one is named."""
    named = {"module": module} if module else {}
    return {"provider_id": provider_id, "provider_type": provider_type, **named, "config": config}


def written(path: Path, providers: Mapping[str, Any], **more: Any) -> Path:
    """Write a run config of *providers* by API, with *more* keys; return *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"providers": providers, **more}))
    return path


def scrub(text: str) -> str:
    """Mask the one secret."""
    return text.replace("hidden", "****")


def assert_kept(old: Any, new: Any) -> None:
    """Assert that *new* has all that *old* has; it may have more keys."""
    if isinstance(old, dict):
        for key, value in old.items():
            assert_kept(value, new[key])
    elif isinstance(old, list):
        for one, other in zip(old, new, strict=True):
            assert_kept(one, other)
    else:
        assert old == new


def catalog_of(*lines: str) -> Catalog:
    """Return a catalog that is written down in a line for each provider type and routed API.

    A type's line has its API, itself, what it needs and, after a question mark, what it uses;
    that of a routed API has the API with its table, and what its router uses.

    Examples:
        >>> catalog = catalog_of("inference/models ?telemetry", "memory inline::x inference")
        >>> [*catalog.apis], [str(one.table_api) for one in catalog.pairs]
        (['inference', 'memory', 'models', 'telemetry'], ['models'])
    """
    apis: set[str] = set()
    pairs: list[RoutedPair] = []
    providers: list[ProviderSpec] = []
    for line in lines:
        first, *words = line.split()
        provider_type = words.pop(0) if words and "::" in words[0] else ""
        needs = tuple(word for word in words if not word.startswith("?"))
        uses = tuple(word[1:] for word in words if word.startswith("?"))
        apis |= {*first.split("/"), *needs, *uses}
        if provider_type:
            module = f"x.{provider_type.partition('::')[2]}"
            providers.append(
                ProviderSpec(
                    *(first, provider_type, module), dependencies=needs, optional_dependencies=uses
                )
            )
        else:
            api, table = first.split("/")
            pairs.append(
                RoutedPair(api, table, table.removesuffix("s"), optional_dependencies=uses)
            )
    named = [ApiSpec(name, f"x:{name}") for name in sorted(apis)]
    return Catalog.of(apis=named, pairs=pairs, providers=providers)


def builtin(api: str, provider_type: str) -> Catalog:
    """Return a catalog of an API that every stack has without it being configured."""
    return Catalog.of(
        apis=[ApiSpec(api, f"x:{api}", builtin=provider_type)],
        providers=[ProviderSpec(api, provider_type, "x")],
    )


def graph_of_needs(
    needs: Mapping[str, Iterable[str]], uses: Mapping[str, Iterable[str]] | None = None, **more: Any
) -> RunGraph:
    """Return the graph of a provider ``p`` of each API, with the APIs that it needs and uses.

    *more* is what else the run config says.
    """
    lines = {api: [*needed] for api, needed in needs.items()}
    for api, used in (uses or {}).items():
        lines[api] += [f"?{one}" for one in used]
    catalog = catalog_of(*(" ".join((api, "inline::x", *names)) for api, names in lines.items()))
    config = run_config({api: {"p": "inline::x"} for api in needs}, **more)
    return compile_config(config, catalog=catalog, environment={})
