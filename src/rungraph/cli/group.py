"""The outermost layer: finds a command by name and turns what it ends with into an exit code."""

from __future__ import annotations

import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.terminal import OutputClosedError, complain, leave

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_INTERRUPTED = 130


class CommandLine(click.Group):
    """A group whose commands are imported when they are named.

    A command returns its exit code, or None for 0. It says what is wrong by raising: errors of
    rungraph and of the operating system become one message, never a traceback.

    Args:
        places: Where each command is, as ``module:name``, in the order of the help.
    """

    def __init__(self, *args: Any, places: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names of the commands, in the order of the help."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name; None when there is none."""
        place = self._places.get(cmd_name)
        return resolve_name(place) if place else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* name, and what is left of them."""
        name = args[0]
        if name not in self._places and not name.startswith("-"):
            from rungraph.graph.suggest import did_you_mean

            question = did_you_mean(name, self._places) or f"there is: {', '.join(self._places)}"
            ctx.fail(f"No such command '{name}'; {question}")
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that *args* name, and end the process with its exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        return leave(self._code_of(args, prog_name, complete_var, **extra))

    def _code_of(self, *args: Any, **extra: Any) -> int:
        run: Callable[..., Any] = super().main
        try:
            code = run(*args, **extra, standalone_mode=False)
            sys.stdout.flush()
        except click.Abort:
            return _INTERRUPTED
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except (BrokenPipeError, OutputClosedError):
            return 1
        except Exception as error:  # noqa: BLE001  nobody after this one could show it
            from rungraph.cli.output.errors import text_of

            complain(text_of(error))
            return 1
        return code if isinstance(code, int) else 0
