"""What differs between two graphs, and what that touches. Pure."""

from rungraph.graph.diff.changes import (
    Affected,
    Change,
    EdgeChange,
    FactChange,
    GraphDiff,
    NodeChange,
)
from rungraph.graph.diff.compare import diff_graphs
from rungraph.graph.diff.patch import applied
from rungraph.graph.diff.snapshot import LeftOut, Link, Problem, Snapshot, snapshot_of

__all__ = [
    "Affected",
    "Change",
    "EdgeChange",
    "FactChange",
    "GraphDiff",
    "LeftOut",
    "Link",
    "NodeChange",
    "Problem",
    "Snapshot",
    "applied",
    "diff_graphs",
    "snapshot_of",
]
