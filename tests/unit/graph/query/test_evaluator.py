"""What queries select of a small stack."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from tests.builders import graph_of_needs
from tests.unit.graph.query.stack import CATALOG, CONFIG, ENVIRONMENT, short

from rungraph.graph import Address, QueryError, RunGraph, Selection, compile_config
from rungraph.graph.budgets import MOST_KEPT_ATTRIBUTES
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
from rungraph.graph.query import query as query_graph
from rungraph.graph.query.context import glob_of, graphs_of


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("*", "8b/large ollama t:models r:inference guard t:shields r:safety agents otel"),
        ("provider:inference/ollama", "ollama"),
        ("provider:inference", "8b/large ollama"),
        ("provider:ollama", "ollama"),
        ("provider:*e*/o*", "ollama otel"),
        ("router:*", "r:inference r:safety"),
        ("table:models", "t:models"),
        ("ollama", "ollama"),
        ("inference/ollama", "ollama"),
        ("'8b/large'", "8b/large"),
        ("inference", "r:inference"),
        ("agents", "agents"),
        ("*:safety*", "guard r:safety"),
        ("o*", "ollama otel"),
        ("[ao]*", "ollama agents otel"),
        ("?tel", "otel"),
        ("kind:table", "t:models t:shields"),
        ("api:safety", "guard t:shields r:safety"),
        ("api:models", "t:models"),
        ("type:remote::*", "8b/large ollama"),
        ("type:inline::guard", "guard"),
        ("gen:0", "8b/large ollama"),
        ("gen:[12]", "t:models r:inference"),
        ("tag:gpu", "ollama"),
        ("env:OLLAMA_*", "ollama"),
        ("error:*", "r:inference"),
        ("error:G002", "r:inference"),
        ("config.url:http://localhost*", "ollama"),
        ("'config.url:${env.OLLAMA_URL*'", "ollama"),
        ("config.limits[0].rpm:5", "ollama"),
        ("config.limits.*.rpm:60", "ollama"),
        ("config.limits:*", "ollama"),
        ("config.flag:true", "8b/large"),
        ("config.n:null", "agents"),
        ("selector:far", "8b/large ollama"),
        ("selector:behind & kind:router", "r:inference r:safety"),
    ],
)
def test_selectors(graph: RunGraph, query: str, found: str) -> None:
    """Every method, and bare names tried against the address and its parts."""
    assert short(query_graph(graph, query)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("+router:safety", "8b/large ollama t:models r:inference guard t:shields r:safety"),
        ("1+guard", "r:inference guard"),
        ("0+guard", "guard"),
        ("guard+1", "guard t:shields"),
        ("1+guard+1", "r:inference guard t:shields"),
        ("guard+", "guard t:shields r:safety agents otel"),
        ("@otel", "8b/large ollama t:models r:inference guard t:shields r:safety otel"),
        ("deps(guard, 1)", "r:inference guard"),
        ("rdeps(guard, 1)", "guard t:shields"),
        ("rdeps(router:safety, router:inference)", "r:inference guard t:shields r:safety"),
        ("somepath(agents, ollama)", "ollama t:models r:inference agents"),
        ("somepath(ollama, agents)", ""),
        ("somepath(agents, agents | ollama)", "agents"),
        ("allpaths(agents, router:inference)",
         "r:inference guard t:shields r:safety agents"),
        ("filter('^provider:.*/o', *)", "ollama otel"),
        ("filter(ll, type:remote::*)", "ollama"),
        ("attr(type, 'vllm$', *)", "8b/large"),
        ("attr(id, '^o', kind:provider)", "ollama otel"),
        ("attr(config.url, 'local', *)", "ollama"),
        ("attr(tag, 'gp', *)", "ollama"),
        ("attr(module, guard, *)", "guard"),
        ("siblings(ollama)", "8b/large ollama"),
        ("siblings(ollama) - ollama", "8b/large"),
        ("siblings(table:models)", "t:models"),
        ("roots(*)", "agents otel"),
        ("sinks(*)", "agents otel"),
        ("serves(ollama)", "ollama t:models r:inference"),
        ("serves(otel)", "otel"),
        ("roots(api:inference)", "r:inference"),
        ("leaves(*)", "8b/large ollama"),
        ("some(*)", "8b/large"),
        ("some(kind:router, 9)", "r:inference r:safety"),
        ("some(*, 0)", ""),
        ("critical()", "8b/large t:models r:inference guard t:shields r:safety agents"),
        ("critical(guard)", "8b/large t:models r:inference guard"),
        ("critical(* - *)", ""),
        ("kind(router, *)", "r:inference r:safety"),
        ("let a = api:safety in rdeps($a, 1) - $a", "agents otel"),
        ("let a = guard in let a = $a+1 in $a - guard", "t:shields"),
        ("let a = guard in let b = ollama in $a | $b", "ollama guard"),
        ("!kind:provider", "t:models r:inference t:shields r:safety"),
        ("* - * - guard", ""),
        ("somepath(agents, ollama) & kind:provider", "ollama agents"),
    ],
)  # fmt: skip
def test_walks_and_functions(graph: RunGraph, query: str, found: str) -> None:
    """Walks count levels, functions select, and results come in start order."""
    assert short(query_graph(graph, query)) == found


def test_resources_select_what_serves_them() -> None:
    """A resource stands on its table; its name selects the provider, and serves() the way there."""
    models = [
        {"model_id": "llama-3", "provider_id": "a"},
        {"model_id": "llama-4", "provider_id": "b"},
        {"model_id": "e:5*", "provider_id": "b"},
    ]
    entries = [{"provider_id": name, "provider_type": "remote::ollama"} for name in "ab"]
    config = {"providers": {"inference": entries}, "models": models}
    graph = compile_config(config, catalog=CATALOG, environment={})
    assert short(query_graph(graph, "model:llama-3")) == "a"
    assert short(query_graph(graph, "model:llama*")) == "a b"
    assert short(query_graph(graph, "'model:e:5*'")) == "b"
    assert short(query_graph(graph, "serves(model:llama-3)")) == "a t:models r:inference"
    with pytest.raises(QueryError, match="did you mean 'model:llama-3'"):
        query_graph(graph, "model:lama-3")


@pytest.mark.parametrize("name", ["a*b", "[x]", "inf/a:b", "tag:x", "*"])
def test_a_name_in_quotes_is_literal(name: str) -> None:
    """Whatever signs a name holds, in quotes it is that name and no other."""
    entries = [
        {"provider_id": one, "provider_type": "remote::ollama", "tags": ["x"]}
        for one in (name, "axb", "x", "other")
    ]
    config = {"providers": {"inference": entries}}
    graph = compile_config(config, catalog=CATALOG, environment={})
    for query in (f"'{name}'", f"'inference/{name}'", f"'provider:inference/{name}'"):
        assert [one.name for one in query_graph(graph, query)] == [name]
    with pytest.raises(QueryError, match="in quotes is meant as it is written"):
        query_graph(graph, "'router:*'")


def test_edges_and_files_are_attributes(graph: RunGraph) -> None:
    """What needs something in some way, for some reason, and which file brought it."""
    tagged = {"provider_id": "a", "provider_type": "remote::ollama", "tags": ["team=x", "gpu"]}
    other = compile_config({"providers": {"inference": [tagged]}}, catalog=CATALOG, environment={})
    assert short(query_graph(other, "tag:team=x")) == short(query_graph(other, "tag:team=*")) == "a"
    assert short(query_graph(graph, "strength:member")) == "t:models t:shields"
    assert short(query_graph(graph, "evidence:pair")) == "r:inference r:safety"
    assert short(query_graph(graph, "file:*text* & api:agents")) == "agents"


def test_what_was_modified_can_be_asked() -> None:
    """The config, the type, tags, resources or edges of a node, each apart."""

    def compiled(**more: Any) -> RunGraph:
        entry = {"provider_id": "a", "provider_type": "remote::ollama", **more}
        config = {"providers": {"inference": [entry]}}
        return compile_config(config, catalog=CATALOG, environment={})

    old = compiled(config={"x": 1})
    for new, found in (
        (compiled(config={"x": 2}), "modified.config"),
        (compiled(config={"x": 1}, provider_type="remote::vllm"), "modified.type"),
        (compiled(config={"x": 1}, tags=["y"]), "modified.tags"),
    ):
        for state in ("modified.config", "modified.type", "modified.tags", "modified.edges"):
            expected = "a" if state == found else ""
            assert short(query_graph(new, f"state:{state}", against=old)) == expected


def test_only_paths_have_an_order_of_their_own(graph: RunGraph) -> None:
    """somepath and critical keep the path, also through let and a selector; unions have none."""
    path = query_graph(graph, "somepath(agents, ollama)").path
    assert path is not None
    assert [str(address) for address in path] == [
        "provider:agents/agents",
        "router:inference",
        "table:models",
        "provider:inference/ollama",
    ]
    assert query_graph(graph, "let a = agents in somepath($a, ollama)").path == path
    named = {"p": "somepath(agents, ollama)", "far": "guard"}
    assert query_graph(graph, "selector:p", selectors=named).path == path
    # A name that the config has too means the caller's, also where the config's own use it.
    assert short(query_graph(graph, "selector:behind & kind:table", selectors=named)) == "t:shields"
    assert query_graph(graph, "somepath(ollama, agents)").path == ()
    assert query_graph(graph, "somepath(agents, ollama) | otel").path is None
    assert query_graph(graph, "somepath(agents, ollama)", "otel").path is None


def test_a_count_is_the_whole_of_a_query(graph: RunGraph) -> None:
    """Also through let and a selector; a part of a query, or one of several, it cannot be."""
    for query in ("count(kind:router)", "let x = kind:router in count($x)", "selector:n"):
        found = query_graph(graph, query, selectors={"n": "count(kind:router)"})
        assert (found.is_count, len(found)) == (True, 2)
    assert not query_graph(graph, "*").is_count
    for query in ("count(*)+", "!count(*)", "count(count(*))", "let x = count(*) in $x",
                  "@count(*)", "ollama | count(*)", "count(*) - a", "selector:[n]"):  # fmt: skip
        with pytest.raises(QueryError) as caught:
            query_graph(graph, query, selectors={"n": "count(*)"})
        assert caught.value.message == "count(x) is a number, not a selection"
    with pytest.raises(QueryError) as caught:
        query_graph(graph, "*", "count(*)")
    assert caught.value.message == "count(x) is a number, not one of several selections"


def test_edges_choose_what_is_walked(graph: RunGraph) -> None:
    """Hard walks include members and no soft edge, soft ones nothing else; so do cycles."""
    assert "otel" in short(query_graph(graph, "router:safety+"))
    assert "otel" not in short(query_graph(graph, "router:safety+", edges="hard"))
    assert short(query_graph(graph, "ollama+1", edges="hard")) == "ollama t:models"
    assert short(query_graph(graph, "router:safety+", edges="soft")) == "r:safety otel"
    with pytest.raises(ValueError, match="edges must be one of hard, soft, all, not 'sof'"):
        query_graph(graph, "*", edges="sof")  # type: ignore[arg-type]
    # Telemetry uses safety, whose inference uses telemetry: that edge was dropped.
    assert short(query_graph(graph, "cycles()")) == "r:inference guard t:shields r:safety otel"
    assert short(query_graph(graph, "cycles()", edges="hard")) == ""


@pytest.mark.parametrize(
    ("query", "edges", "found"),
    [
        ("cycles()", "all", "abs"),
        ("cycles()", "hard", "abs"),
        ("+provider:c/p", "all", "abc"),
        ("critical()", "all", "abc"),
        ("error:G001+", "all", "abc"),
        ("roots(*)", "all", "sc"),
        ("somepath(api:a, api:c)", "all", ""),
        ("roots(api:s)", "all", "s"),
        ("leaves(api:s)", "all", "s"),
        ("critical(api:s)", "all", "s"),
        ("somepath(api:s, api:s)", "all", "s"),
    ],
)
def test_a_graph_with_hard_cycles_can_be_queried(query: str, edges: Any, found: str) -> None:
    """Cycles, walks around, chains outside; who needs itself is root and leaf all the same."""
    graph = graph_of_needs({"a": "b", "b": "a", "c": "a", "s": "s"})
    assert "".join(one.api for one in query_graph(graph, query, edges=edges)) == found


def test_durations_weigh_the_critical_chain(graph: RunGraph) -> None:
    """Seconds that are given count instead of nodes."""
    slow = dict.fromkeys(query_graph(graph, "ollama"), 9.0)
    assert query_graph(graph, "critical(guard)", durations=slow).path == query_graph(graph,
        "somepath(guard, ollama)"
    ).path  # fmt: skip


def test_states_compare_with_an_older_graph(graph: RunGraph) -> None:
    """What is new, modified, gone, touched; walks from what is gone follow the older graph."""
    old = graph
    text = CONFIG.replace("remote::ollama", "remote::vllm").replace(
        "provider_id: 8b/large", "provider_id: new"
    )
    new = compile_config(text, catalog=CATALOG, environment=ENVIRONMENT)

    def ask(query: str) -> str:
        return short(query_graph(new, query, against=old))

    assert ask("state:new") == "new"
    assert ask("state:modified") == "ollama"
    assert ask("state:removed") == "8b/large"
    assert ask("state:removed+1") == "t:models 8b/large"
    assert "agents" in ask("state:removed+")
    assert ask("somepath(guard, state:removed)") == "t:models r:inference guard 8b/large"
    assert ask("state:affected") == "t:models r:inference guard t:shields r:safety agents otel"
    assert ask("state:same & kind:provider") == "guard agents otel"
    assert ask("type:remote::vllm & state:removed") == "8b/large"
    assert ask("siblings(state:removed)") == "new ollama 8b/large"
    assert ask("deps(state:removed, 1)") == "8b/large"
    assert ask("*") == short(query_graph(new, "*"))
    assert ask("+table:models") == "new ollama t:models"
    assert ask("!state:removed") == short(query_graph(new, "*"))
    assert short(query_graph(new, "state:*", against=new)) == short(query_graph(new, "*"))


def test_status_matches_what_the_caller_knows(graph: RunGraph) -> None:
    """Nodes that the caller says nothing of have no status; no node need be in one there is."""
    agents, ollama = query_graph(graph, "agents")[0], query_graph(graph, "ollama")[0]
    assert (
        short(query_graph(graph, "status:fail*", status={agents: "failed", ollama: "ready"}))
        == "agents"
    )
    assert short(query_graph(graph, "status:fail*", status={ollama: "failed"})) == "ollama"
    assert short(query_graph(graph, "status:killed", status={})) == ""
    assert short(query_graph(graph, "status:gone", status={ollama: "gone"})) == "ollama"


def test_a_selection_is_a_sequence(graph: RunGraph) -> None:
    """It has a length, an order, members, slices, a short repr; of several queries the union."""
    assert short(query_graph(graph, "guard", "ollama", "ollama")) == "ollama guard"
    with pytest.raises(QueryError, match="there is no query"):
        query_graph(graph)
    found = query_graph(graph, "*")
    assert len(found) == 9
    assert found[0] in found
    assert Address.router("nothing") not in found
    assert found[:2] == found.addresses[:2]
    assert found.index(found[3]) == 3
    assert repr(query_graph(graph, "guard | agents")) == (
        "<Selection: 2 nodes: provider:safety/guard, provider:agents/agents>"
    )
    assert repr(found).endswith("provider:safety/guard, …>")
    assert repr(query_graph(graph, "* - *")) == "<Selection: 0 nodes>"


def test_a_saved_graph_and_an_empty_one_answer(graph: RunGraph) -> None:
    """What is read from JSON can be queried, its selectors included; of no nodes there are none."""
    again = graph_from_json(graph_to_json(graph), environment={})
    for query in ("selector:behind", "tag:gpu", "config.limits[0].rpm:5", "critical()"):
        assert query_graph(again, query) == query_graph(graph, query)
    empty = graph_of_needs({})
    assert query_graph(empty, "*") == query_graph(empty, "roots(*) | cycles() | some(*)")
    assert query_graph(empty, "*") == Selection(())
    assert query_graph(empty, "critical()").path == ()


@pytest.mark.parametrize(
    "part", ["critical()", "@*", "attr(type, '.*', *)", "somepath(*, *)", "*l*"]
)
def test_what_visits_too_much_is_refused(
    graph: RunGraph, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is written; every query has as much to spend."""
    monkeypatch.setattr("rungraph.graph.query.context.MOST_VISITED", 1_000)
    monkeypatch.setattr("rungraph.graph.query.context.MOST_PASSES", 1)
    for _ in range(3):
        assert query_graph(graph, part) is not None
    with pytest.raises(QueryError) as caught:
        query_graph(graph, " | ".join([part] * 400))
    assert caught.value.message == "what is asked visits more than 1,000 nodes and edges"


def test_only_so_many_attributes_are_kept(graph: RunGraph) -> None:
    """A server that is asked for ever more keys does not keep them all."""
    for number in range(3 * MOST_KEPT_ATTRIBUTES):
        assert len(query_graph(graph, f"attr(config.[ku]{number}, a, *)")) == 0
    assert len(graphs_of(graph).groups) <= MOST_KEPT_ATTRIBUTES


@pytest.mark.parametrize(
    "glob", ["[", "a[", "[[]", "[]", "[]a", "[!]", "[!]]b", "a[]b[", "[]]x[[a]["]
)
def test_a_bracket_that_nothing_closes_is_itself(glob: str) -> None:
    """A glob means what it means to `fnmatch`, which looks for the end of each bracket anew."""
    texts = ["[", "a[", "[]", "[]a", "[!]", "]", "xb", "a[]b[", "]x[a[", "]x[[a][", "a"]
    assert [*map(bool, map(glob_of(glob).match, texts))] == [
        fnmatchcase(one, glob) for one in texts
    ]


def test_long_globs_and_names_count_for_what_they_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name can be compared with all of a glob at each of its characters."""
    monkeypatch.setattr("rungraph.graph.query.context.MOST_VISITED", 1_000)
    entry = {"provider_id": "a" * 2_000, "provider_type": "remote::tgi"}
    graph = compile_config({"providers": {"inference": [entry]}}, environment={})
    assert query_graph(graph, f"*{'a' * 10}*")
    with pytest.raises(QueryError, match="visits more than"):
        query_graph(graph, f"*{'a' * 1_000}*")
