"""``--call`` takes the pairs that follow it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from rungraph.cli.inputs.call_option import CallingCommand, WrittenCall, call_option

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def test_a_value_is_all_that_follows_the_first_equals_sign() -> None:
    """Values may hold equals signs, line breaks, dashes in front, or be empty."""
    _, _, calls = parsed("--call", "a.b", "x=1=2", "y=-1", "z=", "text=one\ntwo")
    assert calls[0].arguments == {"x": "1=2", "y": "-1", "z": "", "text": "one\ntwo"}


def test_the_target_may_follow_an_equals_sign() -> None:
    """``--call=API.METHOD`` is the same as ``--call API.METHOD``."""
    assert parsed("--call=a.b", "x=1")[2] == parsed("--call", "a.b", "x=1")[2]


def test_a_word_that_is_no_pair_ends_the_call() -> None:
    """A path with an equals sign, written with its folder, is a file."""
    files, _, calls = parsed("--call", "a.b", "x=1", "./y=2", "z=3")
    assert files == ("./y=2", "z=3")
    assert calls[0].arguments == {"x": "1"}


def test_two_dashes_end_options() -> None:
    """Behind ``--`` nothing is a call."""
    files, _, calls = parsed("--", "--call", "a.b")
    assert files == ("--call", "a.b")
    assert calls == ()


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


def test_the_help_has_the_option() -> None:
    """The metavar says that pairs follow."""
    assert "--call API.METHOD [key=value]..." in CliRunner().invoke(command, ["--help"]).output
