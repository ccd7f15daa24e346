"""Plans as files: saved so that they can be run later, and held against what is there then."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rungraph.cli.files import write_file, written_beside
from rungraph.graph.budgets import LARGEST_PLAN
from rungraph.graph.errors import RungraphError
from rungraph.graph.plan import PlanError, is_plan, load_plan, plan_to_json
from rungraph.graph.plan.fingerprints import SHORTEST_KEY, load_sealed, sealed
from rungraph.graph.plan.moves import moves_since

if TYPE_CHECKING:
    from rungraph.graph import RunGraph
    from rungraph.graph.plan import Plan

STDIN = "/dev/stdin"


class SavedPlanError(RungraphError):
    """Raised when a plan cannot be saved to a file, or a file holds none that can be run."""


def check_target(path: Path) -> None:
    """Return if a plan may be written to *path*: there is no file, or it is a plan.

    Raises:
        SavedPlanError: If it is something else, which must not be lost.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size and (size > LARGEST_PLAN or not is_plan(path.read_bytes())):
        msg = f"{path} is there and is no plan: name another file, or remove it"
        raise SavedPlanError(msg)


def save_plan(plan: Plan, graph: RunGraph, path: Path) -> None:
    """Write *plan* to *path*, with fingerprints, whole or not at all.

    Raises:
        PlanKeyError: If there is no key and none can be made.
        FileWriteError: If the file cannot be written.
    """
    whole = sealed(plan, graph, load_plan_key(make=True), os.environ)
    write_file(path, plan_to_json(whole).encode())


def load_saved(path: Path) -> Plan:
    """Return the plan in the file *path*, if it is as it was saved and had no errors.

    Raises:
        SavedPlanError: If it is not.
        PlanKeyError: If there is no key.
    """
    problem = f"{path} cannot be run: "
    with path.open("rb") as stream:  # A device has no size of its own, and no end.
        content = stream.read(LARGEST_PLAN + 1)
    if len(content) > LARGEST_PLAN:
        raise SavedPlanError(problem + "not a plan: it is too large")
    try:
        load_plan(content)  # That it is no plan is said before any trouble with the key.
        plan = load_sealed(content, load_plan_key())
    except PlanError as error:
        raise SavedPlanError(problem + str(error)) from error
    if plan.errored:
        raise SavedPlanError(problem + "what was planned had errors")
    return plan


def config_of(plan: Plan, path: Path) -> str:
    """Return the path of the run config that *plan*, in the file *path*, was made of.

    Raises:
        SavedPlanError: If it was made of something that is no file, such as standard input.
    """
    file = plan.config.files[0] if plan.config.files else ""
    # Where rungraph is called from another folder, it lies as it lay from the plan.
    if file != STDIN and not Path(file).is_file() and (path.parent / file).is_file():
        file = str(path.parent / file)
    if file == STDIN or not Path(file).is_file():
        what = "standard input" if file == STDIN else f"'{file}', which is not here"
        msg = f"{path} was made of {what}: say 'rungraph run CONFIG --plan {path}'"
        raise SavedPlanError(msg)
    return file


def check_moves(plan: Plan, path: Path, graph: RunGraph) -> None:
    """Return if *graph* is what *plan*, in the file *path*, is the plan of.

    Raises:
        SavedPlanError: If something has moved; the text says what.
    """
    moves = moves_since(plan, graph, load_plan_key(), os.environ)
    if moves:
        made_of = ", ".join(plan.config.files)
        other = "" if graph.file in plan.config.files else f" (it was made of {made_of})"
        lines = "\n".join(f"  {line}" for line in moves)
        msg = (
            f"{path} does not fit {graph.file} any more{other}; since it was saved:\n{lines}\n"
            f"look at it and save it anew: rungraph plan {graph.file} --save {path}"
        )
        raise SavedPlanError(msg)


KEY_VARIABLE = "RUNGRAPH_PLAN_KEY"
"""The key itself, for those who plan on one machine and run on another."""
_NEW_BYTES = 32
_FORBIDDEN = stat.S_IRWXG | stat.S_IRWXO


class PlanKeyError(RungraphError):
    """Raised when the key of saved plans cannot be used."""


def load_plan_key(*, make: bool = False) -> bytes:
    """Return the key: the value of ``RUNGRAPH_PLAN_KEY``, or else the content of the user's file.

    The file is ``rungraph/plan.key`` in ``$XDG_STATE_HOME``, by default ``~/.local/state``; nobody
    but its owner may read it.

    Args:
        make: Make the file, with a random key, if there is none.

    Raises:
        PlanKeyError: If there is no key, if it is too short, or if others may read its file.
    """
    written = os.environ.get(KEY_VARIABLE)
    if written:
        key = written.encode("utf-8", "surrogateescape")
        if len(key) < SHORTEST_KEY:
            msg = f"{KEY_VARIABLE} is too short: it needs at least {SHORTEST_KEY} characters"
            raise PlanKeyError(msg)
        return key
    path = key_file()
    with suppress(FileNotFoundError, NotADirectoryError):
        return _read(path)
    if not make:
        msg = (
            f"there is no key of saved plans: neither the file {path} nor {KEY_VARIABLE}; "
            "a plan that was saved on another machine needs that machine's key"
        )
        raise PlanKeyError(msg)
    try:
        _make(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        msg = f"the key of saved plans cannot be kept in {path}: {reason}; set {KEY_VARIABLE}"
        raise PlanKeyError(msg) from error
    return _read(path)


def key_file() -> Path:
    """Return where the user's key is."""
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "state"
    return home / "rungraph" / "plan.key"


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if mode & _FORBIDDEN:
            msg = f"others may use the key of saved plans: chmod 600 {path}"
            raise PlanKeyError(msg)
        key = stream.read()
    if len(key) < SHORTEST_KEY:
        msg = f"the key of saved plans is broken: remove {path}, and save the plans anew"
        raise PlanKeyError(msg)
    return key


def _make(path: Path) -> None:
    """Make the file whole or not at all; one that somebody else makes meanwhile stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        written_beside(path, secrets.token_bytes(_NEW_BYTES)) as temporary,
        suppress(FileExistsError),
    ):
        path.hardlink_to(temporary)
