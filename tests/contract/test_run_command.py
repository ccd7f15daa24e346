"""``rungraph run`` as users, scripts and systemd meet it: answers, failures, events, signals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders import entry, written
from tests.contract.command_line import (
    HIDDEN,
    command,
    environment,
    run,
    run_program,
    running,
)
from tests.contract.conftest import ConfigFile
from tests.contract.test_schemas import described

HEALTH = ("--call", "inspect.health")


def chat(text: str, *more: str) -> tuple[str, ...]:
    """Return the words of a call that has *text* repeated."""
    return ("--call", "inference.chat_completion", "model=echo", f"messages={text}", *more)


# --- answers -----------------------------------------------------------------------------------


def test_a_call_is_answered_as_json_and_the_stack_stops(config_file: ConfigFile) -> None:
    """Standard output has the answer and nothing else; standard error the progress and summary."""
    ended = run(config_file(), *chat("hello there"))
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["completion_message"]["content"] == "hello there"
    assert "ready      provider:inference/told" in ended.err
    assert "told is ready: 4 nodes in 3 generations, " in ended.err
    assert "critical path" not in ended.err
    assert ended.err.rstrip().endswith("stopped")


def test_more_is_told_of_a_start_or_nothing(config_file: ConfigFile) -> None:
    """``--verbose`` shows the chart, ``--quiet`` the answers alone; errors are told in any case."""
    verbose = run(config_file(), *chat("hello"), "--verbose")
    assert "critical path" in verbose.err
    quiet = run(config_file(), *chat("hello"), "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    assert json.loads(quiet.out)["completion_message"]["content"] == "hello"
    failed = run(config_file(), *chat("fail"), "--quiet")
    assert failed.code == 1
    assert failed.err.startswith("error: inference.chat_completion failed")
    both = run(config_file(), "--quiet", "--verbose")
    assert both.code == 2
    assert "--verbose shows more and --quiet less: give one of them" in both.err


def test_an_answer_that_was_cut_off_is_told(config_file: ConfigFile) -> None:
    """Whoever reads a half sentence learns that a limit ended it, and which key moves that."""
    ended = run(config_file(), *chat("count"), *chat("hello"))
    lines = [line for line in ended.err.splitlines() if line.startswith("answered in ")]
    cut, whole = (line.partition(" s")[2] for line in lines)
    assert (cut, whole) == ("; cut off at the limit of tokens, see max_tokens", "")


@pytest.mark.parametrize("placement", ["inline", "process"])
def test_a_module_is_named_by_its_file(tmp_path: Path, placement: str) -> None:
    """A path begins beside the config, wherever the command runs; what stands there is found."""
    beside = Path(__file__).parent / "cli_package" / "fake_provider.py"
    (tmp_path / "my-own provider.py").write_text("from .fake import *\n")
    (tmp_path / "fake.py").write_text(beside.read_text())
    told = entry("told", "inline::told", "./my-own provider.py") | {"placement": placement}
    path = written(tmp_path / "run.yaml", {"inference": [told]})
    ended = run(path, *chat("hello"), "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["completion_message"]["content"] == "hello"


def test_a_stream_is_written_as_text(config_file: ConfigFile) -> None:
    """The deltas make one text, ended by a line break; what came before an error is kept."""
    ended = run(config_file(), *chat("a b c", "stream=true"))
    assert (ended.code, ended.out) == (0, "a b c \n"), ended.err
    ended = run(config_file(), *chat("one break two", "stream=true"))
    assert (ended.code, ended.out) == (1, "one \n")
    assert "RuntimeError: broke off" in ended.err


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
    """With ``--format json`` every line of standard output is an object that names its kind."""
    calls = (*chat("a", "stream=true"), *HEALTH, *chat("fail"))
    ended = run(config_file(), *calls, "--format", "json")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 1
    kinds = ["ready", "chunk", "chunk", "chunk", "end", "answer", "error"]
    assert [line["kind"] for line in lines] == kinds
    assert lines[0]["name"] == "told"
    assert lines[0]["critical_path"][0].startswith("provider:")
    assert lines[0]["critical_seconds"] <= lines[0]["seconds"]
    for line in lines:
        described("run").validate(line)
    assert lines[-1]["call"] == "inference.chat_completion"


# --- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "words", "said"),
    [
        ({}, chat("fail"), "error: inference.chat_completion failed: RuntimeError: refused with "),
        ({}, chat("exit"), "error: inference.chat_completion failed: it raised SystemExit: 4"),
        ({}, chat("cancel me"), "error: inference.chat_completion failed: its provider cancelled"),
        ({}, chat("fail", "stream=true"), "completion failed: RuntimeError: refused with ***"),
        ({"start": "fail"}, (), "RuntimeError: start refused with ***"),
        ({"stop": "fail"}, HEALTH, "error: the stack stopped with errors in 1 node"),
        ({"stop": "hang"}, ("--stop-timeout", "0.1", *HEALTH), "did not stop within 0.1 s"),
        # A thread cannot be cancelled; the process ends without it.
        ({"stop": "thread"}, ("--stop-timeout", "0.1", *HEALTH), "did not stop within 0.1 s"),
    ],
)
def test_a_failure_is_one_message(
    config_file: ConfigFile, config: dict[str, Any], words: tuple[str, ...], said: str
) -> None:
    """A call, a start or a stop that fails ends with 1, without secrets; the stack stops."""
    ended = run(config_file(api_key=HIDDEN, **config), *words)
    assert ended.code == 1
    assert said in ended.err
    assert HIDDEN not in ended.err
    assert "s  stopped\n" in ended.err


def test_a_failed_start_names_its_place(config_file: ConfigFile) -> None:
    """``RUNGRAPH_DEBUG`` adds the traceback, no secret; ``degrade`` goes on with the rest."""
    path = config_file(start="fail", api_key=HIDDEN)
    assert f"provider:inference/told ({path}:1:" in run(path).err
    ended = run(path, RUNGRAPH_DEBUG="1")
    assert ended.code == 1
    assert "in get_provider_impl" in ended.err
    assert HIDDEN not in ended.err
    ended = run(path, "--on-failure", "degrade", "--call", "inspect.list_routes")
    assert ended.code == 0, ended.err
    assert "told is ready: 4 nodes in 3 generations, " in ended.err
    assert ": 1 failed, 2 skipped\n" in ended.err
    assert json.loads(ended.out)


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
    path.write_text(path.read_text().replace("fake_provider", "not_there"))
    ended = run(path)
    assert ended.code == 1
    assert "error[I001]" in ended.err
    assert "cannot be run" in ended.err
    assert "starting" not in ended.err


# --- recordings --------------------------------------------------------------------------------


def test_events_are_written_as_json_lines(config_file: ConfigFile, tmp_path: Path) -> None:
    """Every event in order, without secrets, which log records do not show either."""
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
    # What is logged of a thread that fails has its traceback.
    words = command("run", config_file(log=True, api_key=HIDDEN), "--state-dir", tmp_path, *HEALTH)
    ended = run_program(*words, env=environment(PYTHONWARNINGS="always"))
    assert "WARNING: fake: the key is ***" in ended.err
    # What a provider warns of, and what fails in a thread of its own.
    assert r"DeprecationWarning: \x1b[31mold: ***" in ended.err
    assert r"RuntimeError: \x1b[31mrefused with ***" in ended.err
    assert HIDDEN not in ended.err
    # Nothing starts when its events could not be written.
    ended = run(config_file(), "--events", "/nowhere/events.jsonl")
    assert ended.code == 1
    assert ended.err.startswith("error: /nowhere/events.jsonl: ")
    assert "starting" not in ended.err


# --- signals and streams -----------------------------------------------------------------------


def test_a_reader_that_goes_away_stops_the_stack_in_order(config_file: ConfigFile) -> None:
    """When nobody reads the answers any more, the stack stops and nothing is complained about."""
    with running(config_file(), "starting", *chat("x")) as process:
        process.written.close()
        code, rest = process.end()
    assert code == 1
    assert rest.rstrip().endswith("stopped")
    assert "error" not in rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("config", "words", "until", "number", "code"),
    [
        ({}, (), "Ctrl-C stops", signal.SIGINT, 130),
        ({}, (), "Ctrl-C stops", signal.SIGTERM, 143),
        ({"start": "hang"}, (), "starting   provider:inference/told", signal.SIGINT, 130),
        ({}, chat("hang"), "calling", signal.SIGTERM, 143),
        ({}, chat("deaf"), "calling", signal.SIGTERM, 143),
    ],
    ids=["SIGINT", "SIGTERM", "while a node starts", "in a call", "in a call that ignores it"],
)
def test_the_first_signal_stops_in_order(
    config_file: ConfigFile,
    config: dict[str, Any],
    words: tuple[str, ...],
    until: str,
    number: signal.Signals,
    code: int,
) -> None:
    """Whatever it cuts short, every node stops; the exit code says which signal it was."""
    with running(config_file(**config), until, *words) as process:
        ended, rest = process.end(number)
    assert ended == code
    assert ("stopped    provider:inference/told" in rest) is (config == {})
    assert rest.rstrip().endswith("stopped")
    assert "Traceback" not in rest


def test_the_second_signal_stops_at_once(config_file: ConfigFile) -> None:
    """A node that hangs while it stops does not hold up the second signal."""
    with running(config_file(stop="hang"), "Ctrl-C stops", "--stop-timeout", "600") as process:
        process.send_signal(signal.SIGINT)
        process.until("stopping   provider:inference/told")
        code, rest = process.end(signal.SIGINT)
    assert code == 130
    assert "cut short  provider:inference/told" in rest


def test_the_third_signal_ends_a_process_that_does_not_listen(config_file: ConfigFile) -> None:
    """A provider that blocks the event loop cannot keep the process from ending."""
    with running(config_file(stop="block"), "Ctrl-C stops") as process:
        process.send_signal(signal.SIGINT)
        process.until("stopping   provider:inference/told")
        while process.poll() is None:  # Signals that come too close together count once.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        assert process.returncode == 130


@pytest.mark.parametrize("on_failure", ["rollback", "degrade"])
@pytest.mark.parametrize("how", ["thread", "deaf"])
def test_a_start_that_never_ends_does_not_keep_the_process(
    config_file: ConfigFile, how: str, on_failure: str
) -> None:
    """It is named, and the process is over with its last word; `run` fails after a while."""
    path = config_file(start=how)
    timeouts = ("--start-timeout", "0.2", "--stop-timeout", "0.2")
    ended = run(path, *timeouts, "--on-failure", on_failure, *HEALTH)
    assert "did not start within 0.2 s" in ended.err
    assert ended.code == (1 if on_failure == "rollback" else 0)


@pytest.mark.parametrize("what", ["a task", "a thread", "a function", "a lock", "a destructor"])
def test_what_a_provider_leaves_behind_keeps_no_process(
    config_file: ConfigFile, tmp_path: Path, what: str
) -> None:
    """Whether or not anything was cut short; what others do at the end is done."""
    path = config_file(start=f"leave {what}", at_exit=str(tmp_path / "done"))
    assert run(path, *HEALTH).code == (1 if what == "a lock" else 0)
    assert (tmp_path / "done").exists() is (what not in ("a function", "a lock"))


def test_a_model_of_the_config_that_is_refused_is_a_failure_of_the_start(
    config_file: ConfigFile,
) -> None:
    """With its place; with degrade the rest runs, and the table says what it lacks."""
    models = {"models": [{"model_id": "nope", "provider_id": "told"}]}
    path = config_file(more=models, refuse="nope")
    ended = run(path, *HEALTH)
    says = "provider 'told' refused model 'nope': there is no such model here"
    assert ended.code == 1
    assert f"{says} ({path}:1:" in ended.err
    ended = run(path, "--on-failure", "degrade", *chat("hello"))
    assert ended.code == 0
    [line] = [one for one in ended.err.splitlines() if " degraded " in one]
    assert "table:models" in line
    assert says in line


# --- systemd -----------------------------------------------------------------------------------


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that systemd would listen at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def _told(manager: socket.socket) -> str:
    return manager.recv(1024).decode()


def test_systemd_is_told_that_a_stack_is_ready_alive_and_stopping(
    config_file: ConfigFile, manager: socket.socket
) -> None:
    """In this order; the signs of life go on for as long as the stack runs."""
    asked = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    with running(config_file(), "ready;", **asked) as process:
        assert [_told(manager) for _ in range(4)] == ["READY=1", *["WATCHDOG=1"] * 3]
        process.send_signal(signal.SIGTERM)
        while (last := _told(manager)) == "WATCHDOG=1":
            pass
        assert last == "STOPPING=1"
        assert process.wait(60) == 143


def test_a_stack_without_a_watchdog_gives_no_signs_of_life(
    config_file: ConfigFile, manager: socket.socket
) -> None:
    """Also not when the interval is meant for another process; nobody listening hurts nothing."""
    asked = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    with running(config_file(), "ready;", **asked) as process:
        assert _told(manager) == "READY=1"
        process.send_signal(signal.SIGTERM)
        assert _told(manager) == "STOPPING=1"
        assert process.wait(60) == 143
    nowhere = {"NOTIFY_SOCKET": "/nobody/listens", "WATCHDOG_USEC": "9" * 5000}
    ended = run(config_file(), "--call", "inspect.health", **nowhere)
    assert ended.code == 0
    assert "cannot tell systemd READY=1 at NOTIFY_SOCKET: [Errno 2]" in ended.err
