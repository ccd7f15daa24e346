"""Who reads which variable of the environment."""

from __future__ import annotations

from rungraph.graph import compile_config
from rungraph.graph.plan import make_plan
from rungraph.graph.query import query


def test_what_an_alias_repeats_each_of_its_entries_reads() -> None:
    """A query and a plan name all providers of a shared config, not the first alone."""
    config = """
providers:
  inference:
  - {provider_id: a, provider_type: "remote::tgi", config: &shared {url: "${env.URL:=http://h}"}}
  - {provider_id: b, provider_type: "remote::tgi", config: *shared}
  - {provider_id: c, provider_type: "remote::tgi", config: {deep: [*shared]}}
  - {provider_id: d, provider_type: "remote::tgi", config: {<<: *shared, url: "http://other"}}
"""
    graph = compile_config(config, environment={})
    readers = [f"provider:inference/{name}" for name in "abc"]
    assert sorted(map(str, query(graph, "env:URL"))) == readers
    assert [*make_plan(graph).config.env[0].used_by] == readers
