"""Notices a task that dies while nobody waits for it, and whose it is."""

from __future__ import annotations

import asyncio
from contextvars import Context, ContextVar
from functools import partial
from inspect import currentframe
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rungraph.engine import waiting
from rungraph.engine.interruption import LoopHeldError
from rungraph.engine.run.node_run import NodeRun, Phase
from rungraph.graph.address import NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from types import CodeType, FrameType

_GRACE_SECONDS = 0.005
"""Seconds within which whoever waits for a task has taken its error."""

_OF_A_LOOP, _AROUND_A_LOOP = asyncio.Handle._run.__code__, asyncio.Runner.run.__code__  # noqa: SLF001

_maker: ContextVar[NodeRun | None] = ContextVar("rungraph_maker", default=None)


class DeadTask(NamedTuple):
    """A task that has failed and whose error nobody has taken.

    Attributes:
        name: Its name.
        error: What it raised.
        maker: The node in whose context it was made; None when that is nobody's.
        is_own: Whether the node itself made it: background work that its creation began.
    """

    name: str
    error: BaseException
    maker: NodeRun | None
    is_own: bool


def context_of(run: NodeRun, context: Context) -> Context:
    """Return a copy of *context* in which what a provider makes is known to be made by *run*.

    What a table asks its members is their code: a task that they make then is not the table's.
    """
    copied = context.copy()
    if run.address.kind is NodeKind.PROVIDER:
        copied.run(_maker.set, run)
    return copied


def maker() -> NodeRun | None:
    """Return in whose context the current code runs; None when that is nobody's."""
    return _maker.get()


def maker_of(handle: asyncio.Handle | None, task: asyncio.Task[Any] | None) -> NodeRun | None:
    """Return in whose context an event loop runs *handle*, or *task*; None when that is nobody's.

    What others have made is known so as well, such as a library's task or callback. A loop that
    is not Python's own has handles of its own: there, tasks alone are known.
    """
    context: Context | None = getattr(handle, "_context", None)
    if context is not None:
        return context.get(_maker)
    run = waiting.maker_of(task)
    return run if isinstance(run, NodeRun) else None


def called_by_loop(
    frames: Iterable[FrameType],
) -> tuple[list[FrameType], asyncio.Handle | None]:
    """Return those of *frames* that the innermost event loop has called, and for what.

    Args:
        frames: The frames of a thread, the innermost first.
    """
    called: list[FrameType] = []
    for frame in frames:
        if frame.f_code is _OF_A_LOOP:
            return called, frame.f_locals.get("self")
        if frame.f_code is _AROUND_A_LOOP:  # One without frames of its own.
            break
        called.append(frame)
    return called, None


class TaskWatch:
    """Watches the tasks that are made in the running event loop, until it is closed.

    A task that providers have made, or had made, or whose code is theirs, never ends the event
    loop: what would do so, such as SystemExit, fails the task instead.

    Args:
        died: Called in the loop with each task that has died.
        is_foreign: Tells whether a frame runs a provider's code; asked once for each code.
    """

    def __init__(
        self, died: Callable[[DeadTask], None], is_foreign: Callable[[FrameType], bool]
    ) -> None:
        self._died = died
        self._is_foreign = is_foreign
        self._foreign: dict[CodeType, bool] = {}
        self._loop = asyncio.get_running_loop()
        self._before = self._loop.get_task_factory()
        self._is_open = True
        self._dead: set[asyncio.Future[Any]] = set()
        # The stubs want a function that is generic in what the task returns.
        self._loop.set_task_factory(cast("Any", self._make))

    def close(self) -> None:
        """End the watching."""
        self._is_open = False
        for task in self._dead:
            _see_interruption(task)
        if self._loop.get_task_factory() == self._make:
            self._loop.set_task_factory(self._before)

    def _make(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **more: Any
    ) -> asyncio.Future[Any]:
        maker = _maker.get()
        if self._is_open and (maker is not None or self._is_of_a_provider(work, currentframe())):
            waiting.set_maker(work := waiting.guarded(work), maker)
        before = self._before
        task = before(loop, work, **more) if before else asyncio.Task(work, loop=loop, **more)
        if self._is_open and isinstance(task, asyncio.Task):
            is_own = maker is not None and maker.task is asyncio.current_task()
            task.add_done_callback(partial(self._has_ended, maker, is_own))
        return task

    def _is_of_a_provider(self, work: Coroutine[Any, Any, Any], frame: FrameType | None) -> bool:
        """Whether *work*, or what has had *frame* make a task of it, is a provider's code."""
        if waiting.is_guarded(work):
            return True
        own = getattr(work, "cr_frame", None)
        if own is not None and self._is_known(own):
            return True
        # A callback of a provider has a maker; what is around the loop has made no task.
        if asyncio.current_task(self._loop) is None:
            return False
        while frame is not None and frame.f_code not in (_OF_A_LOOP, _AROUND_A_LOOP):
            if self._is_known(frame):
                return True
            frame = frame.f_back
        return False

    def _is_known(self, frame: FrameType) -> bool:
        known = self._foreign.get(frame.f_code)
        if known is None:
            known = self._foreign[frame.f_code] = self._is_foreign(frame)
        return known

    def _has_ended(self, maker: NodeRun | None, is_own: bool, task: asyncio.Future[Any]) -> None:
        # Asking for the error would count as having taken it.
        if self._is_open and getattr(task, "_log_traceback", False):
            self._dead.add(task)
            self._loop.call_later(_GRACE_SECONDS, self._look, task, maker, is_own)

    def _look(self, task: asyncio.Future[Any], maker: NodeRun | None, is_own: bool) -> None:
        self._dead.discard(task)
        if not self._is_open or not getattr(task, "_log_traceback", False):
            return
        if maker is not None and maker.phase is Phase.STARTING:  # Which may yet wait for it.
            self._has_ended(maker, is_own, task)
        elif (error := getattr(task, "_exception", None)) is not None:
            _see_interruption(task)
            name = cast("asyncio.Task[Any]", task).get_name()
            self._died(DeadTask(name, error, maker, is_own))


def _see_interruption(task: asyncio.Future[Any]) -> None:
    """Have nobody told again of a task that was interrupted: who has held the loop is known."""
    if isinstance(getattr(task, "_exception", None), LoopHeldError):
        task.exception()
