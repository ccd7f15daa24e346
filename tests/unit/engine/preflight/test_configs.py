"""Reading a provider's config: every problem at its place, without any value."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator
from tests.unit.engine.fakes import GraphOf, Offer

from rungraph.engine.errors import ConfigRejectedError
from rungraph.engine.preflight.configs import validated_config
from rungraph.engine.preflight.imports import check_imports
from rungraph.graph import RunGraph, Severity, compile_config
from rungraph.graph.nodes import ProviderNode


class Inner(BaseModel):
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


class Exiting(BaseModel):
    """A config class that ends the process."""

    url: str = ""

    @field_validator("url")
    @classmethod
    def _exit(cls, value: str) -> str:
        sys.exit(value)


def _configured(
    graph_of: GraphOf,
    config: dict[str, Any],
    cls: str = "Settings",
    environment: Mapping[str, str] | None = None,
) -> RunGraph:
    """Return a graph with one provider whose config is of the class *cls* of this module."""
    spec = {"config_class": f"{__name__}:{cls}"}
    graph = graph_of(a=Offer(config=config, spec=spec))
    one = {"provider_id": "one", "provider_type": "inline::fake", "config": config}
    return compile_config(
        {"providers": {"a": [one]}}, catalog=graph.catalog, environment=environment or {}
    )


def _config_of(graph: RunGraph) -> Any:
    node = graph["provider:a/one"]
    assert isinstance(node, ProviderNode)
    return validated_config(node, environment_text=graph.environment_text)


def test_a_config_becomes_an_instance_of_its_class(graph_of: GraphOf) -> None:
    """Aliases and defaults are the class's own business."""
    config = _config_of(_configured(graph_of, {"url": "http://a", "tcp_port": 1}))
    assert isinstance(config, Settings)
    assert config.port == 1


def test_without_a_class_the_config_is_a_dict_of_its_own(graph_of: GraphOf) -> None:
    """A provider may do with its dict what it likes: the graph never changes."""
    graph = graph_of(a=Offer(config={"list": [1], "inner": {"key": "value"}}))
    config = _config_of(graph)
    assert config == {"list": [1], "inner": {"key": "value"}}
    config["list"].append(2)
    config["inner"]["key"] = None
    assert _config_of(graph) == {"list": [1], "inner": {"key": "value"}}


def test_every_rejected_key_is_a_diagnostic_of_its_own(graph_of: GraphOf) -> None:
    """Each has its path; what is required and missing is named, too."""
    graph = _configured(graph_of, {"port": "many", "inner": {"size": []}})
    problems = check_imports(graph)
    number = "input should be a valid integer"
    expected = {
        "url": "required, but not there",
        "port": f"{number}, unable to parse string as an integer",
        "inner.size": number,
    }
    assert [(one.code, one.path, one.message) for one in problems] == [
        (
            "I003",
            f"providers.a[0].config.{key}",
            f"'inline::fake' rejects its config: {key!r}: {problem}",
        )
        for key, problem in expected.items()
    ]
    assert all(one.severity is Severity.ERROR for one in problems)


def test_a_problem_is_at_its_place_in_the_file(graph_of: GraphOf, tmp_path: Path) -> None:
    """Line and column are those of the value, or of what should hold it."""
    catalog = _configured(graph_of, {"url": ""}).catalog
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


def test_no_value_is_ever_shown(graph_of: GraphOf) -> None:
    """Neither pydantic's own input nor what a validator quotes comes out."""
    graph = _configured(
        graph_of, {"url": "ftp://me:hunter22@host", "password": ["hunter22"], "port": "hunter22"}
    )
    shown = str(check_imports(graph))
    with pytest.raises(ConfigRejectedError) as caught:
        _config_of(graph)
    shown += str(caught.value) + repr(caught.value) + repr(caught.value.__context__)
    assert "hunter22" not in shown
    assert "'url': ******** is no good" in shown
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("cls", "config", "problem", "way_out"),
    [
        ("Failing", {"url": "hunter22"}, "its config class fails with KeyError", ()),
        ("Exiting", {"url": "hunter22"}, "its config class fails with SystemExit", ()),
        ("Closed", {"ulr": "x"}, "'ulr': unknown key", ("did you mean 'url'?",)),
        ("Settings", {"url": 12345}, "'url': input should be a valid string", ()),
        (
            "Settings",
            {"url": "http://a", "parts": "${env.FIVE}"},
            "'parts': input should be a valid list",
            (),
        ),
    ],
    ids=[
        "failing class",
        "exiting class",
        "closed class",
        "number for a text",
        "neither number nor text",
    ],
)
def test_a_config_that_is_rejected(
    graph_of: GraphOf, cls: str, config: dict[str, Any], problem: str, way_out: tuple[str, ...]
) -> None:
    """A failing validator is named by its type alone; only the environment's values are retried."""
    graph = _configured(graph_of, config, cls, environment={"FIVE": "5"})
    (found,) = check_imports(graph)
    assert found.code == "I003"
    assert found.message == f"'inline::fake' rejects its config: {problem}"
    assert found.help == way_out


def test_unknown_keys_are_warnings_with_the_nearest_name(graph_of: GraphOf) -> None:
    """Keys that a class would silently ignore are named at every depth, with what it knows."""
    config = {
        "url": "http://a",
        "tcp_prot": 1,
        "inner": {"sice": 3},
        "parts": [{"size": 1}, {"zzz": 1}],
        "named": {"x": {"siz": 1}},
    }
    problems = check_imports(_configured(graph_of, config))
    assert {one.severity for one in problems} == {Severity.WARNING}
    assert {one.code for one in problems} == {"I005"}
    assert {(one.path.partition("config.")[2], one.help[0]) for one in problems} == {
        ("tcp_prot", "did you mean 'tcp_port'?"),
        ("inner.sice", "did you mean 'size'?"),
        ("parts[1].zzz", "known keys: 'size'"),
        ("named.x.siz", "did you mean 'size'?"),
    }


def test_digits_from_the_environment_reach_a_text_field(graph_of: GraphOf) -> None:
    """An all-digit secret is text where the class wants text, and a number where it wants one."""
    config = {"url": "${env.URL}", "password": "${env.PASSWORD}", "port": "${env.PORT}"}
    environment = {"URL": "true", "PASSWORD": "0012345", "PORT": "99"}
    graph = _configured(graph_of, config, environment=environment)
    assert check_imports(graph) == ()
    read = _config_of(graph)
    assert (read.url, read.password.get_secret_value(), read.port) == ("true", "0012345", 99)


def test_a_value_that_is_not_known_is_not_judged(graph_of: GraphOf) -> None:
    """What hangs on a variable that is not set is left alone; everything else is checked."""
    config = {
        "url": "http://a",
        "port": "${env.PORT}",
        "parts": [{"size": "${env.SIZE}"}, {"size": "many"}],
    }
    problems = check_imports(_configured(graph_of, config))
    assert [one.path for one in problems] == ["providers.a[0].config.parts[1].size"]
    closed = check_imports(_configured(graph_of, {"ulr": "${env.URL}"}, "Closed"))
    assert [one.message.rpartition(": ")[2] for one in closed] == ["unknown key"]
    missing = check_imports(_configured(graph_of, {"port": "${env.PORT}"}))
    assert [one.path for one in missing] == ["providers.a[0].config.url"]
    failing = check_imports(_configured(graph_of, {"url": "${env.URL}"}, "Failing"))
    assert failing == ()
