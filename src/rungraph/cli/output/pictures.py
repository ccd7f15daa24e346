"""Where a picture goes: to a file by its suffix, to standard output, or into a comparison."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from rungraph.cli.files import write_file
from rungraph.cli.terminal import OutputClosedError, complain, show, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIFFERS = 3
"""The exit code of ``--check`` for a picture that is stale."""
SUFFIXES = {
    ".txt": "text",
    ".png": "png",
    ".svg": "svg",
    ".pdf": "pdf",
    ".html": "html",
    ".htm": "html",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".json": "json",
    ".graphml": "graphml",
}
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))
_BINARY = frozenset({"png", "pdf"})
_SHOWN_SUFFIXES = ".png .svg .pdf .html .mmd .dot .json .graphml .txt"


@dataclass(frozen=True, slots=True)
class Output:
    """Where a picture goes, and as what.

    Attributes:
        format: One of `FORMATS`.
        path: The file to write, or to check; None for standard output.
        is_check: Whether the file is compared instead of written.
        is_screen: Whether people read the text where it appears.
    """

    format: str
    path: Path | None = None
    is_check: bool = False
    is_screen: bool = False

    def finish(self, render: Callable[[str], bytes], context: click.Context) -> int:
        """Write the picture that *render* makes, or compare it; return the exit code."""
        if self.path is None:
            _to_standard_output(render(self.format), self.format)
            return 0
        if not self.is_check:
            write_file(self.path, render(self.format))
            tell(f"wrote {self.path}")
            return 0
        return _check(self.path, render(self.format), self.format, context)


def output_of(
    output: str | None,
    form: str | None,
    check: Path | None,
    *,
    impossible: Mapping[str, str] | None = None,
) -> Output:
    """Return where a picture goes.

    Args:
        output: What ``-o`` names: a file, ``-`` for standard output, None for a terminal.
        form: What ``--format`` names; None to go by the suffix.
        check: The file that ``--check`` names.
        impossible: Formats that make no sense here, and why.

    Raises:
        click.UsageError: If the suffix says nothing, or the options contradict each other.
    """
    if check is not None and output is not None:
        msg = "--check compares a file and -o writes one: give one of them"
        raise click.UsageError(msg)
    if output == "-" and form is None:
        msg = f"standard output has no suffix: add --format, one of {', '.join(FORMATS)}"
        raise click.UsageError(msg)
    path = check if check is not None else Path(output) if output not in (None, "-") else None
    found = form or ("text" if path is None else _format_of(path))
    if impossible and found in impossible:
        raise click.UsageError(impossible[found])
    if path is None and found in _BINARY and sys.stdout.isatty():
        msg = f"{found} is not for a terminal: name a file with -o, or redirect the output"
        raise click.UsageError(msg)
    is_screen = path is None and found == "text"
    return Output(found, path, check is not None, is_screen)


def _format_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        what = f"unknown suffix '{path.suffix}'" if suffix else f"'{path}' has no suffix"
        msg = f"{what}; known: {_SHOWN_SUFFIXES}; or say --format"
        raise click.UsageError(msg)
    return SUFFIXES[suffix]


def _to_standard_output(content: bytes, form: str) -> None:
    if form not in _BINARY:
        show(content.decode("utf-8"), end="")
        return
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise OutputClosedError from error


def _check(path: Path, fresh: bytes, form: str, context: click.Context) -> int:
    try:
        kept = path.read_bytes()
    except FileNotFoundError:
        problem = f"{path} is not there"
    else:
        if _is_same(kept, fresh, form):
            show(f"{path} is up to date")
            return 0
        problem = f"{path} is stale: drawn anew, it is different"
    complain(f"{problem}\nhelp: {_command_that_writes(path, context)}")
    return DIFFERS


def _is_same(kept: bytes, fresh: bytes, form: str) -> bool:
    if form in _BINARY:
        from rungraph.viz.formats.pixels import show_the_same

        return kept == fresh or (form == "png" and show_the_same(kept, fresh))
    # A checkout may have turned the ends of lines.
    return kept.replace(b"\r\n", b"\n") == fresh


def _command_that_writes(path: Path, context: click.Context) -> str:
    """Return the command line that was given, with ``-o`` where ``--check`` was."""
    words = [context.command_path]
    for param in context.command.params:
        name, value = param.name or "", context.params.get(param.name or "")
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        values = value if isinstance(value, tuple) else (value,)
        if isinstance(param, click.Argument):
            words += [shlex.quote(str(one)) for one in values]
        elif name == "check":
            words += ["-o", shlex.quote(str(path))]
        elif isinstance(value, bool):
            words.append(param.opts[-1] if value else param.secondary_opts[-1])
        else:
            words += [text for one in values for text in (param.opts[-1], shlex.quote(str(one)))]
    return " ".join(words)
