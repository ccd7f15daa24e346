"""Laws of diffs: nothing differs from itself, order does not count, a diff says all there is."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.diff_patch import applied
from tests.property.strategies_configs import APIS, ROUTED, catalogs
from tests.property.strategies_pairs import ENVIRONMENTS, full_configs, pairs
from tests.unit.graph.catalog.eras import ERAS

from rungraph.graph import Address, Catalog, compile_config
from rungraph.graph.diff import diff_graphs, snapshot_of

Pair = tuple[dict[str, Any], dict[str, Any]]
_UNORDERED = {*APIS, *ROUTED.values(), "apis", "checks", "tags"}
"""The keys of lists whose order means nothing; in a provider's config, it does."""

_KEYS = st.sampled_from(["server", "x-anchors", "logging", "storage", "modls"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab${}", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)


def _in_another_order(value: Any, order: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        items = [(name, _in_another_order(item, order, name)) for name, item in value.items()]
        order.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items = [_in_another_order(item, order) for item in value]
        if key in _UNORDERED:
            order.shuffle(items)
        return items
    return value


@given(full_configs(), catalogs(), ENVIRONMENTS)
def test_a_graph_does_not_differ_from_itself(
    config: dict[str, Any], catalog: Catalog, environment: dict[str, str]
) -> None:
    """diff(a, a) is empty, all nodes are the same, and the normal form is not changed by it."""
    graph = compile_config(config, catalog=catalog, environment=environment)
    diff = diff_graphs(graph, compile_config(config, catalog=catalog, environment=environment))
    assert diff.is_empty
    assert not diff.affected
    assert dict(diff.states) == dict.fromkeys(graph.nodes, frozenset({"same"}))
    assert applied(diff, snapshot_of(graph)) == snapshot_of(graph)


@given(full_configs(), catalogs(), ENVIRONMENTS, st.randoms(use_true_random=False))
def test_another_order_is_no_difference(
    config: dict[str, Any], catalog: Catalog, environment: dict[str, str], order: Any
) -> None:
    """A config whose keys and entries stand in another order says the same."""
    graph = compile_config(config, catalog=catalog, environment=environment)
    other = _in_another_order(config, order)
    reordered = compile_config(other, catalog=catalog, environment=environment)
    assert diff_graphs(graph, reordered).is_empty
    assert snapshot_of(graph) == snapshot_of(reordered)


def _scalars(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [one for key, item in value.items() for one in _scalars(item, (*path, key))]
    if isinstance(value, list):
        return [one for index, item in enumerate(value) for one in _scalars(item, (*path, index))]
    return [path]


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    return _at(value[path[0]], path[1:]) if path else value


def _edited(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return not value if isinstance(value, bool) else f"{value}x"
    copy = value.copy()
    copy[path[0]] = _edited(value[path[0]], path[1:])
    return copy


@given(full_configs(), st.dictionaries(_KEYS, _VALUES, max_size=3), catalogs(), st.data())
def test_an_edit_of_any_scalar_is_seen(
    config: dict[str, Any], more: dict[str, Any], catalog: Catalog, data: st.DataObject
) -> None:
    """Nothing that a config says is invisible, known or not, used or switched off."""
    config = {**more, **config}
    path = data.draw(st.sampled_from(_scalars(config)))
    edited = _edited(config, path)
    old, new = (compile_config(one, catalog=catalog, environment={}) for one in (config, edited))
    listed = _at(config, path[:-1])
    if isinstance(listed, list) and path[0] not in more and listed.count(_at(config, path)) > 1:
        return  # An API or a tag that is listed twice is still there.
    assert not diff_graphs(old, new).is_empty


@pytest.mark.parametrize("release", ERAS)
def test_an_edit_of_any_scalar_of_a_real_config_is_seen(release: str) -> None:
    """Each of them, one after the other, whatever the release makes of it."""
    config = yaml.safe_load(ERAS[release])
    old = compile_config(config, catalog="llama-stack", environment={})
    unseen = [
        path
        for path in _scalars(config)
        if diff_graphs(
            old, compile_config(_edited(config, path), catalog="llama-stack", environment={})
        ).is_empty
    ]
    assert unseen == []


@given(pairs(), catalogs(), ENVIRONMENTS, ENVIRONMENTS)
def test_a_diff_leads_from_the_old_to_the_new(
    pair: Pair, catalog: Catalog, before: dict[str, str], after: dict[str, str]
) -> None:
    """apply(diff(a, b), a) = b, of graphs and of their normal forms."""
    old = compile_config(pair[0], catalog=catalog, environment=before)
    new = compile_config(pair[1], catalog=catalog, environment=after)
    start, end = snapshot_of(old), snapshot_of(new)
    assert applied(diff_graphs(old, new), start) == end
    assert applied(diff_graphs(start, end), start) == end
    assert applied(diff_graphs(start, new), start) == end


@given(pairs(), catalogs())
def test_a_diff_of_normal_forms_is_empty_when_they_are_equal(pair: Pair, catalog: Catalog) -> None:
    """Normal forms differ exactly when their diff is not empty."""
    start, end = (
        snapshot_of(compile_config(config, catalog=catalog, environment={})) for config in pair
    )
    assert diff_graphs(start, end).is_empty == (repr(start) == repr(end))


@given(pairs(), catalogs())
def test_the_way_back_is_the_way_there(pair: Pair, catalog: Catalog) -> None:
    """What is added one way is removed the other; what is changed is changed both ways."""
    old, new = (compile_config(config, catalog=catalog, environment={}) for config in pair)
    there, back = diff_graphs(old, new), diff_graphs(new, old)
    swapped = {"new": "removed", "removed": "new"}
    marks = {a: next(iter(states - {"affected"})) for a, states in there.states.items()}
    assert {a: next(iter(states - {"affected"})) for a, states in back.states.items()} == {
        address: swapped.get(mark, mark) for address, mark in marks.items()
    }
    assert [(e.dependency, e.dependent, e.new, e.old) for e in there.edges] == [
        (e.dependency, e.dependent, e.old, e.new) for e in back.edges
    ]


@given(pairs(), catalogs())
def test_what_is_affected_is_what_is_downstream(pair: Pair, catalog: Catalog) -> None:
    """A node is affected exactly if it is as it was and downstream of what differs, late or not."""
    old, new = (compile_config(config, catalog=catalog, environment={}) for config in pair)
    diff = diff_graphs(old, new)
    differs = {one.address for one in diff.nodes}
    links: nx.DiGraph[Address] = nx.DiGraph([e[:2] for e in (*new.edges, *new.dropped)])
    links.add_nodes_from(new)
    starts = {edge.dependent for edge in diff.edges if edge.dependent in new}
    reached = starts.union(*(nx.descendants(links, one) for one in starts | differs & {*new}))
    assert {one.address for one in diff.affected} == reached - differs
