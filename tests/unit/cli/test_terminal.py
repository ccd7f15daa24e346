"""What is written to standard output, whatever that takes."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper

import pytest

from rungraph.cli.terminal import show_json_bytes, show_json_text

WRITTEN = '{"a": "é\u202e"}\n'


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_json_is_the_same_as_bytes_and_as_text(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the encoding of standard output, and no terminal obeys it."""
    out = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(out, encoding=encoding))
    show_json_text(WRITTEN, end="")
    show_json_bytes(WRITTEN.encode())
    assert out.getvalue() == '{"a": "é\\u202e"}\n'.encode(encoding) * 2
