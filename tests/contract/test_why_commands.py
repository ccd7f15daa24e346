"""``rungraph why`` and ``why-not`` as users meet them: texts, exit codes, what a run made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.contract.command_line import HIDDEN, rungraph

CONFIG = f"""\
providers:
  inference:
  - {{provider_id: told, provider_type: "inline::told", module: fake_provider,
     config: {{api_key: {HIDDEN}, start: fail}}}}
  - {{provider_id: "${{env.URL:+far}}", provider_type: "remote::openai"}}
  memory:
  - {{provider_id: faiss, provider_type: "inline::faiss"}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A run config whose inference provider does not start."""
    path = tmp_path / "run.yaml"
    path.write_text(CONFIG)
    return path


def test_why_shows_the_path_between_two_nodes(config: Path) -> None:
    """The shortest one; what each node needs, and where it says so."""
    ended = rungraph("why", config, "told", "faiss")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "provider:memory/faiss needs provider:inference/told (over 3 steps)\n"
        "\n"
        f"    provider:memory/faiss    {config}:7:5  'inline::faiss' needs inference, says the "
        "catalog of rungraph\n"
        f"  ▼ router:inference         {'(router)':<{len(str(config)) + 4}}  looks up models\n"
        f"  ▼ table:models             {'(routing table)':<{len(str(config)) + 4}}  its only "
        "member\n"
        f"  ▼ provider:inference/told  {config}:3:5\n"
    )


def test_why_of_one_node_and_json(config: Path) -> None:
    """With one node: why it is there. JSON has the same."""
    ended = rungraph("why", config, "router:inference")
    assert ended.code == 0
    assert f"served      'providers' has the key inference ({config}:2:3)" in ended.out
    found = json.loads(rungraph("why", config, "router:inference", "--format", "json").out)
    assert found["needed_by"][0]["dependent"] == "provider:memory/faiss"
    found = json.loads(rungraph("why", config, "faiss", "told", "--all", "--format", "json").out)
    assert [hop["strength"] for hop in found["paths"][0]] == ["hard", "hard", "member"]
    for words in (("why", config, "told"), ("why-not", config, "told")):
        assert HIDDEN not in "".join(rungraph(*words, "--format", "json")[1:])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("fais",), 2, "did you mean 'faiss'?"),
        (("far",), 2, "the config leaves it out: provider_id is ${env.URL:+far} and URL is not"),
        (("*",), 2, "'*' means 7 nodes: "),
        (("faiss", "a b"), 2, "a b"),
        (("faiss", "--all"), 2, "--all and --most are about the paths between A and B"),
        (("faiss", "told", "--most", "0"), 2, "0 is not in the range x>=1"),
        ((), 2, "Missing argument 'A'"),
    ],
)
def test_what_why_cannot_answer(
    config: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    """One readable problem each, and nothing on standard output."""
    ended = rungraph("why", config, *words)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


@pytest.mark.parametrize("name", ["why", "why-not"])
def test_a_config_that_cannot_be_read_is_named_first(tmp_path: Path, name: str) -> None:
    """Nothing can be said of its nodes."""
    (tmp_path / "broken.yaml").write_text("providers: [\n")
    for file, code in (("no.yaml", "C001"), ("broken.yaml", "C003")):
        ended = rungraph(name, tmp_path / file, "faiss")
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith(f"error[{code}]: ")


def test_why_not_names_the_variable(config: Path) -> None:
    """What switches a provider off, where, and the way out."""
    ended = rungraph("why-not", config, "far")
    assert ended.code == 0
    assert ended.out == (
        "inference/${env.URL:+far} (remote::openai) is switched off: provider_id is "
        "${env.URL:+far} and URL is not set\n"
        f"  --> {config}:5:5\n"
        "  help: export URL=…\n"
    )
    unknown = rungraph("why-not", config, "qqq")
    assert unknown.code == 1
    assert unknown.out.startswith("neither the config nor a catalog knows 'qqq'")
    assert "X: it is empty" in rungraph("why-not", config, "").err


def test_why_not_says_what_a_run_made_of_it(config: Path, tmp_path: Path) -> None:
    """Failed with which error, skipped because of whom, without secrets; or no run at all."""
    events = tmp_path / "events.jsonl"
    state = tmp_path / "state"
    ran = rungraph(
        "run", config, "--state-dir", state, "--events", events, "--on-failure", "degrade",
        "--call", "inspect.list_routes",
    )  # fmt: skip
    assert events.exists(), ran.err
    failed = rungraph("why-not", config, "told", "--events", events)
    assert failed.code == 0
    assert failed.out == (
        "provider:inference/told failed: RuntimeError: start refused with ********\n"
        f"  --> {config}:3:5\n"
    )
    skipped = rungraph("why-not", config, "faiss", "--events", events)
    assert skipped.out == (
        "provider:memory/faiss was skipped, because provider:inference/told failed: RuntimeError: "
        "start refused with ******** (needed over router:inference, table:models)\n"
        f"  --> {config}:7:5\n"
    )
    ready = rungraph("why-not", config, "builtin", "--events", events)
    assert ready.out == "provider:inspect/builtin is in the graph, and it ran\n"
    for ended in (failed, skipped, ready):
        assert HIDDEN not in ended.out + ended.err
    missing = rungraph("why-not", config, "faiss", "--events", tmp_path / "no.jsonl")
    assert missing.code == 1
    assert "no.jsonl: no such file or directory" in missing.err
    other = rungraph("why-not", config, "faiss", "--events", config)
    assert other.code == 1
    assert str(config) in other.err
