"""What is said of names that are not there, and of what cannot or must not be asked."""

from __future__ import annotations

import contextlib

import pytest
from tests.unit.graph.query.stack import KEY, short

from rungraph.graph import QueryError, RunGraph
from rungraph.graph.query import query as query_graph


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
        ("zzz:a", ("there is api, config.PATH, env, error, evidence, file, gen, kind, model, "
         "provider, router, selector, shield, state, status, strength, table, tag, type")),
        ("guard-ollama", ("no node matches 'guard-ollama'\n  guard-ollama\n  ^\n"
         "  help: a '-' within a name is part of it: write 'guard - ollama'")),
        ("tag:gup", "did you mean 'tag:gpu'?"),
        ("env:NOBODY", "no node matches 'env:NOBODY'"),
        ("error:G001", "no node matches 'error:G001'"),
        ("shield:x", "in this config 'shield:' finds no node, whatever follows it"),
        ("config:a", ("'config' needs the path of a key\n  config:a\n  ^\n"
         "  help: write it like config.url:http*")),
        ("config.uri:a", "no provider's config has that key"),
        ("tag:'a b'", ("column 5: quotes stand around a whole selector\n  tag:'a b'\n      ^\n"
         "  help: write it like 'tag:a b'")),
        ("config.url:ftp*", ("the key is there, with other values (a secret counts as ********): "
         "try 'config.url:*'")),
        ("config.flag:no", "the key is there, with other values: try 'config.flag:*'"),
        ("state:new", ("'state:' compares with another run config\n  state:new\n  ^\n"
         "  help: name it: --against OLD, or against=old in Python")),
        ("status:failed", ("'status:' asks how a run went, and none is given\n  status:failed\n"
         "  ^\n  help: name its events: --status EVENTS, or status={…} in Python")),
        ("selector:fra", "no selector 'fra'\n  selector:fra\n  ^\n  help: did you mean 'far'?"),
        ("agents | selector:chicken", "selector 'chicken', column 1: no node matches 'egg'"),
        ("selector:egg", "selector 'chicken', column 1: no node matches 'egg'"),
        ("selector:broken", ("selector 'broken', column 14: ',' only separates function arguments: "
         "use '&'\n  api:inference, far\n               ^")),
        ("filter('(', *)", ("column 8: not a regular expression: missing ): (\n  filter('(', *)\n"
         "         ^\n  help: RE2's syntax is read: no look-around, no back-references")),
        ("attr(color, x, *)", ("column 6: no attribute 'color'\n  attr(color, x, *)\n       ^\n"
         "  help: there is api, env, error, evidence, file, gen, id, kind, module, state, status, "
         "strength, tag, type, config.PATH")),
        ("attr(state, new, *)", "'state:' compares with another run config"),
        ("attr(status, ready, *)", "'status:' asks how a run went, and none is given"),
        ("attr(typ, x, *)", "did you mean 'type'?"),
        ("attr(type, '[', *)", "column 12: not a regular expression"),
        (f"agents | {'[' * 2001}", "column 10: the pattern is longer than 2,000 characters"),
        (f"selector:{'*a' * 1001}", "column 1: the pattern is longer than 2,000 characters"),
        (f"attr(config.{'*' * 2001}, x, *)", "column 1: the pattern is longer than 2,000"),
        (f"agents | {'a' * 2001}", "column 10: no node matches 'aaa"),
    ],
)  # fmt: skip
def test_names_that_are_not_there(graph: RunGraph, query: str, error: str) -> None:
    """The error tells the column and the nearest name that is there, or why it is not."""
    with pytest.raises(QueryError) as caught:
        query_graph(graph, query)
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("status:redy", "no status 'redy'\n  status:redy\n  ^\n  help: did you mean 'ready'?"),
        ("status:xyz*", ("no status 'xyz*'\n  status:xyz*\n  ^\n  help: there is degraded, failed, "
         "killed, ready, restarting, skipped, starting, stop_failed, stopped, stopping, waiting")),
        ("state:nwe", "no state 'nwe'\n  state:nwe\n  ^\n  help: did you mean 'new'?"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("may_miss", [False, True])
def test_words_that_nothing_compares_by(
    graph: RunGraph, query: str, error: str, *, may_miss: bool
) -> None:
    """A word that is no state of nodes selects nothing in any run, so it is never just empty."""
    with pytest.raises(QueryError) as caught:
        query_graph(graph, query, against=graph, status={}, may_miss=may_miss)
    assert error in str(caught.value)


def test_selectors_that_form_a_cycle(graph: RunGraph) -> None:
    """The cycle is named, however it is entered; a long chain is refused, too."""
    selectors = {
        "a": "selector:b",
        "b": "ollama | selector:c",
        "c": "selector:a",
        "d": "selector:a",
    }
    with pytest.raises(QueryError) as caught:
        query_graph(graph, "guard | selector:d", selectors=selectors)
    assert str(caught.value) == (
        "selector 'c', column 1: selectors name each other in a cycle: a -> b -> c -> a\n"
        "  selector:a\n  ^"
    )
    chain = {f"s{n}": f"selector:s{n + 1}" for n in range(5_000)} | {"s5000": "*"}
    with pytest.raises(QueryError, match="selectors name each other more than 10 deep"):
        query_graph(graph, "selector:s0", selectors=chain)
    # Each is answered once, however often it is named.
    wide = {f"w{n}": f"selector:w{n + 1} | selector:w{n + 1}" for n in range(9)} | {"w9": "guard"}
    assert short(query_graph(graph, "selector:w0", selectors=wide)) == "guard"


@pytest.mark.parametrize(
    "query",
    ["config.api_key:*environment*", f"config.api_key:{KEY[:4]}*", "config.url:*pw-in*",
     "config.pass_phrase:open*", "config.path:*plain-*", "config.password:k*",
     "config.*:*open-sesame*", "config.*:*k7*", "config.*:*pw-in*", "attr(config.*, 'sk-', *)",
     "config.mcp.env.*.value:hunt*", "config.mcp:*hunter22*", "config.hint:*Tango*",
     "attr(config.api_key, 'environ', *)", "attr(config.pass_phrase, sesame, *)",
     "config.Value:k7*"],
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
