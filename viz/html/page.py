"""One HTML file of a graph: markup, style, script and data in it, and nothing fetched."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rungraph.viz.html.colours import SIGNS, colours_css
from rungraph.viz.html.facts import (
    STRENGTHS,
    Words,
    edges_json,
    excluded_json,
    nodes_json,
    problems_json,
)
from rungraph.viz.html.spans import timeline_json
from rungraph.viz.html.views import LABELS, Laid, Picked, view_json, views_of
from rungraph.viz.model.labels import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.viz.layout.layered import Direction
    from rungraph.viz.model.elements import View
    from rungraph.viz.model.overlay import Overlay
    from rungraph.viz.timeline import Schedule

_SCRIPTS = (
    "model",
    "walk",
    "picture",
    "camera",
    "choice",
    "search",
    "panel",
    "lists",
    "timeline",
    "page",
)
_STYLES = ("page", "picture", "print")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
# What would end a script element, open a comment in one, or end a line of JavaScript.
_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def render_html(
    graph: RunGraph,
    *,
    title: str | None = None,
    view: View = "auto",
    reduced: bool | None = None,
    select: Iterable[Address] | None = None,
    depth: int | None = None,
    overlay: Overlay | None = None,
    direction: Direction = "LR",
    late: bool = False,
    timeline: Schedule | None = None,
) -> str:
    """Return *graph* as a page for a browser: one file that asks no server for anything.

    Its Content-Security-Policy forbids the network and every script and style but its own. Equal
    graphs give equal text. Secrets of the config are masked.

    Args:
        graph: Any graph, also one that cannot be run: its problems are marked.
        title: What stands above the picture; by default the config's name or file.
        view: What is shown first; the page switches between this and the other views.
        reduced: Whether arrows that follow from others are left out; None where that helps.
        select: The nodes to draw; None for all.
        depth: How many steps around *select* are drawn too; None for none.
        overlay: What is laid over the picture.
        direction: Where later nodes go: to the right (``LR``) or down (``TB``).
        late: Whether a node stands next to what needs it first.
        timeline: A start as it was, shown as a page of its own.

    Raises:
        KeyError: If *select* names a node that is not there.
    """
    picked = Picked(view, reduced, select, depth, overlay, direction, late)
    views, first = views_of(graph, picked)
    shown = next(one.diagram for one in views if one.diagram.view == first)
    name = printable(title or shown.title)
    families = sorted({box.family for one in views for box in one.diagram.boxes.values()})
    style = "\n".join([*(_asset(f"{one}.css") for one in _STYLES), colours_css(families)])
    script = _script()
    data, *drawn = _page_json(graph, views, first, families)
    if timeline is not None:
        data["timeline"] = timeline_json(timeline)
    parts = {
        "style_hash": _hash(style),
        "script_hashes": f"'{_hash(_asset('start.js'))}' '{_hash(script)}'",
        "title": escape(name),
        "caption": escape(shown.subtitle),
        "rows": _rows(graph),
        "style": style,
        "start": _asset("start.js"),
        "script": script,
        "data": _in_script(data),
        "views": "\n".join(
            f'<script type="application/json" id="view-{one["name"]}">{_in_script(one)}</script>'
            for one in drawn
        ),
    }
    return _PLACEHOLDER.sub(lambda found: parts[found[1]], _asset("page.html"))


def _page_json(
    graph: RunGraph, views: tuple[Laid, ...], first: str, families: list[str]
) -> tuple[dict[str, Any], ...]:
    """Return what the page knows of the graph, then its views, each read when it is shown."""
    drawn = {
        address for one in views for box in one.diagram.boxes.values() for address in box.addresses
    }
    addresses = [*graph.nodes, *sorted(drawn - graph.nodes.keys())]
    number_of = {address: index for index, address in enumerate(addresses)}
    words = Words()
    facts = {
        "first": first,
        "views": [[one.diagram.view, LABELS[one.diagram.view]] for one in views],
        "strengths": STRENGTHS,
        "signs": SIGNS,
        "nodes": nodes_json(graph, addresses, words),
        "edges": edges_json(graph, number_of, words),
        "problems": problems_json(graph, number_of),
        "excluded": excluded_json(graph),
        "words": words.listed(),
    }
    return facts, *(view_json(one, number_of, families, STRENGTHS) for one in views)


def _in_script(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_IN_SCRIPT)


def _rows(graph: RunGraph) -> str:
    """Return the table of the nodes, which is there without the script, too."""
    rows: list[str] = []
    for generation, addresses in enumerate(graph.generations()):
        for address in addresses:
            node = graph.nodes[address]
            what = getattr(node, "provider_type", "")
            place = getattr(node, "place", None) or ""
            rows.append(
                f'<tr data-address="{escape(str(address))}"><td><bdi>{escape(str(address))}</bdi>'
                f"<td><bdi>{escape(what)}</bdi><td>{generation}<td>{escape(str(place))}"
            )
    return "\n".join(rows)


@cache
def _asset(name: str) -> str:
    return files("rungraph.viz.html").joinpath(name).read_text("utf-8").rstrip("\n")


@cache
def _script() -> str:
    parts = "\n".join(_asset(f"{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
