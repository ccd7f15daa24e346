"""No character that a terminal obeys, or that turns text round, comes out of a file or its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract.command_line import rungraph

from rungraph.graph.wording import has_controls

CONFIG = r"""
image_name: "n\e[31m"
providers:
  inference:
  - {provider_id: "a\e[31mb\u202e", provider_type: "remote::x\e]0;t\a", config: {v: "\e[2J"}}
"k\e[1m": 1
models: [{model_id: "m\e[1m", provider_id: "z\u202e", metadata: {a: "\x9b2J\x7f"}}]
selectors: {"s\e[1m": "x\e[1m"}
checks:
- {name: "c\e[1m", query: "filter('\e[1m(', *)", expect: "em\e[1mpty"}
- {name: "d\e[1m", query: "'\e[1m'", expect: nonempty}
"""


@pytest.mark.parametrize(
    "words",
    [
        "validate FILE",
        "validate --verbose FILE FILE",
        "validate --level import FILE",
        "validate --format json FILE",
        "plan FILE",
        "plan --explain-masking FILE",
        "plan --format markdown FILE",
        "plan --format json FILE",
        "plan FILE --against OTHER",
        "diff FILE OTHER",
        "diff OTHER FILE",
        "diff OTHER FILE --format markdown",
        "diff OTHER FILE --format json",
        "query FILE * --format json",
        "why FILE router:inference --format json",
        "graph FILE --format json",
        "query FILE *",
        "query FILE * --output location",
        "graph FILE --format html",
        "query FILE \x1b[31m\u202e",
        "query OTHER filter('\x1b(',*)",
        "why FILE router:inference",
        "why FILE \x1b[31m",
        "why-not FILE \x1b[31m",
        "why-not FILE inference/z",
        "graph FILE --format text",
        "graph FILE --format dot",
        "graph FILE --format mermaid",
        "run FILE",
        "validate nosuch\x1b[31m",
        "providers \x9b2J",
        "graph OTHER -o \x1b[31m/x.svg",
    ],
)
def test_nothing_reaches_a_terminal_raw(words: str, tmp_path: Path) -> None:
    """Whatever stands in a config, in its name or on the command line."""
    names = {"FILE": "bad\x1b[31m\u202e.yaml", "OTHER": "other.yaml"}
    (tmp_path / names["FILE"]).write_text(CONFIG)
    (tmp_path / names["OTHER"]).write_text("providers: {}\n")
    ended = rungraph(*(names.get(word, word) for word in words.split()), cwd=tmp_path)
    shown = f"{ended.out}\n{ended.err}"
    assert "this is a bug" not in shown
    assert [line for line in shown.split("\n") if has_controls(line.replace("\t", " "))] == []
