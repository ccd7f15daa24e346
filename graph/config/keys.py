"""The keys at the top of a run config: which are read, and what to say of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.catalog.history import during, history_of
from rungraph.graph.config.field_types import fields_of
from rungraph.graph.config.run_config import RunSection
from rungraph.graph.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.catalog.specs import Catalog, RoutedPair
    from rungraph.graph.source.positions import Path

_OWN_KEYS = frozenset({"catalog", "checks", "limits", "selectors"})
# Keys that say nothing about the graph but stand in files of this format, and those that other
# tools read: known, so that only a real typo is reported.
_OTHER_KEYS = frozenset(
    {
        "built_at",
        "conda_env",
        "container_image",
        "conversations_store",
        "docker_image",
        "external_apis_dir",
        "external_providers_dir",
        "image_type",
        "inference_store",
        "logging",
        "providers",
        "server",
        "storage",
        "telemetry",
        "benchmarks",
        "datasets",
        "eval_tasks",
        "scoring_fns",
        "scoring_functions",
        "tool_groups",
        "vector_dbs",
    }
)


class Stray(NamedTuple):
    """What to say of a key that the catalog's release does not read."""

    message: str
    hints: tuple[str, ...]
    severity: Severity


def known_keys(catalog: Catalog) -> frozenset[str]:
    """Return the keys at the top of a run config that somebody reads."""
    resources = {str(path[0]) for pair in catalog.pairs for path in resource_paths(pair, catalog)}
    if catalog.keys:
        top = {key.path for key in catalog.keys if not key.of and "." not in key.path}
        return _OWN_KEYS | top | resources
    return frozenset({*fields_of(RunSection), *_OTHER_KEYS, *resources}) - {"distro_name"} | (
        _OWN_KEYS
    )


def resource_paths(pair: RoutedPair, catalog: Catalog) -> Iterator[Path]:
    """Yield where the lists of a pair's resources stand."""
    if catalog.keys and "resources_at_top" not in catalog.traits:
        yield ("registered_resources", pair.resources)
    else:
        yield (pair.resources,)


def stray_key(key: str, value: Any, catalog: Catalog) -> Stray | None:
    """Return what to say of a key that other releases of *catalog* read; None when none does."""
    history = history_of(catalog)
    if history is None:
        return None
    if any(pair.resources == key for pair in history.pairs):
        where = next(
            (
                f"'{'.'.join(map(str, path))}'"
                for pair in catalog.pairs
                if pair.resources == key
                for path in resource_paths(pair, catalog)
            ),
            "",
        )
        is_lost = bool(value)
        message = f"'{key}' at the top is not read by {catalog.full_name}"
        hint = f"move it to {where}" if where else "take it out"
        return Stray(message, (hint,), Severity.ERROR if is_lost else Severity.NOTE)
    span = history.spans.get(("", key))
    if not span:
        return None
    when = during((history.releases[min(span)], history.releases[max(span)]))
    successor = next((one.successor for one in history.keys if one.path == key and not one.of), "")
    hints = (f"write '{successor}'",) if successor and max(span) < history.index_of(catalog) else ()
    message = f"the key '{key}' is not read by {catalog.full_name}: it is one {when}"
    return Stray(message, hints, Severity.WARNING)
