"""A run config read entry by entry: what is said of keys that are not what they should be."""

from __future__ import annotations

import pytest

from rungraph.graph import Address, Severity, compile_config
from rungraph.graph.nodes import ProviderNode

_PROVIDERS = """\
distro_name: a
providers:
  inference:
  - {provider_id: o, provider_type: "remote::ollama", config: {}}
"""


def _told(text: str, catalog: str) -> list[tuple[Severity, str, tuple[str, ...]]]:
    graph = compile_config(_PROVIDERS + text, catalog=catalog, environment={})
    return [
        (one.severity, one.message, one.help)
        for one in graph.diagnostics
        if one.severity is not Severity.NOTE
    ]


def test_a_misspelt_id_of_a_resource_is_told_once() -> None:
    """Not as a key that is missing, beside one that is not known."""
    text = "registered_resources: {models: [{modelId: m, provider_id: o}]}\n"
    assert _told(text, "ogx@1.5.0") == [
        (Severity.ERROR, "unknown key 'modelId'", ("did you mean 'model_id'?",))
    ]


def test_an_id_that_will_not_do_is_named_as_it_is_written() -> None:
    """The key that stands in the file, at its place."""
    text = "registered_resources: {models: [{model_id: 5, provider_id: o}]}\n"
    [(_, message, _)] = _told(text, "ogx@1.5.0")
    assert message == "'registered_resources.models[0].model_id' must be text, not an integer"


def test_a_list_of_resources_that_moved_is_not_taken_for_providers() -> None:
    """``models`` is the name of an API, too, but of one that nobody can provide."""
    assert _told("models: [{model_id: m, provider_id: o}]\n", "ogx@1.5.0") == [
        (
            Severity.ERROR,
            "'models' at the top is not read by ogx 1.5.0",
            ("move it to 'registered_resources.models'",),
        )
    ]


def test_a_type_that_needs_a_process_of_its_own_has_one() -> None:
    """Another placement is refused, and none need be given."""
    entry = {"provider_id": "a", "provider_type": "inline::llama-cpp"}
    for more, expected in (
        ({}, []),
        ({"placement": "process"}, []),
        (
            {"placement": "inline"},
            ["'providers.inference[0].placement' must be 'process' for 'inline::llama-cpp'"],
        ),
    ):
        graph = compile_config({"providers": {"inference": [entry | more]}}, environment={})
        assert [one.message for one in graph.diagnostics] == expected
        node = graph[Address.provider("inference", "a")]
        assert isinstance(node, ProviderNode)
        assert node.placement == "process"


def test_a_word_that_is_no_choice_is_named_beside_the_choices() -> None:
    """A text where a text belongs is not said to be wrong for being text."""
    entry = {"provider_id": "a", "provider_type": "inline::wordllama"}
    entry |= {"restart": "alway", "placement": "thread"}
    graph = compile_config({"providers": {"inference": [entry]}}, environment={})
    path = "'providers.inference[0]"
    assert [(one.message, one.help) for one in graph.diagnostics] == [
        (f"{path}.placement' must be 'inline' or 'process', not 'thread'", ()),
        (
            f"{path}.restart' must be 'on-failure' or 'always' or 'never', not 'alway'",
            ("did you mean 'always'?",),
        ),
    ]


@pytest.mark.parametrize("api", ["", "/inference", "inference/a"])
def test_an_api_that_nothing_can_be_called_has_no_nodes(api: str) -> None:
    """They would be written like others: provider:inference/a/b is one of two."""
    provider = {"provider_id": "b", "provider_type": "remote::openai"}
    graph = compile_config({"providers": {api: [provider]}}, environment={})
    assert [str(one) for one in graph] == ["provider:inspect/builtin"]
    assert [one.message for one in graph.diagnostics] == [f"unknown API '{api}'"]
