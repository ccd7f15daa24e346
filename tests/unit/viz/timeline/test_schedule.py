"""Facts about a start as plain values."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rungraph.graph.address import Address
from rungraph.graph.wording import duration
from rungraph.viz.timeline import Schedule, Span
from rungraph.viz.timeline.schedule import ticks_of


def test_own_time_is_apart_from_waiting_and_efficiency_is_of_the_whole(start: Schedule) -> None:
    """Waiting for providers, then for a turn; own starts over total times the most at once."""
    table = start.spans[2]
    assert (table.waited_for_needs, table.waited_for_turn, table.own) == (1.0, 0.5, 0.25)
    assert start.most_at_once == 2
    assert start.efficiency == pytest.approx(1.75 / (2 * 2.0))
    assert Schedule("empty", (), 0.0).efficiency is None


_TIMES = st.floats(0, 10).map(lambda value: round(value, 3))


@given(st.lists(st.tuples(_TIMES, _TIMES).map(sorted), max_size=8))
def test_efficiency_is_a_share(bars: Sequence[Sequence[float]]) -> None:
    """Whatever the start, between nothing and all of the places is used."""
    spans = tuple(
        Span(Address.provider("a", str(n)), 0, "a", "ready", 0.0, begin, end)
        for n, (begin, end) in enumerate(bars)
    )
    schedule = Schedule("any", spans, max((end for _, end in bars), default=0.0))
    assert schedule.most_at_once <= len(bars)
    assert schedule.efficiency is None or 0 < schedule.efficiency <= 1


@given(st.floats(1e-6, 1e6), st.integers(1, 20))
def test_ticks_are_few_and_inside(total: float, most: int) -> None:
    """The axis begins at 0 and has at most as many further ticks as asked for, none beyond."""
    ticks = ticks_of(total, most)
    assert ticks[0] == (0.0, "0")
    assert len(ticks) <= most + 1
    assert all(time <= total * 1.001 for time, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks)


def test_times_are_read_by_people() -> None:
    """The unit changes where the number would get long; rounding never gives 1000 ms or 60 s."""
    assert [duration(s) for s in (0.0, 0.00996, 0.9996, 59.996, 3600.0)] == [
        *("0.0 ms", "10 ms", "1.00 s", "1 min 00 s", "60 min 00 s")
    ]
