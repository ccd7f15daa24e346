"""Small run configs and graphs, each said in a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RunGraph, compile_config


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


def graph_of_needs(
    needs: Mapping[str, Iterable[str]], uses: Mapping[str, Iterable[str]] | None = None, **more: Any
) -> RunGraph:
    """Return the graph of a provider ``p`` of each API, with the APIs that it needs and uses.

    *more* is what else the run config says.
    """
    uses = uses or {}
    catalog = Catalog.of(
        apis=[ApiSpec(api, f"x:{api}") for api in needs],
        providers=[
            ProviderSpec(
                api,
                "inline::x",
                "x",
                dependencies=tuple(needed),
                optional_dependencies=tuple(uses.get(api, ())),
            )
            for api, needed in needs.items()
        ],
    )
    config = run_config({api: {"p": "inline::x"} for api in needs}, **more)
    return compile_config(config, catalog=catalog, environment={})
