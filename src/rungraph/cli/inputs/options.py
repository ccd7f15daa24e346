"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")

LEVELS = ("schema", "graph", "env", "import")
"""The levels of checks that the command line goes to, each with all before it."""

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How results are written.",
)

level_option = click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="env",
    show_default=True,
    help="How deep to check: the file's form; what needs what; the environment; whether the "
    "providers' modules, packages and config classes accept it.",
)

catalog_option = click.option(
    "--catalog",
    metavar="NAME|FILE",
    help="What the config is made of: the name of a catalog, or a catalog file.  "
    "[default: what the config's 'catalog' names, or what the installed packages offer]",
)

allow_unset_env_option = click.option(
    "--allow-unset-env",
    is_flag=True,
    help="Take environment variables that are not set as notes, where they will be set later.",
)

edges_option = click.option(
    "--edges",
    type=click.Choice(["all", "hard", "soft"]),
    default="all",
    show_default=True,
    help="Which edges are walked: hard ones are needed to start, members of tables among them.",
)


def file_argument(*, several: bool = False) -> Callable[[_Command], _Command]:
    """Return a decorator for the run config (or several) that a command takes; ``-`` is stdin."""
    metavar = "FILE..." if several else "FILE"
    return click.argument(
        "files" if several else "file", nargs=-1 if several else 1, required=True, metavar=metavar
    )
