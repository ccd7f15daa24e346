"""``rungraph serve``: a stack over HTTP until a signal ends it."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.inputs.configs import load_runnable, tell_diagnostics
from rungraph.cli.inputs.options import (
    FILE,
    SERVER_KEY,
    catalog_option,
    failure_option,
    file_argument,
    state_dir_option,
    timeout_options,
    watch_option,
)
from rungraph.cli.output.masks import Masks
from rungraph.cli.progress.lines import LineProgress
from rungraph.cli.progress.session import code_in, code_of, last_resort, tell_store
from rungraph.cli.progress.watched_file import WatchedFile
from rungraph.cli.terminal import complain, tell
from rungraph.engine.errors import MissingPackageError
from rungraph.engine.outlet import release_output
from rungraph.engine.run.registrations import registration_store
from rungraph.engine.run.service_manager import tell_service_manager
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.signals import watch_signals
from rungraph.engine.run.stack import Stack
from rungraph.engine.scrubbed_log import log_scrubbed
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.place import absolute
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from rungraph.engine.server.app import ServerSettings
    from rungraph.engine.server.guards import Guard
    from rungraph.graph import RunGraph
    from rungraph.viz.model.overlay import Overlay

_HELP = """Serve a run config's stack over HTTP; FILE - is standard input.

\b
    rungraph serve stack.yaml
    curl localhost:8321/readyz

The port opens at once and answers 503 until the stack is up. Ctrl-C or SIGTERM: running calls may
end, then the stack stops in order; the second time it ends at once.
"""

_EXTRA = "server"
_NEEDS = ("prometheus_client", "python_multipart", "uvicorn")


@click.command(help=_HELP)
@file_argument()
@click.option("--host", default="127.0.0.1", help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8321,
    help="The port to listen at; 0 takes a free one.",
)
@click.option("--wait", "waits", is_flag=True, help="Open the port only when the stack is up.")
@click.option(
    "--drain",
    "drain_seconds",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=30.0,
    help="How long running calls may go on when the server stops, all in all.",
)
@click.option(
    "--keys",
    "key_file",
    type=FILE,
    help="Take only callers with a key of this YAML file: 'keys: [{name, sha256, may: [call, "
    "register, inspect], most_streams: 4}]'; RUNGRAPH_SERVE_KEY is one more, for everything.",
)
@click.option(
    "--cors",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let pages of this site ask, such as 'https://app.example'.",
)
@click.option("--tls-certificate", type=FILE, help="Serve HTTPS with this certificate.")
@click.option("--tls-key", type=FILE, help="The certificate's private key.")
@click.option(
    "--max-calls",
    type=click.IntRange(min=1),
    default=2048,
    help="How many requests may be answered at the same time.",
)
@click.option(
    "--trace-ratio",
    type=click.FloatRange(0, 1),
    default=1.0,
    help="How many of the calls make spans; a caller's traceparent header decides for its own.",
)
@watch_option
@failure_option
@timeout_options
@state_dir_option
@catalog_option
def serve(
    file: str,
    *,
    host: str,
    port: int,
    waits: bool,
    drain_seconds: float,
    key_file: Path | None,
    origins: tuple[str, ...],
    tls_certificate: Path | None,
    tls_key: Path | None,
    max_calls: int,
    trace_ratio: float,
    watches: bool,
    catalog: str | None,
    **settings: Any,
) -> int:
    """Serve a stack; *settings* are those of `StackSettings`."""
    try:
        from rungraph.engine.server.app import ServerSettings
        from rungraph.engine.server.guards import Guard, is_loopback, origin_of
        from rungraph.engine.server.keys import Key, load_keys
        from rungraph.engine.server.listening import bound, check_certificate
    except ModuleNotFoundError as error:
        if error.name not in _NEEDS:
            raise
        raise MissingPackageError(_EXTRA, error.name) from error
    keys = load_keys(key_file) if key_file is not None else ()
    if secret := os.environ.get(SERVER_KEY):
        keys = (*keys, Key.of(secret, SERVER_KEY))
    is_local = is_loopback(host)
    if not keys and not is_local:
        msg = (
            f"{host!r} can be reached from elsewhere, so callers need a key\n"
            f"help: set {SERVER_KEY}, or name a file with --keys"
        )
        raise click.UsageError(msg)
    if tls_certificate is not None:
        check_certificate(tls_certificate, tls_key)
    elif tls_key is not None:
        msg = "a key alone serves no TLS: name its certificate with --tls-certificate"
        raise click.UsageError(msg)
    try:
        allowed = [origin_of(one) for one in origins]
    except ValueError as error:
        msg = f"--cors: {error}"
        raise click.UsageError(msg) from error
    watched = WatchedFile.at(file, catalog) if watches else None
    graph = load_runnable(file, catalog, settings["start_timeout"])
    tell_diagnostics(graph.diagnostics)
    if errors_in(graph.diagnostics):
        complain(f"{graph.file} cannot be served")
        return 1
    session = _ServeSession(
        graph,
        StackSettings(**settings),
        ServerSettings(drain_seconds=drain_seconds, most_calls=max_calls, trace_ratio=trace_ratio),
        Guard(keys, origins=allowed, is_local=is_local),
        bound(host, port),
        (tls_certificate, tls_key),
        waits=waits,
        watched=watched,
    )
    return session.run()


@dataclass(frozen=True, slots=True)
class _ServeSession:
    """One stack from start to stop, and its server.

    Attributes:
        graph: What runs.
        settings: How it runs.
        server: What callers may do.
        guard: Lets them in.
        listener: Where they come.
        tls: The files of the certificate and of its key, if there are any.
        waits: Whether they have to wait until the stack is up.
        watched: The file to reload when it changes, if there is one.
    """

    graph: RunGraph
    settings: StackSettings
    server: ServerSettings
    guard: Guard
    listener: socket.socket
    tls: tuple[Path | None, Path | None]
    waits: bool
    watched: WatchedFile | None

    def run(self) -> int:
        masks = Masks(self.graph)
        release_output()
        log_scrubbed(masks, tell)
        return code_in(self._run(masks), _new_loop)

    async def _run(self, masks: Masks) -> int:
        from rungraph.engine.server.app import StackApp
        from rungraph.engine.server.listening import listening, url_of

        progress = LineProgress(self.graph, masks)
        store = registration_store(self.graph, self.settings)
        stack = Stack(self.graph, self.settings)
        stack.events.subscribe(progress.take)
        tell_service_manager(stack.events, os.environ)
        pages = {
            "/": ("text/html; charset=utf-8", page_of),
            "/graph.svg": ("image/svg+xml", svg_of),
        }
        app = StackApp(stack, self.server, self.guard, pages)
        opening = listening(app, self.listener, *(one and absolute(one) for one in self.tls))
        draining: list[asyncio.Task[None]] = []
        changed = None if self.watched is None else asyncio.Event()

        def end_at_once() -> None:
            for task in draining:
                task.cancel()
            stack.kill()

        async def serving() -> int:
            async with (
                watch_signals(stack.events, stack.end, end_at_once, changed) as signals,
                AsyncExitStack() as opened,
            ):
                if not self.waits:
                    await opened.enter_async_context(opening)
                with last_resort(reloads=changed is not None):
                    async with stack:
                        if self.waits:
                            await opened.enter_async_context(opening)
                        app.open()
                        tell_store(stack, store)
                        url = url_of(self.listener, is_secure=self.tls[0] is not None)
                        tell(f"serving {url}; Ctrl-C stops")
                        try:
                            async with asyncio.TaskGroup() as watching:
                                watching.create_task(app.watch())
                                if self.watched is not None and changed is not None:
                                    watching.create_task(
                                        self.watched.reload_forever(stack, changed, masks)
                                    )
                        finally:
                            if app.running_calls:
                                calls = counted(app.running_calls, "call")
                                seconds = self.server.drain_seconds
                                tell(f"draining: {calls} may go on for {seconds:g} s")
                            draining.append(asyncio.create_task(app.drain()))
                            begun = draining[0].get_loop().time()
                            with suppress(asyncio.CancelledError):
                                await draining[0]
                            took = draining[0].get_loop().time() - begun
                            stack.limit_drain(self.server.drain_seconds - took)
            return signals.exit_code

        return await code_of(stack, serving(), progress)


def page_of(stack: Stack) -> bytes:
    """Return the page that shows what runs, each node with its state, and follows it."""
    from rungraph.engine.run.recording import event_types
    from rungraph.viz.html import render_html

    states = {name: getattr(kind, "state", None) for name, kind in event_types().items()}
    live = {name: state.value for name, state in states.items() if state is not None}
    return render_html(stack.graph, overlay=_states_of(stack), live=live).encode()


def svg_of(stack: Stack) -> bytes:
    """Return the picture of what runs, each node with its state."""
    from rungraph.viz.formats.figure import render

    return render(stack.graph, "svg", overlay=_states_of(stack))


def _states_of(stack: Stack) -> Overlay:
    from rungraph.viz.model.overlay import status_overlay

    states = {address: state.value for address, state in stack.status().items()}
    # Every node has a mark, so that there is room for what is to come.
    return status_overlay(dict.fromkeys(stack.graph, "waiting") | states)


def _new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where there is one."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
