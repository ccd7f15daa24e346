"""``--call API.METHOD key=value ...``: an option with all the pairs that follow it.

An option of click has a fixed number of values, so each pair becomes one more ``--call``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAIR = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OPTION = "--call"


class WrittenCall(NamedTuple):
    """One call as it was written.

    Attributes:
        target: The API and the method, such as ``inference.chat_completion``.
        arguments: The values by parameter name.
    """

    target: str
    arguments: dict[str, str]


class CallingCommand(click.Command):
    """A command with `call_option`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*, each pair behind a call as a value of ``--call``."""
        found: list[str] = []
        is_call = False
        for index, word in enumerate(args):
            if word == "--":
                found += args[index:]
                break
            is_pair = is_call and _PAIR.fullmatch(word) is not None
            is_call = is_pair or word.startswith(f"{_OPTION}=") or found[-1:] == [_OPTION]
            found += [_OPTION, word] if is_pair else [word]
        return super().parse_args(ctx, found)


def _calls(ctx: click.Context, _: Any, values: Sequence[str]) -> tuple[WrittenCall, ...]:
    calls: list[WrittenCall] = []
    for value in values:
        pair = _PAIR.fullmatch(value)
        if pair is None and not value.startswith("-"):
            calls.append(WrittenCall(value, {}))
        elif pair is None or not calls:
            msg = f"Option '{_OPTION}' requires API.METHOD and then key=value pairs."
            raise click.BadOptionUsage(_OPTION, msg, ctx)
        elif pair[1] in calls[-1].arguments:
            msg = f"Option '{_OPTION}' has {pair[1]!r} twice in {calls[-1].target}."
            raise click.BadOptionUsage(_OPTION, msg, ctx)
        else:
            calls[-1].arguments[pair[1]] = pair[2]
    return tuple(calls)


call_option = click.option(
    _OPTION,
    "calls",
    multiple=True,
    metavar="API.METHOD [key=value]...",
    callback=_calls,
    help="Make this call once the stack is ready, and stop after the last one. Values are read as "
    "JSON where the parameter's type wants that, else as text; messages=TEXT is one message of the "
    "user.",
)
