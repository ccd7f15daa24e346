"""The names by which vector stores find their models, as a later release gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.nodes import ResourceConfig
from rungraph.graph.rules.registered import models_by_name
from rungraph.graph.rules.stack_sections import DEFAULT_MODELS
from rungraph.graph.source.positions import value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.catalog.specs import Catalog


def rename_models(tree: Any, source: Catalog, target: Catalog) -> Iterator[str]:
    """Write the names that *target* gives to registered models where vector stores name them.

    Yields:
        What was changed.
    """
    lists = tree.get("registered_resources")
    models = [*_models(lists)]
    before = models_by_name(models, source) or {}
    after = {one.path: name for name, one in (models_by_name(models, target) or {}).items()}
    stores = lists.get("vector_stores") if isinstance(lists, dict) else None
    for store in stores if isinstance(stores, list) else ():
        name = store.get("embedding_model") if isinstance(store, dict) else None
        model = before.get(name) if isinstance(name, str) else None
        new = after.get(model.path, name) if model else name
        if new != name:
            store["embedding_model"] = new
            yield f"model '{name}' of vector stores is now '{new}'"
    for key in DEFAULT_MODELS:
        default = value_at(tree, ("vector_stores", *key.split(".")))
        name = value_at(default, ("model_id",))
        prefix = f"{default.get('provider_id')}/" if name else ""
        model = before.get(f"{prefix}{name}")
        new = after.get(model.path, "") if model else ""
        if new.startswith(prefix) and new not in ("", f"{prefix}{name}"):
            default["model_id"] = new.removeprefix(prefix)
            yield f"model '{name}' of 'vector_stores.{key}' is now '{default['model_id']}'"


def _models(lists: Any) -> Iterator[ResourceConfig]:
    models = lists.get("models") if isinstance(lists, dict) else None
    entries: list[Any] = models if isinstance(models, list) else []
    for index, one in enumerate(entries):
        if isinstance(one, dict):
            ids = (one.get("model_id"), one.get("provider_id"), one.get("provider_model_id"))
            identifier, provider, name = (str(each) if each else "" for each in ids)
            yield ResourceConfig(
                "models", identifier, provider, name or None, fields=one, path=(index,)
            )
