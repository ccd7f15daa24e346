"""``rungraph run`` with providers that lay hands on the event loop, which is not theirs."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.contract.command_line import Ended, opened, run

_PROVIDER = """
import asyncio, time

def fail(error):
    raise error

def fail_again(error):
    asyncio.get_running_loop().call_soon(fail_again, error)
    raise error

class Provider:
    async def log_event(self, event): ...
    async def get_trace(self, trace_id): ...

async def get_provider_impl(config, deps):
    loop = asyncio.get_running_loop()
    MEDDLE
    await asyncio.sleep(0.05)
    return Provider()
"""
_ENTRY = "{provider_id: it, provider_type: inline::meddler, module: ./meddler.py}"


def _config(folder: Path, meddle: str) -> Path:
    (folder / "meddler.py").write_text(_PROVIDER.replace("MEDDLE", meddle))
    (path := folder / "run.yaml").write_text(f"providers:\n  telemetry:\n  - {_ENTRY}\n")
    return path


def _ended(folder: Path, meddle: str) -> Ended:
    path = _config(folder, meddle)
    return run(path, "--start-timeout", "1", "--call", "inspect.health")


@pytest.mark.parametrize(
    ("meddle", "told"),
    [
        ("loop.stop()", "stopped the event loop"),
        ("loop.call_soon(fail, SystemExit(7))", "raised SystemExit in the event loop"),
        (
            "[loop.call_soon(fail, KeyboardInterrupt()) for _ in range(3)]",
            "raised KeyboardInterrupt in the event loop",
        ),
    ],
)
def test_who_ends_the_event_loop_is_told_of_once_and_ends_nothing(
    tmp_path: Path, meddle: str, told: str
) -> None:
    """It goes on where it was."""
    ended = _ended(tmp_path, meddle)
    assert ended.code == 0
    assert ended.err.count(f"code of a provider has {told}, which goes on\n") == 1
    assert "stopped    provider:telemetry/it" in ended.err


@pytest.mark.parametrize("error", ["SystemExit(7)", "KeyboardInterrupt()"])
def test_who_ends_the_event_loop_for_ever_ends_nothing_either(tmp_path: Path, error: str) -> None:
    """Not even while the event loop is closed, and the command ends as if nothing was."""
    ended = _ended(tmp_path, f"loop.call_soon(fail_again, {error})")
    assert ended.code == 0
    assert ended.err.endswith("  stopped\n")


@pytest.mark.parametrize("command", ["run", "serve"])
def test_a_signal_that_a_provider_takes_for_itself_ends_the_stack_in_order(
    tmp_path: Path, command: str
) -> None:
    """As some libraries do, which end the process where it stands."""
    path = _config(tmp_path, "import signal, sys; signal.signal(15, lambda *_: sys.exit(3))")
    words = ("--port", "0") if command == "serve" else ()
    with opened(command, path, "--state-dir", tmp_path, *words) as process:
        process.until("Ctrl-C stops")
        code, rest = process.end(signal.SIGTERM)
    assert code == 143
    assert rest.endswith("  stopped\n")


def test_a_callback_that_is_interrupted_is_told_of_in_one_line(tmp_path: Path) -> None:
    """Whose it is, and where: not how the event loop had called it."""
    ended = _ended(tmp_path, "loop.call_soon(time.sleep, 30)")
    assert ended.code == 1
    held = "'provider:telemetry/it' held the event loop for longer than it may"
    assert ended.err.count(f"{held}, and was interrupted: Exception in callback sleep(30)\n") == 1
    assert "provider:telemetry/it  did not start within 1 s" in ended.err


def test_who_cancels_all_tasks_ends_the_stack_in_order(tmp_path: Path) -> None:
    """The command fails, as nobody has asked for its end."""
    ended = _ended(tmp_path, "[one.cancel() for one in asyncio.all_tasks()]")
    assert ended.code == 1
    assert ended.err.endswith(
        "  stopped\n"
        "error: what ran was cancelled by code of a provider, which cancels what is not its own\n"
    )
