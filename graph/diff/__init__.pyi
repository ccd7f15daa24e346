from .compare import diff_graphs as diff_graphs
from .diff_json import diff_to_dict as diff_to_dict, diff_to_json as diff_to_json
from .model import (
    Affected as Affected,
    Change as Change,
    EdgeChange as EdgeChange,
    FactChange as FactChange,
    GraphDiff as GraphDiff,
    NodeChange as NodeChange,
)
from .render import diff_to_markdown as diff_to_markdown, render_diff as render_diff
from .snapshot import Link as Link, Snapshot as Snapshot, snapshot_of as snapshot_of
