"""What is kept of a registered resource; knows nothing of where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = 1
"""The form in which a registration's content is written; raised when it changes."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the store keeps of one registered resource.

    Attributes:
        table_api: The table that holds it, such as ``models``.
        identifier: The name that callers use.
        provider_id: The provider that accepted it.
        content: The resource as accepted, as JSON values.
        form: The form of *content*; one that is not `FORM` was written by another version.
    """

    table_api: str
    identifier: str
    provider_id: str
    content: Mapping[str, Any]
    form: int = FORM
