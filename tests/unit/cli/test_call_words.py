"""``--call`` takes the pairs that follow it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from rungraph.cli.inputs.call_option import CallingCommand, CallWords, call_words

if TYPE_CHECKING:
    from collections.abc import Sequence


def parsed(*words: str) -> tuple[Sequence[str], bool, tuple[CallWords, ...]]:
    """Return the arguments, the flag and the calls of a command line."""
    found: list[tuple[Sequence[str], bool, tuple[CallWords, ...]]] = []

    @click.command(cls=CallingCommand)
    @click.argument("files", nargs=-1)
    @click.option("--flag", is_flag=True)
    @click.pass_context
    def command(context: click.Context, files: tuple[str, ...], *, flag: bool) -> None:
        found.append((files, flag, call_words(context)))

    result = CliRunner().invoke(command, words)
    if result.exit_code:
        raise click.UsageError(result.output)
    return found[0]


def test_pairs_belong_to_the_call_before_them() -> None:
    """Each call has its own pairs, up to the next option or word."""
    files, flag, calls = parsed(
        *("--call", "a.b", "x=1", "y=two words", "--flag"), *("--call", "c.d"), "file"
    )
    assert files == ("file",)
    assert flag
    assert calls == (CallWords("a.b", {"x": "1", "y": "two words"}), CallWords("c.d", {}))


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


@pytest.mark.parametrize("words", [["--call"], ["--call", "--flag"], ["--call", "x=1"]])
def test_a_call_names_its_method(words: list[str]) -> None:
    """``--call`` without a target is wrong usage."""
    with pytest.raises(click.UsageError, match=r"requires API\.METHOD"):
        parsed(*words)


def test_a_parameter_is_given_once() -> None:
    """The second value of a parameter would silently win, so it is wrong usage."""
    with pytest.raises(click.UsageError, match="'x' twice"):
        parsed("--call", "a.b", "x=1", "x=2")


def test_help_tells_of_calls() -> None:
    """The help has the option, though click does not parse it."""

    @click.command(cls=CallingCommand)
    def command() -> None:
        """Do nothing."""

    assert "--call API.METHOD" in CliRunner().invoke(command, ["--help"]).output
