"""Which values two graphs show alike of which one side does not know more than the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diff.alignment import masked_alike
from rungraph.graph.diff.facts import facts_of
from rungraph.graph.diff.snapshot import Snapshot, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.source.positions import Path


def not_comparable(
    old: RunGraph | Snapshot, new: RunGraph | Snapshot
) -> Iterator[tuple[Address | None, Path]]:
    """Yield the node and the path of each secret that can be equal or not, the settings' first.

    JSON that rungraph wrote has a mask where a secret stood: nobody can tell whether it has
    changed. Of two run configs all is known.
    """
    if knows_all(old) and knows_all(new):
        return
    for path in masked_alike(settings_of(old), settings_of(new)):
        yield None, path
    for address in sorted(old.nodes.keys() & new.nodes.keys()):
        for path in masked_alike(facts_of(old.nodes[address]), facts_of(new.nodes[address])):
            yield address, path


def knows_all(graph: RunGraph | Snapshot) -> bool:
    """Whether *graph* is of a run config rather than of JSON."""
    return not isinstance(graph, Snapshot) and graph.document is not None
