"""``rungraph run`` with providers that lay hands on the event loop, which is not theirs."""

from __future__ import annotations

from pathlib import Path

from tests.contract.command_line import Ended, run

_PROVIDER = """
import asyncio

class Provider:
    async def log_event(self, event): ...
    async def get_trace(self, trace_id): ...

async def get_provider_impl(config, deps):
    MEDDLE
    await asyncio.sleep(0.05)
    return Provider()
"""
_ENTRY = "{provider_id: it, provider_type: inline::meddler, module: ./meddler.py}"


def _ended(folder: Path, meddle: str) -> Ended:
    (folder / "meddler.py").write_text(_PROVIDER.replace("MEDDLE", meddle))
    (path := folder / "run.yaml").write_text(f"providers:\n  telemetry:\n  - {_ENTRY}\n")
    return run(path, "--call", "inspect.health")


def test_who_stops_the_event_loop_is_told_of_and_stops_nothing(tmp_path: Path) -> None:
    """It goes on where it was."""
    ended = _ended(tmp_path, "asyncio.get_running_loop().stop()")
    assert ended.code == 0
    told = "code of a provider has stopped the event loop, which goes on\n"
    assert ended.err.count(told) == 1
    assert "stopped    provider:telemetry/it" in ended.err


def test_who_cancels_all_tasks_ends_the_stack_in_order(tmp_path: Path) -> None:
    """The command fails, as nobody has asked for its end."""
    ended = _ended(tmp_path, "[one.cancel() for one in asyncio.all_tasks()]")
    assert ended.code == 1
    assert ended.err.endswith(
        "  stopped\n"
        "error: what ran was cancelled by code of a provider, which cancels what is not its own\n"
    )
