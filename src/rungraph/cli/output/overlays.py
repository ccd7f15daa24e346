"""What ``rungraph graph`` lays over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from rungraph.cli.terminal import tell
from rungraph.graph.diff import diff_graphs
from rungraph.graph.failures import assume_failed
from rungraph.graph.wording import listed
from rungraph.viz.model import overlay as overlays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rungraph.cli.inputs.recorded import Recorded
    from rungraph.graph import Address, RunGraph
    from rungraph.graph.diff import Snapshot
    from rungraph.viz.model.overlay import Overlay

OVERLAYS = ("plan", "diff", "status", "times")
_NEEDS = {"diff": "--against OLD", "status": "--events FILE", "times": "--events FILE"}
_MOST_NAMED = 3


def overlay_kind(
    kind: str | None, *, against: str | None, events: Path | None, failing: Sequence[str]
) -> str | None:
    """Return which overlay the options ask for; an option that one overlay has implies it.

    Raises:
        click.UsageError: If they contradict each other, or one is missing.
    """
    given = {
        "--against": (against, ("diff",)),
        "--events": (events, ("times", "status")),
        "--assume-failed": (failing or None, ("plan",)),
    }
    for option, (value, meant) in given.items():
        if value is None:
            continue
        kind = kind or meant[0]
        if kind not in meant:
            msg = f"{option} is for --overlay {' or '.join(meant)}, not for {kind}"
            raise click.UsageError(msg)
    need = _NEEDS.get(kind or "", "")
    if need and given[need.partition(" ")[0]][0] is None:
        msg = f"--overlay {kind} needs {need}"
        raise click.UsageError(msg)
    return kind


def run_of(graph: RunGraph, path: Path) -> Recorded:
    """Return what the recording *path* says, with a warning if it is of another graph.

    Raises:
        RecordingError: If it is no recording.
    """
    # Only a recording needs the engine.
    from rungraph.cli.inputs.recorded import load_run

    run = load_run(path)
    unknown = [address for address in run.times.nodes if address not in graph]
    if unknown:
        names = listed(unknown, _MOST_NAMED)
        tell(f"warning: {path} is of another graph: {names} not in this one")
    return run


def overlay_of(
    kind: str | None,
    graph: RunGraph,
    *,
    old: RunGraph | Snapshot | None,
    run: Recorded | None,
    failing: Sequence[Address],
) -> Overlay | None:
    """Return what is laid over *graph*: the overlay *kind*, one of `OVERLAYS`; None for nothing."""
    if old is not None:
        # The cast is for pyright, to which a cached property is none.
        return overlays.diff_overlay(cast("Any", diff_graphs(old, graph)))
    if run is not None and kind == "status":
        return overlays.status_overlay({at: one for at, one in run.states.items() if at in graph})
    if run is not None:
        spans = {at: span for at, span in run.spans.items() if at in graph}
        return overlays.times_overlay(
            spans, [at for at in run.schedule.critical_path if at in graph]
        )
    if kind == "plan":
        return overlays.plan_overlay(graph, assume_failed(graph, failing) if failing else None)
    return None
