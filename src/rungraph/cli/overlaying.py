"""What ``rungraph graph`` lays over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rungraph.cli.sides import Side
    from rungraph.graph import Address, RunGraph
    from rungraph.viz.overlay import Overlay

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


class Run(NamedTuple):
    """What a recording says of the nodes of a graph.

    Attributes:
        states: What each was doing at the end.
        spans: When its own start began and was over, in seconds, for those that began.
        critical: The critical path.
    """

    states: Mapping[Address, str]
    spans: Mapping[Address, tuple[float, float]]
    critical: Sequence[Address]

    @property
    def durations(self) -> Mapping[Address, float]:
        """Seconds that the own start of each took."""
        return {address: end - begin for address, (begin, end) in self.spans.items()}


def load_run(graph: RunGraph, path: Path) -> Run:
    """Return what the recording *path* says of the nodes of *graph*.

    Raises:
        RecordingError: If it is no recording.
    """
    from rungraph.cli.terminal import tell
    from rungraph.engine.recording import read_events
    from rungraph.engine.timeline import timeline

    times = timeline(read_events(path))
    unknown = [str(address) for address in times.nodes if address not in graph]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        tell(f"warning: {path} is of another graph: {', '.join(unknown[:3])}{more} not in this one")
    known = {address: one for address, one in times.nodes.items() if address in graph}
    return Run(
        {address: one.state.value for address, one in known.items()},
        {
            address: (one.starting, one.settled)
            for address, one in known.items()
            if one.starting is not None and one.settled is not None
        },
        [address for address in times.critical_path if address in graph],
    )


def overlay_of(
    kind: str | None,
    graph: RunGraph,
    *,
    side: Side | None,
    run: Run | None,
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
    from rungraph.viz import overlays

    if side is not None:
        from rungraph.graph.diff import diff_graphs

        # The cast is for pyright, to which a cached property is none.
        return overlays.diff_overlay(cast("Any", diff_graphs(side.graph, graph)))
    if run is not None and kind == "status":
        return overlays.status_overlay(run.states)
    if run is not None:
        return overlays.times_overlay(run.spans, run.critical)
    if kind == "plan":
        from rungraph.graph.failures import assume_failed

        return overlays.plan_overlay(graph, assume_failed(graph, failing) if failing else None)
    return None
