"""Laws of compiling: order, determinism, round trips, and that no config raises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import networkx as nx
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.property.strategies_configs import catalogs, configs

from rungraph.graph import Catalog, compile_config
from rungraph.graph.plan import PlanError
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
from rungraph.notebook import html_of

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = [
    "version",
    "image_name",
    "apis",
    "providers",
    "models",
    "shields",
    "metadata_store",
    "routing_table",
    "x",
]


@given(configs(), catalogs())
def test_every_edge_leads_to_a_later_generation(config: dict[str, Any], catalog: Catalog) -> None:
    """Without hard cycles, a node starts in a later generation than all that it needs or uses."""
    graph = compile_config(config, catalog=catalog, environment={})
    has_cycle = any(one.code in ("G001", "G006") for one in graph.diagnostics)
    assert has_cycle == (not nx.is_directed_acyclic_graph(graph.nx))
    for edge in graph.edges:
        before, after = graph.generation_of(edge.dependency), graph.generation_of(edge.dependent)
        assert before < after or (has_cycle and before == after)
    assert sorted(graph) == sorted(graph.nodes)


@given(configs(), catalogs())
def test_json_round_trip(config: dict[str, Any], catalog: Catalog) -> None:
    """A graph read from its JSON writes the same JSON."""
    text = graph_to_json(compile_config(config, catalog=catalog, environment={}))
    assert graph_to_json(graph_from_json(text, environment={})) == text


@given(
    st.dictionaries(st.sampled_from(KEYS), JSON_VALUES)
    | st.dictionaries(st.text(max_size=4), JSON_VALUES)
)
def test_no_mapping_raises(config: dict[str, Any]) -> None:
    """Whatever a mapping holds, compiling it gives a graph that can be shown."""
    graph = compile_config(config, environment={})
    graph_to_json(graph)
    html_of(graph)  # Drawing has laws, and tests, of its own.


@settings(max_examples=200)
@given(st.text(alphabet="{}[]:-,#&*!|>'\"%@`~ \n\tab0$env.=+", max_size=60))
def test_no_text_raises(text: str) -> None:
    """Whatever a text holds, compiling it gives a graph with at least one problem or none."""
    graph_to_json(compile_config(text + "\n", environment={}))


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths to all values inside *value*."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from _places(inner, (*path, key))


_CONFIG = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
_PLAN = graph_to_json(compile_config(_CONFIG, environment={"HOME": "/h"}))
_PLACES = list(_places(json.loads(_PLAN)))
_GONE = object()


@given(
    path=st.sampled_from(_PLACES), value=st.sampled_from([_GONE, None, 5, -1, "x", [], {}, True])
)
@example(path=("nodes", 7), value=_GONE)
@example(path=("config", "files"), value=[])
def test_a_plan_that_was_changed_by_hand_is_read_or_refused(
    path: tuple[str | int, ...], value: object
) -> None:
    """Nothing but a PlanError comes of it, whatever one of its values becomes."""
    plan = json.loads(_PLAN)
    holder: Any = plan
    for key in path[:-1]:
        holder = holder[key]
    if value is _GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    with suppress(PlanError):
        graph_from_json(json.dumps(plan), environment={})
