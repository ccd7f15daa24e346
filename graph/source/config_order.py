"""The order of what a config lists: by what it is, never by where it stands."""

from __future__ import annotations

import json
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rungraph.graph.source.run_config import ConfiguredProvider, ConfiguredResource


def providers_in_order(providers: list[ConfiguredProvider]) -> list[ConfiguredProvider]:
    """Return the providers sorted by what they are, never by where they stand."""
    providers.sort(key=attrgetter("address"))
    if all(first.address != second.address for first, second in pairwise(providers)):
        return providers
    # Only duplicates are worth the long key.
    return sorted(providers, key=lambda one: (one.address, one.provider_type, _told(one)))


def _told(provider: ConfiguredProvider) -> str:
    """Return all that an entry says, in one order."""
    module = provider.named.model_dump(exclude={"config", "tags"}) if provider.named else None
    return json.dumps([provider.written, provider.tags, module], sort_keys=True, default=str)


def resources_in_order(resources: list[ConfiguredResource]) -> list[ConfiguredResource]:
    """Return the resources sorted by what they are, as `providers_in_order` does."""
    resources.sort(key=_resource_key)
    if all(_resource_key(first) != _resource_key(second) for first, second in pairwise(resources)):
        return resources
    return sorted(
        resources,
        key=lambda one: (
            _resource_key(one),
            one.provider_resource_id or "",
            json.dumps([one.fields, one.written], sort_keys=True, default=str),
        ),
    )


def _resource_key(resource: ConfiguredResource) -> tuple[str, str, str]:
    return (resource.table_api, resource.identifier, resource.provider_id or "")
