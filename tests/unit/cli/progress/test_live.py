"""The live picture shows every node as long as there is room, and what matters when not."""

from __future__ import annotations

from rungraph.cli.progress.live import Generations
from rungraph.engine.events import (
    NodeFailed,
    NodeReady,
    NodeStarting,
    NodeStopped,
    NodeStopping,
    NodeWaiting,
)
from rungraph.graph import Address

A = Address.provider("inference", "a")
B = Address.provider("inference", "b")
TABLE = Address.table("models")
MANY = tuple(Address.provider("inference", f"p{number:02}") for number in range(30))


def plain(shown: Generations, now: float, height: int) -> list[str]:
    """Return the lines of a picture without their colours."""
    return [line.plain.rstrip() for line in shown.lines(now, height)]


def started(*generations: tuple[Address, ...], is_ascii: bool = True) -> Generations:
    """Return the picture of nodes that wait."""
    shown = Generations("small", generations, is_ascii=is_ascii)
    for number, generation in enumerate(generations):
        for address in generation:
            shown.take(NodeWaiting(0.0, address, (), number))
    return shown


def test_every_node_has_a_line_with_its_state_and_time() -> None:
    """A node that starts counts the seconds; one that is ready shows how long it took."""
    shown = started((A, B), (TABLE,))
    shown.take(NodeStarting(0.0, A))
    shown.take(NodeStarting(0.0, B))
    shown.take(NodeReady(1.0, A, duration=1.0, waited=0.0))
    assert plain(shown, 2.0, 24) == [
        "starting small  1 ready of 3, 2.0 s",
        "generation 0",
        "  + provider:inference/a  ready       1.00 s",
        "  * provider:inference/b  starting    2.00 s",
        "generation 1",
        "  . table:models          waiting",
    ]


def test_a_stop_is_counted_from_its_own_beginning() -> None:
    """While the stack stops, the picture counts what has stopped and for how long."""
    shown = started((A,))
    shown.take(NodeReady(1.0, A, duration=1.0, waited=0.0))
    shown.verb, shown.since = "stopping", 10.0
    shown.take(NodeStopping(10.0, A))
    assert plain(shown, 10.5, 24)[::2] == [
        "stopping small  0 stopped of 1, 0.5 s",
        "  * provider:inference/a  stopping    0.50 s",
    ]
    shown.take(NodeStopped(11.0, A, duration=1.0))
    assert plain(shown, 11.0, 24)[0] == "stopping small  1 stopped of 1, 1.0 s"


def test_without_room_generations_are_counted_and_what_moves_is_shown() -> None:
    """Ready and waiting nodes make room for those that start or have failed."""
    shown = started(MANY, (TABLE,))
    for address in MANY[:-2]:
        shown.take(NodeReady(1.0, address, duration=1.0, waited=0.0))
    shown.take(NodeStarting(0.0, MANY[-2]))
    shown.take(NodeFailed(1.0, MANY[-1], RuntimeError("no")))
    assert plain(shown, 1.0, 10) == [
        "starting small  28 ready of 31, 1.0 s",
        "generation 0  28 ready, 1 starting, 1 failed",
        "  * provider:inference/p28  starting    1.00 s",
        "  x provider:inference/p29  failed",
        "generation 1  1 waiting",
    ]


def test_a_picture_never_is_higher_than_its_terminal() -> None:
    """However many nodes start at the same time, and however many generations there are."""
    shown = started(*[(one,) for one in MANY], MANY)
    for address in MANY:
        shown.take(NodeStarting(0.0, address))
    for height in (1, 2, 5, 24, 100):
        assert len(plain(shown, 1.0, height)) <= height


def test_generations_that_move_share_the_room() -> None:
    """None takes the lines of those after it."""
    shown = started(MANY[:15], MANY[15:])
    for address in MANY:
        shown.take(NodeStarting(0.0, address))
    lines = plain(shown, 1.0, 9)
    assert [line.split("  ")[0] for line in (lines[1], lines[5])] == [
        "generation 0",
        "generation 1",
    ]


def test_marks_are_ascii_where_the_terminal_knows_nothing_else() -> None:
    """A terminal without Unicode gets other marks."""
    shown = started((A, B), is_ascii=False)
    shown.take(NodeReady(1.0, A, duration=1.0, waited=0.0))
    assert plain(shown, 1.0, 24)[2].startswith("  ✓ ")
    shown.is_ascii = True
    assert all(line.isascii() for line in plain(shown, 1.0, 24))
