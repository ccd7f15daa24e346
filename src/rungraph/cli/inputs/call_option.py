"""``--call API.METHOD key=value ...``: an option that takes all the pairs that follow it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAIR = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OPTION = "--call"
_KEY = "rungraph.calls"


class CallWords(NamedTuple):
    """One call as it was written.

    Attributes:
        target: The API and the method, such as ``inference.chat_completion``.
        arguments: The values by parameter name.
    """

    target: str
    arguments: Mapping[str, str]


class CallingCommand(click.Command):
    """A command with ``--call``, which may be given several times.

    The words of the calls are taken out before click parses the rest; `call_words` returns them.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*, the calls first."""
        rest, ctx.meta[_KEY] = _split(ctx, args)
        return super().parse_args(ctx, rest)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the help, ``--call`` first."""
        with formatter.section("Calls"):
            pairs = "--call API.METHOD [key=value]..."
            text = (
                "Make this call once the stack is ready, and stop after the last one. Values are "
                "read as JSON where the parameter's type wants that, else as text; "
                "messages=TEXT is one message of the user."
            )
            formatter.write_dl([(pairs, text)])
        super().format_options(ctx, formatter)


def call_words(ctx: click.Context) -> tuple[CallWords, ...]:
    """Return the calls of the command line that is being run, in their order."""
    found: tuple[CallWords, ...] = ctx.meta[_KEY]
    return found


def _split(ctx: click.Context, args: list[str]) -> tuple[list[str], tuple[CallWords, ...]]:
    rest: list[str] = []
    calls: list[CallWords] = []
    words = iter(enumerate(args))
    current: dict[str, Any] | None = None
    for index, word in words:
        if word == "--":
            rest += args[index:]
            break
        if word == _OPTION or word.startswith(f"{_OPTION}="):
            target = word.removeprefix(_OPTION).removeprefix("=") or next(words, (0, ""))[1]
            if not target or target.startswith("-") or _PAIR.fullmatch(target):
                raise click.BadOptionUsage(
                    _OPTION, "Option '--call' requires API.METHOD and then key=value pairs.", ctx
                )
            current = {}
            calls.append(CallWords(target, current))
        elif current is not None and (pair := _PAIR.fullmatch(word)):
            name, value = pair.groups()
            if name in current:
                raise click.BadOptionUsage(
                    _OPTION, f"Option '--call' has {name!r} twice in {calls[-1].target}.", ctx
                )
            current[name] = value
        else:
            current = None
            rest.append(word)
    return rest, tuple(calls)
