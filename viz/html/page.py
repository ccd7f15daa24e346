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

from rungraph.viz.html.colours import palette_css
from rungraph.viz.html.facts import (
    STRENGTHS,
    Words,
    edges_json,
    excluded_json,
    nodes_json,
    problems_json,
)
from rungraph.viz.html.views import View, view_json, views_of
from rungraph.viz.labels import printable

if TYPE_CHECKING:
    from rungraph.graph.model import RunGraph

_SCRIPTS = ("model", "walk", "picture", "camera", "choice", "search", "panel", "lists", "page")
_STYLES = ("page", "picture", "print")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
# What would end a script element, open a comment in one, or end a line of JavaScript.
_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def render_html(graph: RunGraph, *, title: str | None = None) -> str:
    """Return *graph* as a page for a browser: one file that asks no server for anything.

    Its Content-Security-Policy forbids the network and every script and style but its own. Equal
    graphs give equal text. Secrets of the config are masked.

    Args:
        graph: Any graph, also one that cannot be run: its problems are marked.
        title: What stands above the picture; by default the config's name or file.
    """
    views = views_of(graph)
    name = printable(title or views[-1].diagram.title)
    families = sorted({box.family for view in views for box in view.diagram.boxes.values()})
    style = "\n".join([*(_asset(f"{one}.css") for one in _STYLES), palette_css(families)])
    script = _script()
    data = json.dumps(
        _page_json(graph, name, views, families), ensure_ascii=False, separators=(",", ":")
    )
    parts = {
        "style_hash": _hash(style),
        "script_hashes": f"'{_hash(_asset('start.js'))}' '{_hash(script)}'",
        "title": escape(name),
        "caption": escape(views[-1].diagram.subtitle),
        "rows": _rows(graph),
        "style": style,
        "start": _asset("start.js"),
        "script": script,
        "data": data.translate(_IN_SCRIPT),
    }
    return _PLACEHOLDER.sub(lambda found: parts[found[1]], _asset("page.html"))


def _page_json(
    graph: RunGraph, title: str, views: tuple[View, ...], families: list[str]
) -> dict[str, Any]:
    number_of = {address: index for index, address in enumerate(graph.nodes)}
    words = Words()
    return {
        "title": title,
        "first": views[0].name,
        "strengths": STRENGTHS,
        "families": families,
        "nodes": nodes_json(graph, words),
        "edges": edges_json(graph, number_of, words),
        "problems": problems_json(graph, number_of),
        "excluded": excluded_json(graph),
        "views": [view_json(view, number_of, families, STRENGTHS) for view in views],
        "words": words.listed(),
    }


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
