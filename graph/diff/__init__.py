"""What differs between two graphs, and what that touches. Pure."""

from rungraph.graph.diff.changes import (
    Affected,
    Change,
    EdgeChange,
    FactChange,
    GraphDiff,
    NodeChange,
)
from rungraph.graph.diff.compare import Edges, diff_graphs
from rungraph.graph.diff.patch import applied
from rungraph.graph.diff.rendering import diff_to_dict, diff_to_json, diff_to_markdown, render_diff
from rungraph.graph.diff.saved_plan import snapshot_of_plan
from rungraph.graph.diff.snapshot import Link, Problem, Snapshot, snapshot_of

__all__ = [
    "Affected",
    "Change",
    "EdgeChange",
    "Edges",
    "FactChange",
    "GraphDiff",
    "Link",
    "NodeChange",
    "Problem",
    "Snapshot",
    "applied",
    "diff_graphs",
    "diff_to_dict",
    "diff_to_json",
    "diff_to_markdown",
    "render_diff",
    "snapshot_of",
    "snapshot_of_plan",
]
