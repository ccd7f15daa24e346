"""Options and arguments that several commands have."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from rungraph.graph.diagnostics import Level
from rungraph.graph.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class ReadingOptions(TypedDict, total=False):
    """How run configs are read: what `level_option` and `reading_options` hand to a command.

    Attributes:
        level: How deep they are checked.
        catalog: The name or path of the catalog that they are compiled against.
        allow_unset_env: Whether variables that are not set are notes.
    """

    level: Level
    catalog: str | None
    allow_unset_env: bool


def format_option(
    *more: str,
    help: str = "How results are written.",  # noqa: A002  as click has it
) -> Callable[[_Command], _Command]:
    """Return ``--format``: text, JSON, and *more*."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", *more]),
        default="text",
        show_default=True,
        help=help,
    )


def _level_of(_: click.Context, __: click.Parameter, name: str) -> Level:
    return Level[name.upper()]


def level_option(*more: str, help: str = "") -> Callable[[_Command], _Command]:  # noqa: A002
    """Return ``--level``: the levels that import no more than asked for, and *more*."""
    return click.option(
        "--level",
        type=click.Choice(["schema", "graph", "env", "import", *more]),
        default="env",
        show_default=True,
        callback=_level_of,
        help="How deep to check: the file's form; what needs what; the environment; whether the "
        f"providers' modules, packages and config classes accept it{help}.",
    )


catalog_option = click.option(
    "--catalog",
    metavar="NAME|FILE",
    help="What the config is made of: the name of a catalog, or a catalog file.  "
    "[default: what the config's 'catalog' names, or what the installed packages offer]",
)


def reading_options(command: _Command) -> _Command:
    """Add the options of every command that reads a run config."""
    unset = click.option(
        "--allow-unset-env",
        is_flag=True,
        help="Take environment variables that are not set as notes, where they will be set later.",
    )
    return catalog_option(unset(command))


edges_option = click.option(
    "--edges",
    type=click.Choice(["all", "hard", "soft"]),
    default="all",
    show_default=True,
    help="Which edges are walked: hard ones are needed to start, members of tables among them.",
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
def catalog_errors() -> Generator[None]:
    """Take a catalog that cannot be used as a wrong value of ``--catalog``."""
    try:
        yield
    except CatalogError as error:
        raise click.BadParameter(str(error), param_hint="--catalog") from error
