"""What a notebook shows of a graph."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest
from tests.builders import entry

from rungraph.graph import RunGraph, compile_config

HIDDEN = "sk-in-no-notebook-0123456789"


@pytest.fixture
def graph() -> RunGraph:
    """A provider with a secret, and an unknown type."""
    secret = entry("a'b<c>", "remote::openai", url="http://x", api_key=HIDDEN)
    providers = {"inference": [secret, entry("b", "remote::opnai")]}
    return compile_config({"providers": providers}, environment={})


def test_a_graph_shows_its_picture(graph: RunGraph) -> None:
    """An SVG as an image, then the problems, then the table, folded up; and no secret."""
    shown = graph._repr_html_()
    source = re.search(r"<img src='data:image/svg\+xml;base64,([^']+)' alt='([^']*)'", shown)
    assert source
    svg = b64decode(source[1]).decode()
    assert 'id="node|provider:inference/b"' in svg
    assert source[2].startswith("&lt;RunGraph &#x27;&lt;mapping&gt;&#x27;: 5 nodes")
    assert shown.index("C021") < shown.index("<details>") < shown.index("<table>")
    assert HIDDEN not in svg + shown
