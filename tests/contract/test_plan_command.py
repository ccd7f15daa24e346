"""``rungraph plan``, ``run --plan`` and ``schema`` as users and scripts meet them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.contract.command_line import HIDDEN, Ended, rungraph

CONFIG = f"""\
image_name: told
providers:
  inference:
  - provider_id: told
    provider_type: inline::told
    module: fake_provider
    config: {{api_key: {HIDDEN}, name: "${{env.TOLD_NAME:=x}}", token: "${{env.TOLD_TOKEN:=}}"}}
"""


class Place:
    """A folder with a run config, a state folder, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "run.yaml"
        self.saved = folder / "plan.json"
        self.config.write_text(CONFIG)

    def __call__(self, *words: str, stdin: str = "", **more: str) -> Ended:
        state = str(self.folder / "state")
        return rungraph(*words, stdin=stdin, cwd=self.folder, XDG_STATE_HOME=state, **more)

    def save(self, **more: str) -> None:
        ended = self("plan", "run.yaml", "--save", "plan.json", **more)
        assert ended.code == 0, ended.err
        assert ended.err == "saved to plan.json\n"

    def run(self, *words: str, **more: str) -> Ended:
        """Run the saved plan, and end at once."""
        return self("run", "--plan", "plan.json", *words, "--call", "inspect.health", **more)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder to work in."""
    return Place(tmp_path)


# --- plan --------------------------------------------------------------------------------------


def test_a_saved_plan_is_run_and_it_and_its_key_hold_no_secret(place: Place) -> None:
    """Nothing has moved, so the config that it names is run; the key is for its owner only."""
    variables = {"TOLD_NAME": "a-long-value", "TOLD_TOKEN": "token-0123456789"}
    place.save(**variables)
    ended = place.run(**variables)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["status"] == "OK"
    text = place.saved.read_text()
    for secret in (HIDDEN, *variables.values()):
        assert secret not in text
    key = place.folder / "state/rungraph/plan.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes().hex() not in text
    assert json.loads(text)["fingerprints"]["algorithm"] == "hmac-sha256"


def test_a_plan_is_saved_over_a_plan_and_nothing_else_and_whole(place: Place) -> None:
    """A run config named by mistake stays as it is; no half of a plan is left anywhere."""
    assert place("plan", "run.yaml", "--save", "run.yaml") == (
        1, "", "error: run.yaml is there and is no plan: name another file, or remove it\n"
    )  # fmt: skip
    assert place.config.read_text() == CONFIG
    ended = place("plan", "run.yaml", "--save", "nowhere/plan.json")
    assert (ended.code, ended.err) == (
        1, "error: cannot write nowhere/plan.json: there is no folder 'nowhere'\n"
    )  # fmt: skip
    place.save()
    place.save()
    names = sorted(path.name for path in place.folder.iterdir())
    assert names == ["plan.json", "run.yaml", "state"]
    assert place("plan", "run.yaml", "--against", "plan.json", "--exit-code").code == 0
    assert place("diff", "plan.json", "run.yaml", "--exit-code").code == 0


# --- what has moved ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('name: "${env.TOLD_NAME:=x}"', "name: y", 'config.name: "${env.TOLD_NAME:=x}" → "y"'),
        (HIDDEN, f"{HIDDEN}-other", "config.api_key: (the value behind it has changed)"),
        ("image_name: told", "image_name: other", 'settings: image_name: "told" → "other"'),
        ("provider_id: told", "provider_id: other", "+ provider:inference/other  inline::told"),
    ],
    ids=["config", "secret", "setting", "node"],
)
def test_a_config_that_has_moved_is_not_run(place: Place, old: str, new: str, line: str) -> None:
    """What has moved is named by node and path, without a secret."""
    place.save()
    place.config.write_text(CONFIG.replace(old, new))
    ended = place.run()
    assert ended.code == 1
    assert line in ended.err
    assert ended.err.startswith(
        "error: plan.json does not fit run.yaml any more; since it was saved:\n  "
    )
    assert ended.err.endswith(
        "look at it and save it anew: rungraph plan run.yaml --save plan.json\n"
    )
    assert HIDDEN not in ended.err
    assert ended.out == ""


def test_a_plan_remembers_the_catalog_that_it_was_asked_for(place: Place) -> None:
    """What ``--catalog`` named when it was saved need not be named again."""
    catalog = {
        "name": "mine",
        "apis": [{"name": "inference", "protocol": "x:I"}],
        "providers": [
            {"api": "inference", "provider_type": "inline::c", "module": "fake_provider"}
        ],
    }
    (place.folder / "mine.json").write_text(json.dumps(catalog))
    place.config.write_text(
        'providers: {inference: [{provider_id: p, provider_type: "inline::c"}]}\n'
    )
    ended = place("plan", "run.yaml", "--catalog", "mine.json", "--save", "plan.json")
    assert ended.code == 0
    assert "run.yaml, catalog mine\n" in ended.out
    assert "does not fit" not in place.run().err


# --- plans that cannot be run ------------------------------------------------------------------


def test_a_plan_is_not_run_with_another_key(place: Place) -> None:
    """What was saved with one key says nothing under another, or where others may read the key."""
    place.save(RUNGRAPH_PLAN_KEY="a key of the build machine")
    assert place.run(RUNGRAPH_PLAN_KEY="a key of the build machine").code == 0
    ended = place.run(RUNGRAPH_PLAN_KEY="quite another key, as it is")
    assert (ended.code, ended.err) == (
        1, "error: plan.json cannot be run: it was saved with another key than the one here\n"
    )  # fmt: skip
    ended = place.run()
    assert ended.code == 1
    assert "there is no key of saved plans: neither the file " in ended.err
    ended = place.run(RUNGRAPH_PLAN_KEY="short")
    assert (ended.code, ended.err) == (
        1, "error: RUNGRAPH_PLAN_KEY is too short: it needs at least 16 characters\n"
    )  # fmt: skip
    place.save()
    key = place.folder / "state/rungraph/plan.key"
    key.chmod(0o644)
    ended = place.run()
    assert (ended.code, ended.err) == (
        1, f"error: others may use the key of saved plans: chmod 600 {key}\n"
    )  # fmt: skip


def test_what_cannot_be_saved_or_run_is_one_message(place: Place) -> None:
    """No config, no place for the key, no plan of this rungraph, and a plan with errors."""
    ended = place("plan", "nowhere.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error[C001]: there is no file 'nowhere.yaml'\n")
    (place.folder / "state").write_text("a file")
    ended = place("plan", "run.yaml", "--save", "plan.json")
    assert ended.err == (
        f"error: the key of saved plans cannot be kept in {place.folder}/state/rungraph/plan.key: "
        "not a directory; set RUNGRAPH_PLAN_KEY\n"
    )
    assert not place.saved.exists()
    (place.folder / "state").unlink()
    place.saved.write_text('{"kind": "plan", "format_version": "1.0"}')
    ended = place.run()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "error: plan.json cannot be run: its format version 1.0 is not known to this rungraph "
        "(known: 2.x); make the plan anew\n"
    )
    place.saved.unlink()
    place.config.write_text(CONFIG + "apis: [inference, nothing]\n")
    assert place("plan", "run.yaml", "--save", "plan.json").code == 1
    assert place.run().err == "error: plan.json cannot be run: what was planned had errors\n"


def test_a_plan_of_standard_input_needs_the_config_named(place: Place) -> None:
    """With the config named, it is held against that."""
    ended = place("plan", "-", "--save", "plan.json", stdin=CONFIG)
    assert ended.code == 0
    assert place.run().err == (
        "error: plan.json was made of standard input: say 'rungraph run CONFIG --plan plan.json'\n"
    )
    assert place.run("run.yaml").code == 0


def test_a_plan_names_its_config_and_another_one_is_refused(place: Place) -> None:
    """A config that says the same is as good; one that differs is told with both names."""
    place.save()
    other = place.folder / "other.yaml"
    other.write_text(CONFIG)
    assert place.run("other.yaml").code == 0
    other.write_text(CONFIG.replace("image_name: told", "image_name: other"))
    assert place.run("other.yaml").err.startswith(
        "error: plan.json does not fit other.yaml any more (it was made of run.yaml); "
    )
    place.config.unlink()
    assert place.run().err == (
        "error: plan.json was made of 'run.yaml', which is not here: "
        "say 'rungraph run CONFIG --plan plan.json'\n"
    )


def test_a_plan_finds_its_config_from_another_folder(place: Place, tmp_path: Path) -> None:
    """The config lies as it lay from the plan."""
    place.save()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    plan = place.folder / "plan.json"
    ended = rungraph("run", "--plan", plan, "--call", "inspect.health", cwd=elsewhere)
    assert "which is not here" not in ended.err


# --- options of plan ---------------------------------------------------------------------------


def test_failures_are_selected_by_queries(place: Place) -> None:
    """Any query; one that selects nothing is told with its column, and is wrong usage."""
    ended = place("plan", "run.yaml", "--assume-failed", "type:inline::told", "--format", "json")
    failures = json.loads(ended.out)["failures"]
    assert ended.code == 0
    assert failures["assumed"] == ["provider:inference/told"]
    assert [one["address"] for one in failures["failed"]][1:] == [
        "table:models",
        "router:inference",
    ]
    ended = place("plan", "run.yaml", "--assume-failed", "kind:table & kind:router")
    assert ended.code == 0
    assert ended.err == "warning: --assume-failed selects no node, so nothing fails\n"
    ended = place("plan", "run.yaml", "--assume-failed", "provider:inference/tald")
    assert ended.code == 2
    assert "did you mean" in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    "asked",
    [
        ("plan", "run.yaml", "--assume-failed", "count(*)"),
        ("graph", "run.yaml", "--assume-failed", "count(*)"),
        ("graph", "run.yaml", "--select", "count(*)"),
        ("query", "run.yaml", "*", "--exclude", "count(*)"),
        ("why", "run.yaml", "count(*)"),
    ],
)
def test_a_number_is_not_taken_for_the_nodes_it_counts(
    place: Place, asked: tuple[str, ...]
) -> None:
    """Wherever nodes are what a query is to give."""
    ended = place(*asked)
    assert (ended.code, ended.out) == (2, "")
    assert "count(x) is a number, not a selection" in ended.err


def test_expected_times_come_from_a_recording(place: Place) -> None:
    """The events of a run of the same config, or of another."""
    ended = place("run", "run.yaml", "--events", "events.jsonl", "--call", "inspect.health")
    assert ended.code == 0
    ended = place("plan", "run.yaml", "--timings", "events.jsonl", "--format", "json")
    timings = json.loads(ended.out)["timings"]
    assert ended.code == 0
    assert timings["not_recorded"] == timings["not_planned"] == []
    ended = place("plan", "run.yaml", "--timings", "run.yaml")
    assert ended.code == 1
    assert ended.out == ""


def test_a_comparison_has_an_exit_code_of_its_own(place: Place) -> None:
    """3 with --exit-code when something differs, 0 when nothing does or nobody asked."""
    (place.folder / "old.yaml").write_text(CONFIG.replace(HIDDEN, f"{HIDDEN}-old"))
    ended = place("plan", "run.yaml", "--against", "old.yaml", "--exit-code")
    assert ended.code == 3
    assert "  ~ provider:inference/told  restart\n" in ended.out
    assert "      ~ config.api_key: (secret changed)\n" in ended.out
    assert HIDDEN not in ended.out
    assert "from the next start on" not in ended.out
    assert place("plan", "run.yaml", "--against", "old.yaml").code == 0
    assert place("plan", "run.yaml", "--against", "run.yaml", "--exit-code").code == 0
    assert place("plan", "run.yaml", "--exit-code").code == 2


def test_a_comparison_names_the_settings_that_count_only_from_the_next_start_on(
    place: Place,
) -> None:
    """In text and in Markdown, their secrets masked."""
    store = f"metadata_store: {{type: sqlite, db_path: x, password: {HIDDEN}}}"
    (place.folder / "old.yaml").write_text(f"{CONFIG}{store}")
    for form in ("text", "markdown"):
        ended = place("plan", "run.yaml", "--against", "old.yaml", "--format", form)
        _, later = ended.out.split("rom the next start on, if at all")
        assert '- metadata_store.db_path: "x"' in later
        assert "- metadata_store.password: " in later
        assert HIDDEN not in ended.out
