"""What may be loaded: a subprocess each, because what one import loads stays in a process."""

from __future__ import annotations

import os
import sys

import pytest
from tests.contract.command_line import QUICKSTART as PATH
from tests.contract.command_line import ROOT, run_program

QUICKSTART = str(PATH)

PURE = frozenset(
    {"annotated_types", "click", "lazy_loader", "networkx", "pydantic", "pydantic_core", "rungraph"}
    | {"typing_extensions", "typing_inspection", "yaml"}
)
"""Every distribution that checking a config may load; the graph alone needs no click."""

HEAVY = (
    *("asyncio", "matplotlib", "numpy", "rich.console"),
    *("http.server", "sqlite3", "pydantic_settings"),
)
"""What would make every command slow, or is for running and drawing alone."""

_REPORT = """
import sys
before = set(sys.modules)
{code}
import pathlib, sysconfig
own = {{str(pathlib.Path(sysconfig.get_path(key)).resolve()) for key in ("purelib", "platlib")}}
for name, module in sorted(sys.modules.items()):
    if name not in before:
        origin = getattr(module, "__file__", None) or ""
        foreign = any(str(pathlib.Path(origin).resolve()).startswith(one) for one in own if origin)
        print(name, "foreign" if foreign or name.split(".")[0] == "rungraph" else "standard")
"""


def loaded(code: str) -> dict[str, bool]:
    """Return the modules that *code* loads, each with whether it is beyond the standard library."""
    words = (sys.executable, "-c", _REPORT.format(code=code))
    ended = run_program(*words, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    assert ended.code == 0, ended.err
    lines = (line.split() for line in ended.out.splitlines() if " " in line)
    return {words[0]: words[-1] == "foreign" for words in lines if len(words) == 2}


def command(*words: str) -> str:
    """Return code that runs a command, its output out of the way."""
    return f"""
import contextlib, io, rungraph.cli
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    rungraph.cli.main({list(words)!r}, standalone_mode=False)
"""


CODE = {
    "rungraph.graph": "import rungraph.graph",
    "a catalog": "import rungraph.graph; rungraph.graph.discover_catalog()",
    "rungraph.cli": "import rungraph.cli",
    "--help": command("--help"),
    "validate": command("validate", QUICKSTART),
    "validate the graph": command("validate", "--level", "graph", QUICKSTART),
    "plan": command("plan", QUICKSTART),
    "query": command("query", QUICKSTART, "+router:memory"),
    "graph as DOT": command("graph", QUICKSTART, "--format", "dot"),
    "schema": command("schema", "plan"),
    "providers": command("providers"),
    "explain": command("explain", "G001"),
}


@pytest.mark.parametrize("what", CODE)
def test_nothing_heavy_is_loaded_before_it_is_needed(what: str) -> None:
    """No event loop, no pictures, no server, no display for what only reads and tells."""
    found = loaded(CODE[what])
    assert [name for name in HEAVY if name in found] == []


def test_a_picture_in_the_terminal_draws_with_text_alone() -> None:
    """Of the display library, what measures characters is loaded, and nothing that draws."""
    found = loaded(command("graph", QUICKSTART))
    assert not {"asyncio", "matplotlib", "numpy", "rich.console", "rich.text"} & found.keys()


@pytest.mark.parametrize("what", ["rungraph.graph", "validate", "plan", "query"])
def test_only_what_the_graph_needs_is_loaded(what: str) -> None:
    """The distributions behind a check are known by name, and no provider is among them."""
    found = loaded(CODE[what])
    roots = {name.split(".")[0] for name, is_foreign in found.items() if is_foreign}
    assert {root for root in roots if not root.startswith("_")} <= PURE
    # Of the engine, it is data that says what can be configured; validate reads it with the
    # config classes and the types of resources, and runs no package around them.
    engine = {name for name in found if name.startswith("rungraph.engine")}
    data = {"rungraph.engine", "rungraph.engine.catalog"}
    if what != "validate":
        assert engine <= data
    assert not {name for name in engine if name.endswith((".provider", ".store", ".stack"))}
    if what == "rungraph.graph":
        assert "click" not in found


def test_the_package_alone_loads_nothing() -> None:
    """``import rungraph`` costs nothing, and the engine's package knows no event loop."""
    found = loaded("import rungraph")
    own = {name for name in found if name.split(".")[0] == "rungraph"}
    assert own == {"rungraph"}
    assert "rungraph.engine.run.stack" not in loaded("import rungraph.engine")


def test_the_level_import_loads_no_library_of_a_provider() -> None:
    """Config classes are had without the providers around them and what these import."""
    found = loaded(command("validate", "--level", "import", QUICKSTART))
    roots = {name.split(".")[0] for name, is_foreign in found.items() if is_foreign}
    assert {root for root in roots if not root.startswith("_")} <= PURE | {"packaging"}


def test_checking_a_graph_loads_no_pydantic_and_no_query_language() -> None:
    """Reading a config needs no models, and only checks of its own need queries."""
    found = loaded(CODE["validate the graph"])
    assert not {"pydantic", "pydantic_core", "re2", "rungraph.graph.query"} & found.keys()


def test_a_plan_as_text_loads_no_pydantic() -> None:
    """The shipped catalog is well formed: loading what checks one takes ten times as long."""
    found = loaded(command("plan", "--catalog", "llama-stack", QUICKSTART))
    assert not {"pydantic", "pydantic_core"} & found.keys()


@pytest.mark.parametrize("what", ["rungraph.graph", "--help", "schema", "providers", "explain"])
def test_what_makes_no_graph_loads_no_networkx(what: str) -> None:
    """Its import takes longer than all that these commands do."""
    assert "networkx" not in loaded(CODE[what])
