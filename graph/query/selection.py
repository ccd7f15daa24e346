"""What a query selects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.address import Address


@dataclass(frozen=True)
class Selection(Sequence["Address"]):
    """The nodes that a query selects, in start order; never twice the same.

    Attributes:
        addresses: Their addresses.
        path: For ``somepath`` and ``critical`` the same nodes in the order of the path: each needs
            the one after it. None for any other query.
        is_count: Whether the query was ``count(x)``, so that their number is what was asked.

    Examples:
        >>> from rungraph import compile_config, query
        >>> graph = compile_config({"providers": {"telemetry": [
        ...     {"provider_id": "otel", "provider_type": "inline::opentelemetry"}
        ... ]}}, environment={})
        >>> found = query(graph, "api:telemetry")
        >>> found
        <Selection: 1 node: provider:telemetry/otel>
        >>> found.addresses[0] in found
        True
    """

    addresses: tuple[Address, ...]
    path: tuple[Address, ...] | None = None
    is_count: bool = False

    @overload
    def __getitem__(self, index: int) -> Address: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Address, ...]: ...
    def __getitem__(self, index: int | slice) -> Address | tuple[Address, ...]:
        return self.addresses[index]

    def __len__(self) -> int:
        return len(self.addresses)

    def __iter__(self) -> Iterator[Address]:
        return iter(self.addresses)

    def __contains__(self, value: object) -> bool:
        return value in self._known

    @cached_property
    def _known(self) -> frozenset[object]:
        return frozenset(self.addresses)

    def __repr__(self) -> str:
        shown = ", ".join([*map(str, self.addresses[:5]), *(["…"] if len(self) > 5 else [])])
        return f"<Selection: {counted(len(self), 'node')}{': ' if shown else ''}{shown}>"
