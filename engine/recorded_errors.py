"""The errors of recordings: of files that are none, and those of the runs that they are of."""

from __future__ import annotations

from dataclasses import dataclass

from rungraph.engine.errors import EngineError


@dataclass(eq=False)
class RecordingError(EngineError):
    """Raised when a file holds no recording of events, or one that cannot be read.

    Attributes:
        file: The file.
        line: The line, counted from 1; None when it is about the whole file.
        problem: What is wrong there.

    Examples:
        >>> print(RecordingError("run.jsonl", 3, "not a JSON object"))
        run.jsonl:3: not a JSON object
        help: write one with 'rungraph run CONFIG --events FILE'
    """

    file: str
    line: int | None
    problem: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.problem}\nhelp: write one with 'rungraph run CONFIG --events FILE'"


@dataclass(unsafe_hash=True)
class RecordedError(EngineError):
    """An error of an earlier run. Never raised: a recording's events hold it.

    Attributes:
        type_name: The name of the class that it was of.
        text: What it said.
    """

    type_name: str
    text: str

    def __str__(self) -> str:
        return self.text
