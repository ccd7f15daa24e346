"""Why a node is in a graph, why something is not, and how two nodes hang together."""

from __future__ import annotations

import json

import pytest

from rungraph.graph import (
    Address,
    ApiSpec,
    Catalog,
    ProviderSpec,
    RoutedPair,
    RunGraph,
    compile_config,
)
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
from rungraph.graph.query import QueryError
from rungraph.graph.why import (
    absence_to_dict,
    between_to_dict,
    node_named,
    presence_to_dict,
    render_absence,
    render_between,
    render_presence,
    why_absent,
    why_between,
    why_present,
)
from rungraph.graph.why.naming import AmbiguousNameError

CATALOG = Catalog.of(
    apis=[
        *(ApiSpec(name, f"x:{name}") for name in ("inference", "models", "memory", "banks")),
        *(ApiSpec(name, f"x:{name}") for name in ("agents", "telemetry", "safety", "shields")),
        ApiSpec("inspect", "x:inspect", builtin="inline::inspect"),
    ],
    pairs=[
        RoutedPair("inference", "models", "model", "model", "x:M"),
        RoutedPair("memory", "banks", "bank", "bank", "x:B"),
        RoutedPair("safety", "shields", "shield", "shield", "x:S"),
    ],
    providers=[
        ProviderSpec("inference", "remote::tgi", "x"),
        ProviderSpec(
            "memory", "inline::faiss", "x", dependencies=("inference",), origin="the-package"
        ),
        ProviderSpec(
            *("agents", "inline::ref", "x"),
            dependencies=("memory", "inference"),
            optional_dependencies=("telemetry",),
        ),
        ProviderSpec(
            "telemetry", "inline::otel", "x", optional_dependencies=("agents", "inference")
        ),
        ProviderSpec("safety", "inline::guard", "x"),
        ProviderSpec("inspect", "inline::inspect", "x"),
    ],
)

CONFIG = """\
apis: [agents, telemetry]
providers:
  inference:
  - {provider_id: foo, provider_type: "remote::tgi"}
  - {provider_id: bar, provider_type: "remote::tgi"}
  - {provider_id: "${env.URL:+tgi}", provider_type: "remote::tgi"}
  - {provider_id: __disabled__, provider_type: "remote::tgi"}
  - {provider_id: foo, provider_type: "remote::tgi", config: {second: true}}
  - {provider_id: half}
  - {provider_id: odd, provider_type: "remote::tgii"}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
  agents:
  - {provider_id: ref, provider_type: "inline::ref"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::otel"}
  safety:
  - {provider_id: guard, provider_type: "inline::guard"}
  models:
  - {provider_id: mine, provider_type: "remote::tgi"}
"""


@pytest.fixture
def graph() -> RunGraph:
    """A config in which nearly everything has happened to some provider."""
    return compile_config(CONFIG, catalog=CATALOG, environment={})


def _between(graph: RunGraph, first: str, second: str, most: int = 1) -> str:
    ends = Address.parse(first), Address.parse(second)
    return render_between(graph, why_between(graph, *ends, most=most))


# --- two nodes ---------------------------------------------------------------------------------


def test_the_shortest_path_says_why_each_node_needs_the_next(graph: RunGraph) -> None:
    """Each line has a node, where it stands, and the evidence of the step."""
    assert _between(graph, "provider:agents/ref", "provider:inference/bar") == (
        "provider:agents/ref needs provider:inference/bar, or another member of table:models "
        "(over 3 steps)\n"
        "\n"
        "    provider:agents/ref     <text>:14:5      'inline::ref' needs inference\n"
        "  ▼ router:inference        (router)         looks up models\n"
        "  ▼ table:models            (routing table)  needs any of 3 members\n"
        "  ▼ provider:inference/bar  <text>:5:5\n"
        "\n"
        "+2 more paths\n"
    )


def test_it_does_not_matter_which_is_named_first(graph: RunGraph) -> None:
    """Both directions are tried: the text says which needs which."""
    one, other = "provider:inference/bar", "provider:agents/ref"
    assert _between(graph, one, other) == _between(graph, other, one)


def test_all_paths_come_shortest_first_and_the_rest_is_counted(graph: RunGraph) -> None:
    """Of equal length the first by its addresses; the step names the catalog that says so."""
    text = _between(graph, "provider:agents/ref", "provider:inference/bar", most=9)
    assert text.count("▼ provider:inference/bar") == 3
    assert text.index("'inline::ref' needs inference") < text.index("'inline::ref' needs memory")
    assert "'inline::faiss' needs inference, says the catalog of the-package" in text
    between = why_between(
        graph, Address.parse("provider:agents/ref"), Address.parse("table:models"), most=1
    )
    assert render_between(graph, between).endswith("+2 more paths\n")
    assert between_to_dict(between)["total"] == 3


def test_an_edge_that_is_bound_late_is_told_as_such(graph: RunGraph) -> None:
    """Telemetry and agents use each other: one of the two edges was dropped."""
    assert [tuple(map(str, edge[:2])) for edge in graph.dropped] == [
        ("provider:agents/ref", "provider:telemetry/otel")
    ]
    text = _between(graph, "provider:agents/ref", "provider:telemetry/otel")
    assert text.startswith("provider:agents/ref uses provider:telemetry/otel, if it is there (dir")
    assert (
        "and, the other way round, provider:telemetry/otel uses provider:agents/ref, if it is "
        "there (directly)\n"
    ) in text
    other = _between(graph, "provider:telemetry/otel", "provider:agents/ref")
    assert other.startswith("provider:telemetry/otel uses provider:agents/ref, if it is there")
    assert "and, the other way round, provider:agents/ref uses provider:telemetry/otel" in other
    assert "agents; bound late, because they need each other" in text
    only = why_between(graph, Address.parse("provider:agents/ref"), Address.parse("table:models"))
    assert not only.back.listed


def test_neither_needs_the_other(graph: RunGraph) -> None:
    """Then what both need and what needs both are named."""
    assert _between(graph, "provider:inference/foo", "provider:inference/bar") == (
        "neither provider:inference/foo nor provider:inference/bar needs the other\n"
        "\n"
        "both are needed by table:models, router:inference, provider:memory/faiss, "
        "provider:telemetry/otel, table:banks, router:memory, provider:agents/ref\n"
    )


def test_a_node_and_itself(graph: RunGraph) -> None:
    """One node is no pair."""
    assert _between(graph, "table:models", "table:models") == (
        "table:models is one node; name another one to see what lies between\n"
    )


def test_circles_on_the_way_leave_the_shortest_path() -> None:
    """A graph with hard cycles can be asked as well."""
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:y") for name in "abc"],
        providers=[
            ProviderSpec("a", "t", "x", dependencies=("b",)),
            ProviderSpec("b", "t", "x", dependencies=("c",)),
            ProviderSpec("c", "t", "x", dependencies=("a",)),
        ],
    )
    config = {"providers": {n: [{"provider_id": n, "provider_type": "t"}] for n in "abc"}}
    graph = compile_config(config, catalog=catalog, environment={})
    text = _between(graph, "provider:a/a", "provider:b/b", most=5)
    assert "provider:a/a needs provider:b/b (directly)" in text
    assert "and, the other way round, provider:b/b needs provider:a/a (over 2 steps)" in text
    assert "cycles lie on the way" not in text


# --- one node ----------------------------------------------------------------------------------


def test_a_node_that_was_pulled_in_says_by_whom(graph: RunGraph) -> None:
    """Where it is configured, why its API is served, who needs it, and the chain to what is."""
    text = render_presence(graph, why_present(graph, Address.parse("provider:memory/faiss")))
    assert text == (
        "provider:memory/faiss  inline::faiss\n"
        "\n"
        "  origin      configured as providers.memory[0] (<text>:12:5)\n"
        "  served      'apis' does not list memory; provider:agents/ref needs it\n"
        "  needed by   table:banks  its only member\n"
        "  in the end  provider:agents/ref\n"
        "  problems    note[G005]: 'provider:memory/faiss' is started because others need it: "
        "'apis' does not list memory\n"
        "\n"
        "pulled in by provider:agents/ref, which the config asks for:\n"
        "\n"
        "    provider:agents/ref    <text>:14:5      'inline::ref' needs memory\n"
        "  ▼ router:memory          (router)         looks up banks\n"
        "  ▼ table:banks            (routing table)  its only member\n"
        "  ▼ provider:memory/faiss  <text>:12:5\n"
    )


@pytest.mark.parametrize(
    ("address", "origin", "served"),
    [
        (
            "provider:agents/ref",
            "configured as providers.agents[0] (<text>:14:5)",
            "'apis' lists agents (<text>:1:8)",
        ),
        ("provider:inspect/builtin", "every stack has inspect", "every stack has inspect"),
        (
            "table:models",
            "models is served, and has a routing table with inference: a routed pair",
            "'apis' does not list models; provider:agents/ref needs it",
        ),
    ],
)
def test_why_an_api_is_served(graph: RunGraph, address: str, origin: str, served: str) -> None:
    """Listed, builtin, or needed by what is."""
    presence = why_present(graph, Address.parse(address))
    assert (str(presence.origin), str(presence.served)) == (origin, served)


def test_without_apis_the_providers_imply_what_is_served() -> None:
    """Then the key of 'providers' is what the config says."""
    text = CONFIG.replace("apis: [agents, telemetry]\n", "")
    graph = compile_config(text, catalog=CATALOG, environment={})
    served = why_present(graph, Address.parse("table:banks")).served
    assert str(served) == "'providers' has the key memory (<text>:10:3)"


def test_a_graph_read_from_json_knows_no_places_in_a_file(graph: RunGraph) -> None:
    """It is asked all the same."""
    again = graph_from_json(graph_to_json(graph), environment={})
    presence = why_present(again, Address.parse("provider:agents/ref"))
    assert str(presence.served) == "agents is served"
    assert str(presence.origin) == "configured as providers.agents[0] (<text>:14:5)"


def test_only_what_needs_a_node_pulls_it_in() -> None:
    """A nearer node that would use it softly has not brought it into the graph."""
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:y") for name in "abcd"],
        providers=[
            ProviderSpec("a", "t", "x", optional_dependencies=("c",)),
            ProviderSpec("b", "t", "x", dependencies=("d",)),
            ProviderSpec("c", "t", "x"),
            ProviderSpec("d", "t", "x", dependencies=("c",)),
        ],
    )
    providers = {n: [{"provider_id": n, "provider_type": "t"}] for n in "abcd"}
    config = {"apis": ["a", "b"], "providers": providers}
    graph = compile_config(config, catalog=catalog, environment={})
    chain = why_present(graph, Address.parse("provider:c/c")).pulled_in
    assert chain is not None
    assert list(map(str, chain.nodes)) == ["provider:b/b", "provider:d/d", "provider:c/c"]


# --- names -------------------------------------------------------------------------------------


def test_a_name_means_one_node(graph: RunGraph) -> None:
    """An address, its last part, or a query."""
    for name in ("provider:memory/faiss", "memory/faiss", "faiss", "type:inline::faiss"):
        assert str(node_named(graph, name)) == "provider:memory/faiss"
    with pytest.raises(AmbiguousNameError) as several:
        node_named(graph, "provider:inference/*")
    assert str(several.value) == (
        "'provider:inference/*' means 3 nodes: provider:inference/bar, provider:inference/foo, "
        "provider:inference/odd; name one of them"
    )
    with pytest.raises(AmbiguousNameError, match="'faiss - faiss' selects no node"):
        node_named(graph, "faiss - faiss")
    with pytest.raises(QueryError, match="did you mean 'faiss'"):
        node_named(graph, "fais")


# --- what is not there -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reasons", "text"),
    [
        (
            "tgi",
            ["env_unset"],
            (
                "inference/${env.URL:+tgi} (remote::tgi) is switched off: provider_id is "
                "${env.URL:+tgi} and URL is not set\n"
                "  --> <text>:6:5\n"
                "  help: export URL=…\n"
            ),
        ),
        (
            "provider:inference/__disabled__",
            ["disabled"],
            (
                "inference/__disabled__ (remote::tgi) is switched off: provider_id is "
                "__disabled__\n"
                "  --> <text>:7:5\n"
                "  help: give it a provider_id\n"
            ),
        ),
        (
            "inference/foo",
            ["duplicate", "error"],
            (
                "inference/foo (remote::tgi) is left out: another provider of inference has the "
                "same "
                "id\n"
                "  --> <text>:4:5\n"
                "  help: give one of the two another id, such as 'foo-2'\n"
                "\n"
                "provider:inference/foo is in the graph, but it cannot run: provider id 'foo' "
                "is used "
                "twice in inference\n"
                "  --> <text>:8:5\n"
                "  help: give one of them another id, such as 'foo-2'\n"
            ),
        ),
        (
            "half",
            ["unreadable"],
            (
                "providers.inference[5] cannot be made out: the key 'provider_type' is missing\n"
                "  --> <text>:9:5\n"
                "  help: add 'provider_type: …'\n"
            ),
        ),
        (
            "mine",
            ["unreadable"],
            (
                "providers.models[0] is not used: models is provided automatically, with "
                "inference\n"
                "  --> <text>:20:5\n"
                "  help: configure inference instead\n"
            ),
        ),
        (
            "odd",
            ["error"],
            (
                "provider:inference/odd is in the graph, but it cannot run: 'remote::tgii' is "
                "not a "
                "provider type of inference\n"
                "  --> <text>:10:39\n"
                "  help: did you mean 'remote::tgi'?\n"
                "  help: types of inference: remote::tgi\n"
                "  help: a type of your own: name its module with 'module: package.module'\n"
            ),
        ),
        (
            "guard",
            ["not_served"],
            (
                "safety/guard (inline::guard) is left out: 'apis' does not list safety, and "
                "nothing "
                "needs it\n"
                "  --> <text>:18:5\n"
                "  help: add 'safety' to 'apis'\n"
            ),
        ),
        (
            "router:safety",
            ["not_served"],
            (
                "safety/guard (inline::guard) is left out: 'apis' does not list safety, and "
                "nothing "
                "needs it\n"
                "  --> <text>:18:5\n"
                "  help: add 'safety' to 'apis'\n"
            ),
        ),
        (
            "table:safety",
            ["unknown"],
            (
                "there is no 'table:safety': safety is routed by shields\n"
                "  help: did you mean 'table:shields'?\n"
            ),
        ),
        (
            "router:agents",
            ["unknown"],
            "agents is not routed: it has no router\n",
        ),
        (
            "memory/fais",
            ["unknown"],
            (
                "memory has no provider 'fais'; it has faiss\n"
                "  help: did you mean 'provider:memory/faiss'?\n"
            ),
        ),
        (
            "provider:infrence/foo",
            ["unknown_api"],
            "no catalog has an API 'infrence'\n  help: did you mean 'provider:inference/foo'?\n",
        ),
        (
            "remote::tgii",
            ["unknown_type"],
            (
                "no catalog has a provider type 'remote::tgii', which provider:inference/odd "
                "names\n"
                "  help: did you mean 'remote::tgi'?\n"
            ),
        ),
        (
            "fais",
            ["unknown"],
            "neither the config nor a catalog knows 'fais'\n  help: did you mean 'faiss'?\n",
        ),
        (
            "qqq",
            ["unknown"],
            (
                "neither the config nor a catalog knows 'qqq'\n"
                "  help: 'rungraph plan' lists what there is\n"
            ),
        ),
        (
            "faiss",
            ["present"],
            (
                "provider:memory/faiss is in the graph\n"
                "  help: 'rungraph why' tells why; with --events FILE, this tells what a run "
                "made of "
                "it\n"
            ),
        ),
    ],
)
def test_why_something_is_not_there(
    graph: RunGraph, name: str, reasons: list[str], text: str
) -> None:
    """Each reason has a word for programs, a sentence, a place and the way out."""
    absence = why_absent(graph, name)
    assert [cause.reason for cause in absence.causes] == reasons
    assert render_absence(absence) == text
    assert absence.is_known == ("unknown" not in reasons)


def test_an_api_that_nobody_configured() -> None:
    """Its router and its table are missing for the same reasons."""
    text = "apis: [agents]\nproviders:\n  agents:\n  - {provider_id: a, provider_type: 't'}\n"
    graph = compile_config(text, catalog=CATALOG, environment={})
    for name in ("memory", "router:memory", "provider:memory/faiss"):
        assert render_absence(why_absent(graph, name)) == (
            "'providers' has no key memory\n"
            "  --> <text>:2:1\n"
            "  help: add a provider under 'providers.memory'\n"
            "  help: types of memory: inline::faiss\n"
            "\n"
            "'apis' does not list memory, and nothing needs it\n"
            "  --> <text>:1:7\n"
            "  help: add 'memory' to 'apis'\n"
        )
    assert [cause.reason for cause in why_absent(graph, "inline::faiss").causes] == [
        "not_configured"
    ]


def test_an_id_that_could_be_anything_is_not_everything() -> None:
    """Whoever asks for an id of some API hears of it; whoever asks for an id alone does not."""
    entry = {"provider_id": "${env.ANY}", "provider_type": "remote::tgi"}
    off = {"provider_id": "${env.ANY:+${env.ANY}}", "provider_type": "remote::tgi"}
    config = {"providers": {"inference": [entry, off]}}
    graph = compile_config(config, catalog=CATALOG, environment={})
    assert [one.reason for one in why_absent(graph, "zzz").causes] == ["unknown"]
    assert why_absent(graph, "inference/zzz").causes[0].reason == "env_unset"


def test_everything_is_json(graph: RunGraph) -> None:
    """Programs read kind and format_version first."""
    ends = Address.parse("provider:agents/ref"), Address.parse("table:models")
    for found, kind in (
        (presence_to_dict(why_present(graph, ends[0])), "why"),
        (between_to_dict(why_between(graph, *ends)), "why"),
        (absence_to_dict(why_absent(graph, "tgi")), "why-not"),
    ):
        again = json.loads(json.dumps(found))
        assert (again["kind"], again["format_version"]) == (kind, "1.0")
