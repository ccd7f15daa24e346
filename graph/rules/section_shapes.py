"""What Llama Stack and ogx must find in the sections beside providers, or they do not start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rungraph.graph.config.keys import known_keys, resource_paths
from rungraph.graph.config.sections import kind_of
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path

_KINDS: dict[str, type] = {"a mapping": dict, "a list": list, "text": str}
_SHAPES = (
    ("container_image", "text", True),
    ("external_providers_dir", "text", True),
    ("external_apis_dir", "text", True),
    ("inference_store", "a mapping", True),
    ("logging", "a mapping", True),
    ("server", "a mapping", False),
    ("server.auth", "a mapping", True),
    ("storage", "a mapping", False),
    ("storage.backends", "a mapping", False),
    ("storage.backends.*", "a mapping", False),
    ("storage.stores", "a mapping", False),
    ("storage.stores.*", "a mapping", True),
    ("registered_resources", "a mapping", False),
    ("vector_stores", "a mapping", True),
    ("vector_stores.default_provider_id", "text", True),
    ("vector_stores.default_embedding_model", "a mapping", True),
    ("safety", "a mapping", True),
    ("connectors", "a list", False),
    ("connectors.*", "a mapping", False),
)
"""Where something stands, what it must be, and whether it may be there with nothing in it."""
_NEEDED = (
    ("vector_stores.default_embedding_model", ("provider_id", "model_id")),
    ("connectors.*", ("connector_id", "url")),
)


def section_shapes(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the parts of sections that are not what the stack can read."""
    if not context.catalog.keys:
        return
    known = known_keys(context.catalog)
    for written, wanted, may_be_empty in _SHAPES:
        for path, value in _at(context, known, written):
            if value is None and may_be_empty:
                continue
            if not isinstance(value, _KINDS[wanted]) and not _is_open(value):
                yield _wrong(context, path, wanted, value)
    lists = {
        path_text(path)
        for pair in context.catalog.pairs
        for path in resource_paths(pair, context.catalog)
    }
    # What is there, and of another kind, is told where it is read.
    for wanted, names in (
        ("a list", ("apis", "providers.*", *sorted(lists))),
        ("a mapping", ("providers.*.*.config",)),
    ):
        for written in names:
            for path, value in _at(context, known, written):
                is_taken = written == "apis" and "apis_may_be_null" in context.catalog.traits
                if value is None and not is_taken:
                    yield _wrong(context, path, wanted, value)
    yield from _needed_keys(context, known)
    yield from _kinds_of_connectors(context, known)


def _wrong(context: RuleContext, path: Path, wanted: str, value: Any) -> Diagnostic:
    message = f"'{path_text(path)}' must be {wanted}, not {kind_of(value)}"
    hint = ("fill it in, or take it out",) if value is None else ()
    return context.document.problem("C010", message, path, *hint, key=value is None)


def _needed_keys(context: RuleContext, known: frozenset[str]) -> Iterator[Diagnostic]:
    for written, keys in _NEEDED:
        for path, value in _at(context, known, written):
            if not isinstance(value, dict):
                continue
            for key in keys:
                if value.get(key) in (None, ""):
                    message = f"the key '{key}' is missing"
                    yield context.document.problem("C011", message, path, f"add '{key}: …'")


def _kinds_of_connectors(context: RuleContext, known: frozenset[str]) -> Iterator[Diagnostic]:
    for path, kind in _at(context, known, "connectors.*.connector_type"):
        if kind != "mcp" and not _is_open(kind):
            message = "'connector_type' must be 'mcp'"
            yield context.document.problem("C010", message, path, "it is the only one there is")


def _is_open(value: Any) -> bool:
    """Whether the environment says what stands here."""
    return isinstance(value, str) and "${env." in value


def _at(context: RuleContext, known: frozenset[str], written: str) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at a path of keys that are read, where ``*`` is each key or entry."""
    steps = written.split(".")
    if steps[0] not in known:
        return
    found: list[tuple[Path, Any]] = [((), context.document.value)]
    for step in steps:
        below: list[tuple[Path, Any]] = []
        for path, value in found:
            items: Iterable[tuple[Any, Any]] = ()
            if isinstance(value, dict):
                items = cast("dict[str, Any]", value).items()
                items = items if step == "*" else [one for one in items if one[0] == step]
            elif isinstance(value, list) and step == "*":
                listed: list[Any] = value
                items = enumerate(listed)
            below += [((*path, key), one) for key, one in items]
        found = below
    yield from found
