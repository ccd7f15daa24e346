"""Which values two graphs show alike of which nobody knows more than the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diff.alignment import masked_alike
from rungraph.graph.diff.facts import facts_of, hidden_of, is_masked
from rungraph.graph.diff.snapshot import Snapshot, hidden_settings, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.diff.facts import Facts, Hidden
    from rungraph.graph.model import RunGraph
    from rungraph.graph.source.positions import Path


def not_comparable(
    old: RunGraph | Snapshot, new: RunGraph | Snapshot
) -> Iterator[tuple[Address | None, Path]]:
    """Yield the node and the path of each secret that can be equal or not, the settings' first.

    JSON that rungraph wrote has a mask where a secret stood: nobody can tell whether it has
    changed. Of two run configs all is known, but for what masks hid that are pasted into both, and
    for names with credentials, which are masked as they are read.
    """
    are_known = knows_all(old) and knows_all(new)
    if are_known and not (_has_masks(old) and _has_masks(new)):
        return
    for address in (None, *sorted(old.nodes.keys() & new.nodes.keys())):
        if address is not None and is_masked(address.name):
            yield address, ("provider_id",)
        hidden = [_hidden(one, address) if are_known else {} for one in (old, new)]
        was, now = map(_with, (_facts(one, address) for one in (old, new)), hidden)
        for path in masked_alike(was, now):
            # What is behind it can be, or hold, a mask itself.
            if path not in hidden[1] or is_masked(hidden[1][path].written):
                yield address, path


def _has_masks(graph: RunGraph | Snapshot) -> bool:
    """Whether a graph has masks that were pasted, or names that are only known masked."""
    return not isinstance(graph, Snapshot) and any(
        one.code in ("C041", "E005") for one in graph.diagnostics
    )


def _facts(graph: RunGraph | Snapshot, address: Address | None) -> Facts:
    return settings_of(graph) if address is None else facts_of(graph.nodes[address])


def _hidden(graph: RunGraph | Snapshot, address: Address | None) -> Mapping[Path, Hidden]:
    if isinstance(graph, Snapshot):
        return {}
    return hidden_settings(graph) if address is None else hidden_of(graph.nodes[address])


def _with(facts: Facts, hidden: Mapping[Path, Hidden]) -> Facts:
    return {**facts, **{path: one.written for path, one in hidden.items()}}


def knows_all(graph: RunGraph | Snapshot) -> bool:
    """Whether *graph* is of a run config rather than of JSON."""
    return not isinstance(graph, Snapshot) and graph.document is not None
