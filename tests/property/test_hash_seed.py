"""The hash seed of a process changes no byte of what is written."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
from rungraph import query
from rungraph.graph import *
from rungraph.graph.plan import *

names = [f"e{i}" for i in range(9)]
entry = {"provider_id": "p", "provider_type": "inline::x",
  "config": {"b": "${env.B:=1}", "a": {"z": 1, "y": "${env.A:=${env.C}}"}}}

def compiled(needs, uses):
    catalog = Catalog.of(apis=[ApiSpec(n, "x:y") for n in names],
      providers=[ProviderSpec(n, "inline::x", "x", dependencies=needs(i),
        optional_dependencies=uses(i)) for i, n in enumerate(names)])
    config = {"providers": {n: [entry] for n in names}}
    return compile_config(config, catalog=catalog, environment={})

def none(i): return ()
def others(i): return (*names[:i], *names[i + 1:])
def layer(i): return tuple(names[max(i // 3 * 3 - 3, 0):i // 3 * 3])

for graph in (compiled(others, none), compiled(lambda i: names[:i], lambda i: names[i + 1:])):
    plan = make_plan(graph, failed=list(graph)[:3], durations={one: 1.0 for one in graph},
      against=compile_config({"providers": {}}, environment={}), against_name="old")
    print(graph_to_json(graph), plan_to_json(plan), plan_to_markdown(plan), render_plan(plan))
graph = compiled(layer, none)
for text in ("roots(*)", "critical()", "somepath(api:e[678], api:e[012])"):
    found = query(graph, text)
    print([str(a) for a in found], found.path)
try:
    query(graph, "api:f0")
except QueryError as error:
    print(error)
"""


def test_the_hash_seed_does_not_count() -> None:
    """Graphs with hard cycles, with soft ones and with ties: JSON, text, answers, suggestions."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
