"""Laws of spreading calls over members, in random schedules on simulated time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rungraph.engine.routing.balancer import Balancer, Call, Member
from rungraph.graph.nodes import POLICIES


class World:
    """Members that answer, fail or stay silent, and a clock that goes from event to event."""

    def __init__(self, policy: str, orders: dict[str, int], seed: int) -> None:
        self.now = 0.0
        self.random = Random(seed)  # noqa: S311  (no secret)
        self.told: list[tuple[str, bool, str]] = []
        self.balancer = Balancer(
            policy,
            clock=lambda: self.now,
            random=Random(seed + 1),  # noqa: S311  (no secret)
            tell=lambda member, is_out, why: self.told.append((member.name, is_out, why)),
        )
        self.balancer.use(orders)
        self.waits: list[float] = []
        self.failed = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, when: float, work: Callable[[], None]) -> None:
        """Have *work* done at a time."""
        heapq.heappush(self._due, (when, next(self._numbers), work))

    def run(self) -> None:
        """Do all that is due, in order."""
        while self._due:
            self.now, _, work = heapq.heappop(self._due)
            work()

    def call(
        self,
        serve: Callable[[str, float], tuple[float, bool]],
        check: Callable[[Member, tuple[str, ...], bool], None] | None = None,
        session: str = "",
    ) -> None:
        """Make a call now: *serve* tells when a member answers, and whether it fails then."""
        began = self.now

        def attempt(tried: tuple[str, ...], *, is_retry: bool) -> None:
            choice = self.balancer.pick(session, tried)
            if choice is None:
                self.failed += 1
                return
            member = choice.member
            if check is not None:
                check(member, tried, is_retry)
            call = self.balancer.begin(member, is_retry=is_retry)
            end, has_failed = serve(member.name, self.now)

            def ended() -> None:
                if not has_failed:
                    call.answered()
                    call.ended()
                    self.waits.append(self.now - began)
                    return
                call.failed("refused")
                if choice.is_probe or self.balancer.may_retry():
                    attempt((*tried, member.name), is_retry=not choice.is_probe)
                else:
                    self.failed += 1

            self.at(end, ended)

        attempt((), is_retry=False)


@given(
    policy=st.sampled_from(POLICIES),
    orders=st.lists(st.integers(0, 2), min_size=1, max_size=7),
    faults=st.lists(
        st.tuples(st.integers(0, 6), st.floats(0, 100), st.floats(1, 60), st.booleans()),
        max_size=6,
    ),
    seed=st.integers(0, 1000),
)
@example("round_robin", [0, 0, 0], [(0, 10.0, 60.0, False), (1, 10.0, 60.0, False)], 1)
def test_the_laws_of_picking(
    policy: str, orders: list[int], faults: list[tuple[int, float, float, bool]], seed: int
) -> None:
    """Whatever fails when: orders, ejection, its limit, panic and the budget are kept."""
    world = World(policy, {f"m{number}": order for number, order in enumerate(orders)}, seed)
    balancer = world.balancer
    calls: list[float] = []
    retries: list[float] = []

    def out(members: list[Member]) -> list[Member]:
        return [one for one in members if one.out_until is not None]

    def check(member: Member, tried: tuple[str, ...], is_retry: bool) -> None:
        everyone = list(balancer.members)
        assert member.name not in tried
        by_order = {one.order: [m for m in everyone if m.order == one.order] for one in everyone}
        for group in by_order.values():
            count = len(out(group))
            assert count <= len(group) // 2 or count == len(group)
        is_panic = len(out(everyone)) == len(everyone)
        if member.out_until is not None and not is_panic:
            assert member.out_until <= world.now
        better = [
            one
            for one in everyone
            if one.order < member.order and one.out_until is None and one.name not in tried
        ]
        assert not better
        (retries if is_retry else calls).append(world.now)

    def serve(name: str, now: float) -> tuple[float, bool]:
        for number, start, length, is_silent in faults:
            if name == f"m{number}" and start <= now < start + length:
                return now + (10.0 if is_silent else 0.01), True
        return now + world.random.expovariate(2.0), False

    for number in range(300):
        work = partial(world.call, serve, check, str(number % 7))
        world.at(world.random.uniform(0, 120), work)
    world.run()
    assert all(one.in_flight == 0 and not one.waiting for one in balancer.members)
    assert len(world.waits) + world.failed == 300
    for when in retries:
        lately = sum(when - 10 <= one <= when for one in retries)
        assert lately <= max(3, 0.2 * sum(when - 11 <= one <= when for one in calls) + 1)
    for name in {name for name, *_ in world.told}:
        states = [is_out for one, is_out, _ in world.told if one == name]
        assert states == [number % 2 == 0 for number in range(len(states))]


def p99(policy: str, seed: int) -> float:
    """Return the wait of the slowest hundredth: four members, one slow, another one down a while.

    Each does four requests at a time; the load is 60 % of what they can do.
    """
    world = World(policy, {f"m{number}": 0 for number in range(4)}, seed)
    free = {f"m{number}": [0.0] * 4 for number in range(4)}

    def serve(name: str, now: float) -> tuple[float, bool]:
        if name == "m1" and 200 < now < 400:
            return now + 0.05, True
        slot = min(range(4), key=free[name].__getitem__)
        mean = 1.5 if name == "m3" else 0.5
        free[name][slot] = max(now, free[name][slot]) + world.random.expovariate(1 / mean)
        return free[name][slot], False

    when = 0.0
    for _ in range(20_000):
        when += world.random.expovariate(16.0)
        world.at(when, lambda: world.call(serve))
    world.run()
    assert world.failed == 0
    return sorted(world.waits)[len(world.waits) * 99 // 100]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_slow_member_does_not_hold_up_the_others(seed: int) -> None:
    """By load the slowest hundredth waits some seconds; in turn, for a queue that never ends."""
    assert p99("least_loaded", seed) < 3.5
    assert p99("round_robin", seed) > 100


def test_of_many_members_two_are_compared() -> None:
    """Of more than four members the less busy one of two that are drawn gets a call."""
    world = World("least_loaded", {f"m{number}": 0 for number in range(8)}, seed=7)
    calls: list[Call] = []
    for _ in range(80):
        choice = world.balancer.pick()
        assert choice is not None
        calls.append(world.balancer.begin(choice.member))
    busy = [one.in_flight for one in world.balancer.members]
    assert max(busy) - min(busy) <= 4


def test_a_session_moves_only_when_its_member_goes() -> None:
    """When a member goes, the sessions of the others stay where they are."""
    world = World("sticky", {f"m{number}": 0 for number in range(5)}, seed=1)

    def where() -> dict[str, str]:
        found: dict[str, str] = {}
        for number in range(200):
            choice = world.balancer.pick(f"session {number}")
            assert choice is not None
            found[f"session {number}"] = choice.member.name
        return found

    before = where()
    assert {*before.values()} == {f"m{number}" for number in range(5)}
    world.balancer.use({f"m{number}": 0 for number in range(4)})
    after = where()
    assert all(after[one] == name for one, name in before.items() if name != "m4")


def test_one_caller_alone_finds_the_faster_member() -> None:
    """Its calls never overlap, so no member is busy; the one that was never asked is tried."""
    world = World("least_loaded", {"a": 0, "b": 0}, 1)
    asked: list[str] = []

    def serve(name: str, now: float) -> tuple[float, bool]:
        asked.append(name)
        return now + {"a": 3.0, "b": 0.3}[name], False

    for _ in range(20):
        world.call(serve)
        world.run()
    assert asked == ["a", *["b"] * 19]
