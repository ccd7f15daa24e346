"""What differs between two graphs, and what that affects. Pure."""

from rungraph.graph.diff.compare import Edges, diff_graphs
from rungraph.graph.diff.diff_json import diff_to_dict, diff_to_json
from rungraph.graph.diff.model import (
    Affected,
    Change,
    EdgeChange,
    FactChange,
    GraphDiff,
    NodeChange,
)
from rungraph.graph.diff.patch import applied
from rungraph.graph.diff.render import diff_to_markdown, render_diff
from rungraph.graph.diff.snapshot import Link, Snapshot, snapshot_of

__all__ = [
    "Affected",
    "Change",
    "EdgeChange",
    "Edges",
    "FactChange",
    "GraphDiff",
    "Link",
    "NodeChange",
    "Snapshot",
    "applied",
    "diff_graphs",
    "diff_to_dict",
    "diff_to_json",
    "diff_to_markdown",
    "render_diff",
    "snapshot_of",
]
