"""One HTML file of a graph: markup, style, script and data in it, and nothing fetched."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from rungraph.graph.wording import printable, safe_json
from rungraph.viz.html.colours import colours_css
from rungraph.viz.html.facts import (
    STRENGTHS,
    Texts,
    edge_json,
    excluded_json,
    node_json,
    problems_json,
)
from rungraph.viz.html.views import LABELS, LaidOut, view_json, views_of
from rungraph.viz.model.overlay import live_looks
from rungraph.viz.model.theme import LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.model import RunGraph
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.timeline import Schedule

_SCRIPTS = (
    *("model", "walk", "picture", "camera", "choice"),
    *("search", "panel", "lists", "timeline", "page"),
)
_LIVE_SCRIPTS = (*_SCRIPTS[:-2], "live", "traffic", "try", *_SCRIPTS[-2:])
_STYLES = ("page", "picture", "print")
_LIVE_STYLES = (*_STYLES, "live")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
# What would end a script element, or open a comment in one.
_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


def render_html(
    graph: RunGraph,
    *,
    title: str | None = None,
    direction: Direction = "LR",
    timeline: Schedule | None = None,
    live: Mapping[str, str] | None = None,
    **options: Unpack[DiagramOptions],
) -> str:
    """Return *graph* as a page for a browser: one file that asks no server for anything.

    Its Content-Security-Policy forbids the network and every script and style but its own. Equal
    graphs give equal text. Secrets of the config are masked.

    Args:
        graph: Any graph, also one that cannot be run: its problems are marked.
        title: What stands above the picture; by default the config's name or file.
        direction: Where later nodes go: to the right (``LR``) or down (``TB``).
        timeline: A start as it was, shown as a page of its own.
        live: For the page of a server: which state an event of a node means, by the event's name.
            The page then follows ``/events`` of the server that it comes from, and asks only it.
        options: Which part is drawn, and how much of it. *view* is what is shown first; the page
            switches between this and the other views.

    Raises:
        KeyError: If *select* names a node that is not there.
        PictureError: If a view has more than ``MOST_LAID_OUT`` boxes and arrows with the columns
            that arrows pass.
    """
    views, first = views_of(graph, options, direction)
    families = sorted({box.family for one in views for box in one.diagram.boxes.values()})
    styles, scripts = (_STYLES, _SCRIPTS) if live is None else (_LIVE_STYLES, _LIVE_SCRIPTS)
    style = "\n".join([*(_asset(f"{one}.css") for one in styles), colours_css(families)])
    start, script = _asset("start.js"), _script(scripts)
    data, *drawn = _page_json(graph, views, first, families)
    if timeline is not None:
        data["timeline"] = _timeline_json(timeline)
    if live is not None:
        data["live"] = live_looks(live)
    values = {
        "style_hash": _hash(style),
        "script_hashes": f"'{_hash(start)}' '{_hash(script)}'",
        "connect": "" if live is None else "connect-src 'self'; ",
        "title": escape(printable(title or first.diagram.title)),
        "caption": escape(first.diagram.subtitle),
        "rows": _rows(graph),
        "style": style,
        "start": start,
        "script": script,
        "data": _in_script(data),
        "views": "\n".join(
            f'<script type="application/json" id="view-{one["name"]}">{_in_script(one)}</script>'
            for one in drawn
        ),
    }
    for name in ("title", "rows", "data", "views"):
        values[name] = _without_folders(values[name], graph)
    return _PLACEHOLDER.sub(lambda found: values[found[1]], _asset("page.html"))


def _without_folders(text: str, graph: RunGraph) -> str:
    """Return *text* with the files that the graph was read from named without their folders.

    A page is handed on: where its files lie on this machine is nobody's business.
    """
    origins = {spec.origin for spec in graph.catalog.providers.values()}
    for file in sorted({graph.file, *origins}, key=len, reverse=True):
        if Path(file).is_absolute():
            for written in {file, escape(file), _in_script(file)[1:-1]}:
                text = text.replace(written, Path(file).name)
    return text


def _page_json(
    graph: RunGraph, views: Sequence[LaidOut], first: LaidOut, families: Sequence[str]
) -> tuple[dict[str, Any], ...]:
    """Return what the page knows of the graph, then its views, each read when it is shown."""
    boxes = (box for one in views for box in one.diagram.boxes.values())
    ghosts = {address for box in boxes for address in box.addresses} - graph.nodes.keys()
    number_of = {address: index for index, address in enumerate((*graph.nodes, *sorted(ghosts)))}
    texts = Texts()
    edges = [(edge, False) for edge in graph.edges] + [(edge, True) for edge in graph.dropped]
    facts = {
        "first": first.diagram.view,
        "views": [[one.diagram.view, LABELS[one.diagram.view]] for one in views],
        "strengths": STRENGTHS,
        "symbols": {role.value: look.symbol for role, look in LOOKS.items()},
        "loud": [role.value for role, look in LOOKS.items() if look.is_loud],
        "nodes": [node_json(graph, address, texts) for address in number_of],
        "edges": [edge_json(one, number_of, texts, is_dropped=flag) for one, flag in edges],
        "problems": [*problems_json(graph, number_of)],
        "excluded": [*excluded_json(graph)],
        "texts": [*texts],
    }
    return facts, *(view_json(one, number_of, families, STRENGTHS) for one in views)


def _timeline_json(schedule: Schedule) -> dict[str, Any]:
    """Return *schedule* as the page's script reads it: times in seconds, rounded to 10 µs."""

    def rounded(time: float | None) -> float | None:
        return None if time is None else round(time, 5)

    return {
        "captions": schedule.captions,
        "total": rounded(schedule.total),
        "rows": [
            [
                str(span.address),
                *map(rounded, (span.available, span.starting, span.settled)),
                span.state,
                int(span.address in schedule.critical_path),
            ]
            for span in schedule.spans
        ],
    }


def _in_script(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return safe_json(text).translate(_IN_SCRIPT)


def _rows(graph: RunGraph) -> str:
    """Return the table of the nodes, which is there without the script, too."""
    rows: list[str] = []
    for address in graph:
        node = graph.nodes[address]
        name, what = escape(str(address)), escape(getattr(node, "provider_type", ""))
        place = escape(str(getattr(node, "place", None) or ""))
        start = "cycle" if address in graph.cycle_of else graph.generation_of(address)
        rows.append(
            f'<tr data-address="{name}"><td><bdi>{name}</bdi>'
            f"<td><bdi>{what}</bdi><td>{start}<td>{place}"
        )
    return "\n".join(rows)


@cache
def _asset(name: str) -> str:
    return files("rungraph.viz.html").joinpath(name).read_text("utf-8").rstrip("\n")


@cache
def _script(names: tuple[str, ...]) -> str:
    scripts = "\n".join(_asset(f"{name}.js") for name in names)
    return f'(() => {{\n"use strict";\n{scripts}\n}})();'


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
