"""What queries select of a small stack, and what is said of names that are not there."""

from __future__ import annotations

import contextlib

import pytest

from rungraph.graph import (
    Address,
    ApiSpec,
    Catalog,
    ProviderSpec,
    QueryError,
    RoutedPair,
    RunGraph,
    Selection,
    compile_config,
)
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
from rungraph.graph.query import query as query_graph

CATALOG = Catalog.of(
    apis=[ApiSpec(name, "x:X") for name in ("inference", "models", "safety", "shields")]
    + [ApiSpec(name, "x:X") for name in ("agents", "telemetry", "eval")],
    pairs=[
        RoutedPair("inference", "models", "model", "model_id", "x:R",
                   optional_dependencies=("telemetry",)),
        RoutedPair("safety", "shields", "shield", "shield_id", "x:R"),
    ],
    providers=[
        ProviderSpec("inference", "remote::ollama", "x.ollama"),
        ProviderSpec("inference", "remote::vllm", "x.vllm"),
        ProviderSpec("safety", "inline::guard", "x.guard", dependencies=("inference",)),
        ProviderSpec("telemetry", "inline::otel", "x.otel", optional_dependencies=("safety",)),
        ProviderSpec("agents", "inline::agents", "x.agents",
                     dependencies=("inference", "safety"), secrets=("pass_phrase",)),
        ProviderSpec("eval", "inline::eval", "x.eval", dependencies=("agents",)),
    ],
)  # fmt: skip
CONFIG = """
image_name: small
providers:
  inference:
  - provider_id: ollama
    provider_type: remote::ollama
    config: {url: "${env.OLLAMA_URL:=http://localhost:11434}", limits: [{rpm: 5}, {rpm: 60}]}
    tags: [gpu, cheap]
  - provider_id: 8b/large
    provider_type: remote::vllm
    config: {url: "http://me:pw-in-url@vllm:8000", api_key: "${env.VLLM_KEY}", flag: true,
             path: "/v1/${env.PATH_TOKEN}/x", password: k7}
  - provider_id: ${env.SPARE_URL:+spare}
    provider_type: remote::vllm
  safety:
  - {provider_id: guard, provider_type: "inline::guard"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::otel"}
  agents:
  - provider_id: agents
    provider_type: inline::agents
    config: {pass_phrase: open-sesame, mcp: {env: [{name: API_TOKEN, value: hunter22}]}, n: null}
selectors:
  far: type:remote::*
  behind: selector:far+
  chicken: egg | selector:egg
  egg: selector:chicken
  broken: api:inference, far
"""
KEY = "sk-from-environment"
ENVIRONMENT = {"VLLM_KEY": KEY, "PATH_TOKEN": "plain-in-environment"}


@pytest.fixture
def graph() -> RunGraph:
    """Two inference providers, a guard, telemetry in a soft circle with both, and agents."""
    return compile_config(CONFIG, catalog=CATALOG, environment=ENVIRONMENT)


def names(selection: Selection) -> list[str]:
    """Return the addresses as text."""
    return [str(address) for address in selection]


def short(selection: Selection) -> str:
    """Return the last part of each address, tables and routers with a letter for their kind."""
    return " ".join(
        address.name or f"{address.kind.value[0]}:{address.api}" for address in selection
    )


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
        ("tag:gup", ""),
        ("env:OLLAMA_*", "ollama"),
        ("env:NOBODY", ""),
        ("error:*", "r:inference"),
        ("error:G002", "r:inference"),
        ("error:error", ""),
        ("error:G001", ""),
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
        ("roots(api:inference)", "r:inference"),
        ("leaves(*)", "8b/large ollama"),
        ("some(*)", "8b/large"),
        ("some(kind:router, 9)", "r:inference r:safety"),
        ("some(*, 0)", ""),
        ("critical()", "8b/large t:models r:inference guard t:shields r:safety agents"),
        ("critical(guard)", "8b/large t:models r:inference guard"),
        ("critical(tag:nobody)", ""),
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
    assert (
        query_graph(graph, "selector:p", selectors={"p": "somepath(agents, ollama)"}).path == path
    )
    assert query_graph(graph, "somepath(ollama, agents)").path == ()
    assert query_graph(graph, "somepath(agents, ollama) | otel").path is None
    assert query_graph(graph, "somepath(agents, ollama)", "otel").path is None


def test_several_queries_are_their_union(graph: RunGraph) -> None:
    """As on the command line; and at least one is needed."""
    assert short(query_graph(graph, "guard", "ollama", "ollama")) == "ollama guard"
    with pytest.raises(QueryError, match="there is no query"):
        query_graph(graph)


def test_edges_choose_what_is_walked(graph: RunGraph) -> None:
    """Hard walks include members and no soft edge; soft ones nothing else; a typo is refused."""
    assert "otel" in short(query_graph(graph, "router:safety+"))
    assert "otel" not in short(query_graph(graph, "router:safety+", edges="hard"))
    assert short(query_graph(graph, "ollama+1", edges="hard")) == "ollama t:models"
    assert short(query_graph(graph, "router:safety+", edges="soft")) == "r:safety otel"
    with pytest.raises(ValueError, match="edges must be one of hard, soft, all, not 'sof'"):
        query_graph(graph, "*", edges="sof")  # type: ignore[arg-type]


def test_cycles_count_the_soft_edges_that_were_dropped(graph: RunGraph) -> None:
    """Telemetry uses safety, whose inference uses telemetry: a circle over all edges, not hard."""
    assert short(query_graph(graph, "cycles()")) == "r:inference guard t:shields r:safety otel"
    assert short(query_graph(graph, "cycles()", edges="hard")) == ""


def test_a_hard_circle_can_be_queried() -> None:
    """A graph that cannot be run answers: its circle, walks around it, and chains outside it."""
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:X") for name in ("a", "b", "c")],
        providers=[
            ProviderSpec("a", "inline::x", "x", dependencies=("b",)),
            ProviderSpec("b", "inline::x", "x", dependencies=("a",)),
            ProviderSpec("c", "inline::x", "x", dependencies=("a",)),
        ],
    )
    entry = {"provider_type": "inline::x"}
    config = {"providers": {api: [{"provider_id": f"{api}1", **entry}] for api in "abc"}}
    graph = compile_config(config, catalog=catalog, environment={})
    assert short(query_graph(graph, "cycles()")) == "a1 b1"
    assert short(query_graph(graph, "cycles()", edges="hard")) == "a1 b1"
    assert short(query_graph(graph, "+c1")) == "a1 b1 c1"
    assert short(query_graph(graph, "critical()")) == "a1 c1"
    assert short(query_graph(graph, "error:G001+")) == "a1 b1 c1"
    assert short(query_graph(graph, "roots(*)")) == "c1"
    assert short(query_graph(graph, "somepath(a1, c1)")) == ""


def test_a_node_that_needs_itself_is_a_circle() -> None:
    """It is on a circle, and it is a root and a leaf all the same: no other node needs it."""
    catalog = Catalog.of(
        apis=[ApiSpec("a", "x:X")],
        providers=[ProviderSpec("a", "inline::x", "x", dependencies=("a",))],
    )
    config = {"providers": {"a": [{"provider_id": "a1", "provider_type": "inline::x"}]}}
    graph = compile_config(config, catalog=catalog, environment={})
    for query in ("cycles()", "roots(api:a)", "leaves(api:a)", "critical(a1)", "somepath(a1, a1)"):
        assert short(query_graph(graph, query)) == "a1"


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
    """Nodes that the caller says nothing of have no status; each call has its own."""
    agents, ollama = query_graph(graph, "agents")[0], query_graph(graph, "ollama")[0]
    assert (
        short(query_graph(graph, "status:fail*", status={agents: "failed", ollama: "ready"}))
        == "agents"
    )
    assert short(query_graph(graph, "status:fail*", status={ollama: "failed"})) == "ollama"
    assert short(query_graph(graph, "status:gone", status={})) == ""


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("router:infrence+", ("column 1: no node matches 'router:infrence'\n"
         "  router:infrence+\n  ^\n"
         "  help: did you mean 'router:inference'?")),
        ("a* & olama", ("column 6: no node matches 'olama'\n  a* & olama\n       ^\n"
         "  help: did you mean 'ollama'?")),
        ("provider:inference/olama", "did you mean 'provider:inference/ollama'?"),
        ("router:models", "did you mean 'router:inference'?"),
        ("table:safety", "did you mean 'table:shields'?"),
        ("api:saftey", "did you mean 'api:safety'?"),
        ("router:eval", ("no node matches 'router:eval'\n  router:eval\n  ^\n"
         "  help: nothing in this config serves eval")),
        ("provider:eval/a", "nothing in this config serves eval"),
        ("type:remote::olama", "did you mean 'type:remote::ollama'?"),
        ("kind:roter", "did you mean 'kind:router'?"),
        ("kind(roter, *)", "column 6: no node matches 'kind:roter'"),
        ("gen:99", ("no node matches 'gen:99'\n  gen:99\n  ^\n"
         "  help: there is 0, 1, 2, 3, 4, 5, 6")),
        ("zzz", "no node matches 'zzz'\n  zzz\n  ^\n  help: '*' is all nodes"),
        ("spare", ("no node matches 'spare'\n  spare\n  ^\n  help: the config leaves it out: "
         "provider_id is ${env.SPARE_URL:+spare} and SPARE_URL is not set")),
        ("provider:inference/spare", "the config leaves it out"),
        ("typ:remote::*", ("column 1: no method 'typ'\n  typ:remote::*\n  ^\n"
         "  help: did you mean 'type'?")),
        ("remote::ollama", ("'remote' is no method\n  remote::ollama\n  ^\n"
         "  help: for the provider type write 'type:remote::ollama'")),
        ("zzz:a", ("there is api, config.PATH, env, error, gen, kind, provider, router, selector, "
         "state, status, table, …")),
        ("config:a", ("'config' needs the path of a key\n  config:a\n  ^\n"
         "  help: write it like config.url:http*")),
        ("config.uri:a", "no provider's config has that key"),
        ("config.url:ftp*", "the key is there, with other values: try 'config.url:*'"),
        ("state:new", ("'state:' compares with another run config\n  state:new\n  ^\n"
         "  help: name it: --against OLD, or against=old in Python")),
        ("status:failed", ("'status:' asks how a run went, and none is given\n  status:failed\n"
         "  ^\n  help: name its events: --status EVENTS, or status={…} in Python")),
        ("selector:fra", "no selector 'fra'\n  selector:fra\n  ^\n  help: did you mean 'far'?"),
        ("agents | selector:chicken", "selector 'chicken', column 1: no node matches 'egg'"),
        ("selector:egg", "selector 'chicken', column 1: no node matches 'egg'"),
        ("selector:broken", ("selector 'broken', column 14: ',' only separates function arguments: "
         "use '&'\n  api:inference, far\n               ^")),
        ("filter('(', *)", ("column 8: not a regular expression: missing ), unterminated "
         "subpattern at position 0")),
        ("attr(color, x, *)", ("column 6: no attribute 'color'\n  attr(color, x, *)\n       ^\n"
         "  help: there is api, env, error, gen, id, kind, module, state, tag, type, status, "
         "config.PATH")),
        ("attr(typ, x, *)", "did you mean 'type'?"),
        ("attr(type, '[', *)", "column 12: not a regular expression"),
    ],
)  # fmt: skip
def test_names_that_are_not_there(graph: RunGraph, query: str, error: str) -> None:
    """The error tells the column and the nearest name that is there, or why it is not."""
    with pytest.raises(QueryError) as caught:
        query_graph(graph, query)
    assert error in str(caught.value)


def test_selectors_that_go_round_in_a_circle(graph: RunGraph) -> None:
    """The circle is named, however it is entered; a long chain is refused, too."""
    selectors = {
        "a": "selector:b",
        "b": "ollama | selector:c",
        "c": "selector:a",
        "d": "selector:a",
    }
    with pytest.raises(QueryError) as caught:
        query_graph(graph, "guard | selector:d", selectors=selectors)
    assert str(caught.value) == (
        "selector 'c', column 1: selectors name each other in a circle: a -> b -> c -> a\n"
        "  selector:a\n  ^"
    )
    chain = {f"s{n}": f"selector:s{n + 1}" for n in range(5_000)} | {"s5000": "*"}
    with pytest.raises(QueryError, match="selectors name each other more than 10 deep"):
        query_graph(graph, "selector:s0", selectors=chain)
    # Each is answered once, however often it is named.
    wide = {f"w{n}": f"selector:w{n + 1} | selector:w{n + 1}" for n in range(9)} | {"w9": "guard"}
    assert short(query_graph(graph, "selector:w0", selectors=wide)) == "guard"


def test_a_selector_of_the_caller_goes_before_that_of_the_config(graph: RunGraph) -> None:
    """A name that both have means the caller's query, also where the config's own use it."""
    assert short(
        query_graph(graph, "selector:behind & kind:table", selectors={"far": "guard"})
    ) == ("t:shields")


@pytest.mark.parametrize(
    "query",
    ["config.api_key:*environment*", f"config.api_key:{KEY[:4]}*", "config.url:*pw-in*",
     "config.pass_phrase:open*", "config.path:*plain-*", "config.password:k*",
     "config.*:*open-sesame*", "config.*:*k7*", "config.*:*pw-in*", "attr(config.*, 'sk-', *)",
     "config.mcp.env.*.value:hunt*", "config.mcp:*hunter22*",
     "attr(config.api_key, 'environ', *)", "attr(config.pass_phrase, sesame, *)"],
)  # fmt: skip
def test_secrets_cannot_be_found_out_by_asking(graph: RunGraph, query: str) -> None:
    """A query matches what may be shown of a value, so no letter of a secret can be guessed."""
    with contextlib.suppress(QueryError):
        assert short(query_graph(graph, query)) == ""


def test_deep_and_odd_patterns_do_not_break_anything(graph: RunGraph) -> None:
    """Patterns that no library likes are errors in words or select nothing."""
    with pytest.raises(QueryError, match="not a regular expression"):
        query_graph(graph, f"filter('{'(' * 5_000}', *)")
    with pytest.raises(QueryError, match="no node matches"):
        query_graph(graph, "'[z-a]'")
    with pytest.raises(QueryError, match="no node matches"):
        query_graph(graph, f"'{'*a' * 2_000}'")
    assert short(query_graph(graph, "filter('[[a]llama', *)")) == ""
    operands = "|".join(["guard"] * 10_000)
    assert short(query_graph(graph, operands)) == "guard"


def test_an_empty_graph_answers() -> None:
    """All nodes of a graph without nodes are none."""
    graph = compile_config({"providers": {}}, catalog=Catalog(), environment={})
    assert query_graph(graph, "*") == Selection(())
    assert query_graph(graph, "critical()").path == ()
    assert names(query_graph(graph, "roots(*) | cycles() | some(*)")) == []


def test_a_selection_is_a_sequence(graph: RunGraph) -> None:
    """It has a length, an order, members, slices, and a short repr."""
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
    assert repr(query_graph(graph, "tag:x")) == "<Selection: 0 nodes>"


def test_a_saved_graph_answers_the_same(graph: RunGraph) -> None:
    """What is read from JSON can be queried, its selectors included."""
    again = graph_from_json(graph_to_json(graph), environment={})
    for query in ("selector:behind", "tag:gpu", "config.limits[0].rpm:5", "critical()"):
        assert query_graph(again, query) == query_graph(graph, query)
