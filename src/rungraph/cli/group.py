"""The outermost layer: finds a command by name and turns what it ends with into an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.output.errors import exit_code_of, text_of
from rungraph.cli.terminal import OutputClosedError, complain, tell
from rungraph.graph.suggest import near_or_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_INTERRUPTED = 130


class CommandLine(click.Group):
    """A group whose commands are imported when they are named; each is a module of its own.

    A command returns its exit code, or None for 0. It says what is wrong by raising: errors of
    rungraph and of the operating system become one message, never a traceback.

    Args:
        summaries: What each command does, in the order of the help, which loads none of them.
    """

    def __init__(self, *args: Any, summaries: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names of the commands, in the order of the help."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name; None when there is none."""
        if cmd_name not in self._summaries:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"rungraph.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write what each command does."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* name, and what is left of them."""
        name, known = args[0], self._summaries
        if name not in known and not name.startswith("-"):
            ctx.fail(f"No such command '{name}'; {near_or_all(name, known)}")
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that *args* name, and exit with its exit code.

        Where the process is the command's own, *obj* is what ends it soon, given the exit code.
        """
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        return sys.exit(self._code_of(args, prog_name, complete_var, **extra))

    def _code_of(self, *args: Any, **extra: Any) -> int:
        run: Callable[..., Any] = super().main
        try:
            code = run(*args, **extra, standalone_mode=False)
            sys.stdout.flush()
        except click.Abort:
            return _INTERRUPTED
        except click.ClickException as error:
            said = StringIO()
            error.show(said)
            tell(said.getvalue().rstrip("\n"))
            return error.exit_code
        except (BrokenPipeError, OutputClosedError):
            return 1
        except Exception as error:  # noqa: BLE001  nobody after this one could show it
            complain(text_of(error))
            return exit_code_of(error)
        return code if isinstance(code, int) else 0
