"""What ``rungraph graph`` lays over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rungraph.cli.inputs.comparable import Side
    from rungraph.cli.inputs.recorded import Recorded
    from rungraph.graph import Address, RunGraph
    from rungraph.viz.model.overlay import Overlay

OVERLAYS = ("plan", "diff", "status", "times")
_NEEDS = {"diff": "--against OLD", "status": "--events FILE", "times": "--events FILE"}


def overlay_kind(
    kind: str | None, *, against: str | None, events: Path | None, failing: Sequence[str]
) -> str | None:
    """Return which overlay the options ask for; an option that one overlay has implies it.

    Raises:
        click.UsageError: If they contradict each other, or one is missing.
    """
    meanings = (
        ("--against", against, ("diff",)),
        ("--events", events, ("times", "status")),
        ("--assume-failed", failing or None, ("plan",)),
    )
    for option, value, meant in meanings:
        if value is None:
            continue
        kind = kind or meant[0]
        if kind not in meant:
            msg = f"{option} is for --overlay {' or '.join(meant)}, not for {kind}"
            raise click.UsageError(msg)
    if (kind == "diff" and against is None) or (kind in ("status", "times") and events is None):
        msg = f"--overlay {kind} needs {_NEEDS[kind]}"
        raise click.UsageError(msg)
    return kind


def run_of(graph: RunGraph, path: Path) -> Recorded:
    """Return what the recording *path* says, with a warning if it is of another graph.

    Raises:
        RecordingError: If it is no recording.
    """
    from rungraph.cli.inputs.recorded import load_run
    from rungraph.cli.terminal import tell

    run = load_run(path)
    unknown = [str(address) for address in run.times.nodes if address not in graph]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        tell(f"warning: {path} is of another graph: {', '.join(unknown[:3])}{more} not in this one")
    return run


def overlay_of(
    kind: str | None,
    graph: RunGraph,
    *,
    side: Side | None,
    run: Recorded | None,
    failing: Sequence[Address],
) -> Overlay | None:
    """Return what is laid over *graph*; None for nothing.

    Args:
        kind: One of `OVERLAYS`, or None.
        graph: What is drawn.
        side: What it is compared with.
        run: What a recording says of it.
        failing: The nodes that are assumed to fail.
    """
    from rungraph.viz.model import overlay_sources as overlays

    if side is not None:
        from rungraph.graph.diff import diff_graphs

        # The cast is for pyright, to which a cached property is none.
        return overlays.diff_overlay(cast("Any", diff_graphs(side.graph, graph)))
    if run is not None and kind == "status":
        states = run.states.items()
        return overlays.status_overlay({node: word for node, word in states if node in graph})
    if run is not None:
        from rungraph.cli.inputs.recorded import schedule_of

        spans = run.spans.items()
        critical = [node for node in schedule_of(run).critical_path if node in graph]
        return overlays.times_overlay({node: at for node, at in spans if node in graph}, critical)
    if kind == "plan":
        from rungraph.graph.failures import assume_failed

        return overlays.plan_overlay(graph, assume_failed(graph, failing) if failing else None)
    return None
