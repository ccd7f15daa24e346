"""Facts about the page: one file, safe whatever the config says, the same from run to run."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from tests.unit.viz.graphs import graph_of

from rungraph.graph import compile_config
from rungraph.graph.model import RunGraph
from rungraph.viz import render_html
from rungraph.viz.timeline import Schedule, Span

_VOID = {"meta", "link", "input", "br"}


class _Reader(HTMLParser):
    """Collects tags, attributes and the text of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def read(page: str) -> _Reader:
    """Return what a parser finds in *page*."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


def data_of(page: str) -> dict[str, Any]:
    """Return the data that the page's script reads, the views in it."""
    _, facts, *views, _ = map(json.loads, ["0", *read(page).inside["script"][1:-1], "0"])
    return {**facts, "views": views}


def test_the_page_needs_nothing_else(small: RunGraph) -> None:
    """It names no other file; its policy forbids the network, and allows its own scripts alone."""
    reader = read(render_html(small))
    loading = [
        (tag, name, value)
        for tag, name, value in reader.attributes
        if name in {"src", "srcset", "href", "action", "data", "poster", "style"}
    ]
    assert loading == [("link", "href", "data:,")]
    policy = next(value for *_, value in reader.attributes if value.startswith("default-src"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    assert not any(name.startswith("on") for _, name, _ in reader.attributes)
    start, *_, script = reader.inside["script"]
    allowed = {
        f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
        for text in (*reader.inside["style"], start, script)
    }
    assert set(re.findall(r"sha256-[^']+", policy)) == allowed


def test_equal_graphs_give_equal_bytes() -> None:
    """The order in the config does not matter."""
    ids = [("a", "remote::tgi"), ("b", "inline::local"), ("c", "remote::tgi")]
    pages = {
        render_html(graph_of({"inference": order, "telemetry": [("t", "inline::otel")]}))
        for order in (ids, ids, ids[::-1])
    }
    # Places differ with the order, but a config given as a mapping has none.
    assert len(pages) == 1


def test_every_node_edge_and_view_is_in_the_page(large: RunGraph) -> None:
    """Boxes, arrows and rows name all that there is."""
    page = render_html(large)
    data = data_of(page)
    assert [node["id"] for node in data["nodes"]] == [str(address) for address in large.nodes]
    assert len(data["edges"]) == len(large.edges) + len(large.dropped)
    for view in data["views"]:
        assert sorted(n for box in view["boxes"] for n in box[5]) == list(range(len(large)))
    rows = re.findall(r'<tr data-address="([^"]*)">', page)
    assert rows == [str(address) for address in large]


def test_hostile_text_stays_text() -> None:
    """Ids that look like markup make no element, and are in the data as they are."""
    hostile = (
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "]]><img src=x onerror=alert(1)>",
        '" onmouseover="alert(1)',
        "' onfocus='alert(1)",
        "</title></style><svg onload=alert(1)>",
        "a\u2028b\u2029c",
        "{{data}} {{script}}",
        "&lt;b&gt;",
        "日本語 名前 with spaces",
        "مرحبا",
        "🦙🚀",
        "x" * 140,
    )
    tame = graph_of({"inference": [(f"n{i:02}", "remote::tgi") for i in range(len(hostile))]})
    graph = graph_of({"inference": [(name, "remote::tgi") for name in hostile]})
    page = render_html(graph, title=hostile[0])
    expected, found = read(render_html(tame)), read(page)
    assert found.tags == expected.tags
    assert [(tag, name) for tag, name, _ in found.attributes] == [
        (tag, name) for tag, name, _ in expected.attributes
    ]
    assert {node["id"] for node in data_of(page)["nodes"]} == {str(one) for one in graph.nodes}
    inside = "".join(found.inside["script"][1:-1])
    assert not set("<>&\u2028\u2029") & set(inside)


def test_no_secret_gets_into_the_page() -> None:
    """Secrets of configs, of the environment and in what others write of them are masked."""
    config = {
        "base_url": "http://user:pw-in-url-17@host/v1",
        "api_key": "${env.KEY:=default-key-4711}",
        "headers": {"Authorization": "Bearer tok-abcdef-123456"},
        "nested": [{"password": "pass</script>phrase"}],
    }
    entry = {"provider_id": "tgi", "provider_type": "remote::openai", "config": config}
    variables = {"KEY": "key-from-environment-42"}
    graph = compile_config({"providers": {"inference": [entry]}}, environment=variables)
    page = render_html(graph)
    secrets = "pw-in-url-17 default-key-4711 key-from-environment-42 tok-abcdef phrase"
    assert [secret for secret in secrets.split() if secret in page] == []
    assert "${env.KEY:=********}" in "".join(data_of(page)["texts"])


def test_problems_stand_at_their_nodes(knotted: RunGraph) -> None:
    """A graph that cannot be run has a page, its cycle marked and its problems told."""
    data = data_of(render_html(knotted))
    texts = [problem["text"] for problem in data["problems"]]
    assert texts
    assert texts[0].startswith("error[G001]")
    assert any(box[7].get("cycle") for box in data["views"][-1]["boxes"])
    assert any(arrow[4].get("cycle") for arrow in data["views"][-1]["arrows"])


def test_a_timeline_is_a_page_of_its_own(small: RunGraph) -> None:
    """It says of a start what every other picture of it says; without one there is none."""
    first = next(iter(small))
    span = Span(first, 0, first.api, "ready", 0.0, 0.25, 0.75)
    start = Schedule("small", (span,), 0.75, (first,), 0.5)
    data = data_of(render_html(small, timeline=start))
    assert data["timeline"]["rows"] == [[str(first), 0, 0.25, 0.75, "ready", 1]]
    assert data["timeline"]["captions"] == list(start.captions)
    assert "timeline" not in data_of(render_html(small))


def test_a_page_without_nodes_and_one_with_a_title() -> None:
    """A graph of nothing has a page; a title stands above the picture and in the window."""
    page = render_html(graph_of({}).subgraph([]), title="Ours & <theirs>")
    assert data_of(page)["nodes"] == []
    assert "<title>Ours &amp; &lt;theirs&gt;</title>" in page
    assert "<h1><bdi>Ours &amp; &lt;theirs&gt;</bdi></h1>" in page
