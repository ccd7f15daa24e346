"""The import checks and reading configs: every problem, at its place, without any value."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator
from tests.unit.engine.fakes import Offer, graph_of

from rungraph.engine.errors import ConfigRejectedError, MissingPackageError, install_command
from rungraph.engine.preflight.configs import validated_config
from rungraph.engine.preflight.imports import check_imports
from rungraph.engine.preflight.requirements import Unmet, unmet
from rungraph.graph import Severity, compile_config
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rungraph.graph import RunGraph


class Inner(BaseModel):
    """A part of a config."""

    size: int = 1


class Settings(BaseModel):
    """A config class with a bit of everything."""

    url: str
    password: SecretStr = SecretStr("")
    port: int = Field(8080, validation_alias=AliasChoices("port", "tcp_port"))
    inner: Inner = Inner()
    parts: list[Inner] = []
    named: dict[str, Inner] = {}

    @field_validator("url")
    @classmethod
    def _not_ftp(cls, value: str) -> str:
        if value.startswith("ftp"):
            msg = f"{value} is no good"
            raise ValueError(msg)
        return value


class Closed(BaseModel):
    """A config class that wants nothing else."""

    model_config = ConfigDict(extra="forbid")
    url: str = ""


class Failing(BaseModel):
    """A config class with a mistake."""

    url: str = ""

    @field_validator("url", mode="before")
    @classmethod
    def _fail(cls, value: str) -> str:
        raise KeyError(value)


def _configured(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    cls: str = "Settings",
    environment: Mapping[str, str] | None = None,
) -> RunGraph:
    """Return a graph with one provider whose config is of the class *cls* of this module."""
    spec = {"config_class": f"{__name__}:{cls}"}
    graph = graph_of(monkeypatch, a=Offer(config=config, spec=spec))
    one = {"provider_id": "one", "provider_type": "inline::fake", "config": config}
    return compile_config(
        {"providers": {"a": [one]}}, catalog=graph.catalog, environment=environment or {}
    )


def _config_of(graph: RunGraph) -> Any:
    node = graph["provider:a/one"]
    assert isinstance(node, ProviderNode)
    return validated_config(node, environment_text=graph.environment_text)


def _messages(graph: RunGraph) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in check_imports(graph)]


# --- modules and packages ----------------------------------------------------------------------


def test_what_can_be_imported_has_no_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider whose module, packages and config are all there is fine."""
    spec = {"packages": ("pydantic>=2", "PyYAML", "nowhere; sys_platform == 'nowhere'")}
    assert check_imports(graph_of(monkeypatch, a=Offer(spec=spec))) == ()


def test_packages_that_are_not_installed_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The help installs them: by the extra that the catalog names, or one by one."""
    packages = ("rungraph-nowhere>=1", "pydantic", "rungraph-no-where")
    graph = graph_of(
        monkeypatch,
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


def test_a_module_that_cannot_be_found_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing module and a missing package around it are both the module's problem."""
    for module, why in (
        ("rungraph_nowhere", "'rungraph_nowhere'"),
        ("rungraph_nowhere.in", "'rungraph_nowhere.in' (No module named 'rungraph_nowhere')"),
        ("rungraph.engine.nowhere", "'rungraph.engine.nowhere'"),
    ):
        graph = graph_of(monkeypatch, a=Offer(spec={"module": module}))
        assert _messages(graph) == [
            ("I001", f"the module of 'inline::fake' cannot be found: {why}")
        ]


def test_the_module_itself_is_not_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A provider's module is only looked for: it may be slow, or heavy, to import."""
    (tmp_path / "rungraph_untouched.py").write_text("raise AssertionError", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    graph = graph_of(monkeypatch, a=Offer(spec={"module": "rungraph_untouched"}))
    assert check_imports(graph) == ()
    assert "rungraph_untouched" not in sys.modules


def test_a_config_class_that_cannot_be_imported_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A module that breaks, one that is missing, and a class that is not there."""
    (tmp_path / "rungraph_broken.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    specs = ["rungraph_broken:Config", "rungraph_nowhere:Config", f"{__name__}:Nothing.Here"]
    offers = {f"api{i}": Offer(spec={"config_class": name}) for i, name in enumerate(specs)}
    found = check_imports(graph_of(monkeypatch, **offers))
    *wrong, unchecked = found
    reasons = [one.message.partition("cannot be imported: ")[2] for one in wrong]
    assert unchecked.message == "3 configs are not checked: their classes cannot be imported"
    assert reasons == [
        "'rungraph_broken' (ZeroDivisionError: division by zero)",
        "'rungraph_nowhere' (ModuleNotFoundError: No module named 'rungraph_nowhere')",
        f"'{__name__}' has no 'Nothing.Here'",
    ]


def test_a_missing_package_is_not_reported_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be imported because a package is missing is that package's problem alone."""
    spec = {"packages": ("rungraph-nowhere",), "module": "rungraph_nowhere"}
    graph = graph_of(monkeypatch, a=Offer(spec=spec))
    assert [code for code, _ in _messages(graph)] == ["I002"]


def test_a_protocol_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its Protocol, nobody can tell whether a provider implements an API."""
    good = graph_of(monkeypatch, a=Offer())
    catalog = Catalog.of(
        apis=[ApiSpec("a", "rungraph_nowhere:A")], providers=good.catalog.providers.values()
    )
    providers = {"a": [{"provider_id": "one", "provider_type": "inline::fake", "config": {}}]}
    graph = compile_config({"providers": providers}, catalog=catalog, environment={})
    (problem,) = [one for one in check_imports(graph) if "Protocol" in one.message]
    assert problem.code == "I001"
    assert problem.message.startswith("the Protocol of the API 'a' cannot be imported")


def test_a_version_that_will_not_do_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions that are wanted and that is installed stand side by side."""
    packages = ("pydantic>=99", "rungraph-nowhere")
    (problem,) = check_imports(graph_of(monkeypatch, a=Offer(spec={"packages": packages})))
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


def test_requirements_that_are_not_met() -> None:
    """Several names between spaces count each; what to install is written as pip takes it."""
    assert unmet("rungraph-nowhere[x]>=1 pydantic rungraph-no-where --no-deps") == (
        Unmet("rungraph-nowhere[x]>=1", "rungraph-nowhere"),
        Unmet("rungraph-no-where", "rungraph-no-where"),
    )
    found = Unmet("pydantic<1", "pydantic", version("pydantic"))
    assert unmet("pydantic<1; python_version >= '3'") == (found,)


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


# --- configs -----------------------------------------------------------------------------------


def test_a_config_becomes_an_instance_of_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases and defaults are the class's own business."""
    config = _config_of(_configured(monkeypatch, {"url": "http://a", "tcp_port": 1}))
    assert isinstance(config, Settings)
    assert config.port == 1


def test_without_a_class_the_config_is_a_dict_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider may do with its dict what it likes: the graph never changes."""
    graph = graph_of(monkeypatch, a=Offer(config={"list": [1], "inner": {"key": "value"}}))
    config = _config_of(graph)
    assert config == {"list": [1], "inner": {"key": "value"}}
    config["list"].append(2)
    config["inner"]["key"] = None
    assert _config_of(graph) == {"list": [1], "inner": {"key": "value"}}


def test_every_rejected_key_is_a_diagnostic_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its path; what is required and missing is named, too."""
    graph = _configured(monkeypatch, {"port": "many", "inner": {"size": []}})
    problems = check_imports(graph)
    assert [(one.code, one.path, one.message) for one in problems] == [
        (
            "I003",
            "providers.a[0].config.url",
            "'inline::fake' rejects its config: 'url': required, but not there",
        ),
        (
            "I003",
            "providers.a[0].config.port",
            (
                "'inline::fake' rejects its config: 'port': input should be a valid integer, "
                "unable to parse string as an integer"
            ),
        ),
        (
            "I003",
            "providers.a[0].config.inner.size",
            "'inline::fake' rejects its config: 'inner.size': input should be a valid integer",
        ),
    ]
    assert all(one.severity is Severity.ERROR for one in problems)


def test_a_problem_is_at_its_place_in_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Line and column are those of the value, or of what should hold it."""
    catalog = _configured(monkeypatch, {"url": ""}).catalog
    file = tmp_path / "run.yaml"
    file.write_text(
        "providers:\n  a:\n  - provider_id: one\n    provider_type: inline::fake\n"
        "    config:\n      port: many\n      inner: {size: x}\n",
        encoding="utf-8",
    )
    problems = check_imports(compile_config(file, catalog=catalog, environment={}))
    places = {one.path.rpartition("config.")[2]: one.place for one in problems}
    assert {key: place and (place.line, place.column) for key, place in places.items()} == {
        "url": (6, 7),
        "port": (6, 13),
        "inner.size": (7, 21),
    }


def test_no_value_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither pydantic's own input nor what a validator quotes comes out."""
    graph = _configured(
        monkeypatch, {"url": "ftp://me:hunter22@host", "password": ["hunter22"], "port": "hunter22"}
    )
    shown = str(check_imports(graph))
    with pytest.raises(ConfigRejectedError) as caught:
        _config_of(graph)
    shown += str(caught.value) + repr(caught.value) + repr(caught.value.__context__)
    assert "hunter22" not in shown
    assert "'url': ******** is no good" in shown
    assert caught.value.__cause__ is None


def test_a_config_class_that_fails_is_a_problem_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator's own mistake is reported by its type alone: its text could be the value."""
    graph = _configured(monkeypatch, {"url": "hunter22"}, "Failing")
    ((_, message),) = _messages(graph)
    assert message == "'inline::fake' rejects its config: its config class fails with KeyError"


def test_unknown_keys_are_warnings_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that a class would silently ignore are named at every depth, with what it knows."""
    config = {
        "url": "http://a",
        "tcp_prot": 1,
        "inner": {"sice": 3},
        "parts": [{"size": 1}, {"zzz": 1}],
        "named": {"x": {"siz": 1}},
    }
    problems = check_imports(_configured(monkeypatch, config))
    assert {one.severity for one in problems} == {Severity.WARNING}
    assert {one.code for one in problems} == {"I005"}
    assert {(one.path.partition("config.")[2], one.help[0]) for one in problems} == {
        ("tcp_prot", "did you mean 'tcp_port'?"),
        ("inner.sice", "did you mean 'size'?"),
        ("parts[1].zzz", "known keys: 'size'"),
        ("named.x.siz", "did you mean 'size'?"),
    }


def test_a_closed_class_rejects_unknown_keys_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the class forbids other keys, such a key is an error with the same help."""
    (problem,) = check_imports(_configured(monkeypatch, {"ulr": "x"}, "Closed"))
    assert (problem.code, problem.help) == ("I003", ("did you mean 'url'?",))


def test_digits_from_the_environment_reach_a_text_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """An all-digit secret is text where the class wants text, and a number where it wants one."""
    config = {"url": "${env.URL}", "password": "${env.PASSWORD}", "port": "${env.PORT}"}
    environment = {"URL": "true", "PASSWORD": "0012345", "PORT": "99"}
    graph = _configured(monkeypatch, config, environment=environment)
    assert check_imports(graph) == ()
    read = _config_of(graph)
    assert (read.url, read.password.get_secret_value(), read.port) == ("true", "0012345", 99)


def test_what_fits_neither_as_number_nor_as_text_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A value of the environment is tried both ways, once."""
    config = {"url": "http://a", "parts": "${env.PARTS}"}
    ((_, message),) = _messages(_configured(monkeypatch, config, environment={"PARTS": "5"}))
    assert message.endswith("'parts': input should be a valid list")


def test_a_number_written_in_the_config_is_not_taken_as_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what the environment gave is read again as text."""
    ((code, message),) = _messages(_configured(monkeypatch, {"url": 12345}))
    assert code == "I003"
    assert message.endswith("'url': input should be a valid string")


def test_a_value_that_is_not_known_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs on a variable that is not set is left alone; everything else is checked."""
    config = {
        "url": "http://a",
        "port": "${env.PORT}",
        "parts": [{"size": "${env.SIZE}"}, {"size": "many"}],
    }
    problems = check_imports(_configured(monkeypatch, config))
    assert [one.path for one in problems] == ["providers.a[0].config.parts[1].size"]
    closed = check_imports(_configured(monkeypatch, {"ulr": "${env.URL}"}, "Closed"))
    assert [one.message.rpartition(": ")[2] for one in closed] == ["unknown key"]
    missing = check_imports(_configured(monkeypatch, {"port": "${env.PORT}"}))
    assert [one.path for one in missing] == ["providers.a[0].config.url"]
    failing = check_imports(_configured(monkeypatch, {"url": "${env.URL}"}, "Failing"))
    assert failing == ()


# --- installing --------------------------------------------------------------------------------


def test_a_missing_package_error_says_how_to_install() -> None:
    """A provider raises it with the extra's name alone, or as the catalog writes it."""
    error = MissingPackageError("rungraph[faiss]", "faiss-cpu")
    assert isinstance(error, ImportError)
    assert str(error) == "'faiss-cpu' is not installed\nhelp: pip install \"rungraph[faiss]\""
    assert install_command("faiss") == 'pip install "rungraph[faiss]"'
