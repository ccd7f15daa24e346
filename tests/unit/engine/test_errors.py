"""What is told of errors that foreign code raises."""

from __future__ import annotations

from rungraph.engine.errors import describe
from rungraph.graph.budgets import LONGEST_MESSAGE


class _MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError


def test_an_error_that_has_no_text_to_tell_is_told_by_its_type() -> None:
    """Alone and in a group: the failure of a provider is never one of rungraph."""
    told = "_MuteError: (its text cannot be made: ValueError)"
    assert describe(_MuteError()) == told
    assert describe(ExceptionGroup("several", [_MuteError(), OSError("gone")])) == (
        f"ExceptionGroup: {told}; OSError: gone"
    )


def test_a_long_text_is_cut() -> None:
    """It is shown several times, and sent to whoever listens."""
    assert describe(ValueError("x" * 2_000_000)) == f"ValueError: {'x' * (LONGEST_MESSAGE - 1)}…"
