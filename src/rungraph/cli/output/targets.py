"""Where a picture goes: to a file by its suffix, to standard output, or into a comparison."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from rungraph.cli.files import write_file
from rungraph.cli.inputs.options import TARGET, choice_option
from rungraph.cli.terminal import DIFFERS, complain, show, tell
from rungraph.graph.budgets import LARGEST_FILE
from rungraph.graph.wording import safe_json

Renderers = Mapping[str, Callable[[Any], str | bytes]]
"""What draws a picture, by format; ``screen`` is the text that people read where it appears."""
_Command = TypeVar("_Command", bound=Callable[..., Any])

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

FILE_WIDTH = 120
"""Cells in a line of a text file, whatever terminal it is written from."""

theme_option = choice_option(
    "--theme",
    choices=("auto", "light", "dark"),
    help="For which background; auto is light, and in an SVG the reader's own.",
)


def picture_options(command: _Command) -> _Command:
    """Add ``-o``, ``--format`` and ``--check``, which `target_of` takes."""
    check = click.option(
        "--check",
        type=TARGET,
        metavar="FILE",
        help="Draw nothing; say whether FILE shows what would be drawn.",
    )
    form = click.option(
        "--format", "form", type=click.Choice(FORMATS), help="What is drawn, whatever -o is."
    )
    output = click.option(
        "-o", "--output", metavar="FILE", help="Where to draw; - is standard output."
    )
    return output(form(check(command)))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a picture goes, and as what.

    Attributes:
        format: One of `FORMATS`, or ``screen`` for text that people read where it appears.
        path: The file to write, or to check; None for standard output.
        is_check: Whether the file is compared instead of written.
    """

    format: str
    path: Path | None = None
    is_check: bool = False

    def write(self, renderers: Renderers) -> int:
        """Draw the picture and write or compare it; return the exit code."""
        drawn = renderers[self.format](self.format)
        if self.format == "json" and isinstance(drawn, str):
            drawn = safe_json(drawn)
        content = drawn.encode() if isinstance(drawn, str) else drawn
        if self.path is None:
            show(drawn, end="")
        elif self.is_check:
            return _check(self.path, content, self.format)
        else:
            write_file(self.path, content)
            tell(f"wrote {self.path}")
        return 0


def target_of(
    output: str | None,
    form: str | None,
    check: Path | None,
    *,
    impossible: Mapping[str, str] | None = None,
) -> Target:
    """Return where ``-o``, ``--format`` and ``--check`` send a picture.

    Of each *impossible* format it says why it makes no sense here.

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
    return Target("screen" if is_screen else found, path, check is not None)


def _format_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        what = f"unknown suffix '{path.suffix}'" if suffix else f"'{path}' has no suffix"
        msg = f"{what}; known: {_SHOWN_SUFFIXES}; or say --format"
        raise click.UsageError(msg)
    return SUFFIXES[suffix]


def _check(path: Path, fresh: bytes, form: str) -> int:
    try:
        with path.open("rb") as stream:  # A device has no end.
            kept = stream.read(2 * len(fresh) + LARGEST_FILE)
    except FileNotFoundError:
        problem = f"{path} is not there"
    else:
        if _is_same(kept, fresh, form):
            show(f"{path} is up to date")
            return 0
        problem = f"{path} is stale: drawn anew, it is different"
    complain(f"{problem}\nhelp: {_command_that_writes(path)}")
    return DIFFERS


def _is_same(kept: bytes, fresh: bytes, form: str) -> bool:
    if form in _BINARY:
        # Only a PNG that is not the same byte for byte needs the drawing library.
        from rungraph.viz.formats.figure import show_the_same

        return kept == fresh or (form == "png" and show_the_same(kept, fresh))
    # A checkout may have turned the ends of lines.
    return kept.replace(b"\r\n", b"\n") == fresh


def _command_that_writes(path: Path) -> str:
    """Return the command line that was given, with ``-o`` where ``--check`` was."""
    context = click.get_current_context()
    command = [context.command_path]
    for param in context.command.params:
        name, value = param.name or "", context.params.get(param.name or "")
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        values = value if isinstance(value, tuple) else (value,)
        if isinstance(param, click.Argument):
            command += [shlex.quote(str(one)) for one in values]
        elif name == "check":
            command += ["-o", shlex.quote(str(path))]
        elif isinstance(value, bool):
            command.append(param.opts[-1] if value else param.secondary_opts[-1])
        else:
            command += [text for one in values for text in (param.opts[-1], shlex.quote(str(one)))]
    return " ".join(command)
