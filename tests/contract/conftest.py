"""Run configs that the tests of commands have in common."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
import yaml
from tests.builders import entry, written
from tests.contract.command_line import HIDDEN, QUICKSTART
from tests.peers import serving


class ConfigFile(Protocol):
    """Writes a run config with one provider and returns its path."""

    def __call__(
        self, name: str = "run.yaml", *, more: dict[str, Any] | None = None, **config: Any
    ) -> Path:
        """Write it; *config* is the provider's, and *more* is what else the file has."""
        ...


def _writer(folder: Path, provider_id: str, **top: Any) -> ConfigFile:
    def write(name: str = "run.yaml", *, more: dict[str, Any] | None = None, **config: Any) -> Path:
        kind = "remote" if provider_id == "far" else "inline"
        provider = entry(provider_id, f"{kind}::{provider_id}", "fake_provider", **config)
        known = {"providers": {"inference": [provider]}, **top}
        return written(folder / name, **known | (more or {}))

    return write


@pytest.fixture
def config_file(tmp_path: Path) -> ConfigFile:
    """What writes a config with a provider that does what its config says."""
    return _writer(tmp_path, "told", image_name="told")


@pytest.fixture
def remote_file(tmp_path: Path) -> ConfigFile:
    """What writes a config with a provider that stands for a server elsewhere."""
    return _writer(tmp_path, "far")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Generator[str]:
    """Serve the quickstart, and agents and safety of our own, at the URL that is returned."""
    folder = tmp_path_factory.mktemp("served")
    config = yaml.safe_load(QUICKSTART.read_text())
    for api, provider_id in (("safety", "words"), ("agents", "fake")):
        provider = entry(provider_id, f"inline::{provider_id}", "fake_agents", kind=api)
        config["providers"][api] = [provider]
    config["providers"]["inference"].append(entry("told", "inline::told", "fake_provider"))
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(config))
    with serving(path, RUNGRAPH_DEMO_DIR=str(folder)) as at:
        yield at


@pytest.fixture
def http(config_file: ConfigFile) -> Generator[httpx2.Client]:
    """A client of a server whose provider has a secret key."""
    with serving(config_file(api_key=HIDDEN)) as url, httpx2.Client(base_url=url) as client:
        yield client
