"""The import checks: modules, packages and their versions."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.unit.engine.fakes import GraphOf, Modules, Offer

from rungraph.engine.errors import EngineError, MissingPackageError, install_command
from rungraph.engine.preflight.imports import check_imports
from rungraph.engine.preflight.requirements import Unmet, unmet
from rungraph.graph import Diagnostic, Severity, compile_config
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec


def test_packages_that_are_not_installed_are_all_named(graph_of: GraphOf) -> None:
    """The help installs them: by the extra that the catalog names, or one by one."""
    packages = ("rungraph-nowhere>=1", "pydantic", "rungraph-no-where")
    graph = graph_of(
        a=Offer(spec={"packages": packages}),
        b=Offer(spec={"packages": packages, "extra": "rungraph[faiss]"}),
    )
    first, second = check_imports(graph)
    assert first.code == "I002"
    assert first.message == (
        "'inline::fake' needs the packages 'rungraph-nowhere' and 'rungraph-no-where', "
        "not installed here"
    )
    assert first.help == ('pip install "rungraph-nowhere>=1" rungraph-no-where',)
    assert second.help == ('pip install "rungraph[faiss]"',)


def test_a_module_that_cannot_be_found_is_named(graph_of: GraphOf) -> None:
    """A missing module and a missing package around it are both the module's problem."""
    for module, why in (
        ("rungraph_nowhere", "'rungraph_nowhere'"),
        ("rungraph_nowhere.in", "'rungraph_nowhere.in' (No module named 'rungraph_nowhere')"),
        ("rungraph.engine.nowhere", "'rungraph.engine.nowhere'"),
    ):
        graph = graph_of(a=Offer(spec={"module": module}))
        (problem,) = check_imports(graph)
        assert problem.code == "I001"
        assert problem.message == f"the module of 'inline::fake' cannot be found: {why}"


def test_the_module_itself_is_not_imported(modules: Modules, graph_of: GraphOf) -> None:
    """A provider's module is only looked for: it may be slow, or heavy, to import."""
    modules({"rungraph_untouched.py": "raise AssertionError"})
    graph = graph_of(a=Offer(spec={"module": "rungraph_untouched"}))
    assert check_imports(graph) == ()
    assert "rungraph_untouched" not in sys.modules


def test_an_import_that_never_ends_is_named(modules: Modules, graph_of: GraphOf) -> None:
    """Each may take so long; what hangs is left to its thread."""
    modules({"rungraph_hanging.py": "import time\ntime.sleep(3600)\n"})
    graph = graph_of(a=Offer(spec={"config_class": "rungraph_hanging:Config"}))
    with pytest.raises(EngineError, match=r"^'rungraph_hanging' was not imported within 0\.2 s$"):
        check_imports(graph, seconds=0.2)


def test_a_config_class_that_cannot_be_imported_is_named(
    modules: Modules, graph_of: GraphOf
) -> None:
    """A module that breaks, one that is missing, and a class that is not there."""
    modules({"rungraph_broken.py": "1 / 0"})
    specs = ["rungraph_broken:Config", "rungraph_nowhere:Config", f"{__name__}:Nothing.Here"]
    offers = {f"api{i}": Offer(spec={"config_class": name}) for i, name in enumerate(specs)}
    found = check_imports(graph_of(**offers))
    *wrong, unchecked = found
    reasons = [one.message.partition("cannot be imported: ")[2] for one in wrong]
    assert unchecked.message == "3 configs are not checked: their classes cannot be imported"
    assert reasons == [
        "'rungraph_broken' (ZeroDivisionError: division by zero)",
        "'rungraph_nowhere' (ModuleNotFoundError: No module named 'rungraph_nowhere')",
        f"'{__name__}' has no 'Nothing.Here'",
    ]


def test_a_protocol_that_cannot_be_imported_is_named(graph_of: GraphOf) -> None:
    """Without its Protocol, nobody can tell whether a provider implements an API."""
    good = graph_of(a=Offer())
    catalog = Catalog.of(
        apis=[ApiSpec("a", "rungraph_nowhere:A")], providers=good.catalog.providers.values()
    )
    providers = {"a": [{"provider_id": "one", "provider_type": "inline::fake", "config": {}}]}
    graph = compile_config({"providers": providers}, catalog=catalog, environment={})
    (problem,) = [one for one in check_imports(graph) if "Protocol" in one.message]
    assert problem.code == "I001"
    assert problem.message.startswith("the Protocol of the API 'a' cannot be imported")


def test_a_version_that_will_not_do_is_told(graph_of: GraphOf) -> None:
    """The versions that are wanted and that is installed stand side by side."""
    packages = ("pydantic>=99", "rungraph-nowhere")
    (problem,) = check_imports(graph_of(a=Offer(spec={"packages": packages})))
    assert problem.message == (
        "'inline::fake' needs the package 'rungraph-nowhere', not installed here; and "
        f"'pydantic>=99', of which {version('pydantic')} is installed"
    )
    assert problem.help == ('pip install "pydantic>=99" rungraph-nowhere',)


@pytest.mark.parametrize(
    "requirement",
    [
        "pydantic",
        "pydantic>=2,<99",
        "PyDantic[email]>=2",
        "pydantic>=99; python_version < '3'",
        "rungraph-nowhere; sys_platform == 'nowhere'",
        "pydantic pyyaml --extra-index-url https://nowhere.invalid/",
        "pydantic @ https://nowhere.invalid/pydantic.whl",
        "!!",
        "",
    ],
)
def test_requirements_that_are_met(requirement: str) -> None:
    """Extras, markers, options of pip and what is no requirement at all are no problem."""
    assert unmet(requirement) == ()


def test_requirements_that_are_not_met(graph_of: GraphOf) -> None:
    """Names between spaces count each, as pip takes them; a missing module is theirs alone."""
    assert unmet("rungraph-nowhere[x]>=1 pydantic rungraph-no-where --no-deps") == (
        Unmet("rungraph-nowhere[x]>=1", "rungraph-nowhere"),
        Unmet("rungraph-no-where", "rungraph-no-where"),
    )
    found = Unmet("pydantic<1", "pydantic", version("pydantic"))
    assert unmet("pydantic<1; python_version >= '3'") == (found,)
    spec = {"packages": ("pydantic>=2", "PyYAML", "nowhere; sys_platform == 'nowhere'")}
    assert check_imports(graph_of(a=Offer(spec=spec))) == ()
    offer = Offer(spec={"packages": ("rungraph-nowhere",), "module": "rungraph_nowhere"})
    assert [one.code for one in check_imports(graph_of(a=offer))] == ["I002"]


def test_the_same_problem_of_several_providers_comes_once(tmp_path: Path) -> None:
    """What all instances of a type lack is told at the first, with the places of the others."""
    spec = ProviderSpec("a", "inline::x", "json", packages=("rungraph-nowhere",))
    catalog = Catalog.of(apis=[ApiSpec("a", "json:JSONDecoder")], providers=[spec])
    file = tmp_path / "run.yaml"
    lines = [f"  - {{provider_id: p{number}, provider_type: 'inline::x'}}" for number in range(3)]
    file.write_text("\n".join(["providers:", "  a:", *lines]))
    (problem,) = check_imports(compile_config(file, catalog=catalog, environment={}))
    assert problem.place is not None
    assert problem.place.line == 3
    assert [(place.line, text) for place, text in problem.related] == [
        (4, "the same for 'provider:a/p1'"),
        (5, "the same for 'provider:a/p2'"),
    ]


def test_a_package_that_is_not_there_is_told_once_for_all_that_comes_from_it() -> None:
    """A whole catalog whose package is missing is two problems and a note, not dozens."""
    apis = [ApiSpec(f"api{number}", f"rungraph_nowhere.apis:A{number}") for number in range(12)]
    specs = [
        ProviderSpec(
            api.name,
            "inline::x",
            f"rungraph_nowhere.{api.name}",
            config_class=f"rungraph_nowhere.{api.name}.config:Config",
            packages=("rungraph-no-where", f"rungraph-needed-{api.name}>=1"),
        )
        for api in apis
    ]
    providers = {
        api.name: [{"provider_id": "one", "provider_type": "inline::x"}] for api in apis[:10]
    }
    catalog = Catalog.of(apis=apis, providers=specs)
    graph = compile_config({"providers": providers}, catalog=catalog, environment={})
    absent, lacking, unchecked = check_imports(graph)
    assert (absent.code, lacking.code, unchecked.code) == ("I001", "I002", "I006")
    assert absent.message == (
        "'rungraph_nowhere' is not installed here; 10 providers and 10 types of APIs come from it"
    )
    assert absent.detail.splitlines()[-2:] == ["provider:api7/one", "and 12 more"]
    assert lacking.message.startswith("what comes from 'rungraph_nowhere' needs the packages ")
    assert lacking.help[0].count("rungraph-no-where") == 1
    assert unchecked.message == "10 configs are not checked: their classes cannot be imported"
    assert unchecked.severity is Severity.NOTE


def test_a_missing_package_error_says_how_to_install() -> None:
    """A provider raises it with the extra's name alone, or as the catalog writes it."""
    error = MissingPackageError("rungraph[faiss]", "faiss-cpu")
    assert isinstance(error, ImportError)
    assert str(error) == "'faiss-cpu' is not installed\nhelp: pip install \"rungraph[faiss]\""
    assert install_command("faiss") == 'pip install "rungraph[faiss]"'


OWN = 'providers: {inference: [{provider_id: a, provider_type: "inline::own", config: {n: x}, %s}]}'


def problems_of_own(folder: Path, entry: str) -> tuple[Diagnostic, ...]:
    """Return what there is to say of a provider in a module of its own, beside its config."""
    (folder / "lonely.py").write_text(
        "from pydantic import BaseModel\n\n"
        "class Config(BaseModel):\n    n: int\n\n"
        "async def get_provider_impl(config, deps): ...\n"
    )
    config = folder / "run.yaml"
    config.write_text(OWN % entry)
    return check_imports(compile_config(config, environment={}), quietly=True)


def test_a_module_beside_the_config_is_told_how_to_be_found(tmp_path: Path) -> None:
    """Python does not look there; named by its file, it is found."""
    [problem] = problems_of_own(tmp_path, "module: lonely")
    assert problem.code == "I001"
    where = "it stands beside the config, where Python does not look"
    assert problem.help == (f"{where}: write 'module: ./lonely.py'",)
    assert problems_of_own(tmp_path, "module: ./lonely.py") == ()


def test_a_config_is_held_against_a_class_that_is_named_by_its_file(tmp_path: Path) -> None:
    """As against any other; what is not there is called as the config calls it."""
    entry = "module: ./lonely.py, config_class: './lonely.py:{}'"
    [problem] = problems_of_own(tmp_path, entry.format("Config"))
    assert problem.code == "I003"
    absent, note = problems_of_own(tmp_path, entry.format("Confg"))
    assert absent.message == (
        "the config class of 'inline::own' cannot be imported: './lonely.py' has no 'Confg'"
    )
    assert note.code == "I006"
    absent, note = problems_of_own(tmp_path, entry.replace("lonely", "lonly").format("Config"))
    assert absent.message == "the module of 'inline::own' cannot be found: './lonly.py'"
    assert absent.help == ("check the path: it begins in the folder of the run config",)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("def x(:\n", "(SyntaxError: invalid syntax (own.py, line 1))"),
        ("import nosuch\n", "(ModuleNotFoundError: No module named 'nosuch')"),
        ("raise SystemExit(3)\n", "(SystemExit: 3)"),
        ("\n", "has no 'get_provider_impl'"),
        ("async def get_provider_impl(config, deps): ...\n", None),
    ],
)
def test_a_module_that_the_config_names_is_imported_when_asked_for(
    module: str, says: str | None, tmp_path: Path
) -> None:
    """Not before a start, which imports it itself and may go on without it."""
    (tmp_path / "own.py").write_text(module)
    config = tmp_path / "run.yaml"
    config.write_text(OWN % "module: ./own.py")
    graph = compile_config(config, environment={})
    found = check_imports(graph, quietly=True, imports_named=True)
    told = f"the module of 'inline::own' cannot be imported: './own.py' {says}"
    assert [(one.message, one.help) for one in found] == ([(told, ())] if says else [])
    assert check_imports(graph, quietly=True) == ()
