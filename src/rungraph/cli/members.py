"""``rungraph members``: the providers that serve models together, in a server that runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from rungraph.cli.inputs.options import SERVER_KEY, format_option
from rungraph.cli.inputs.server import ask_server, read_json
from rungraph.cli.terminal import show, show_json
from rungraph.graph.wording import printable

_SECONDS = 120.0
"""How long the server may take: running calls of a provider may end before it answers."""
_server = click.option(
    "--server",
    default="http://127.0.0.1:8321",
    metavar="URL",
    help=f"The server, which `rungraph serve` runs; its key is taken from ${SERVER_KEY}.",
)


@click.group()
def members() -> None:
    """Take providers of a running server out of routing, and back in."""


@members.command("list")
@_server
@format_option()
def list_members(server: str, form: str) -> None:
    """Show the members of each model that several providers serve, and how they are."""
    found = _asked("GET", server, "/members")["data"]
    if form == "json":
        show_json(found)
        return
    for one in found:
        state = f"out: {one['why_out']}" if one["state"] == "out" else "in"
        latency = "" if one["latency"] is None else f", {one['latency']:.2g} s to a first chunk"
        load = f"{one['in_flight']} running, {one['calls']} calls, {one['failures']} failed"
        name = f"{one['resource']} on {one['provider_id']}, order {one['order']}"
        show(printable(f"{name}: {state}; {load}{latency}"))
    if not found:
        show("no model is served by several members")


@members.command()
@click.argument("provider")
@_server
def drain(provider: str, server: str) -> int:
    """Send no new call to PROVIDER, and wait for those that run.

    It stays so until `rungraph members undrain`. The exit code is 1 if calls still run.
    """
    is_idle = _asked("POST", server, f"/members/{quote(provider)}/drain")["is_idle"]
    show(f"{provider}: drained" + ("" if is_idle else "; some calls still run"))
    return 0 if is_idle else 1


@members.command()
@click.argument("provider")
@_server
def undrain(provider: str, server: str) -> None:
    """Send calls to PROVIDER again."""
    _asked("POST", server, f"/members/{quote(provider)}/undrain")
    show(f"{provider}: takes calls again")


def _asked(method: str, server: str, path: str) -> Any:
    """Return the JSON that the server answers with."""
    told = ask_server(server, path, option="--server", method=method, seconds=_SECONDS)
    return read_json(server, told)
