"""Importing a config class without the packages around it, which may do work."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest
from tests.unit.engine.fakes import GraphOf, Modules, Offer

from rungraph.engine.preflight.importing import QuietImports
from rungraph.engine.preflight.imports import check_imports

_CONFIG = """
from pydantic import BaseModel

class Config(BaseModel):
    port: int = 1
"""
_WORKS = "raise AssertionError('this package does work')"


def test_packages_around_a_config_class_are_not_run(modules: Modules, graph_of: GraphOf) -> None:
    """Packages that would do work are neither run by looking for a module nor by a class."""
    modules(
        {
            "quietly/__init__.py": _WORKS,
            "quietly/far/__init__.py": _WORKS,
            "quietly/far/config.py": "from quietly.far.parts import Part\n" + _CONFIG,
            "quietly/far/parts.py": "class Part: ...",
            "quietly/far/provider.py": _WORKS,
        }
    )
    spec = {"module": "quietly.far.provider", "config_class": "quietly.far.config:Config"}
    graph = graph_of(a=Offer(config={"port": "many"}, spec=spec))
    (problem,) = check_imports(graph, quietly=True)
    assert problem.code == "I003"
    assert [name for name in sys.modules if name.startswith("quietly")] == []
    codes = [one.code for one in check_imports(graph)]
    assert "I001" in codes  # The ordinary way runs them.


def test_a_module_that_needs_its_package_gets_it(modules: Modules) -> None:
    """What a package's own code makes is there for the module that asks for it."""
    modules(
        {
            "quietly/__init__.py": "BASE = object",
            "quietly/config.py": "from quietly import BASE\nclass Config(BASE): ...",
        }
    )
    with QuietImports() as quiet:
        assert quiet.find("quietly.config")
        module = quiet.load("quietly.config")
    assert sys.modules["quietly.config"] is module
    assert sys.modules["quietly"].__dict__["BASE"] is object


def test_the_next_import_gets_the_real_package(modules: Modules) -> None:
    """Nothing of a stand-in is left when the context has ended; what was taken out works on."""
    modules({"quietly/__init__.py": "REAL = True", "quietly/config.py": _CONFIG})
    with QuietImports() as quiet:
        cls = quiet.load("quietly.config").Config
        assert not hasattr(sys.modules["quietly"], "REAL")
    assert import_module("quietly").REAL
    assert cls(port="5").port == 5


def test_packages_that_are_there_stay_as_they_are(modules: Modules) -> None:
    """A package that was imported before is used, and not forgotten afterwards."""
    modules(
        {
            "quietly/__init__.py": "REAL = True",
            "quietly/far/__init__.py": _WORKS,
            "quietly/far/config.py": "from quietly import REAL",
        }
    )
    package = import_module("quietly")
    with QuietImports() as quiet:
        assert quiet.load("quietly.far.config").REAL
    assert sys.modules["quietly"] is package
    assert not hasattr(package, "far")
    assert "quietly.far" not in sys.modules


def test_modules_are_found_as_python_finds_them(modules: Modules, tmp_path: Path) -> None:
    """In a namespace package, and where a package says itself; what is missing fails as usual."""
    extended = f"__path__.append({str(tmp_path / 'elsewhere')!r})"
    modules(
        {
            "quietly/__init__.py": extended,
            "elsewhere/config.py": _CONFIG,
            "quietly_too/inner/config.py": _CONFIG,
        }
    )
    with QuietImports() as quiet:
        for name in ("quietly.config", "quietly_too.inner.config"):
            assert quiet.find(name)
            assert quiet.load(name).Config().port == 1
        assert not quiet.find("quietly_too.inner.nowhere")
        for name in ("quietly_three", "quietly_too.inner.nowhere", "json.nowhere", "sys.nowhere"):
            with pytest.raises(ModuleNotFoundError):
                quiet.load(name)


def test_a_module_that_exits_or_prints_hurts_nobody(
    modules: Modules, graph_of: GraphOf, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exit is a failed import, and standard output is left for results."""
    modules(
        {
            "quietly/__init__.py": "",
            "quietly/config.py": "print('hello')\nraise SystemExit(4)",
            "quietly/provider.py": "",
        }
    )
    spec = {"module": "quietly.provider", "config_class": "quietly.config:Config"}
    for quietly in (True, False):
        wrong, note = check_imports(graph_of(a=Offer(spec=spec)), quietly=quietly)
        assert wrong.message.endswith("cannot be imported: 'quietly.config' (SystemExit: 4)")
        assert note.code == "I006"
    assert capsys.readouterr().out == ""
