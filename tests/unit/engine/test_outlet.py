"""What is written comes out in order, and nobody waits for a reader."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest

from rungraph.engine.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Generator

_MORE_THAN_A_PIPE_HOLDS = "x" * 200_000


@pytest.fixture
def pipe() -> Generator[tuple[int, TextIO]]:
    """The end of a pipe to read from, and the one to write to."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, stream
    os.close(reading)


def test_all_that_is_written_comes_out_in_its_order(pipe: tuple[int, TextIO]) -> None:
    """However much it is, if somebody reads; the end waits for it."""
    reading, stream = pipe
    outlet = Outlet(stream)
    for number in range(100):
        outlet.write(f"{number}:ä\n")
    outlet.finish()
    assert os.read(reading, 10_000).decode() == "".join(f"{one}:ä\n" for one in range(100))


def test_what_nobody_reads_is_dropped_and_told_once_somebody_does(
    pipe: tuple[int, TextIO], capsys: pytest.CaptureFixture[str]
) -> None:
    """A writer never waits; what was taken before still comes, whole."""
    reading, stream = pipe
    outlet = Outlet(stream)
    for _ in range(10):
        outlet.write(_MORE_THAN_A_PIPE_HOLDS)
    with pytest.raises(BlockingIOError, match="nobody reads it"):
        outlet.finish(0)
    left = 6 * len(_MORE_THAN_A_PIPE_HOLDS)
    while left:
        left -= len(os.read(reading, 65_536))
    outlet.finish()
    outlet.write("more")
    outlet.finish()
    assert os.read(reading, 100) == b"more"
    said = f"warning: 4 texts for {stream.name} were dropped: nobody read it\n"
    assert capsys.readouterr().err == said


def test_a_file_that_must_be_whole_is_refused_instead(pipe: tuple[int, TextIO]) -> None:
    """Nothing of it is left out in silence."""
    outlet = Outlet(pipe[1], drops=False)
    for _ in range(6):
        outlet.write(_MORE_THAN_A_PIPE_HOLDS)
    with pytest.raises(BlockingIOError, match="nobody reads it"):
        outlet.write("one more")


def test_what_goes_wrong_is_raised_by_whoever_writes_next() -> None:
    """Again and again, as a file does."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        outlet = Outlet(stream)
        outlet.write("a")
        for wrong in (outlet.finish, lambda: outlet.write("b"), lambda: outlet.write("c")):
            with pytest.raises(OSError, match="No space left") as raised:
                wrong()
            assert raised.value.errno == errno.ENOSPC
