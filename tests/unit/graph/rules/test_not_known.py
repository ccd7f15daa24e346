"""Where a source could not be read, nothing is said of what it may hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rungraph.graph import RunGraph, Severity, compile_config
from rungraph.graph.diagnostics import Level
from rungraph.graph.diff.compare import diff_graphs
from rungraph.graph.query.config_checks import ask
from rungraph.graph.rules.checklist import Result, checklist
from rungraph.graph.why.absence import why_absent

if TYPE_CHECKING:
    from collections.abc import Iterable

TGI = "{provider_id: foo, provider_type: 'remote::tgi', config: {url: 'http://b:8080'}}"
STACK = "image_name: x\ncatalog: llama-stack@0.2.20\n"


def _codes(graph: RunGraph) -> list[str]:
    return [one.code for one in graph.diagnostics]


def _not_checked(graph: RunGraph) -> set[str]:
    results = checklist(graph, Level.ENV)
    return {one.name for one in results if one.result is Result.NOT_CHECKED}


def test_nothing_is_unknown_to_a_catalog_that_cannot_be_read(tmp_path: Path) -> None:
    """Neither APIs nor types, nor lists of resources; all else is still told."""
    (tmp_path / "mine.yaml").write_text("apis: 3\n")
    config = tmp_path / "run.yaml"
    config.write_text(
        "catalog: mine.yaml\n"
        "apis: [inference, speech]\n"
        "limits: {speech: {call_timeout: -1}}\n"
        "voices: [{voice_id: x}]\n"
        "imge_name: x\n"
        "providers:\n"
        "  inference:\n"
        "  - {provider_id: a, provider_type: 'remote::own'}\n"
        "  - {provider_id: a, provider_type: 'remote::own'}\n"
        "  speech:\n"
        "  - {provider_id: s, provider_type: 'remote::own', module: own.it, "
        "dependencies: [voices], optional_dependencies: [song]}\n"
    )
    graph = compile_config(config, environment={})
    assert [(one.code, one.place and one.place.line) for one in graph.diagnostics] == [
        *(("C029", 1), ("C023", 9), ("C012", 5)),
    ]
    assert {"known-apis", "known-types", "dependencies-configured"} <= _not_checked(graph)


@pytest.mark.parametrize(
    ("folders", "codes"),
    [
        ({"types/remote/inference/own.yaml": "module: ["}, ["C033"]),
        ({"types/remote/inference/own.yaml": "a: 1"}, ["C033"]),
        ({"types/remote/safety/own.yaml": "module: ["}, ["C033", "C031"]),
        ({"apis/own.yaml": "name: ["}, ["C033", "C031"]),
    ],
)
def test_no_type_is_unknown_that_a_broken_spec_may_declare(
    folders: dict[str, str], codes: list[str], tmp_path: Path
) -> None:
    """A spec of another API declares none of this one."""
    for name in ("apis", "types"):
        (tmp_path / name).mkdir()
    for name, text in folders.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    config = tmp_path / "run.yaml"
    config.write_text(
        f"{STACK}external_apis_dir: apis\nexternal_providers_dir: types\n"
        "providers:\n  inference:\n  - {provider_id: a, provider_type: 'remote::own'}\n"
    )
    assert _codes(compile_config(config, environment={})) == codes


def test_no_api_is_unknown_that_a_broken_spec_may_declare(tmp_path: Path) -> None:
    """Its name is not that of its file."""
    (tmp_path / "apis").mkdir()
    (tmp_path / "apis/a.yaml").write_text("name: [")
    config = tmp_path / "run.yaml"
    config.write_text(f"{STACK}external_apis_dir: apis\nproviders: {{speech: []}}\n")
    assert _codes(compile_config(config, environment={})) == ["C033"]


def test_a_misspelt_type_may_be_of_a_folder_elsewhere() -> None:
    """It is an error as before, which says what was not looked at."""
    graph = compile_config(
        f"{STACK}external_providers_dir: nowhere\nproviders:\n  inference:\n"
        "  - {provider_id: a, provider_type: 'remote::olama'}\n",
        environment={},
    )
    [problem] = [one for one in graph.diagnostics if one.severity is Severity.ERROR]
    assert problem.message == "'remote::olama' is not a known provider type of inference"
    assert problem.help[0] == "did you mean 'remote::ollama'?"
    assert problem.help[-1] == (
        "it may be of the folder of 'external_providers_dir', which is not here"
    )


@pytest.mark.parametrize(
    "config",
    [
        (
            "providers: {inference: [{provider_id: '${env.X}', provider_type: 'remote::tgi'}]}\n"
            "models: [{model_id: m, provider_id: foo}]"
        ),
        "providers: {inference: [{provider_id: foo, provider_type: '${env.X}'}]}",
        "providers: {inference: [{provider_id: foo, provider_type: 'a::b', module: '${env.X}'}]}",
        (
            "providers: {inference: [{provider_id: foo, provider_type: 'a::b', module: m, "
            "dependencies: ['${env.X}'], optional_dependencies: ['${env.X}']}]}"
        ),
        (
            f"apis: ['${{env.X}}', inference]\nproviders: {{inference: [{TGI}], "
            "memory: [{provider_id: f, provider_type: 'inline::faiss'}]}"
        ),
        f"providers: {{inference: [{TGI}]}}\nmodels: [{{model_id: m, provider_id: '${{env.X}}'}}]",
        f"providers: {{inference: [{TGI}]}}\nmodels: [{{model_id: '${{env.X}}'}}]",
        (
            f"providers: {{inference: [{TGI}]}}\nmodels: [{{model_id: m, model_type: '${{env.X}}', "
            "members: [{provider_id: foo}], routing: {hedge: {after: 1}}}]"
        ),
    ],
)
def test_what_the_environment_lacks_is_told_once(config: str) -> None:
    """Nobody knows whether what it would say is known."""
    graph = compile_config(f"{config}\n", environment={})
    assert _codes(graph) == ["E001"]
    assert "providers:\n" not in config or "known-types" in _not_checked(graph)


@pytest.mark.parametrize(
    ("config", "codes"),
    [
        # A resource may name what could not be made out.
        ("inference: [{provider_id: [a], provider_type: 'remote::tgi'}]|{provider_id: foo}", 1),
        ("inference: [{provider_id: [a], provider_type: 'remote::tgi'}]|{}", 1),
        ("inference: [{provider_id: 5, provider_type: 'remote::tgi'}]|{provider_id: '5'}", 1),
        ("inference: [{provider_id: foo, provider_type: [t]}]|{provider_id: foo}", 1),
        (f"inference: [{TGI}]|{{provider_id: 5}}", 1),
    ],
)
def test_what_could_not_be_made_out_is_missed_by_nobody(config: str, codes: int) -> None:
    """An id that is no text is told of, and not by those who may name it."""
    providers, _, resource = config.partition("|")
    resource = resource.replace("{", "{model_id: m, ")
    graph = compile_config(f"providers:\n  {providers}\nmodels: [{resource}]\n", environment={})
    assert _codes(graph) == ["C010"] * codes


def test_a_limit_is_not_alone_beside_one_that_could_not_be_made_out() -> None:
    """Nor is that of the API, which the provider's own may go with."""
    graph = compile_config(
        f"providers:\n  inference: [{TGI[:-1]}, limits: {{queued_calls: 4, concurrent_calls: x}}}}]"
        "\nlimits: {inference: {queued_calls: 4}}\n",
        environment={},
    )
    assert [one.path for one in graph.diagnostics] == [
        "providers.inference[0].limits.concurrent_calls"
    ]


@pytest.mark.parametrize(
    ("query", "expect", "is_judged"),
    [
        ("provider:telemetry/*", "empty", True),
        ("deps(provider:telemetry/* | api:memory)", "empty", True),
        ("provider:telemetry/*", "2", False),
        ("api:inference", "nonempty", False),
        ("provider:telemetry/* - rdeps(api:inference)", "empty", False),
        ("!api:inspect", "empty", False),
        ("roots(*)", "empty", False),
        ("mine", "empty", False),
    ],
)
def test_a_check_is_not_failed_by_what_could_not_be_made_out(
    query: str, expect: str, *, is_judged: bool
) -> None:
    """Only what more nodes could not mend is a failure."""
    graph = compile_config(
        {
            "providers": {
                "inference": [5],
                "telemetry": [{"provider_id": "otel", "provider_type": "inline::opentelemetry"}],
            },
            "selectors": {"mine": "* - api:inference"},
            "checks": [{"name": "q", "query": query, "expect": expect}],
        },
        environment={},
    )
    [answer] = ask(graph)
    assert [one.code for one in answer.diagnostics] == ["Q001"] * is_judged
    results = {one.name: one.result for one in checklist(graph, Level.GRAPH)}
    assert results["q"] is (Result.FAILED if is_judged else Result.NOT_CHECKED)


def test_what_could_not_be_made_out_may_be_what_is_asked_for() -> None:
    """Neither a difference nor why-not says that it is not configured."""
    right = f"providers:\n  inference: [{TGI}]\nmodels: [{{model_id: m, provider_id: foo}}]\n"
    wrong = right.replace("id: foo, provider_type", "id: [foo], provider_type")
    wrong = wrong.replace("model_id: m", "model_id: [m]")
    old, new = (compile_config(one, environment={}) for one in (right, wrong))
    [removed] = [one for one in diff_graphs(old, new).nodes if one.change.value == "removed"]
    assert removed.reason == "not all of the newer config could be made out"
    [added] = [one for one in diff_graphs(new, old).nodes if one.change.value == "added"]
    assert added.reason == "not all of the older config could be made out"
    for name, where in (("inference/foo", "providers.inference[0]"), ("model:m", "models[0]")):
        [cause] = why_absent(new, name).causes
        assert cause.text.startswith(f"{where} cannot be made out: ")


def test_broken_entries_are_put_in_order_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are, the ids of an API are sorted once."""
    calls: list[int] = []

    def counted(values: Iterable[str]) -> list[str]:
        calls.append(1)
        return sorted(values)

    monkeypatch.setattr("rungraph.graph.rules.context.sorted", counted, raising=False)
    graph = compile_config({"providers": {"inference": [{"provider_id": "a"}] * 50}})
    assert _codes(graph).count("C023") == 49
    assert len(calls) < 5
