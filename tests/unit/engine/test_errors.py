"""What is told of errors that foreign code raises."""

from __future__ import annotations

import asyncio

import pytest

from rungraph.engine.errors import NodeFailure, StopError, describe
from rungraph.graph import Address
from rungraph.graph.budgets import LONGEST_MESSAGE


class _MuteError(Exception):
    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind

    def __str__(self) -> str:
        raise self.kind


@pytest.mark.parametrize("kind", [ValueError, SystemExit, asyncio.CancelledError])
def test_an_error_that_has_no_text_to_tell_is_told_by_its_type(kind: type[BaseException]) -> None:
    """Alone and in a group: the failure of a provider is never one of rungraph."""
    told = f"_MuteError: (its text cannot be made: {kind.__name__})"
    assert describe(_MuteError(kind)) == told
    assert describe(ExceptionGroup("several", [_MuteError(kind), OSError("gone")])) == (
        f"ExceptionGroup: {told}; OSError: gone"
    )


def test_a_long_text_is_cut() -> None:
    """It is shown several times, and sent to whoever listens."""
    assert describe(ValueError("x" * 2_000_000)) == f"ValueError: {'x' * (LONGEST_MESSAGE - 1)}…"


def test_a_node_that_ended_badly_several_times_is_one_node() -> None:
    """A stack is restarted in part, and each stop of a node may go wrong."""
    failure = NodeFailure(Address.provider("memory", "one"), "stop", OSError("gone"))
    assert str(StopError((failure, failure))).startswith(
        "the stack stopped with errors in 1 node\n"
    )
