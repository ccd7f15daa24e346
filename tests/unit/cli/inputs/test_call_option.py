"""``--call`` takes the pairs that follow it, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner

from rungraph.cli.inputs.call_option import CallingCommand, WrittenCall, call_option


@click.command(cls=CallingCommand)
@click.argument("files", nargs=-1)
@call_option
@click.option("--flag", is_flag=True)
def command(files: tuple[str, ...], calls: Sequence[WrittenCall], *, flag: bool) -> None:
    """Write what it is given."""
    click.echo(repr((files, flag, calls)))


def parsed(*words: str) -> tuple[Sequence[str], bool, tuple[WrittenCall, ...]]:
    """Return the arguments, the flag and the calls of a command line."""
    with command.make_context("command", list(words)) as context:
        params = context.params
    return params["files"], params["flag"], params["calls"]


def test_pairs_belong_to_the_call_before_them() -> None:
    """Each call has its own pairs, up to the next option or word."""
    files, flag, calls = parsed(
        *("--call", "a.b", "x=1", "y=two words", "--flag"), *("--call", "c.d"), "file"
    )
    assert files == ("file",)
    assert flag
    assert calls == (WrittenCall("a.b", {"x": "1", "y": "two words"}), WrittenCall("c.d", {}))


@pytest.mark.parametrize(
    ("words", "files", "calls"),
    [
        # Values may hold equals signs, line breaks, dashes in front, or be empty.
        (["--call", "a.b", "x=1=2", "y=-1", "z=", "text=one\ntwo"], (),
         [("a.b", {"x": "1=2", "y": "-1", "z": "", "text": "one\ntwo"})]),
        (["--call=a.b", "x=1"], (), [("a.b", {"x": "1"})]),
        # A path with an equals sign, written with its folder, is a file.
        (["--call", "a.b", "x=1", "./y=2", "z=3"], ("./y=2", "z=3"), [("a.b", {"x": "1"})]),
        (["--", "--call", "a.b"], ("--call", "a.b"), []),
    ],
)  # fmt: skip
def test_where_a_call_begins_and_ends(
    words: list[str], files: tuple[str, ...], calls: list[tuple[str, dict[str, str]]]
) -> None:
    """A word that is no pair ends it; behind ``--`` nothing is a call."""
    found = parsed(*words)
    assert found == (files, False, tuple(WrittenCall(*call) for call in calls))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--call"], "Option '--call' requires an argument."),
        (["--call", "--flag"], "requires API.METHOD and then key=value pairs."),
        (["--call", "x=1"], "requires API.METHOD and then key=value pairs."),
        # The second value would silently win.
        (["--call", "a.b", "x=1", "x=2"], "Option '--call' has 'x' twice in a.b."),
    ],
)
def test_wrong_calls_are_wrong_usage(words: list[str], said: str) -> None:
    """A call names its method, and each parameter once."""
    ended = CliRunner().invoke(command, words)
    assert ended.exit_code == 2
    assert said in ended.output
    assert "--call API.METHOD [key=value]..." in CliRunner().invoke(command, ["--help"]).output
