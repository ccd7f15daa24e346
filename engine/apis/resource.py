"""The base of what routing tables hold: models, shields, memory banks."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rungraph.engine.apis.common import ApiModel


class Resource(ApiModel):
    """Something that calls are routed by.

    Attributes:
        identifier: The name that callers use.
        provider_id: The provider that serves it. Empty in what a provider lists and in a
            registration that leaves the choice to the table.
        provider_resource_id: The provider's own name for it; None when it is *identifier*.
        metadata: Anything else about it.

    Examples:
        >>> Resource(identifier="small").native_id
        'small'
        >>> Resource(identifier="small", provider_resource_id="org/small-1b").native_id
        'org/small-1b'
    """

    identifier: str = Field(min_length=1)
    provider_id: str = ""
    provider_resource_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def native_id(self) -> str:
        """The provider's own name for the resource, which routers pass on."""
        return self.provider_resource_id or self.identifier
