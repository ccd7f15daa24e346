"""The server's application under another ASGI server than its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.peers import ROOT, Peer

GRANIAN = Peer("granian", "granian>=2", "--editable", f"{ROOT}[server]")


@pytest.mark.peer
@pytest.mark.heavy
def test_granian_serves_a_stack() -> None:
    """Answers, streams, both lanes and errors come as they do from uvicorn."""
    found = GRANIAN.run("granian_app.py", str(Path(__file__).with_name("cli_package")))
    assert found["live"] == [200, '{"status":"ok"}']
    assert json.loads(found["chat"][1])["completion_message"]["content"] == "a b"
    assert json.loads(found["v1"][1])["choices"][0]["message"]["content"] == "a b"
    events = [event for event in found["chunks"][1].split("\n\n") if event]
    assert json.loads(events[-1].removeprefix("data: "))["event"]["event_type"] == "complete"
    assert found["v1 chunks"][1].endswith("data: [DONE]\n\n")
    status, text = found["wrong"]
    assert (status, json.loads(text)["error"]["code"]) == (400, "invalid_value")
