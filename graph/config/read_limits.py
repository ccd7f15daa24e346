"""The limits of calls in a run config: of one provider, or of each provider of an API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rungraph.graph.config.field_types import fields_of
from rungraph.graph.config.run_config import LimitsSection
from rungraph.graph.diagnostics import Severity
from rungraph.graph.limits import NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.config.sections import SectionReader
    from rungraph.graph.source.positions import Path


def limits_of_apis(
    reader: SectionReader, value: Mapping[str, Mapping[str, Any]] | None, catalog: Catalog
) -> dict[str, Limits]:
    """Return what limits the calls of each provider of an API, by API."""
    if not value:
        return {}
    known = reader.spelt(value, catalog.apis.keys(), ("limits",), "'limits'")
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
    is_queue_alone = "queued_calls" in said and limits.concurrent_calls is None
    if is_queue_alone and path[0] != "limits":  # Of an API, each provider may say the other.
        message = "'queued_calls' does nothing without 'concurrent_calls'"
        reader.report("C010", message, (*path, "queued_calls"), severity=Severity.WARNING)
    return limits
