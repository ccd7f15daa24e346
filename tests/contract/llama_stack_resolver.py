"""What an installed Llama Stack or ogx resolves a run config to, with no provider ever made.

Run by its own Python: it reads ``[{"file": …, "environment": {…}}, …]`` from standard input and
writes a list of ``{"nodes": […], "edges": […], "error": …}``. Without input it writes where its
package is, and which release it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

PACKAGE = "ogx" if importlib.util.find_spec("ogx") else "llama_stack"


def _module(name: str) -> Any:
    # The folder had another name to 0.2.15.
    folder = "core" if importlib.util.find_spec(f"{PACKAGE}.core") else "distribution"
    return importlib.import_module(f"{PACKAGE}.{folder}.{name}")


def _called(function: Any, given: dict[str, Any]) -> Any:
    """Call a function with those of the *given* arguments that it takes in this release."""
    names = inspect.signature(function).parameters
    return function(**{name: value for name, value in given.items() if name in names})


def about() -> dict[str, Any]:
    """Return which release is installed, and the folder of its distributions."""
    for name in ("ogx",) if PACKAGE == "ogx" else ("llama-stack", "ogx"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            folder = Path(str(importlib.import_module(PACKAGE).__file__)).parent
            release = importlib.metadata.version(name)
            return {"name": name, "release": release, "folder": str(folder)}
    msg = "no release is installed"
    raise SystemExit(msg)


class Stub:
    """An instance that is none, with its address."""

    def __init__(self, address: str) -> None:
        self.address = address


def resolved(file: str, environment: dict[str, str]) -> dict[str, Any]:
    """Return what the release's own resolver makes of a run config."""
    stack, resolver, distribution = map(_module, ("stack", "resolver", "distribution"))
    os.environ.update(environment)
    found: dict[str, Any] = {"nodes": set(), "edges": set(), "error": None}
    api_of = resolver.Api

    async def record(provider: Any, deps: Any, inner_impls: Any, *_: Any, **__: Any) -> Stub:
        spec = provider.spec
        kind = type(spec).__name__
        address = f"provider:{spec.api.value}/{provider.provider_id}"
        if kind == "RoutingTableProviderSpec":
            address = f"table:{spec.api.value}"
        elif kind == "AutoRoutedProviderSpec":
            address = f"router:{spec.api.value}"
        if provider.provider_id == "__builtin__":
            return Stub(f"provider:{spec.api.value}/builtin")
        found["nodes"].add(address)
        for one in (*deps.values(), *inner_impls.values()):
            if one.address != address:
                found["edges"].add((one.address, address))
        return Stub(address)

    try:
        config = yaml.safe_load(Path(file).read_text("utf-8"))
        filled = stack.replace_env_vars(config)
        run_config = _module("configure").parse_and_maybe_upgrade_config(filled)
        resolver.instantiate_provider = record
        given: dict[str, Any] = {"run_config": run_config, "config": run_config, "policy": []}
        given["provider_registry"] = _called(distribution.get_provider_registry, given)
        given["dist_registry"] = None
        if "internal_impls" in inspect.signature(resolver.resolve_impls).parameters:
            source = inspect.getsource(stack.add_internal_implementations)
            names = re.findall(r"impls\[Api\.(\w+)\]", source)
            given["internal_impls"] = {
                api_of[name]: Stub(f"provider:{name}/builtin") for name in names
            }
        asyncio.run(_called(resolver.resolve_impls, given))
    except Exception as error:  # noqa: BLE001 (whatever ends the start is the answer)
        found["error"] = f"{type(error).__name__}: {error}"[:400]
    finally:
        for name in environment:
            os.environ.pop(name, None)
    return {**found, "nodes": sorted(found["nodes"]), "edges": sorted(map(list, found["edges"]))}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    given = sys.stdin.read()
    with contextlib.redirect_stdout(sys.stderr):
        answer: Any = [resolved(**one) for one in json.loads(given)] if given.strip() else about()
    print(json.dumps(answer))
