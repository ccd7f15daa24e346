"""Small run configs as people have them, each with exactly what is said of it.

``python -m tests.contract.test_configs_in_the_wild`` writes the answers anew; read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rungraph.graph import CatalogError, compile_config, render_diagnostics
from rungraph.graph.diff import diff_graphs, render_diff
from rungraph.graph.plan.graph_json import graph_to_json

ROOT = Path(__file__).parents[2]
FOLDER = Path("tests/contract/wild")
CONFIGS = sorted(path.relative_to(ROOT) for path in (ROOT / FOLDER).glob("*.yaml"))


def _answer(path: Path) -> str:
    """Return what ``validate --catalog llama-stack --allow-unset-env`` says of a config."""
    graph = compile_config(path, catalog="llama-stack", environment={})
    graph = graph.softened(("E001", "C034"))
    return f"read as {graph.catalog.reading}\n\n{render_diagnostics(graph.diagnostics)}\n"


def _diff() -> str:
    """Return what differs between two configs whose model moves to another provider."""
    old, new = (compile_config(FOLDER / f"diff-blind-{name}.yaml", environment={}) for name in "ab")
    return render_diff(diff_graphs(old, new), old="a", new="b")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_answer_is_exact(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Release, codes, places, messages and ways out."""
    monkeypatch.chdir(ROOT)
    assert _answer(path) == path.with_suffix(".txt").read_text("utf-8")


def test_a_moved_model_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said without a catalog being named: the config can only be of one."""
    monkeypatch.chdir(ROOT)
    assert _diff() == (FOLDER / "diff-blind.diff").read_text("utf-8")


def test_a_release_that_is_not_known_is_answered_with_the_nearest() -> None:
    """Nobody is sent to a release with digits like those."""
    for release, says in (
        ("0.9.1", "the newest that it knows is 0.7.3"),
        ("0.2.99", "the nearest before it is 0.2.24"),
        ("0.0.1", "the oldest that it knows is 0.0.35"),
        ("newest", "it knows 0.0.35 to 0.7.3"),
    ):
        with pytest.raises(CatalogError) as caught:
            compile_config({"providers": {}}, catalog=f"llama-stack@{release}", environment={})
        start = f"the catalog 'llama-stack' does not know release '{release}'; "
        assert str(caught.value) == start + says


def test_a_value_of_a_credential_is_not_shown() -> None:
    """Nothing of its key says so but the one above it."""
    config = {"cred": {"type": "bearer", "value": "hunter2-not-a-real-one"}}
    entry = {"provider_id": "one", "provider_type": "remote::openai", "config": config}
    given = {"image_name": "demo", "providers": {"inference": [entry]}}
    graph = compile_config(given, catalog="llama-stack", environment={})
    assert "hunter2" not in graph_to_json(graph)


if __name__ == "__main__":
    for config in CONFIGS:
        config.with_suffix(".txt").write_text(_answer(config), "utf-8")
    (FOLDER / "diff-blind.diff").write_text(_diff(), "utf-8")
