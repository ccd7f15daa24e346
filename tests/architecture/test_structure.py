"""The house holds its shape: who imports whom, what is public, what a wheel carries."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rungraph.graph import compile_config

ROOT = Path(__file__).parents[2]
ROOMS = ("engine", "graph", "viz")
MOST_LINES = 400


def _modules() -> list[Path]:
    folders = [*(ROOT / room for room in ROOMS), ROOT / "src" / "rungraph" / "cli"]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def test_the_rooms_import_only_what_they_may() -> None:
    """import-linter finds no broken contract."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", ".engine", ".graph", ".graph.plan", ".viz"])
def test_public_names_are_listed_sorted_and_there(name: str) -> None:
    """``__all__`` is sorted, and each name in it can be had."""
    module = importlib.import_module(f"rungraph{name}")
    assert list(module.__all__) == sorted(module.__all__)
    for public in module.__all__:
        assert getattr(module, public) is not None


def test_no_module_is_longer_than_it_should_be() -> None:
    """A module of more than 400 lines is two things, also one of tests."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*_modules(), *(ROOT / "tests").rglob("*.py")]
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_tests_lie_as_their_source_lies() -> None:
    """A folder of tests is one of the source, and what tests a folder is in a folder itself."""
    roots = (ROOT, ROOT / "src", ROOT / "src" / "rungraph")
    for path in (ROOT / "tests" / "unit").rglob("test_*.py"):
        place = path.parent.relative_to(ROOT / "tests" / "unit")
        sources = [root / place for root in roots if (root / place).is_dir()]
        if place.parts[:2] == ("engine", "providers"):
            sources += (ROOT / "engine" / "providers").glob(f"*/{place.name}")
        assert sources, path
        subject = path.stem.removeprefix("test_")
        assert not any((source / subject).is_dir() for source in sources), path


def test_the_wheel_carries_every_module_under_one_name(tmp_path: Path) -> None:
    """All packages are in the wheel, under ``rungraph`` and nothing else."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    source = tmp_path / "source"
    for name in listed:
        origin, target = ROOT / name, source / name
        if not origin.exists() or name.startswith(("tests/", "docs/")):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_symlink():
            target.symlink_to(origin.readlink())
        else:
            target.write_bytes(origin.read_bytes())
    command = ["-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, *command, "--wheel-dir", str(tmp_path), str(source)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"rungraph/{path.relative_to(ROOT)}".replace("rungraph/src/rungraph/", "rungraph/")
        for path in _modules()
    }
    assert names >= expected
    assert {name.split("/")[0] for name in names} == {"rungraph"}
    stubs = {f"rungraph{place}/__init__.pyi" for place in ("", "/engine", "/graph", "/viz")}
    assert {"rungraph/py.typed", *stubs} <= names


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_configs_have_no_problems(path: Path) -> None:
    """Every config to start from compiles without a word."""
    assert compile_config(path, environment={"HOME": "/home/someone"}).diagnostics == ()


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"])
def test_documents_name_only_files_that_are_there(name: str) -> None:
    """A file in backticks is one of the repository, whole or by the end of its path."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    named = re.findall(r"`([\w/.-]+\.(?:py|js|toml))`", (ROOT / name).read_text())
    there = [one for one in named if any(f"/{file}".endswith(f"/{one}") for file in listed)]
    assert there == named
