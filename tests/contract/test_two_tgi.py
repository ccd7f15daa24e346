"""Two servers of one type, each with its model: in one command, and served to a client."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from tests.contract.command_line import ROOT, run_program
from tests.counterparts import KEY, serve_counterpart
from tests.peers import OPENAI, serving

CONFIG = ROOT / "configs" / "two-tgi.yaml"

PROGRAM = """
import json, sys, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
names = sorted(one.id for one in client.models.list())
texts = {}
for model in ("org/foo-model", "small", "bar/org/bar-model"):
    chat = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Say hi"}], max_tokens=4, temperature=0
    )
    texts[model] = chat.choices[0].message.content
stream = client.completions.create(
    model="small", prompt="The capital of France is", max_tokens=2, temperature=0, stream=True
)
texts["stream"] = "".join(one.choices[0].text for one in stream if one.choices)
print(json.dumps([names, texts]))
"""


@pytest.mark.real
def test_one_command_runs_two_tgi(weights: Path) -> None:
    """``make two-tgi`` calls each of the two models, and leaves nothing behind that runs."""
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ended = run_program("sh", "configs/two-tgi.sh", cwd=ROOT, env={**os.environ, "PATH": paths})
    assert ended.code == 0, ended.err
    assert '"identifier": "org/foo-model"' in ended.out
    assert '"content": "The capital of France is Paris."' in ended.out
    assert '"content": " Paris.' in ended.out


@pytest.mark.real
@pytest.mark.peer
def test_a_real_client_reaches_both(weights: Path, tmp_path: Path) -> None:
    """Each call goes to the server that has the model, by its name or by that of the config."""
    with (
        serve_counterpart("tgi", "org/foo-model") as foo,
        serve_counterpart("tgi", "org/bar-model") as bar,
    ):
        config = tmp_path / CONFIG.name
        config.write_text(CONFIG.read_text())
        variables = {"FOO_URL": foo, "FOO_TOKEN": KEY, "BAR_URL": bar, "BAR_TOKEN": KEY}
        with serving(config, **variables) as url:
            names, texts = json.loads(OPENAI.output_of("-c", PROGRAM, url))
    assert names == ["org/bar-model", "org/foo-model", "small"]
    assert texts["small"] == texts["bar/org/bar-model"] == texts["org/foo-model"] != ""
    assert texts["stream"] == " Paris."
