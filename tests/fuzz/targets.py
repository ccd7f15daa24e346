"""What is fuzzed: each stage as a function of bytes that raises when something is wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from tests import asgi

from rungraph.cli.inputs.recorded import load_run
from rungraph.engine import Stack, StackSettings
from rungraph.engine.server.app import StackApp
from rungraph.graph import (
    Level,
    QueryError,
    RunGraph,
    compile_config,
    graph_from_json,
    graph_to_json,
    render_diagnostics,
)
from rungraph.graph.catalog.discovery import discover_catalog
from rungraph.graph.compile import compile_document
from rungraph.graph.diff import diff_graphs, diff_to_json, render_diff
from rungraph.graph.diff.node_link import snapshot_of_node_link
from rungraph.graph.errors import RungraphError
from rungraph.graph.placeholders import malformed_placeholders, placeholders, segments
from rungraph.graph.plan import PlanError, make_plan, plan_to_json, plan_to_markdown, render_plan
from rungraph.graph.query import query
from rungraph.graph.query.config_checks import ask
from rungraph.graph.rules.checklist import checklist
from rungraph.graph.secrets.values import MASK, masked, scrubbed, secret_values
from rungraph.graph.source.document import decode_document, parse_document
from rungraph.graph.upgrade.make import upgraded
from rungraph.graph.why import (
    render_between,
    render_presence,
    why_absent,
    why_between,
    why_present,
)
from rungraph.graph.wording import has_controls, safe_json
from rungraph.viz import (
    render,
    render_dot,
    render_graphml,
    render_html,
    render_json,
    render_mermaid,
    render_text,
)
from rungraph.viz import timeline as charts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rungraph.graph import Diagnostic
    from rungraph.graph.source.document import Document

CORPUS: Final = Path(__file__).parent / "corpus"
"""The inputs that are kept, in a folder for each target."""
SECONDS_EACH: Final = 2.0
"""Processor seconds of an input, under instruments too: a machine that is busy is no failure."""
ENVIRONMENT: Final = {"A": "a", "PORT": "80", "HOME": "/home/me", "KEY": "Env-9Zq7x"}
HIDDEN: Final = "Zq7x-hidden-0End"
CONFIG: Final = """
providers:
  inference:
  - {provider_id: a/b, provider_type: "remote::openai", config: {base_url: "http://h", api_key: k}}
  - {provider_id: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", provider_type: "remote::openai"}
  memory: [{provider_id: faiss, provider_type: "inline::faiss", config: {dimension: 3}}]
models: [{model_id: m, provider_id: a/b}]
selectors: {far: "type:remote::*"}
"""


@cache
def _graph() -> RunGraph:
    return compile_config(CONFIG, environment={})


def _limited(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return *target*, raising `TimeoutError` when an input takes it longer than it may."""

    def stop(*_: object) -> None:
        msg = f"an input takes more than {SECONDS_EACH} s of processor time"
        raise TimeoutError(msg)

    is_loaded = False

    @wraps(target)
    def run(data: bytes) -> None:
        nonlocal is_loaded
        if not is_loaded:
            target(b"")  # Imports what it needs, which is no input's time.
            is_loaded = True
        before = signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, SECONDS_EACH)
        try:
            target(data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    return run


def source(data: bytes) -> None:
    """Any bytes are a document, whose problems stand in it."""
    _check(decode_document(data, "run.yaml"))


def config(data: bytes) -> None:
    """Any document is a graph that can be planned, compared, explained and checked."""
    document = decode_document(data, "run.yaml")
    graph = compile_document(document, catalog=discover_catalog(), environment=ENVIRONMENT)
    _check(document, graph.diagnostics)
    checklist(graph, Level.ENV, answers=ask(graph))
    plan = make_plan(graph, Level.ENV)
    plan_to_markdown(plan)
    _check_text(render_plan(plan))
    again = graph_from_json(plan_to_json(plan), ENVIRONMENT)
    diff = diff_graphs(_graph(), graph)
    diff_to_json(diff)
    _check_text(render_diff(diff))
    diff_graphs(again, graph)
    why_absent(graph, "nosuch")
    if graph.nodes:
        first, *_, last = [*graph, *graph]
        _check_text(render_presence(graph, why_present(graph, first)))
        _check_text(render_between(graph, why_between(graph, first, last)))


def questions(data: bytes) -> None:
    """Any text is a query or an error of one."""
    text = data.decode(errors="surrogateescape")
    error: QueryError | None = None
    try:
        query(_graph(), text)
    except QueryError as raised:
        error = raised
    if error is not None:
        assert 0 <= error.position <= len(error.expression)
        _check_text(str(error))


def secrets(data: bytes) -> None:
    """What is secret is shown nowhere, whatever stands around it."""
    text = data.decode(errors="replace")
    masked(masked({"note": text, "password": text}))
    hidden = secret_values(text, text)
    assert not any(one in scrubbed(text, hidden) for one in hidden if one.strip("*"))
    written = f"{text}\npassword: {HIDDEN}\n{text}\n{HIDDEN}: 1\nnote: {HIDDEN}\n{text}"
    document = decode_document(written.encode(), "run.yaml")
    graph = compile_document(document, catalog=discover_catalog(), environment=ENVIRONMENT)
    shown = render_diagnostics(graph.diagnostics).replace(MASK, "")
    assert HIDDEN not in shown or f"{HIDDEN}: 1" in shown or f"'{HIDDEN}'" in shown


def variables(data: bytes) -> None:
    """The placeholders of a text and what is around them are the text."""
    text = data.decode(errors="replace")
    assert "".join(map(str, segments(text))) == text
    for one in placeholders(text):
        assert text[one.start : one.end] == str(one)
    malformed_placeholders(text)
    compile_config({"providers": {"inference": [{"provider_id": text}]}}, environment=ENVIRONMENT)


def plans(data: bytes) -> None:
    """Any text is the JSON of a plan or of a picture's graph, or of neither."""
    with contextlib.suppress(PlanError):
        graph_to_json(graph_from_json(data, ENVIRONMENT))
    with contextlib.suppress(ValueError):
        snapshot_of_node_link(decode_document(data, "graph.json").value)


def specs(data: bytes) -> None:
    """Any file in a folder that a config names is a spec, or a problem of the config."""
    with tempfile.TemporaryDirectory() as folder:
        for path in ("apis/a.yaml", "types/remote/inference/a.yaml", "types/inline/a/a.yaml"):
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(data)
        folders = f"external_apis_dir: {folder}/apis\nexternal_providers_dir: {folder}/types\n"
        document = parse_document(f"{folders}{CONFIG}", "run.yaml")
        graph = compile_document(document, catalog="llama-stack@0.2.20", environment={})
        _check(document, graph.diagnostics)
        _check_text(render_plan(make_plan(graph, Level.GRAPH)))


def catalogs(data: bytes) -> None:
    """Any file that a config names as its catalog is one, or a problem of the config."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.yaml"
        path.write_bytes(data)
        document = parse_document(f"catalog: {path}\n{CONFIG}", "run.yaml")
        graph = compile_document(document, catalog=None, environment={})
        _check(document, graph.diagnostics)
        _check_text(render_plan(make_plan(graph, Level.GRAPH)))


def pictures(data: bytes) -> None:
    """Whatever a graph holds, its pictures are well-formed and hold nothing that is obeyed."""
    document = decode_document(data, "run.yaml")
    graph = compile_document(document, catalog=discover_catalog(), environment=ENVIRONMENT)
    if len(graph) > _MOST_DRAWN:
        return
    for draw in (render_text, render_mermaid, render_dot):
        _check_text(draw(graph))
    _check_text(safe_json(render_json(graph)))
    for drawn in (render_graphml(graph), render(graph, "svg")):
        ET.fromstring(drawn)  # noqa: S314 (our own bytes)
    _check_text(render_html(graph))


def bodies(data: bytes) -> None:
    """Whatever is sent to whatever route of a server is answered in JSON, and never by a bug."""
    head, _, body = data.partition(b"\n")
    method, _, target = head.decode(errors="replace").partition(" ")
    path, _, asked = target.partition("?")
    if path not in _NOT_ASKED:
        runner, app = _server()
        answered = runner.run(asgi.ask(app, method, path, body, query=asked))
        assert answered.status != _INTERNAL, answered.body
        assert HIDDEN.encode() not in answered.body or HIDDEN.encode() in data


_INTERNAL = 500
_MOST_DRAWN = 12
_NOT_ASKED = ("/events",)  # It never ends.
servers: Final = contextlib.ExitStack()
"""Ends what serves, once it is asked no more."""


@cache
def _server() -> tuple[asyncio.Runner, StackApp]:
    """Return an application that serves, and what runs it: its provider has nobody to ask."""
    runner = servers.enter_context(asyncio.Runner())
    servers.callback(_server.cache_clear)
    config = {"base_url": "http://127.0.0.1:1", "max_retries": 0, "api_key": HIDDEN}
    provider = {"provider_id": "far", "provider_type": "remote::openai", "config": config}
    models = [{"model_id": "small", "provider_id": "far", "metadata": {"api_key": HIDDEN}}]
    graph = compile_config({"providers": {"inference": [provider]}, "models": models})
    settings = StackSettings(state_dir=Path(tempfile.mkdtemp()), on_failure="degrade")
    stack = Stack(graph, settings)
    runner.run(stack.__aenter__())
    servers.callback(lambda: runner.run(stack.__aexit__(None, None, None)))
    return runner, asgi.app_of(stack)


def upgrades(data: bytes) -> None:
    """Any config is rewritten as one that can be read, or it is told why it cannot be."""
    document = decode_document(data, "run.yaml")
    with contextlib.suppress(RungraphError):
        result = upgraded(document, "ogx@1.5.0")
        again = parse_document(result.text, "run.yaml")
        assert isinstance(again.value, dict)
        assert "providers" in again.value


def recordings(data: bytes) -> None:
    """Any file is a recording, which can be drawn, or none."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        Path(file.name).write_bytes(data)
        with contextlib.suppress(RungraphError):
            schedule = load_run(file.name).schedule
            _check_text(charts.render_schedule_text(schedule))
            _check_text(charts.render_blame(schedule))
            _check_text(charts.mermaid_of(schedule))
            _check_text(safe_json(charts.json_of(schedule)))


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    one.__name__: _limited(one)
    for one in (
        *(source, config, questions, secrets, variables, plans, specs, catalogs, upgrades),
        *(recordings, pictures, bodies),
    )
}
"""Every target by its name."""


def _check(document: Document, diagnostics: Iterable[Diagnostic] | None = None) -> None:
    lines = document.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [*document.diagnostics] if diagnostics is None else [*diagnostics]
    for one in found:
        places = [*([one.place] if one.place else []), *(place for place, _ in one.related)]
        for place in places if document.text else ():
            if place.line and place.file == document.file:
                assert place.line <= len(lines), one
                assert place.column <= len(lines[place.line - 1]) + 1, one
    _check_text(render_diagnostics(found))


def _check_text(text: str) -> None:
    assert not any(has_controls(line.replace("\t", " ")) for line in text.split("\n")), repr(text)
