"""Which node may start next; pure bookkeeping, no tasks and no clock."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.engine.run.node_run import NodeRun


class Schedule:
    """The node runs that may start, in start order.

    With ``generations`` the next generation is due when the whole one before it has settled,
    with ``ready`` a node is due when all that it needs have. A node settles when it is up, has
    failed or is skipped.

    Args:
        generations: All node runs, by generation.
        kind: How to schedule them.
        parallelism: How many may be starting at the same time; None for no limit.
    """

    def __init__(
        self,
        generations: Iterable[tuple[NodeRun, ...]],
        kind: Literal["generations", "ready"],
        parallelism: int | None,
    ) -> None:
        self._by_generation = kind == "generations"
        self._generations = deque(generations)
        self._parallelism = parallelism
        self._due: deque[NodeRun] = deque()
        self._unsettled = sum(map(len, self._generations))
        self._left_in_generation = 0
        self._starting = 0
        if not self._by_generation:
            self._due.extend(
                run for generation in self._generations for run in generation if not run.blocked
            )
            self._generations.clear()

    @property
    def is_over(self) -> bool:
        """Whether nothing is starting and nothing more will."""
        return not self._starting and not self._unsettled

    def take(self) -> NodeRun | None:
        """Return the next node run that may start now, or None."""
        if self._parallelism is not None and self._starting >= self._parallelism:
            return None
        while not self._due and not self._left_in_generation and self._generations:
            self._due.extend(self._generations.popleft())
            self._left_in_generation = len(self._due)
        if not self._due:
            return None
        self._starting += 1
        return self._due.popleft()

    def settled(self, run: NodeRun) -> None:
        """Take note that a node that was taken is up, has failed or is skipped."""
        self._starting -= 1
        if self._unsettled:
            self._unsettled -= 1
        if self._by_generation:
            self._left_in_generation -= 1
            return
        for dependent in run.dependents:
            dependent.blocked -= 1
            if not dependent.blocked and self._unsettled:
                self._due.append(dependent)

    def close(self) -> None:
        """Let nothing start any more; what is starting still has to settle."""
        self._due.clear()
        self._generations.clear()
        self._unsettled = 0
