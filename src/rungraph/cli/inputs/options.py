"""Options and arguments that several commands have."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from rungraph.graph.diagnostics import Level
from rungraph.graph.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Reading(NamedTuple):
    """How run configs are read: what `level_option` and `reading_options` hand to a command.

    Attributes:
        level: How deep they are checked.
        catalog: The name or path of the catalog that they are compiled against.
        allow_unset_env: Whether variables that are not set are notes.
        holds_configs: Whether configs are held against the classes of installed types.
        import_seconds: How long an import may take; None for as long as it likes.
    """

    level: Level = Level.ENV
    catalog: str | None = None
    allow_unset_env: bool = False
    holds_configs: bool = False
    import_seconds: float | None = None


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""
TARGET = click.Path(dir_okay=False, path_type=Path)
"""A file to write."""
SERVER_KEY = "RUNGRAPH_SERVE_KEY"
"""The variable with the key that a server takes."""
SECONDS = click.FloatRange(min=0, min_open=True)


def choice_option(
    *names: str,
    choices: Sequence[str],
    help: str,  # noqa: A002  as click has it
    **more: Any,
) -> Callable[[_Command], _Command]:
    """Return an option with one of *choices*, by default the first."""
    more.setdefault("default", choices[0])
    return click.option(*names, type=click.Choice(choices), help=help, **more)


def format_option(
    *more: str,
    help: str = "How results are written.",  # noqa: A002  as click has it
) -> Callable[[_Command], _Command]:
    """Return ``--format``: text, JSON, and *more*."""
    return choice_option("--format", "form", choices=("text", "json", *more), help=help)


def _level_of(context: click.Context, _: click.Parameter, name: str) -> Level:
    context.params["holds_configs"] = name == _CONFIGS
    return Level.ENV if name == _CONFIGS else Level[name.upper()]


_CONFIGS = "configs"
"""Between ``env`` and ``import``: imports what installed catalogs name, and nothing else."""


def level_option(*, is_for_checking: bool = False) -> Callable[[_Command], _Command]:
    """Return ``--level``; with all levels where checking is what the command is for."""
    configs = "the configs by the classes of installed types; " if is_for_checking else ""
    health = "; whether their servers answer" if is_for_checking else ""
    text = (
        f"How deep to check: the file's form; what needs what; the environment; {configs}whether "
        "all that the config names can be imported, runs its modules, and accepts it" + health + "."
    )
    levels: tuple[str, ...] = ("schema", "graph", "env", "import")
    if is_for_checking:
        levels = (*levels[:3], _CONFIGS, "import", "health")
    default = _CONFIGS if is_for_checking else "env"
    return choice_option("--level", choices=levels, help=text, default=default, callback=_level_of)


catalog_option = click.option(
    "--catalog",
    metavar="NAME|FILE",
    help="What the config is made of: the name of a catalog, or a catalog file.  "
    "[default: what the config's 'catalog' names, or what the installed packages offer]",
)


def reading_options(command: _Command) -> _Command:
    """Add the options of every command that reads a run config, which gets them as *reading*."""

    @wraps(command)
    def with_reading(*args: Any, **values: Any) -> Any:
        given = {name: values.pop(name) for name in Reading._fields if name in values}
        return command(*args, reading=Reading(**given), **values)

    unset = click.option(
        "--allow-unset-env",
        is_flag=True,
        help="Take environment variables that are not set as notes, where they will be set later.",
    )
    return cast("_Command", catalog_option(unset(with_reading)))


edges_option = choice_option(
    "--edges",
    choices=("all", "hard", "soft"),
    help="Which edges are walked: hard ones are needed to start, members of tables among them.",
)


failure_option = choice_option(
    "--on-failure",
    choices=("rollback", "degrade"),
    help="When a node does not start: stop everything, or go on without what needs it.",
)


def timeout_options(command: _Command) -> _Command:
    """Add how long each node may take to start, and to stop."""
    # Only what runs a graph needs the engine.
    from rungraph.engine.run.settings import StackSettings

    for what in ("stop", "start"):
        command = click.option(
            f"--{what}-timeout",
            type=SECONDS,
            metavar="SECONDS",
            default=getattr(StackSettings(), f"{what}_timeout"),
            help=f"How long a node may take to {what}.",
        )(command)
    return command


state_dir_option = click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of what must survive a restart.",
)


watch_option = click.option(
    "--watch",
    "watches",
    is_flag=True,
    help="Reload FILE when it changes and on SIGHUP: only what differs stops and starts.",
)


def exit_code_option(text: str) -> Callable[[_Command], _Command]:
    """Return ``--exit-code``, which *text* explains."""
    return click.option("--exit-code", "has_code", is_flag=True, help=text)


def file_argument(*, several: bool = False) -> Callable[[_Command], _Command]:
    """Return a decorator for the run config (or several) that a command takes; ``-`` is stdin."""
    name = "files" if several else "file"
    metavar = "FILE..." if several else "FILE"
    return click.argument(name, nargs=-1 if several else 1, required=True, metavar=metavar)


def check_standard_input(files: Mapping[str, str | None]) -> None:
    """Return if at most one of *files*, by the names that the help has for them, is ``-``.

    Raises:
        click.UsageError: If several are: it is read once.
    """
    names = [name for name, file in files.items() if file == "-"]
    if len(names) > 1:
        msg = f"{' and '.join(names)} cannot both be standard input"
        raise click.UsageError(msg)


@contextmanager
def catalog_errors(option: str = "--catalog") -> Generator[None]:
    """Take a catalog that cannot be used as a wrong value of *option*."""
    try:
        yield
    except CatalogError as error:
        raise click.BadParameter(str(error), param_hint=option) from error
