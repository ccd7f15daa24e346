"""The command line as users and scripts meet it: whole processes, exit codes, streams, signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = Path(__file__).parent / "cli_package"
HIDDEN = "sk-very-secret-0123456789"


class Ended(NamedTuple):
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return a plain environment: no terminal, no colours asked for, our packages first."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    paths = os.pathsep.join([str(ROOT / "src"), str(PACKAGES)])
    return {**kept, "PYTHONPATH": paths, "PYTHONWARNINGS": "error", **more}


def command(*words: str | Path) -> list[str]:
    """Return the command line with *words*."""
    return [sys.executable, "-m", "rungraph", *map(str, words)]


def rungraph(*words: str | Path, stdin: str = "", **more: str) -> Ended:
    """Run the command line to its end."""
    done = subprocess.run(
        command(*words),
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(**more),
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


ConfigFile = Callable[..., Path]


@pytest.fixture
def config_file(tmp_path: Path) -> ConfigFile:
    """Return what writes a run config with one provider, told what to do, and returns its path."""

    def write(**config: Any) -> Path:
        provider = {
            "provider_id": "told",
            "provider_type": "inline::told",
            "module": "told_provider",
            "config": config,
        }
        path = tmp_path / "run.yaml"
        path.write_text(json.dumps({"image_name": "told", "providers": {"inference": [provider]}}))
        return path

    return write


@contextmanager
def running(path: Path, until: str, *words: str | Path) -> Generator[subprocess.Popen[str]]:
    """Start ``rungraph run``, wait until it says *until*, and hand it out."""
    state = path.parent / "state"
    with subprocess.Popen(
        command("run", path, "--state-dir", state, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if until in line:
                    break
            else:
                pytest.fail(f"the process ended without saying {until!r}")
            yield process
        finally:
            process.kill()


def run(path: Path, *words: str | Path, **more: str) -> Ended:
    """Run ``rungraph run`` to its end, with a state folder of its own."""
    return rungraph("run", path, "--state-dir", path.parent / "state", *words, **more)


# --- the outermost layer -----------------------------------------------------------------------


def test_help_names_every_command() -> None:
    """``--help`` lists the commands and ends with 0."""
    ended = rungraph("--help")
    assert ended.code == 0
    for name in ("validate", "plan", "run", "providers", "models", "explain"):
        assert f"\n  {name} " in ended.out
    assert ended.err == ""


def test_no_command_is_wrong_usage_and_shows_the_help() -> None:
    """Without a command there is the help, and the exit code of wrong usage."""
    ended = rungraph()
    assert ended.code == 2
    assert "Commands:" in ended.err
    assert ended.out == ""


def test_version_is_the_version_of_the_distribution() -> None:
    """``--version`` prints one line."""
    ended = rungraph("--version")
    assert ended.code == 0
    assert ended.out.startswith("rungraph ")


def test_a_typo_in_a_command_is_answered_with_the_nearest_one() -> None:
    """An unknown command is wrong usage and names what may have been meant."""
    ended = rungraph("valdate", "x.yaml")
    assert ended.code == 2
    assert "did you mean 'validate'?" in ended.err


@pytest.mark.parametrize(
    "words", [["validate"], ["validate", "--level", "deep", "x"], ["plan", "a", "b"], ["run"]]
)
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    """What the command line cannot understand ends with 2 and says why on standard error."""
    ended = rungraph(*words)
    assert ended.code == 2
    assert ended.err.startswith("Usage: ")
    assert ended.out == ""


def test_a_reader_that_goes_away_is_no_reason_to_complain() -> None:
    """A closed pipe ends the command without a word."""
    with subprocess.Popen(
        command("plan", "--format", "json", ROOT / "configs/quickstart.yaml"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 1


def test_a_full_disk_is_an_error_not_a_traceback() -> None:
    """What the operating system refuses is one message."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("explain"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


# --- colours -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_those_who_can_see_it(
    variables: dict[str, str], *, is_coloured: bool
) -> None:
    """A pipe gets no colours unless they are forced, and ``NO_COLOR`` forbids them."""
    ended = rungraph("validate", "nowhere.yaml", **variables)
    assert ("\x1b[" in ended.err) is is_coloured


# --- on a terminal -----------------------------------------------------------------------------


def on_terminal(*words: str | Path, **more: str) -> tuple[int, str]:
    """Run the command line with a terminal as standard error; return its code and what came."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(*words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment(**{"TERM": "xterm", **more}),
    ) as process:
        os.close(theirs)
        found = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # What Linux says when the other end is closed.
                break
            found += piece
            if not piece:
                break
        os.close(ours)
        return process.wait(30), found.decode()


def test_a_terminal_has_colours_and_a_picture_that_goes(config_file: ConfigFile) -> None:
    """While the stack starts its nodes are redrawn in place; the summary stays."""
    path = config_file()
    words = ("run", path, "--state-dir", path.parent / "state", "--call", "inspect.health")
    code, text = on_terminal(*words)
    assert code == 0
    assert "\x1b[1mstarting" in text
    assert "generation 0" in text
    assert "\x1b[2K" in text  # Lines are taken away again,
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # and the cursor comes back.
    assert "told is ready: 4 nodes" in text


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_terminals_without_colours_get_none(variables: dict[str, str]) -> None:
    """A dumb terminal, or a user who wants no colours, gets plain diagnostics."""
    code, text = on_terminal("validate", "nowhere.yaml", **variables)
    assert code == 1
    assert "\x1b[" not in text
    assert "\x1b[" in on_terminal("validate", "nowhere.yaml")[1]


def test_a_dumb_terminal_gets_lines(config_file: ConfigFile) -> None:
    """A terminal that cannot move its cursor gets one line an event."""
    path = config_file()
    words = ("run", path, "--state-dir", path.parent / "state", "--call", "inspect.health")
    code, text = on_terminal(*words, TERM="dumb")
    assert code == 0
    assert "ready      provider:inference/told" in text
    assert "\x1b[" not in text


# --- plan, providers, explain ------------------------------------------------------------------


def test_a_plan_shows_the_generations_and_masks_secrets(config_file: ConfigFile) -> None:
    """The plan goes to standard output, in text and in JSON, without any secret."""
    path = config_file(api_key=HIDDEN)
    text, values = rungraph("plan", path), rungraph("plan", "--format", "json", path)
    assert text.code == values.code == 0
    assert "generation 0" in text.out
    assert json.loads(values.out)["applyable"]
    assert HIDDEN not in text.out + values.out


def test_a_plan_with_errors_is_printed_and_ends_with_1() -> None:
    """What can be planned is planned, errors or not."""
    path = ROOT / "configs/invalid/G001-cycle-through-two-routed-pairs.yaml"
    ended = rungraph("plan", path)
    assert ended.code == 1
    assert "generation 0" in ended.out
    assert "G001" in ended.out


def test_providers_tell_what_is_installed() -> None:
    """One API's provider types come with their description and what installs them."""
    ended = rungraph("providers", "memory", "--format", "json")
    [memory] = json.loads(ended.out)
    types = {one["provider_type"]: one for one in memory["provider_types"]}
    assert ended.code == 0
    assert types["inline::faiss"]["install"] == 'pip install "rungraph[faiss]"'
    assert types["inline::faiss"]["dependencies"] == ["inference"]
    assert isinstance(types["inline::faiss"]["installed"], bool)


def test_an_unknown_api_is_answered_with_the_nearest_one() -> None:
    """A typo in an API is wrong usage and names what may have been meant."""
    ended = rungraph("providers", "memroy")
    assert ended.code == 2
    assert "did you mean 'memory'?" in ended.err


def test_explain_tells_what_a_code_means() -> None:
    """A code is explained whatever its case; without one, all of them are listed."""
    assert "cycle" in rungraph("explain", "g001").out
    assert "\nG001  error" in rungraph("explain").out
    ended = rungraph("explain", "G999")
    assert ended.code == 2
    assert "no diagnostic has the code 'G999'" in ended.err


# --- run ---------------------------------------------------------------------------------------


def test_a_call_is_answered_as_json_and_the_stack_stops(config_file: ConfigFile) -> None:
    """Standard output has the answer and nothing else; standard error the progress and summary."""
    ended = run(
        config_file(),
        *("--call", "inference.chat_completion", "model=echo", "messages=hello there"),
    )
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["completion_message"]["content"] == "hello there"
    assert "ready      provider:inference/told" in ended.err
    assert "critical path" in ended.err
    assert ended.err.rstrip().endswith("stopped")


def test_a_stream_is_written_as_text(config_file: ConfigFile) -> None:
    """The pieces of a streamed chat answer make one text, ended by a line break."""
    ended = run(
        config_file(),
        *("--call", "inference.chat_completion", "model=echo", "stream=true", "messages=a b c"),
    )
    assert ended.code == 0, ended.err
    assert ended.out == "a b c \n"


def test_calls_are_answered_in_their_order(config_file: ConfigFile) -> None:
    """Each call sees what the calls before it did; a call without a result prints nothing."""
    ended = run(
        config_file(),
        *("--call", "models.register_model", 'model={"identifier": "new", "provider_id": "told"}'),
        *("--call", "models.unregister_model", "identifier=new"),
        *("--call", "inference.chat_completion", "model=new", "messages=x"),
    )
    assert ended.code == 1
    assert json.loads(ended.out)["identifier"] == "new"
    assert "error: inference.chat_completion failed: model 'new' is not registered" in ended.err


def test_json_is_one_object_a_line(config_file: ConfigFile) -> None:
    """With ``--format json`` every line of standard output is an object that tells its kind."""
    ended = run(
        config_file(),
        *("--call", "inference.chat_completion", "model=echo", "stream=true", "messages=a"),
        *("--call", "inspect.health"),
        *("--call", "inference.chat_completion", "model=echo", "messages=fail"),
        *("--format", "json"),
    )
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 1
    assert [line["kind"] for line in lines] == [
        *("ready", "chunk", "chunk", "chunk", "end", "answer", "error")
    ]
    assert lines[0]["critical_path"][0].startswith("provider:")
    assert lines[-1]["call"] == "inference.chat_completion"


@pytest.mark.parametrize("stream", ["true", "false"])
def test_a_failing_call_stops_the_stack_in_order(config_file: ConfigFile, stream: str) -> None:
    """What a provider raises is one message without the config's secrets; the stack stops."""
    words = ("model=echo", f"stream={stream}", "messages=fail")
    ended = run(config_file(api_key=HIDDEN), "--call", "inference.chat_completion", *words)
    assert ended.code == 1
    assert "error: inference.chat_completion failed: RuntimeError: refused with ***" in ended.err
    assert "Traceback" not in ended.err
    assert HIDDEN not in ended.err
    assert ended.err.rstrip().endswith("stopped")


def test_a_stream_that_breaks_off_keeps_what_came(config_file: ConfigFile) -> None:
    """The text before an error is there, ended by a line break, and the error is said."""
    words = ("model=echo", "stream=true", "messages=one break two")
    ended = run(config_file(), "--call", "inference.chat_completion", *words)
    assert ended.code == 1
    assert ended.out == "one \n"
    assert "RuntimeError: broke off" in ended.err


def test_wrong_calls_are_all_named_before_anything_starts(config_file: ConfigFile) -> None:
    """A call that cannot be is wrong usage, and no provider was started for it."""
    ended = run(
        config_file(start="fail"),
        *("--call", "inferense.chat_completion"),
        *("--call", "inference.chat_completion", "modle=x", "stream=perhaps"),
    )
    assert ended.code == 2
    assert "did you mean 'inference'?" in ended.err
    assert "unknown parameter 'modle'; did you mean 'model'?" in ended.err
    assert "parameter 'messages' is missing" in ended.err
    assert "stream: " in ended.err
    assert "refused" not in ended.err


def test_a_config_with_errors_is_not_started(config_file: ConfigFile) -> None:
    """All levels up to ``import`` are checked first."""
    path = config_file()
    path.write_text(path.read_text().replace("told_provider", "not_there"))
    ended = run(path)
    assert ended.code == 1
    assert "error[I001]" in ended.err
    assert "cannot be run" in ended.err
    assert "starting" not in ended.err


def test_a_failed_start_names_the_culprit_and_its_place(config_file: ConfigFile) -> None:
    """The error tells node, place and cause; secrets in what the provider raised are masked."""
    path = config_file(start="fail", api_key=HIDDEN)
    ended = run(path)
    assert ended.code == 1
    assert f"provider:inference/told ({path}:1:" in ended.err
    assert "RuntimeError: start refused with ***" in ended.err
    assert "Traceback" not in ended.err
    assert HIDDEN not in ended.err


def test_debug_brings_the_traceback(config_file: ConfigFile) -> None:
    """``RUNGRAPH_DEBUG`` shows where a provider failed, still without secrets."""
    ended = run(config_file(start="fail", api_key=HIDDEN), RUNGRAPH_DEBUG="1")
    assert ended.code == 1
    assert "in get_provider_impl" in ended.err
    assert HIDDEN not in ended.err


def test_degrade_goes_on_with_the_rest(config_file: ConfigFile) -> None:
    """With ``--on-failure degrade`` a call of what runs is answered, and the summary tells."""
    ended = run(
        config_file(start="fail"), "--on-failure", "degrade", "--call", "inspect.list_routes"
    )
    assert ended.code == 0, ended.err
    assert "1 of 4 nodes" in ended.err
    assert json.loads(ended.out)


def test_what_providers_log_is_without_secrets(config_file: ConfigFile) -> None:
    """Log records go to standard error, the config's secrets masked."""
    ended = run(config_file(log=True, api_key=HIDDEN), "--call", "inspect.health")
    assert "WARNING: told: the key is ***" in ended.err
    assert HIDDEN not in ended.err


def test_events_are_written_as_json_lines(config_file: ConfigFile, tmp_path: Path) -> None:
    """``--events`` has every event of the stack, in order, without secrets."""
    path = tmp_path / "events.jsonl"
    ended = run(config_file(start="fail", api_key=HIDDEN), "--events", path)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert ended.code == 1
    assert events[0] == {"event": "Recording", "format_version": "1.0", "name": "told"}
    assert events[1]["event"] == "StackStarting"
    assert events[-1]["event"] == "StackStopped"
    [failed] = [event for event in events if event["event"] == "NodeFailed"]
    assert failed["address"] == "provider:inference/told"
    assert failed["error"]["type"] == "RuntimeError"
    assert HIDDEN not in path.read_text()


def test_an_event_file_that_cannot_be_written_is_said_first(config_file: ConfigFile) -> None:
    """Nothing starts when its events could not be written."""
    ended = run(config_file(), "--events", "/nowhere/events.jsonl")
    assert ended.code == 1
    assert ended.err.startswith("error: /nowhere/events.jsonl: ")
    assert "starting" not in ended.err


def test_a_failed_stop_is_an_error(config_file: ConfigFile) -> None:
    """A node that does not stop as it should makes the exit code 1."""
    ended = run(config_file(stop="fail", api_key=HIDDEN), "--call", "inspect.health")
    assert ended.code == 1
    assert "error: the stack stopped with errors in 1 node" in ended.err
    assert HIDDEN not in ended.err


def test_a_stop_that_hangs_is_cut_short(config_file: ConfigFile) -> None:
    """``--stop-timeout`` bounds the stop of a node, and the error names it."""
    ended = run(config_file(stop="hang"), "--stop-timeout", "0.1", "--call", "inspect.health")
    assert ended.code == 1
    assert "did not stop within 0.1 s" in ended.err


def test_a_thread_that_hangs_does_not_keep_the_process(config_file: ConfigFile) -> None:
    """A thread cannot be cancelled; the process ends without it."""
    words = ("--stop-timeout", "0.1", "--call", "inspect.health")
    ended = run(config_file(stop="thread"), *words)
    assert ended.code == 1
    assert "did not stop within 0.1 s" in ended.err


def test_a_reader_that_goes_away_stops_the_stack_in_order(config_file: ConfigFile) -> None:
    """When nobody reads the answers any more, the stack stops and nothing is complained about."""
    words = ("--call", "inference.chat_completion", "model=echo", "messages=x")
    with running(config_file(), "starting", *words) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        rest = process.stderr.read()
        assert process.wait(30) == 1
    assert rest.rstrip().endswith("stopped")
    assert "error" not in rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_the_first_signal_stops_in_order(
    config_file: ConfigFile, number: signal.Signals, code: int
) -> None:
    """A signal while the stack waits stops every node; the exit code tells which signal."""
    with running(config_file(), "Ctrl-C stops") as process:
        assert process.stderr is not None
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(30) == code
    assert "stopped    provider:inference/told" in rest
    assert rest.rstrip().endswith("stopped")


def test_a_signal_ends_a_start(config_file: ConfigFile) -> None:
    """A signal while a provider starts cancels it and stops what had started."""
    with running(config_file(start="hang"), "starting   provider:inference/told") as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert "Traceback" not in rest
    assert rest.rstrip().endswith("stopped")


def test_a_signal_ends_a_call(config_file: ConfigFile) -> None:
    """A signal while a call is answered cancels the call and stops the stack in order."""
    words = ("--call", "inference.chat_completion", "model=echo", "messages=hang")
    with running(config_file(), "calling", *words) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(30) == 143
    assert "stopped    provider:inference/told" in rest


def test_the_second_signal_stops_at_once(config_file: ConfigFile) -> None:
    """A node that hangs while it stops does not hold up the second signal."""
    with running(config_file(stop="hang"), "Ctrl-C stops", "--stop-timeout", "600") as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        for line in process.stderr:
            if "stopping   provider:inference/told" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert "cut short  provider:inference/told" in rest


def test_the_third_signal_ends_a_process_that_does_not_listen(config_file: ConfigFile) -> None:
    """A provider that blocks the event loop cannot keep the process from ending."""
    with running(config_file(stop="block"), "Ctrl-C stops") as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        for line in process.stderr:
            if "stopping   provider:inference/told" in line:
                break
        while process.poll() is None:  # Signals that come too close together count once.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        assert process.returncode == 130
