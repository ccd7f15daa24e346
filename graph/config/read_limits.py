"""The limits of calls in a run config: of one provider, or of each provider of an API."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rungraph.graph.config.field_types import fields_of
from rungraph.graph.config.run_config import LimitsSection
from rungraph.graph.diagnostics import Severity
from rungraph.graph.limits import NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.config.sections import SectionReader
    from rungraph.graph.nodes import ProviderNode
    from rungraph.graph.source.positions import Path


def limits_of_apis(
    reader: SectionReader, value: Mapping[str, Mapping[str, Any]] | None, catalog: Catalog
) -> dict[str, Limits]:
    """Return what limits the calls of each provider of an API, by API."""
    if not value:
        return {}
    # Any other API may be of a catalog that could not be read.
    unread = {api for api in value if catalog.is_unread(api)}
    known = reader.spelt(value, catalog.apis.keys() | unread, ("limits",), "'limits'")
    apis = sorted(known.keys() & catalog.apis.keys())
    return {api: read_limits(reader, known[api], ("limits", api)) for api in apis}


def read_limits(
    reader: SectionReader, value: Mapping[str, Any] | None, path: Path, api: Limits | None = None
) -> Limits:
    """Return the limits that *value* says, and those of the *api* where it says none."""
    if not value:
        return api or NO_LIMITS
    given = reader.spelt(value, fields_of(LimitsSection).keys(), path, "'limits'")
    section = reader.section(LimitsSection, given, path)
    if section is None:
        return api or NO_LIMITS
    said = {key: one for key, one in vars(section).items() if one is not None}
    limits = replace(api or NO_LIMITS, **said)
    unread = reader.unread_limits
    if value.get("concurrent_calls") is not None and "concurrent_calls" not in said:
        unread.add(path[:2])
    elif path[0] != "limits" and "queued_calls" in said and ("limits", path[1]) not in unread:
        _report_queue_alone(reader, (*path, "queued_calls"), [limits])
    return limits


def report_idle_limits(
    reader: SectionReader, limits: Mapping[str, Limits], providers: Sequence[ProviderNode]
) -> None:
    """Report the *limits* of APIs that limit no call, given all *providers*."""
    by_api: defaultdict[str, list[Limits]] = defaultdict(list)
    for one in providers:
        by_api[one.api].append(one.limits)
    for api, of_api in limits.items():
        if api not in by_api and of_api.given():
            message = f"'limits.{api}' does nothing: no provider of {api} is configured"
            reader.report("C010", message, ("limits", api), key=True, severity=Severity.WARNING)
        elif of_api.queued_calls is not None and reader.unread_limits.isdisjoint(
            {("limits", api), ("providers", api)}
        ):
            _report_queue_alone(reader, ("limits", api, "queued_calls"), by_api[api])


def _report_queue_alone(reader: SectionReader, path: Path, limits: Sequence[Limits]) -> None:
    if all(one.concurrent_calls is None for one in limits):
        message = "'queued_calls' does nothing without 'concurrent_calls'"
        reader.report("C010", message, path, severity=Severity.WARNING)
