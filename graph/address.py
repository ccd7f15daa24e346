"""The identity of a node: its kind, its API and, for a provider, its id."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Self


class NodeKind(StrEnum):
    """The three kinds of node that a graph holds."""

    PROVIDER = "provider"
    TABLE = "table"
    ROUTER = "router"

    # Enum's own hash is a Python call; addresses are hashed all the time.
    __hash__ = str.__hash__

    @property
    def label(self) -> str:
        """What people call it, such as ``routing table``."""
        return "routing table" if self is NodeKind.TABLE else self.value


def is_api_name(text: str) -> bool:
    """Whether an API can be called so: an address has a slash behind the API's name."""
    return text != "" and "/" not in text


class Address(NamedTuple):
    """Identify one node of the graph.

    Two nodes are the same node exactly when their addresses are equal. Addresses sort, so every
    listing of nodes has one order: providers, routers, tables; then by API; then by provider id.

    Attributes:
        kind: What the node is.
        api: The API that the node implements, such as ``inference``.
        name: The provider's id; empty for a router and a routing table, of which an API has at
            most one.

    Examples:
        >>> str(Address.provider("inference", "small"))
        'provider:inference/small'
        >>> Address.parse("router:inference") == Address.router("inference")
        True
    """

    kind: NodeKind
    api: str
    name: str = ""

    @lru_cache(maxsize=65536)  # noqa: B019 (each is written often, by all that it touches)
    def __str__(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return f"{self.kind}:{self.api}/{self.name}" if self.name else f"{self.kind}:{self.api}"

    def __repr__(self) -> str:
        # Answers are mostly tuples of addresses: what they are counts more than how to make them.
        return f"<{self}>"

    @classmethod
    def provider(cls, api: str, provider_id: str) -> Self:
        """Return the address of the provider *provider_id* of *api*."""
        return cls(NodeKind.PROVIDER, api, provider_id)

    @classmethod
    def table(cls, api: str) -> Self:
        """Return the address of the routing table that answers for *api*, such as ``models``."""
        return cls(NodeKind.TABLE, api)

    @classmethod
    def router(cls, api: str) -> Self:
        """Return the address of the router of *api*, such as ``inference``."""
        return cls(NodeKind.ROUTER, api)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the form that ``str`` writes.

        Raises:
            ValueError: If *text* is not ``provider:<api>/<provider_id>``, ``table:<api>`` or
                ``router:<api>``.
        """
        kind_text, _, rest = text.partition(":")
        api, slash, name = rest.partition("/")
        try:
            kind = NodeKind(kind_text)
        except ValueError:
            kind = None
        if (
            kind is None
            or not is_api_name(api)
            or bool(slash) != bool(name)
            or (kind is NodeKind.PROVIDER) != bool(name)
        ):
            msg = (
                f"not an address: {text!r} "
                "(expected 'provider:<api>/<provider_id>', 'table:<api>' or 'router:<api>')"
            )
            raise ValueError(msg)
        return cls(kind, api, name)
