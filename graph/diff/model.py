"""What differs between two graphs, as values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.diff.snapshot import Link
    from rungraph.graph.source.positions import Path


_AT_ONCE = frozenset({"apis", "catalog", "checks", "providers", "selectors", "version"})
"""Settings that the graph follows from, or that are asked of it."""
NEXT_START = "from the next start on, if at all"
"""When all other settings count for a stack that runs."""


class Change(StrEnum):
    """What became of something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"
    """Only a list: the elements that it keeps stand in another order."""


class FactChange(NamedTuple):
    """One fact that differs.

    Attributes:
        path: Where in the node, such as ``("config", "url")``.
        change: What became of it.
        old: What it was, secrets masked; None when there was none. Of a list that is reordered, the
            ids of what it keeps.
        new: What it is, secrets masked; None when there is none. Of such a list, the same.
        is_secret: Whether the difference is in a secret, so that *old* and *new* do not show it.
        variables: The variables whose values differ; then *old* and *new* are what is written.
    """

    path: Path
    change: Change
    old: Any = None
    new: Any = None
    is_secret: bool = False
    variables: tuple[str, ...] = ()


class NodeChange(NamedTuple):
    """A node that was added, removed or changed.

    Attributes:
        address: The node.
        change: What became of it.
        facts: Its facts that differ, sorted by path; of an added or a removed node, all.
        reason: Why, when more is known: ``switched on: VLLM_URL is now set``.
        provider_type: Its type now, or before it was removed; empty for a table or a router.
    """

    address: Address
    change: Change
    facts: tuple[FactChange, ...] = ()
    reason: str = ""
    provider_type: str = ""


class EdgeChange(NamedTuple):
    """Two nodes that are linked in another way than before.

    Attributes:
        dependency: The one that starts first.
        dependent: The one that needs or uses it.
        old: Their links before; empty when there was none.
        new: Their links now; empty when there is none.
    """

    dependency: Address
    dependent: Address
    old: tuple[Link, ...]
    new: tuple[Link, ...]

    @property
    def change(self) -> Change:
        """What became of the edge."""
        if not self.old:
            return Change.ADDED
        return Change.CHANGED if self.new else Change.REMOVED


class Affected(NamedTuple):
    """A node that is as it was, and depends on something that is not.

    Attributes:
        address: The node.
        because_of: The nearest node that differs; of equally near ones the first by address.
        distance: How many edges lie between the two.
    """

    address: Address
    because_of: Address
    distance: int


@dataclass(frozen=True)
class GraphDiff:
    """What differs between two graphs. Every listing is sorted.

    Attributes:
        nodes: The nodes that were added, removed or changed.
        edges: The edges that were added, removed or changed.
        affected: The nodes that are as they were and depend, directly or not, on what is not.
        apis_added: The APIs that are served now and were not.
        apis_removed: The APIs that were served and are not.
        settings: What differs and belongs to no node, such as ``image_name``.
        excluded_added: What is left out now.
        excluded_removed: What was left out.
        problems_added: The diagnostics that appeared.
        problems_removed: The diagnostics that disappeared.
        unchanged: The nodes that are as they were.
        catalogs: What each of the two is read as, such as ``ogx 1.5.0, told by …``; empty texts
            where that is not told.
        not_comparable: The values that look the same and need not be, each as its node, None for a
            setting, and its path: one side is JSON with a mask where a secret stands.
    """

    nodes: tuple[NodeChange, ...] = ()
    edges: tuple[EdgeChange, ...] = ()
    affected: tuple[Affected, ...] = ()
    apis_added: tuple[str, ...] = ()
    apis_removed: tuple[str, ...] = ()
    settings: tuple[FactChange, ...] = ()
    excluded_added: tuple[Excluded, ...] = ()
    excluded_removed: tuple[Excluded, ...] = ()
    problems_added: tuple[Diagnostic, ...] = ()
    problems_removed: tuple[Diagnostic, ...] = ()
    unchanged: tuple[Address, ...] = ()
    catalogs: tuple[str, str] = ("", "")
    not_comparable: tuple[tuple[Address | None, Path], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the two graphs say the same, as far as their values can be compared."""
        return not any(
            getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("affected", "unchanged", "catalogs", "not_comparable")
        )

    @property
    def next_start(self) -> tuple[FactChange, ...]:
        """The settings that count for a stack which runs from its next start on, if at all."""
        return tuple(one for one in self.settings if one.path[0] not in _AT_ONCE)

    @cached_property
    def states(self) -> Mapping[Address, frozenset[str]]:
        """What became of each node of both graphs, sorted by address.

        ``new``, ``modified`` or ``removed``; else ``same``, and ``affected`` as well if the node
        depends on one that differs.
        """
        words = {Change.ADDED: "new", Change.CHANGED: "modified", Change.REMOVED: "removed"}
        found: dict[Address, frozenset[str]] = {}
        found |= dict.fromkeys(self.unchanged, frozenset(("same",)))
        for one in self.affected:
            found[one.address] = frozenset(("same", "affected"))
        for node in self.nodes:
            found[node.address] = frozenset((words[node.change],))
        return MappingProxyType({address: found[address] for address in sorted(found)})
