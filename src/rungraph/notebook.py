"""What a notebook shows of a graph: its picture, its problems, and its generations as a table."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from rungraph.graph.diagnostic_text import count_text, render_diagnostic
from rungraph.graph.wording import counted, listed
from rungraph.viz import render

if TYPE_CHECKING:
    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

_MOST_SHOWN = 40
"""How many nodes of one generation are written out."""


def html_of(graph: RunGraph) -> str:
    """Return *graph* as HTML: its picture, what is wrong, and a table of its nodes, folded up."""
    rows = [
        row
        for index, generation in enumerate(graph.generations())
        for row in _generation_rows(graph, index, generation)
    ]
    kinds = Counter(address.kind.value for address in graph.nodes)
    summary = ", ".join(counted(count, kind) for kind, count in sorted(kinds.items()))
    problems = "".join(
        f"<pre style='margin:.5em 0;white-space:pre-wrap'>{escape(render_diagnostic(one))}</pre>"
        for one in graph.diagnostics
    )
    found = f"<p>{escape(count_text(graph.diagnostics))}</p>" if graph.diagnostics else ""
    caption = (
        f"<p><b>{escape(graph.name or graph.file)}</b>: {escape(summary)}, "
        f"{counted(len(graph.edges), 'edge')}, "
        f"{counted(len(graph.generations()), 'generation')}</p>"
    )
    table = (
        f"<table><thead>{_cells('generation', 'node', 'type', 'needs', tag='th')}</thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return (
        f"<div>{_image(render(graph), repr(graph))}{found}{problems}"
        f"<details><summary>nodes</summary>{caption}{table}</details></div>"
    )


def _image(svg: bytes, text: str) -> str:
    """Return *svg* as an image: what a notebook does not trust may be one, but not markup."""
    source = f"data:image/svg+xml;base64,{b64encode(svg).decode('ascii')}"
    return f"<img src='{source}' alt='{escape(text)}' style='max-width:100%'>"


def _generation_rows(graph: RunGraph, index: int, generation: tuple[Address, ...]) -> list[str]:
    rows = [
        _cells(str(index), str(one), graph.nodes[one].label, listed(graph.dependencies_of(one), 6))
        for one in generation[:_MOST_SHOWN]
    ]
    if len(generation) > _MOST_SHOWN:
        rows.append(_cells(str(index), f"and {len(generation) - _MOST_SHOWN:,} more", "", ""))
    return rows


def _cells(*texts: str, tag: str = "td") -> str:
    cells = "".join(f"<{tag} style='text-align:left'>{escape(text)}</{tag}>" for text in texts)
    return f"<tr>{cells}</tr>"
