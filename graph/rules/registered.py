"""The models that a release registers when it starts, and the names that it finds them by."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rungraph.graph.address import Address
from rungraph.graph.config.run_config import ALL_PROVIDERS
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import TableNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.nodes import ResourceConfig
    from rungraph.graph.rules.context import RuleContext


def registered_models(context: RuleContext) -> Mapping[str, ResourceConfig] | None:
    """Return the models that are there when resources that need one are registered, by name.

    What providers list by themselves is asked for later. None of a catalog that says nothing of it.
    """
    return models_by_name(_models(context), context.catalog)


def models_by_name(
    models: Iterable[ResourceConfig], catalog: Catalog
) -> Mapping[str, ResourceConfig] | None:
    """Return *models* by the names that a release finds them by, its own name for each last."""
    naming = _naming(catalog)
    if naming is None:
        return None
    others: dict[str, list[ResourceConfig]] = defaultdict(list)
    for one in models if "models_by_any_name" in catalog.traits else ():
        others[one.provider_resource_id or one.identifier].append(one)
    found = {name: several[0] for name, several in others.items() if len(several) == 1}
    return found | {naming(one): one for one in models}


def registered_name(model: ResourceConfig, catalog: Catalog) -> str:
    """Return the name that a release gives to a model: its own id where nothing says otherwise."""
    naming = _naming(catalog)
    return naming(model) if naming else model.identifier


def model_type(model: ResourceConfig) -> str:
    """Return what a model is, as the release takes it."""
    return str(model.fields.get("model_type") or "llm")


def models_of_one_name(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the models of two providers that a release knows by the same name."""
    naming = _naming(context.catalog)
    kept: dict[str, ResourceConfig] = {}
    for model in sorted(_models(context), key=lambda one: one.path) if naming else ():
        first = kept.setdefault(naming(model), model) if naming else model
        if first.provider_id != model.provider_id:
            yield context.document.problem(
                "C035",
                f"model '{model.identifier}' is of '{first.provider_id}', too; "
                f"{context.catalog.full_name} keeps only the last one",
                model.path,
                "give one of them another model_id",
                severity=Severity.WARNING,
                related=((context.document.place_of(first.path), "the other one"),),
            )


def _models(context: RuleContext) -> list[ResourceConfig]:
    table = context.nodes.get(Address.table("models"))
    kept = {one.path for one in table.resources} if isinstance(table, TableNode) else ()
    # As written: in the table, a model of all providers is one of the first.
    return [one for one in context.config.resources if one.path in kept]


def _naming(catalog: Catalog) -> Callable[[ResourceConfig], str] | None:
    """Return what tells the name that a release gives to a model."""
    return next((one for trait, one in _NAMING.items() if trait in catalog.traits), None)


def _by_provider_name(model: ResourceConfig) -> str:
    return f"{model.provider_id}/{model.provider_resource_id or model.identifier}"


def _by_any_name(model: ResourceConfig) -> str:
    is_alias = model.provider_resource_id not in (None, model.identifier)
    return model.identifier if is_alias else _by_provider_name(model)


def _by_prefixed_id(model: ResourceConfig) -> str:
    metadata = model.fields.get("metadata")
    is_alias = isinstance(metadata, dict) and metadata.get("_unprefixed_alias")
    prefix = f"{model.provider_id}/"
    if is_alias or model.provider_id == ALL_PROVIDERS or model.identifier.startswith(prefix):
        return model.identifier
    return prefix + model.identifier


_NAMING: dict[str, Callable[[ResourceConfig], str]] = {
    "models_by_id": lambda model: model.identifier,
    "models_by_any_name": _by_any_name,
    "models_by_provider_name": _by_provider_name,
    "models_by_prefixed_id": _by_prefixed_id,
}
