"""Stores written in place, moved to ``storage.backends`` and named from where they stood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rungraph.graph.placeholders import placeholders
from rungraph.graph.upgrade.yaml_text import renamed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.catalog.specs import Catalog

_TYPES = ("sqlite", "postgres", "redis", "mongodb")
_SQL = ("inference_store", "conversations_store", "responses_store", "metadata_store", "sqlstore")
"""Keys of stores that are tables; `_TOP` says otherwise of the one at the top."""
_TOP = {
    "metadata_store": ("metadata", "kv", {"namespace": "registry"}),
    "inference_store": ("inference", "sql", {"table_name": "inference_store"}),
    "conversations_store": ("conversations", "sql", {"table_name": "openai_conversations"}),
}
_FILES = {"kv": "kvstore.db", "sql": "sql_store.db"}


def configs_in(tree: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the API, the entry and the config of each provider that has one."""
    for api, entries in tree["providers"].items():
        for entry in entries if isinstance(entries, list) else ():
            config = entry.get("config") if isinstance(entry, dict) else None
            if isinstance(config, dict):
                yield api, entry, config


def move_stores(tree: Any, target: Catalog) -> Iterator[str]:
    """Move the stores of a config to its section ``storage``; yield what was done.

    A store keeps what it was configured with: equal ones share a backend, the first of a family is
    the default one.
    """
    if not target.stores:
        return
    storage = tree.get("storage")
    there = storage.get("backends") if isinstance(storage, dict) else None
    backends: dict[str, Any] = dict(there) if isinstance(there, dict) else {}
    before = set(backends)
    stores: dict[str, Any] = {}
    position = 0
    for key, (name, family, reference) in _TOP.items():
        written = tree.get(key)
        if _is_store(written):
            position = list(tree).index(key)
            backend = _backend(backends, family, written, f"{family}_{name}")
            stores[name] = {**reference, "backend": backend}
            del tree[key]
            yield f"'{key}' is now 'storage.stores.{name}'"
    for api, entry, config in configs_in(tree):
        yield from _in_config(api, _plain(str(entry.get("provider_id"))), config, backends)
    yield from _as_tables(tree, target)
    is_same = backends.keys() == before and not stores
    if is_same and ("storage" in tree or "needs_storage" not in target.traits):
        return
    folder = next((_folder(one) for one in backends.values() if _folder(one)), "~/.llama")
    for spec in target.stores:
        missing = f"{spec.family}_default"
        if missing not in backends:
            path = f"{folder}/{_FILES[spec.family]}"
            backends[missing] = {"type": f"{spec.family}_sqlite", "db_path": path}
        if spec.is_needed and spec.name not in stores:
            place = {"namespace": spec.name} if spec.family == "kv" else {"table_name": spec.name}
            stores[spec.name] = {**place, "backend": missing}
    ordered = {name: backends[name] for name in sorted(backends)}
    if isinstance(storage, dict):
        _add(storage, "backends", ordered)
        _add(storage, "stores", stores)
    elif storage is None:
        tree.pop("storage", None)
        tree.insert(position, "storage", {"backends": ordered, "stores": stores})


def _in_config(api: str, provider_id: str, config: Any, backends: dict[str, Any]) -> Iterator[str]:
    """Turn the stores in a provider's config into references."""
    for key in list(config):
        if not _is_store(config[key]):
            continue
        family = "sql" if key in _SQL else "kv"
        backend = _backend(backends, family, config[key], f"{family}_{provider_id}")
        name = f"{api}::{provider_id}"
        reference = (
            {"namespace": name, "backend": backend}
            if family == "kv"
            else {"table_name": name.replace("::", "_"), "backend": backend}
        )
        if api in ("agents", "responses"):
            part = "responses" if family == "sql" else "agent_state"
            if isinstance(config.get("persistence"), dict):
                config["persistence"][part] = reference
                del config[key]
            else:
                renamed(config, key, "persistence", {part: reference})
        else:
            config[key] = reference
        yield f"'{key}' of {api}/{provider_id} names the storage backend '{backend}'"


def _add(storage: Any, key: str, entries: dict[str, Any]) -> None:
    """Add what a section of ``storage`` does not have yet."""
    if not isinstance(storage.get(key), dict):
        storage[key] = {}
    for name, one in entries.items():
        storage[key].setdefault(name, one)


def _as_tables(tree: Any, target: Catalog) -> Iterator[str]:
    """Make tables of the references that a release wants as such."""
    storage = tree.get("storage")
    stores = storage.get("stores") if isinstance(storage, dict) else None
    backends = storage.get("backends") if isinstance(storage, dict) else None
    names = backends if isinstance(backends, dict) else {}
    references = [
        (f"storage.stores.{spec.name}", stores[spec.name])
        for spec in target.stores
        if isinstance(stores, dict) and spec.family == "sql" and spec.name in stores
    ]
    references += [
        (f"sqlstore of {api}", config["sqlstore"])
        for api, _, config in configs_in(tree)
        if isinstance(config.get("sqlstore"), dict)
    ]
    for where, reference in references:
        if isinstance(reference, dict) and "namespace" in reference:
            renamed(reference, "namespace", "table_name", reference["namespace"])
            backend = str(reference.get("backend", "")).replace("kv_", "sql_")
            reference["backend"] = backend if backend in names else "sql_default"
            yield f"'{where}' is now a table"


def _plain(provider_id: str) -> str:
    """Return an id as a name that can stand in a table's: a switch by a variable is left out.

    Examples:
        >>> _plain("${env.MILVUS_URL:+milvus-lite}")
        'milvus_lite'
    """
    for one in placeholders(provider_id):
        provider_id = provider_id.replace(str(one), one.word)
    return re.sub(r"\W", "_", provider_id)


def _is_store(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("type")) in _TYPES


def _backend(backends: dict[str, Any], family: str, written: Any, name: str) -> str:
    """Return the name of the backend that keeps what *written* says; a new one if there is none."""
    wanted = type(written)()
    for key, one in written.items():
        if key != "namespace":
            wanted[key] = f"{family}_{one}" if key == "type" else one
    if comments := getattr(written, "ca", None):
        kept = {key: one for key, one in comments.items.items() if key in wanted}
        wanted.ca.items.update(kept)
    for known, one in backends.items():
        if one == wanted:
            return known
    default = f"{family}_default"
    name = default if default not in backends else name
    backends[name] = wanted
    return name


def _folder(backend: Any) -> str:
    path = str(backend.get("db_path", "")) if isinstance(backend, dict) else ""
    return path.rpartition("/")[0]
