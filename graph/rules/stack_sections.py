"""The rules of what is read beside providers: storage, defaults, the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.config.sections import kind_of
from rungraph.graph.diagnostics import Severity
from rungraph.graph.rules.context import nearest, switched_off_hint
from rungraph.graph.rules.registered import model_type, registered_models
from rungraph.graph.source.positions import path_text, value_at
from rungraph.graph.wording import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.catalog.release_specs import StoreSpec
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path

_FAMILIES = {"namespace": "kv", "table_name": "sql"}
"""What the key beside ``backend`` says of the backend that a reference needs."""
DEFAULT_MODELS = {
    "default_embedding_model": "embedding",
    "default_reranker_model": "rerank",
    "rewrite_query_params.model": "llm",
}
"""The keys of vector stores that name a model, and what it must be."""


def storage(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the references to storage backends that lead nowhere, or to one of another family."""
    if not context.catalog.stores:
        return
    written = context.config.settings.get("storage")
    if written is None:
        if "needs_storage" in context.catalog.traits:
            hint = "add 'storage:' with 'backends' and 'stores'"
            message = f"the key 'storage' is missing: {context.catalog.full_name} does not start"
            yield context.document.problem("C011", message, (), hint)
        return
    storage: Mapping[str, Any] = written if isinstance(written, dict) else {}
    defaults = {one.default for one in context.catalog.stores if one.default}
    families = _families(storage.get("backends"), defaults)
    stores = storage.get("stores")
    named: Mapping[str, Any] = stores if isinstance(stores, dict) else {}
    homeless: dict[str, list[str]] = {}
    for spec in context.catalog.stores:
        found = named.get(spec.name)
        # One that is there with nothing in it has no default.
        if found is None and (spec.name in named or not spec.default):
            yield from _missing_store(context, spec, named)
        elif not isinstance(found, dict) and spec.default and spec.default not in families:
            homeless.setdefault(spec.default, []).append(f"'{spec.name}'")
        yield from _store(context, spec, found, families)
    for backend, names in homeless.items():
        message = f"there is no storage backend '{backend}', where {joined(names)} are kept"
        hint = "add it, or name another one under 'storage.stores'"
        yield context.document.problem("C036", message, ("storage", "backends"), hint)
    for provider in context.entries:
        for path, reference in _references(provider.config, (*provider.path, "config")):
            wanted = next(family for key, family in _FAMILIES.items() if key in reference)
            yield from _reference(context, reference["backend"], wanted, path, families)


def registrations(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield that rungraph itself cannot keep registrations where the config says."""
    store = context.config.metadata_store
    if not store or context.catalog.keys:
        return
    for key, is_known, hint in (
        ("type", store.get("type", "sqlite") == "sqlite", "write type: sqlite"),
        ("db_path", store.get("db_path") and isinstance(store["db_path"], str), "add 'db_path: …'"),
    ):
        if not is_known:
            yield context.document.problem(
                "C036",
                "registrations go to a file of rungraph's own: "
                "'metadata_store' is not of type sqlite with a 'db_path'",
                ("metadata_store", key),
                hint,
                severity=Severity.WARNING,
            )
            return


def _families(backends: Any, defaults: set[str]) -> Mapping[str, str]:
    """Return the family of each backend, ``kv`` or ``sql``; empty when its type does not tell."""
    if not isinstance(backends, dict):
        return {name: name.partition("_")[0] for name in defaults}
    types = {
        name: str(one.get("type", "")) if isinstance(one, dict) else ""
        for name, one in backends.items()
    }
    return {name: kind.partition("_")[0] if "_" in kind else "" for name, kind in types.items()}


def _store(
    context: RuleContext, spec: StoreSpec, written: Any, families: Mapping[str, str]
) -> Iterator[Diagnostic]:
    path: Path = ("storage", "stores", spec.name)
    if isinstance(written, dict):
        backend = written.get("backend")
        is_old = spec.family == "sql" and "namespace" in written and "table_name" not in written
        if is_old and isinstance(backend, str) and spec.default:
            # Read as a reference to the table of that name, in the backend of the other family.
            backend = backend.replace("kv_", "sql_")
        yield from _reference(context, backend, spec.family, path, families)
        key = "namespace" if spec.family == "kv" else "table_name"
        if key not in written and not is_old and spec.needs_table:
            message = f"the key '{key}' is missing"
            yield context.document.problem("C011", message, path, f"add '{key}: …'")
        elif not isinstance(written.get(key, ""), str):
            message = f"'{path_text((*path, key))}' must be text, not {kind_of(written[key])}"
            yield context.document.problem("C010", message, (*path, key))
    elif written is not None:
        message = f"'{path_text(path)}' must be a mapping, not {kind_of(written)}"
        yield context.document.problem("C010", message, path)


def _missing_store(
    context: RuleContext, spec: StoreSpec, named: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    if not spec.is_needed or (spec.name == "inference" and "inference" not in context.served):
        return
    is_there = spec.name in named
    key = "namespace" if spec.family == "kv" else "table_name"
    what = "there with nothing in it" if is_there else "missing"
    hint = f"{'fill it in' if is_there else 'add it'} with a 'backend' and a '{key}'"
    yield context.document.problem(
        "C011",
        f"the key '{spec.name}' is {what}: {context.catalog.full_name} does not start",
        ("storage", "stores", *((spec.name,) if is_there else ())),
        f"{hint}, or take it out" if is_there and spec.default else hint,
        key=is_there,
    )


def _reference(
    context: RuleContext, backend: Any, wanted: str, path: Path, families: Mapping[str, str]
) -> Iterator[Diagnostic]:
    where = (*path, "backend")
    if not isinstance(backend, str):
        yield context.document.problem("C011", "the key 'backend' is missing", path, "add it")
    elif backend not in families:
        hints = nearest(backend, families, "storage backends")
        yield context.document.problem("C036", f"no storage backend '{backend}'", where, *hints)
    elif families[backend] and families[backend] != wanted:
        fitting = [name for name, family in families.items() if family == wanted]
        yield context.document.problem(
            "C036",
            f"the storage backend '{backend}' is of type {families[backend]}_…; "
            f"{wanted}_… is needed here",
            where,
            f"{wanted} backends: {', '.join(sorted(fitting)) or 'there are none'}",
        )


def _references(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the references to a backend in a provider's config, and where they stand."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get("backend"), str) and value.keys() & _FAMILIES.keys():
        yield path, value
    for key, one in value.items():
        yield from _references(one, (*path, key))


def vector_stores(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the defaults of vector stores that name a provider that is not there."""
    section = context.config.settings.get("vector_stores")
    if not isinstance(section, dict):
        return
    default = section.get("default_provider_id")
    if isinstance(default, str):
        yield from _provider(
            context, "vector_io", default, ("default_provider_id",), is_fatal=False
        )
    read = {one.path for one in context.catalog.sections}
    for key, wanted in DEFAULT_MODELS.items():
        if read and f"vector_stores.{key}" not in read:
            continue  # The release does not look at it.
        path = tuple(key.split("."))
        named = value_at(section, (*path, "provider_id"))
        if isinstance(named, str):
            yield from _provider(context, "inference", named, (*path, "provider_id"), is_fatal=True)
            name = f"{named}/{value_at(section, (*path, 'model_id'))}"
            # Others may be among those that the provider lists by itself.
            found = (registered_models(context) or {}).get(name)
            if found and model_type(found) != wanted:
                yield context.document.problem(
                    "C037",
                    f"the default model '{name}' must be one of type '{wanted}', and it is one of "
                    f"type '{model_type(found)}'",
                    ("vector_stores", *path),
                    f"name one with 'model_type: {wanted}'",
                    related=((context.document.place_of(found.path), "the model"),),
                )


def _provider(
    context: RuleContext, api: str, provider_id: str, path: Path, *, is_fatal: bool
) -> Iterator[Diagnostic]:
    ids = context.ids.get(api, {})
    if provider_id in ids or context.may_have(api, provider_id):
        return
    off = switched_off_hint(context, api, provider_id, "default")
    message = f"the default provider '{provider_id}' is not one of {api}"
    yield context.document.problem(
        "C034" if off and off.is_by_environment else "C037",
        f"{message}: {off.reason}" if off else message,
        ("vector_stores", *path),
        *((off.hint,) if off else nearest(provider_id, ids, f"providers of {api}")),
        severity=Severity.ERROR if is_fatal else Severity.WARNING,
    )


def safety(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield a default shield that is not registered."""
    section = context.config.settings.get("safety")
    wanted = section.get("default_shield_id") if isinstance(section, dict) else None
    if not isinstance(wanted, str):
        return
    path = ("safety", "default_shield_id")
    if "safety" not in context.served:
        message = "a default shield needs the API safety, which 'apis' does not list"
        yield context.document.problem("C037", message, path, "add 'safety' to 'apis'")
        return
    shields = {one.identifier for one in context.config.resources if one.table_api == "shields"}
    if shields and wanted not in shields and not context.is_lost("shields"):
        hints = nearest(wanted, shields, "shields")
        yield context.document.problem("C037", f"no shield '{wanted}' is registered", path, *hints)


def server(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield a note on a server that only starts when it is told to."""
    if "needs_tls" not in context.catalog.traits:
        return
    written = context.config.settings.get("server")
    section: Mapping[str, Any] = written if isinstance(written, dict) else {}
    if not section.get("tls_certfile") and not section.get("insecure"):
        yield context.document.problem(
            "C038",
            f"the server has no certificate: {context.catalog.full_name} only starts with "
            "--insecure",
            ("server",),
            "write 'tls_certfile' and 'tls_keyfile' under 'server', or 'insecure: true'",
            key=True,
            severity=Severity.NOTE,
        )
