"""The start-up summary tells who waited for whom, and what could not have been faster."""

from __future__ import annotations

from rungraph.cli.output.start_summary import render_summary, summary_to_dict
from rungraph.engine.events import (
    Event,
    NodeFailed,
    NodeReady,
    NodeSkipped,
    NodeStarting,
    NodeWaiting,
    StackReady,
)
from rungraph.engine.run.timeline import timeline
from rungraph.graph import Address, compile_config

A = Address.provider("inference", "a")
B = Address.provider("inference", "b")
TABLE = Address.table("models")


GRAPH = compile_config({"image_name": "small", "providers": {}}, environment={})
"""Any graph: a summary takes its name alone."""
SUMMARY = """\
small is ready: 3 nodes in 4.00 s

                           needs      turn       own
generation 0
  provider:inference/a    0.00 s    0.00 s    1.00 s  ######
* provider:inference/b    0.00 s    0.50 s    2.00 s  ---############
generation 1
* table:models            2.50 s    0.50 s    1.00 s  ...............---######

* critical path, 3.00 s of 4.00 s: provider:inference/b > table:models
needs: waiting for what it depends on; turn: for its generation or a free place; own: its own start\
"""
EVENTS: list[Event] = [
    NodeWaiting(0.0, A, (), 0),
    NodeWaiting(0.0, B, (), 0),
    NodeWaiting(0.0, TABLE, (A, B), 1),
    NodeStarting(0.0, A),
    NodeStarting(0.5, B),
    NodeReady(1.0, A, duration=1.0, waited=0.0),
    NodeReady(2.5, B, duration=2.0, waited=0.5),
    NodeStarting(3.0, TABLE),
    NodeReady(4.0, TABLE, duration=1.0, waited=3.0),
    StackReady(4.0),
]


def test_each_node_has_its_times_and_the_critical_path_is_marked() -> None:
    """Waiting for needs, waiting for a turn and the own start are three columns and a bar."""
    assert render_summary(GRAPH, timeline(EVENTS)) == SUMMARY


def test_the_same_as_json_values() -> None:
    """Times are in seconds, nodes in start order."""
    found = summary_to_dict(GRAPH, timeline(EVENTS))
    assert found["name"] == "small"
    assert found["seconds"] == 4.0
    assert found["critical_path"] == ["provider:inference/b", "table:models"]
    assert found["nodes"][2] == {
        "address": "table:models",
        "generation": 1,
        "state": "ready",
        "waited_for_needs": 2.5,
        "waited_for_turn": 0.5,
        "own": 1.0,
    }


def test_nodes_that_do_not_run_say_so_in_place_of_times() -> None:
    """With ``on_failure: degrade`` the headline counts what runs."""
    events: list[Event] = [
        NodeWaiting(0.0, A, (), 0),
        NodeWaiting(0.0, TABLE, (A,), 1),
        NodeStarting(0.0, A),
        NodeFailed(1.0, A, RuntimeError("no")),
        NodeSkipped(1.0, TABLE, (A,)),
        StackReady(1.0),
    ]
    text = render_summary(GRAPH, timeline(events))
    assert "small is ready: 0 of 2 nodes in 1.00 s" in text
    assert "provider:inference/a  failed" in text
    assert "table:models          skipped" in text


def test_of_very_many_nodes_the_slowest_and_the_failed_are_shown() -> None:
    """Two hundred nodes fit on a screen: what was slow, what failed, and a count of the rest."""
    many = [Address.provider("inference", f"p{number:03}") for number in range(200)]
    events: list[Event] = [NodeWaiting(0.0, one, (), 0) for one in many]
    for number, one in enumerate(many):
        events.append(NodeStarting(0.0, one))
        if number == 7:
            events.append(NodeFailed(0.001, one, RuntimeError("no")))
        else:
            events.append(NodeReady(number / 100, one, duration=number / 100, waited=0.0))
    text = render_summary(GRAPH, timeline([*events, StackReady(2.0)]))
    assert len(text.splitlines()) < 60
    assert "provider:inference/p199" in text
    assert "provider:inference/p007  failed" in text
    assert "provider:inference/p001" not in text
    assert "  and 159 more that started faster" in text


def test_an_instant_start_divides_by_nothing() -> None:
    """A start that took no time at all still has a summary."""
    events: list[Event] = [
        NodeWaiting(0.0, A, (), 0),
        NodeStarting(0.0, A),
        NodeReady(0.0, A, duration=0.0, waited=0.0),
        StackReady(0.0),
    ]
    assert "1 node in 0.00 s" in render_summary(GRAPH, timeline(events))
