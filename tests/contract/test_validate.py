"""``rungraph validate`` as users and scripts meet it: texts, JSON, exit codes, servers, signals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.contract.command_line import INVALID, rungraph
from tests.contract.conftest import ConfigFile

from rungraph.graph.rules.checklist import CHECKS

# --- one file, several files -------------------------------------------------------------------


def test_one_file_has_every_check_named_with_its_result(remote_file: ConfigFile) -> None:
    """By level and result, those that were not made as well; with ``--verbose`` a line each."""
    path = remote_file()
    ended = rungraph("validate", path)
    expected = f"""{path}: no problems (4 nodes, 3 generations)
  schema   passed       readable, yaml, shape, known-keys, known-version, known-apis, known-types,
                        current-types, unique-ids, single-providers, resources-placed,
                        sections-placed, catalogs-usable, secrets-present
  graph    passed       no-hard-cycles, no-soft-cycles, dependencies-configured, apis-provided,
                        providers-served, selectors
  env      passed       environment-set, placeholders-read, ids-public
  import   passed       configs-accepted, resources-accepted
  not checked: 5 checks of import, health
"""
    assert (ended.code, ended.out, ended.err) == (0, expected, "")
    lines = rungraph("validate", "--verbose", path).out.splitlines()[1:]
    assert [line.rpartition("  ")[2].strip() for line in lines] == [
        check.states for check in CHECKS if check.name != "queries"
    ]
    assert lines[0] == (
        "  schema   passed       readable                 "
        "the file can be read, and is text of a size that is meant"
    )


def test_problems_go_to_standard_error_and_end_with_1() -> None:
    """Each problem has its code and its place; standard output names the check that failed."""
    path = INVALID / "C021-unknown-provider-type.yaml"
    ended = rungraph("validate", path)
    assert ended.code == 1
    assert "error[C021]" in ended.err
    assert f"{path}:" in ended.err
    head, first, *_ = ended.out.splitlines()
    assert head == f"{path}: 2 errors (5 nodes, 3 generations)"
    assert first == "  schema   failed       known-types"
    # ``-`` reads the config from standard input.
    assert rungraph("validate", "-", stdin="providers: {}\n").code == 0
    assert rungraph("validate", "-", stdin="- 1\n").code == 1


def test_several_files_are_a_line_each_and_a_summary(remote_file: ConfigFile) -> None:
    """One bad file makes the exit code 1 and hides nothing of the others."""
    good, warned = remote_file("good.yaml"), remote_file("warned.yaml", more={"modls": []})
    bad = INVALID / "C021-unknown-provider-type.yaml"
    ended = rungraph("validate", "nowhere.yaml", good, bad, warned)
    assert ended.code == 1
    assert "error[C001]" in ended.err
    assert ended.out == (
        "nowhere.yaml: 1 error; the rest could not be checked; failed: readable; "
        "not checked: import, health\n"
        f"{good}: no problems (4 nodes, 3 generations); not checked: import, health\n"
        f"{bad}: 2 errors (5 nodes, 3 generations); failed: known-types; "
        "not checked: import, health\n"
        f"{warned}: 1 warning (4 nodes, 3 generations); not checked: import, health\n"
        "4 files: 2 valid, 2 with errors\n"
    )


def test_a_catalog_that_is_none_is_the_problem_of_its_file(remote_file: ConfigFile) -> None:
    """The other files are checked; in JSON ``valid`` is what the exit code says."""
    bad, good = remote_file("bad.yaml", more={"catalog": "nowhere.yaml"}), remote_file("good.yaml")
    ended = rungraph("validate", bad, good)
    assert ended.code == 1
    assert "nowhere.yaml" in ended.err
    assert f"{good}: no problems" in ended.out
    assert ended.out.endswith("2 files: 1 valid, 1 with errors\n")
    warned = remote_file("warned.yaml", more={"modls": []})
    values = rungraph("validate", "--format", "json", "--deny-warnings", bad, good, warned).out
    found = [json.loads(line) for line in values.splitlines()]
    assert [(one["file"], one["valid"]) for one in found] == [
        (str(bad), False),
        (str(good), True),
        (str(warned), False),
    ]


def test_warnings_can_be_denied_and_unset_variables_allowed(remote_file: ConfigFile) -> None:
    """``--deny-warnings`` makes a warning a failure; a note, as of an unset variable, stays one."""
    path = remote_file(more={"modls": []})
    assert rungraph("validate", path).code == 0
    ended = rungraph("validate", "--deny-warnings", path)
    assert ended.code == 1
    assert f"{path}: warnings count as failures, because of --deny-warnings" in ended.err
    many = rungraph("validate", "--deny-warnings", path, remote_file("good.yaml"))
    assert many.out.endswith("2 files: 1 valid, 1 with warnings, which are denied\n")
    noted = INVALID / "C014-older-format.yaml"
    assert rungraph("validate", "--deny-warnings", noted).code == 0
    unset = remote_file("unset.yaml", url="${env.NOWHERE_URL}")
    assert rungraph("validate", unset).code == 1
    ended = rungraph("validate", "--allow-unset-env", "--deny-warnings", unset)
    assert ended.code == 0
    assert "note[E001]" in ended.err
    assert "  env      noted        environment-set\n" in ended.out


# --- JSON --------------------------------------------------------------------------------------


def test_json_is_one_object_a_line_and_file(remote_file: ConfigFile) -> None:
    """``--format json`` says what each check came to, what was not checked, every diagnostic."""
    ended = rungraph("validate", "--format", "json", remote_file(), "nowhere.yaml")
    good, bad = map(json.loads, ended.out.splitlines())
    assert ended.code == 1
    assert ended.err == ""
    checks = good.pop("checks")
    assert good == {
        "file": str(remote_file()),
        "catalog": None,
        "valid": True,
        "checked": ["schema", "graph", "env"],
        "not_checked": ["import", "health"],
        "configs_not_checked": [],
        "diagnostics": [],
    }
    assert [one["name"] for one in checks] == [
        check.name for check in CHECKS if check.name != "queries"
    ]
    assert checks[0] == {"name": "readable", "level": "schema", "result": "passed", "problems": 0}
    assert checks[-1]["result"] == "not_checked"
    assert not bad["valid"]
    assert bad["diagnostics"][0]["code"] == "C001"
    assert {one["result"] for one in bad["checks"]} == {"failed", "not_checked"}


# --- levels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "passes", "fails", "line"),
    [
        ("E001-unset-variables", "graph", "env", "  env      failed       environment-set\n"),
        ("I003-rejected-config", "env", "import", "  import   failed       configs-accepted\n"),
    ],
)
def test_a_level_leaves_out_what_is_deeper(name: str, passes: str, fails: str, line: str) -> None:
    """A problem is found at its own level, not before; what is deeper is not checked."""
    path = INVALID / f"{name}.yaml"
    assert rungraph("validate", "--level", passes, path).code == 0
    ended = rungraph("validate", "--level", fails, path)
    assert ended.code == 1
    assert f"error[{name[:4]}]" in ended.err
    assert line in ended.out
    assert ended.out.endswith(" of import, health\n" if passes == "graph" else " of health\n")


# --- checks that are queries -------------------------------------------------------------------


def test_checks_of_the_config_are_asked_and_listed_by_name(remote_file: ConfigFile) -> None:
    """A check that fails is an error with what it found; each has its own name in the list."""
    checks = [
        {"name": "nothing remote", "query": "type:remote::*"},
        {"name": "one router", "query": "kind:router", "expect": 1},
    ]
    path = remote_file(more={"checks": checks})
    ended = rungraph("validate", path)
    assert ended.code == 1
    assert "error[Q001]: check 'nothing remote' expects no node and finds 1" in ended.err
    assert "  graph    failed       'nothing remote'\n" in ended.out
    assert "providers-served, selectors, 'one router'\n" in ended.out
    assert rungraph("validate", "--level", "schema", path).code == 0
    found = json.loads(rungraph("validate", "--format", "json", path).out)["checks"]
    assert {
        "name": "nothing remote",
        "level": "graph",
        "result": "failed",
        "problems": 1,
        "query": "type:remote::*",
        "expect": "empty",
        "found": ["provider:inference/far"],
    } in found


def test_checks_can_stand_in_a_file_of_their_own(remote_file: ConfigFile, tmp_path: Path) -> None:
    """``--checks`` asks the same of several configs; the places are in the file of the checks."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("checks:\n- {name: nothing remote, query: 'type:remote::*'}\n")
    ended = rungraph("validate", "--checks", rules, remote_file("a.yaml"), remote_file("b.yaml"))
    assert ended.code == 1
    assert ended.err.count("error[Q001]") == 2
    assert f"--> {rules}:2:3" in ended.err
    assert "providers" not in ended.err.split("-->")[1].splitlines()[1]
    assert ended.out.count("failed: 'nothing remote'") == 2
    # Without the file, the config is checked all the same.
    ended = rungraph("validate", "--checks", tmp_path / "nowhere.yaml", remote_file())
    assert ended.code == 1
    assert "error[C001]" in ended.err
    assert "no problems" in ended.out


def test_a_config_whose_class_cannot_be_imported_is_listed_as_not_checked() -> None:
    """Where that was asked for; in text it is counted."""
    words = ("validate", "--level", "import", INVALID / "I006-config-not-checked.yaml")
    values = json.loads(rungraph(*words, "--format", "json").out)
    assert values["configs_not_checked"] == ["provider:inference/here"]
    left = "  not checked: 3 checks of health; the configs of 1 provider whose classes cannot"
    assert f"{left} be imported\n" in rungraph(*words).out
