"""Which node may start next; pure bookkeeping, no tasks and no clock."""

from __future__ import annotations

from collections import deque
from graphlib import TopologicalSorter
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.engine.run.node_run import NodeRun


class Schedule:
    """The node runs that may start, in start order.

    With ``generations`` the next generation is due when the whole one before it has settled,
    with ``ready`` a node is due when all that it needs have. A node settles when it is up, has
    failed or is skipped.

    Args:
        runs: The node runs, in start order; what they need besides has settled already.
        kind: How to schedule them.
        parallelism: How many may be starting at the same time; None for no limit.
    """

    def __init__(
        self,
        runs: Sequence[NodeRun],
        kind: Literal["generations", "ready"],
        parallelism: int | None,
    ) -> None:
        self._rank = {run: number for number, run in enumerate(runs)}
        self._generations: deque[tuple[NodeRun, ...]] = deque()
        self._sorter: TopologicalSorter[NodeRun] = TopologicalSorter()
        if kind == "generations":  # The graph has sorted them.
            by_generation = groupby(runs, key=attrgetter("generation"))
            self._generations.extend(tuple(one) for _, one in by_generation)
        else:
            for run in runs:
                self._sorter.add(run, *(need for need in run.needs if need in self._rank))
        self._sorter.prepare()
        self._kind = kind
        self._parallelism = parallelism
        self._due: deque[NodeRun] = deque()
        self._starting = 0
        self._is_closed = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is starting and nothing more will."""
        left = self._due or self._generations or self._sorter.is_active()
        return not self._starting and (self._is_closed or not left)

    def take(self) -> NodeRun | None:
        """Return the next node run that may start now, or None."""
        if self._is_closed or self._starting == self._parallelism:
            return None
        if self._generations and not (self._due or self._starting):
            self._due.extend(self._generations.popleft())
        self._due.extend(sorted(self._sorter.get_ready(), key=self._rank.__getitem__))
        if not self._due:
            return None
        self._starting += 1
        return self._due.popleft()

    def settled(self, run: NodeRun) -> None:
        """Take note that a node that was taken is up, has failed or is skipped."""
        self._starting -= 1
        if self._kind == "ready":
            self._sorter.done(run)

    def close(self) -> None:
        """Let nothing start any more; what is starting still has to settle."""
        self._is_closed = True
