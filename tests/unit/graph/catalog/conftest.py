"""A package that offers catalogs, installed for one test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from rungraph.graph import discover_catalog


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Callable[[str, dict[str, str], str], None]]:
    """Install the distribution ``toys``: a group of entry points, and the code of ``toy_room``."""

    def installed(group: str, points: dict[str, str], code: str = "") -> None:
        info = tmp_path / "toys-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
        lines = [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines))
        (tmp_path / "toy_room.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        discover_catalog.cache_clear()

    yield installed
    sys.modules.pop("toy_room", None)
    discover_catalog.cache_clear()
