"""Where a stack keeps what is registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rungraph.engine.run.registrations import registration_store
from rungraph.engine.run.settings import StackSettings
from rungraph.graph import compile_config

ELSEWHERE = {"metadata_store": {"type": "sqlite", "db_path": "/elsewhere/x.db"}}
IN_HOME = {"metadata_store": {"type": "sqlite", "db_path": "~/x/registry.db"}}
POSTGRES = {"metadata_store": {"type": "postgres", "host": "db"}}


@pytest.mark.parametrize(
    ("config", "state_dir", "path"),
    [
        # Who starts the stack has the last word on where it writes, by a path or its text.
        (ELSEWHERE, Path("/given"), "/given/registrations.db"),
        (ELSEWHERE, "/given", "/given/registrations.db"),
        # Then comes the config's own SQLite file, with its home folder filled in.
        (ELSEWHERE, None, "/elsewhere/x.db"),
        (IN_HOME, None, "/home/someone/x/registry.db"),
        ({"metadata_store": {"db_path": "/x.db"}}, None, "/x.db"),
        # Else it is a folder of the user's state, whatever the graph is called.
        ({"image_name": "my-stack"}, None, "/state/rungraph/my-stack/registrations.db"),
        ({}, None, "/state/rungraph/default/registrations.db"),
        ({"image_name": "a/../b"}, None, "/state/rungraph/a-..-b/registrations.db"),
        ({"image_name": ".."}, None, "/state/rungraph/default/registrations.db"),
        # A database that is not known is replaced, which a rule warns of.
        (POSTGRES, None, "/state/rungraph/default/registrations.db"),
    ],
)
def test_settings_come_first_then_the_config_then_the_users_folder(
    config: dict[str, Any],
    state_dir: Path | str | None,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without ``XDG_STATE_HOME``, the user's folder is the usual place."""
    monkeypatch.setenv("HOME", "/home/someone")
    graph = compile_config({"providers": {}, **config}, environment={})
    settings = StackSettings() if state_dir is None else StackSettings(state_dir=state_dir)
    for folder, state in (("/state", "/state"), ("", "/home/someone/.local/state")):
        monkeypatch.setenv("XDG_STATE_HOME", folder)
        expected = path.replace("/state/", f"{state}/")
        assert registration_store(graph, settings).path == Path(expected)


def test_two_configs_of_one_name_do_not_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """State belongs to a config; what an earlier rungraph kept under the name alone is told."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    earlier = tmp_path / "state/rungraph/demo/registrations.db"
    earlier.parent.mkdir(parents=True)
    earlier.touch()
    paths = []
    for folder in ("one", "two"):
        config = tmp_path / folder / "run.yaml"
        config.parent.mkdir()
        config.write_text("image_name: demo\nproviders: {}\n")
        graph = compile_config(config, environment={})
        paths.append(registration_store(graph, StackSettings()).path)
        assert registration_store(graph, StackSettings()).path == paths[-1]
    assert len({*paths}) == 2
    assert all(path.parent.name.startswith("demo-") for path in paths)
    assert caplog.text.count(f"registrations of an earlier rungraph are in {earlier}") == 2
