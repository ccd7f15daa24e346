"""The normal form of a graph that was saved as JSON, as far as the JSON tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from rungraph.graph.address import Address
from rungraph.graph.config.run_config import Excluded
from rungraph.graph.diagnostics import Level
from rungraph.graph.diff.facts import Facts, flattened, path_order
from rungraph.graph.diff.snapshot import Link, Problem, Snapshot, without_indices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.graph.diff.snapshot import Ends

KNOWN_MAJOR = "1"
"""The major version of a plan's format that is read; a minor one only adds."""
_PROVIDER_FACTS = ("module", "dependencies", "optional_dependencies", "tags")
_SETTINGS = ("image_name", "metadata_store", "selectors", "checks")


def snapshot_of_plan(data: Mapping[str, Any]) -> Snapshot:
    """Return the normal form of the graph that a plan was made of.

    What the plan does not hold becomes `Snapshot.unknown`, and is not compared.

    Args:
        data: The plan's JSON.

    Raises:
        ValueError: If *data* is no plan, or one of an unknown major version; the text says which.
    """
    if data.get("kind") != "plan":
        msg = "it is not the JSON of a plan: 'kind' is not 'plan'"
        raise ValueError(msg)
    version = str(data.get("format_version"))
    if version.partition(".")[0] != KNOWN_MAJOR:
        msg = f"its format version {version} is not known (known: {KNOWN_MAJOR}.x)"
        raise ValueError(msg)
    try:
        return _snapshot(data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        msg = f"it is not the JSON of a plan: {what}"
        raise ValueError(msg) from error


def _snapshot(data: Mapping[str, Any]) -> Snapshot:
    entries: list[Mapping[str, Any]] = data["nodes"]
    resources = [one for entry in entries for one in entry.get("resources") or ()]
    held = {key for entry in entries for key in entry}
    unknown = {name for name in _PROVIDER_FACTS if name not in held}
    # In a plan, these name nodes and not what the provider's type asks for.
    unknown |= {"dependencies", "optional_dependencies"}
    unknown |= {name for name in ("apis", *_SETTINGS) if name not in data and name != "image_name"}
    if resources and not any("fields" in one for one in resources):
        unknown.add("resources.fields")
    settings: dict[str, Any] = {
        "image_name": data.get("name"),
        "metadata_store": data.get("metadata_store"),
        "selectors": data.get("selectors"),
        "checks": _checks(data.get("checks") or ()),
    }
    return Snapshot(
        nodes={
            Address.parse(entry["address"]): _sorted(_facts(entry))
            for entry in sorted(entries, key=lambda entry: str(entry["address"]))
        },
        edges=_links(data["edges"]),
        apis=tuple(sorted(map(_api_of, data.get("apis") or ()))),
        settings=_sorted(leaf for leaf in flattened(settings) if leaf[1] not in ("", None, {}, [])),
        excluded=tuple(
            sorted(
                Excluded(
                    api=str(one["api"]),
                    provider_id=str(one["provider_id"]),
                    provider_type=str(one["provider_type"]),
                    reason=str(one["reason"]),
                    detail=str(one.get("detail") or ""),
                )
                for one in data.get("excluded") or ()
            )
        ),
        problems=tuple(
            sorted(
                Problem(
                    one["severity"],
                    one["code"],
                    one.get("address") or "",
                    without_indices(one["message"]),
                )
                for one in data.get("diagnostics") or ()
            )
        ),
        unknown=frozenset(unknown),
        checked=_deepest(data.get("checked") or {}),
    )


def _facts(entry: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if entry.get("provider_type") is not None:
        yield ("provider_type",), entry["provider_type"]
    for name in ("module", "tags"):
        if entry.get(name):
            yield (name,), entry[name]
    if entry.get("config"):
        yield from flattened(entry["config"], ("config",))
    for one in entry.get("resources") or ():
        start = ("resources", str(one["identifier"]), str(one["provider_id"]))
        name = one.get("provider_resource_id") or one["identifier"]
        yield (*start, "provider_resource_id"), name
        if one.get("fields"):
            yield from flattened(one["fields"], (*start, "fields"))


def _links(edges: Iterable[Mapping[str, Any]]) -> dict[Ends, tuple[Link, ...]]:
    found: dict[Ends, tuple[Link, ...]] = {}
    for one in edges:
        ends = (Address.parse(one["dependency"]), Address.parse(one["dependent"]))
        link = Link(str(one["strength"]), one.get("status") == "dropped")
        found[ends] = tuple(sorted({*found.get(ends, ()), link}))
    return found


def _api_of(entry: Any) -> str:
    """Return the name of a served API, which a plan lists alone or with what it knows of it."""
    return str(cast("Mapping[str, Any]", entry)["api"] if isinstance(entry, Mapping) else entry)


def _checks(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the queries that a config wants asked, by name, as `settings_of` does."""
    found: dict[str, list[str]] = {}
    for one in entries:
        found.setdefault(one["name"], []).append(f"{one['query']} ({one['expect']})")
    return {name: sorted(asked) for name, asked in found.items()}


def _deepest(checked: Mapping[str, Any]) -> Level | None:
    """Return the deepest level that a plan was checked at, of those that are known here."""
    known = {level.name.lower(): level for level in Level}
    return max((known[name] for name in checked.get("levels") or () if name in known), default=None)


def _sorted(facts: Iterable[tuple[tuple[str | int, ...], Any]]) -> Facts:
    return dict(sorted(facts, key=lambda fact: path_order(fact[0])))
