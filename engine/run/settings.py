"""How a stack runs its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """How a stack starts, stops and keeps what it must remember.

    Attributes:
        schedule: ``generations`` starts one topological generation after the other; ``ready``
            starts a node as soon as its own dependencies are ready.
        parallelism: How many nodes may be starting at the same time; None for no limit.
        start_timeout: Seconds that one node may take to start.
        stop_timeout: Seconds that one node may take to stop.
        cancel_timeout: Seconds that a node may take to end once its start or stop was cancelled,
            but ``stop_timeout`` at most; after that it is left behind and named. One that has had
            its time, or is being bound or told a new config, may take a second at most.
        drain_timeout: Seconds that calls which run on a node that is to stop may go on, but half
            of ``stop_timeout`` at most; then they are ended.
        health_timeout: Seconds that one node may take to say how it is.
        health_interval: Seconds between two questions to a provider how it is, but 1 at most while
            it is unhealthy; None to ask never.
        health_failures: How many bad answers in a row make a provider unhealthy.
        health_successes: How many good answers in a row make it healthy again.
        restart_delay: Seconds before the first restart of a node that has failed; each further
            pause is twice as long, and all vary by a fifth.
        restart_delay_most: The longest pause.
        restart_limit: How many restarts of one node within ``restart_window`` are tried; a node
            that then fails again stays failed.
        restart_window: Seconds after which a restart is forgotten.
        restart_seed: Makes the pauses the same in every run; None for another one each time.
        on_failure: ``rollback`` stops everything when a node fails to start, and when one stays
            failed after the start; ``degrade`` goes on with the nodes that do not need it.
        state_dir: The folder of what must survive a restart; None for the config's own
            ``metadata_store`` or else the user's state folder.
        refresh_interval: Seconds between two questions to the providers what they serve; one that
            has not answered yet is asked again sooner. None to ask only at start.
    """

    schedule: Literal["generations", "ready"] = "generations"
    parallelism: int | None = None
    start_timeout: float = 120.0
    stop_timeout: float = 15.0
    cancel_timeout: float = 5.0
    drain_timeout: float = 10.0
    health_timeout: float = 5.0
    health_interval: float | None = 10.0
    health_failures: int = 3
    health_successes: int = 1
    restart_delay: float = 0.5
    restart_delay_most: float = 30.0
    restart_limit: int = 5
    restart_window: float = 300.0
    restart_seed: int | None = None
    on_failure: Literal["rollback", "degrade"] = "rollback"
    state_dir: Path | str | None = None
    refresh_interval: float | None = 300.0

    def __post_init__(self) -> None:
        _check_choice("schedule", self.schedule, ("generations", "ready"))
        _check_choice("on_failure", self.on_failure, ("rollback", "degrade"))
        if self.parallelism is not None and self.parallelism < 1:
            msg = f"parallelism must be at least 1 or None, not {self.parallelism}"
            raise ValueError(msg)
        for name in ("health_failures", "health_successes"):
            if getattr(self, name) < 1:
                msg = f"{name} must be at least 1, not {getattr(self, name)}"
                raise ValueError(msg)
        for name in ("drain_timeout", "restart_delay", "restart_limit"):
            if not getattr(self, name) >= 0:
                msg = f"{name} must not be negative, not {getattr(self, name)}"
                raise ValueError(msg)
        for name in (
            "start_timeout",
            "stop_timeout",
            "cancel_timeout",
            "health_timeout",
            "restart_window",
            "restart_delay_most",
        ):
            if not getattr(self, name) > 0:
                msg = f"{name} must be positive, not {getattr(self, name)}"
                raise ValueError(msg)
        for name in ("refresh_interval", "health_interval"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                msg = f"{name} must be positive or None, not {value}"
                raise ValueError(msg)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}"
        raise ValueError(msg)
