"""What tests of documents look at."""

from __future__ import annotations

from rungraph.graph.diagnostics import Diagnostic
from rungraph.graph.source.document import Document

CONFIG = """\
providers:
  inference:
  - provider_id: small   # a comment
    config: {url: "http://a", 'port': 80}
  - provider_id: 'large'
    config:
      text: |
        two
        lines
"""


def only(document: Document) -> Diagnostic:
    """Return the one diagnostic of the document."""
    (diagnostic,) = document.diagnostics
    return diagnostic


def spot(document: Document, *path: str | int, key: bool = False) -> tuple[int, int]:
    """Return line and column of a value."""
    place = document.place_of(path, key=key)
    return place.line, place.column
