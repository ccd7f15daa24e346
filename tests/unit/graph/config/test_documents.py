"""What else than a run config a file can be."""

from __future__ import annotations

import textwrap

import pytest

from rungraph.graph import compile_config, graph_to_json
from rungraph.graph.config import documents
from rungraph.graph.source.document import Document, parse_document
from rungraph.viz import render_json


def test_a_template_in_a_config_map_is_said_to_be_one() -> None:
    """Its place is that in the ConfigMap; nothing is guessed of the rest."""
    text = (
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  run.yaml: |\n"
        "    image_name: {{ .Values.name }}\n    providers: {}\n"
    )
    graph = compile_config(text, environment={})
    assert [(one.code, str(one.place)) for one in graph.diagnostics] == [
        ("C017", "<text>:5:17"),
        ("C016", "<text>:4:3"),
    ]
    assert graph.diagnostics[0].message == "this is a template, and not yet a run config"


_CONFIG = "version: 2\ndistro_name: x\nproviders:\n  inference:\n  - {provider_id: a}\n"
_MAP = "apiVersion: v1\nkind: ConfigMap\ndata:\n  run.yaml: |\n" + textwrap.indent(_CONFIG, "    ")
_SERVICE = "apiVersion: v1\nkind: Service\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"# stack\n---\n{_SERVICE}---\n{_MAP}", 14),
        (f"{_SERVICE}--- # next\r\n{_MAP}---\n{_SERVICE}", 12),
        (f"apiVersion: v1\nkind: List\nitems:\n- {textwrap.indent(_MAP, '  ')[2:]}", 12),
    ],
)
def test_a_config_map_is_found_among_other_things_of_kubernetes(text: str, line: int) -> None:
    """It may be a later document of the file, or an item of a list; places stay true."""
    graph = compile_config(text, environment={})
    lines = {one.code: one.place.line for one in graph.diagnostics if one.place}
    assert (lines["C011"], lines["C016"]) == (line, line - 5)


def test_of_several_run_configs_the_first_is_read() -> None:
    """Where another one stands is said."""
    graph = compile_config(f"{_MAP}---\n{_MAP}", environment={})
    (note,) = (one for one in graph.diagnostics if one.code == "C016")
    assert note.help == (
        "another one is at <text>:14:3: to read it, put it into a file of its own",
    )


def test_things_of_kubernetes_without_a_run_config_are_named() -> None:
    """A document that cannot be read is told instead."""
    for text, message in (
        (f"{_SERVICE}---\n{_SERVICE.replace('Service', 'Job')}",
         "this is a Service and a Job of Kubernetes, and no run config"),
        ("apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n",
         "this is a ConfigMap without a run config"),
    ):  # fmt: skip
        (found,) = compile_config(text, environment={}).diagnostics
        assert (found.code, found.message) == ("C017", message)
    graph = compile_config(f"{_SERVICE}---\na: [\n", environment={})
    assert [one.code for one in graph.diagnostics] == ["C003"]


def test_what_rungraph_wrote_is_no_run_config() -> None:
    """It is said what it is and who reads it, not what it lacks as a run config."""
    graph = compile_config({"providers": {}}, environment={})
    for text, kind, readers in (
        (graph_to_json(graph), "plan", "'rungraph diff', 'query' and 'why' read it"),
        (render_json(graph), "node-link", "'rungraph diff' reads it"),
        ('{"$id": "urn:rungraph:schema:plan:2.0"}', "schema", "it says what other JSON holds"),
    ):
        again = compile_config(text, environment={})
        (found,) = again.diagnostics
        assert found.message == f"this is JSON that rungraph wrote ({kind}), and no run config"
        assert found.help[0].partition(";")[0] == readers


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\ndata:\n"
        + "".join(f"  k{number}: |\n    a: {number}\n\n" for number in range(200)),
        "".join(f"---\n{_SERVICE}spec: {number}\n" for number in range(200)),
        f"apiVersion: v1\nkind: ConfigMap\nx: &text '{'a: b' * 100}'\ndata:\n"
        + "".join(f"  k{number}: *text\n" for number in range(200)),
    ],
    ids=["texts", "documents", "aliases"],
)
def test_each_part_of_a_file_is_read_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: what stands before a part is not read with it."""
    read: list[str] = []

    def parsed(part: str, file: str, *, first_line: int = 1) -> Document:
        read.append(part)
        return parse_document(part, file, first_line=first_line)

    monkeypatch.setattr(documents, "parse_document", parsed)
    graph = compile_config(text, environment={})
    assert [one.code for one in graph.diagnostics] == ["C017"]
    assert sum(map(len, read)) <= len(text)


def test_a_problem_in_a_part_of_a_file_has_its_place_there() -> None:
    """With its line, and without what is secret in that, whatever ends the lines before."""
    service = _SERVICE.replace("kind: S", "kind:\r  S")
    graph = compile_config(f"{service}---\r\n{_MAP}    pasword: S3cretPw\n", environment={})
    [problem] = [one for one in graph.diagnostics if one.code == "C012"]
    assert problem.place is not None
    assert (problem.place.line, problem.excerpt) == (14, "    pasword: ********")
