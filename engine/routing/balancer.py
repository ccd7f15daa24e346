"""Which member of a group gets a call, by what its calls have shown. Pure: no I/O, no event loop.

Time and chance are handed in, so that a simulation runs the same code as a stack.
"""

from __future__ import annotations

import hashlib
from collections import deque
from itertools import groupby
from math import exp
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from random import Random

_WEIGHT = 0.1
"""How much the newest time to a first chunk counts in the average."""
_FORGET_SECONDS = 10.0
"""Of how much slower a member was, 1/e is left after so long without news of it."""
_OVERDUE = 4.0
"""After so many times the average, the wait for an answer counts instead of the average."""
_MOST_COMPARED = 4
"""Of more members than that, two are drawn at random and compared: the draw spreads bursts."""
_UNKNOWN = float("inf")
_FAILURES = 3
"""How many failures in a row put a member out."""
_FIRST_OUT, _MOST_OUT = 5.0, 60.0
"""Seconds that a member is out at first, and at most; each time in a row twice as long."""
_RETRY_SECONDS, _RETRY_SHARE, _FEWEST_RETRIES = 10.0, 0.2, 3
"""In so many seconds, what share of the calls may be tried again, and how many at least."""
_MIXER, _BITS = 0xBF58476D1CE4E5B9, 2**64 - 1
"""A multiplication mixes the bits of a session and a member: the greatest product gets the call."""
_STICKY_CHARACTERS = 1024
_STICKY_LOAD = 1.25
"""By which factor a member may be busier than the mean before a session leaves it."""


class Member:
    """What is known of one member.

    Attributes:
        name: The provider's id.
        order: Members of a lower order come first.
        in_flight: How many of its calls have not ended.
        calls: How many calls it was given.
        failures: How many of them failed as a server fails.
        latency: The average time to a first chunk, in seconds; None before the first.
        out_until: When it may be tried again; None while it is in.
        why_out: Why it is out.
    """

    __slots__ = (
        "calls",
        "failures",
        "in_a_row",
        "in_flight",
        "is_probed",
        "latency",
        "name",
        "news_at",
        "order",
        "out_until",
        "seed",
        "since",
        "times_out",
        "waiting",
        "why_out",
    )

    def __init__(self, name: str, order: int) -> None:
        self.name = name
        self.order = order
        self.in_flight = self.calls = self.failures = 0
        self.latency: float | None = None
        self.out_until: float | None = None
        self.why_out = ""
        # What only the balancer asks for.
        self.in_a_row = 0  # failures since the last answer
        self.times_out = 0
        self.since = float("-inf")  # when it came in or went out the last time
        self.news_at = 0.0  # when its latency was measured the last time
        self.is_probed = False
        self.waiting: dict[Call, float] = {}  # calls without a first chunk, the oldest first
        self.seed = _hash_of(name)

    def load(self, now: float, best: float) -> float:
        """Return how long a call is likely to wait, where the fastest member takes *best*."""
        latency = best
        if self.latency is not None and self.latency > best:
            latency += (self.latency - best) * exp((self.news_at - now) / _FORGET_SECONDS)
        if self.waiting:  # An answer that is long overdue tells before it comes.
            latency = max(latency, (now - next(iter(self.waiting.values()))) / _OVERDUE)
        return latency * (self.in_flight + 1)


class Choice(NamedTuple):
    """The member that gets a call, and why.

    A probe may fail: that it is tried again elsewhere is no matter of the budget of retries.
    """

    member: Member
    why: str
    is_probe: bool = False


class Call:
    """One try of a call on one member; it begins when it is made.

    What it shows counts for nothing when the member has gone out or come in meanwhile.
    """

    __slots__ = ("_balancer", "_has_ended", "_member", "_started")

    def __init__(self, balancer: Balancer, member: Member, now: float) -> None:
        self._balancer = balancer
        self._member = member
        self._started = now
        self._has_ended = False
        member.waiting[self] = now
        member.in_flight += 1
        member.calls += 1

    def answered(self) -> None:
        """Take note of the first chunk."""
        member, now = self._member, self._balancer.clock()
        if member.waiting.pop(self, None) is not None:
            if self._started >= member.since:
                self._balancer.praise(member, now)
            self._balancer.measure(member, now - self._started, now)

    def failed(self, why: str) -> None:
        """Take note that the member failed as a server fails, and that the call has ended."""
        member, now = self._member, self._balancer.clock()
        member.failures += 1
        if member.waiting.pop(self, None) is not None:
            # Failing at once is no speed: it must not attract calls.
            slower = max(now - self._started, 2 * member.latency if member.latency else 1.0)
            member.latency, member.news_at = min(slower, _MOST_OUT), now
        if self._started >= member.since:
            self._balancer.blame(member, why, now)
        self.ended()

    def ended(self) -> None:
        """Take note that nothing runs any more, however it ended; again is harmless."""
        member = self._member
        if self._has_ended:
            return
        self._has_ended = True
        member.in_flight -= 1
        # A probe that its caller gave up has shown nothing: let another call be it.
        if member.waiting.pop(self, None) is not None and self._started >= member.since:
            member.is_probed = False


class Balancer:
    """Spreads the calls of one group over its members.

    Args:
        policy: One of `rungraph.graph.nodes.POLICIES`.
        clock: Tells the seconds.
        random: Draws members.
        tell: Called with a member that goes out or comes in, whether it is out, and why.
    """

    def __init__(
        self,
        policy: str,
        *,
        clock: Callable[[], float],
        random: Random,
        tell: Callable[[Member, bool, str], None] = lambda _member, _is_out, _why: None,
    ) -> None:
        self.policy = policy
        self.clock = clock
        self._random = random
        self._tell = tell
        self._known: dict[str, Member] = {}
        self._by_order: list[list[Member]] = []
        self._turn = -1
        self._calls, self._retries = _Recent(), _Recent()

    @property
    def members(self) -> tuple[Member, ...]:
        """The members that are there, sorted by order and name."""
        return tuple(member for of_order in self._by_order for member in of_order)

    def use(self, orders: Mapping[str, int]) -> None:
        """Give calls to the members of *orders* from now on; what is known of each is kept.

        One that was not there is new: why it was out is forgotten.
        """
        there = {member.name for member in self.members}
        now = self.clock()
        for name, order in orders.items():
            member = self._known.setdefault(name, Member(name, order))
            member.order = order
            if name not in there:
                member.out_until, member.in_a_row, member.times_out = None, 0, 0
                member.is_probed, member.since = False, now
        ordered = sorted((self._known[name] for name in orders), key=attrgetter("order", "name"))
        self._by_order = [list(group) for _, group in groupby(ordered, attrgetter("order"))]

    def pick(self, session: str = "", tried: Collection[str] = ()) -> Choice | None:
        """Return who gets the next call; None when every member was tried.

        Args:
            session: What the ``sticky`` policy keeps on one member.
            tried: The members that this call was tried on.
        """
        now = self.clock()
        is_any_in = False
        for of_order in self._by_order:
            there: list[Member] = []
            for one in of_order:
                if one.out_until is None:
                    is_any_in = True
                    if one.name not in tried:
                        there.append(one)
                elif one.out_until <= now and not one.is_probed and one.name not in tried:
                    one.is_probed = True
                    return Choice(one, f"a probe: it was out, {one.why_out}", is_probe=True)
            if there:
                return self._pick_of(there, session, now)
        left = [one for one in self.members if one.name not in tried]
        if is_any_in or not left:
            return None
        lowest = [one for one in left if one.order == left[0].order]
        return self._pick_of(lowest, session, now)._replace(why="every member is out")

    def begin(self, member: Member, *, is_retry: bool = False) -> Call:
        """Return a call that begins now on *member*."""
        now = self.clock()
        (self._retries if is_retry else self._calls).add(now)
        return Call(self, member, now)

    def may_retry(self) -> bool:
        """Whether a call may be tried again: an outage is not answered with a storm."""
        now = self.clock()
        most = max(_FEWEST_RETRIES, _RETRY_SHARE * self._calls.count(now))
        return self._retries.count(now) < most

    def report(self, name: str, why: str) -> None:
        """Take a provider's word on itself: *why* it is not well, or nothing when it is."""
        member = self._known.get(name)
        if member is None or member not in self.members:
            return
        if not why:
            self.praise(member, self.clock())
        elif member.out_until is None:
            member.in_a_row = _FAILURES
            self.blame(member, why, self.clock())

    # --- for calls -----------------------------------------------------------------------------

    def measure(self, member: Member, seconds: float, now: float) -> None:
        """Take note of how long a first chunk took."""
        before = seconds if member.latency is None else member.latency
        member.latency = before + _WEIGHT * (seconds - before)
        member.news_at = now

    def praise(self, member: Member, now: float) -> None:
        """Take note that *member* is well: it is in."""
        member.in_a_row = 0
        if member.out_until is not None:
            member.out_until, member.is_probed, member.since = None, False, now
            member.latency = None  # It was made of failures.
            self._tell(member, False, "it answers again")

    def blame(self, member: Member, why: str, now: float) -> None:
        """Take note that *member* failed: put it out, or out again, if that is due."""
        member.in_a_row += 1
        if member.out_until is not None:
            if member.is_probed or member.out_until <= now:
                self._put_out(member, why, now)
            return
        of_order = next((one for one in self._by_order if member in one), [])
        if member.in_a_row < _FAILURES or not of_order:
            return
        failing = [one for one in of_order if one.out_until is None and one.in_a_row >= _FAILURES]
        out = sum(one.out_until is not None for one in of_order)
        if out + 1 <= len(of_order) // 2:
            self._put_out(member, why, now)
        elif out + len(failing) == len(of_order):  # The others do not answer either.
            for one in failing:
                self._put_out(one, why, now)

    def _put_out(self, member: Member, why: str, now: float) -> None:
        if member.out_until is None and now - member.since > _MOST_OUT:
            member.times_out = 0  # It was well for long.
        seconds = min(_FIRST_OUT * 2**member.times_out, _MOST_OUT)
        was_in = member.out_until is None
        member.times_out += 1
        member.out_until, member.why_out = now + seconds, why
        member.is_probed, member.since = False, now
        if was_in:
            is_last = all(one.out_until is not None for one in self.members)
            panic = "; no member is left, so calls go to all of them" if is_last else ""
            self._tell(member, True, f"{why}{panic}")

    # --- policies ------------------------------------------------------------------------------

    def _pick_of(self, members: list[Member], session: str, now: float) -> Choice:
        if len(members) == 1:
            return Choice(members[0], "the only one of its order that is in")
        if self.policy == "round_robin":
            self._turn += 1
            return Choice(members[self._turn % len(members)], "its turn")
        if self.policy == "sticky":
            return self._sticky(members, session, now)
        return Choice(self._least_loaded(members, now), f"the least load of {len(members)}")

    def _least_loaded(self, members: list[Member], now: float) -> Member:
        if len(members) > _MOST_COMPARED:
            first = int(self._random.random() * len(members))
            second = int(self._random.random() * (len(members) - 1))
            members = [members[first], members[second + (second >= first)]]
        best = min([one.latency or _UNKNOWN for one in members])
        best = 1.0 if best == _UNKNOWN else best
        # Where two are alike, the one that nobody knows yet: else one caller never learns of it.
        loads = [(one.load(now, best), one.latency is not None) for one in members]
        return members[loads.index(min(loads))]

    def _sticky(self, members: list[Member], session: str, now: float) -> Choice:
        key = _hash_of(session[:_STICKY_CHARACTERS])
        most = _STICKY_LOAD * sum([one.in_flight for one in members]) / len(members)
        ranks = [(key ^ one.seed) * _MIXER & _BITS for one in members]
        own = members[ranks.index(max(ranks))]
        if own.in_flight <= most:
            return Choice(own, "its session")
        free = [one for one in members if one.in_flight <= most]  # There is always one.
        return Choice(self._least_loaded(free, now), "its session's member is busy")


class _Recent:
    """Counts what happens, and forgets it after `_RETRY_SECONDS`."""

    def __init__(self) -> None:
        self._by_second: deque[list[int]] = deque()

    def add(self, now: float) -> None:
        second = int(now)
        if self._by_second and self._by_second[-1][0] == second:
            self._by_second[-1][1] += 1
        else:
            self._forget(now)
            self._by_second.append([second, 1])

    def count(self, now: float) -> int:
        self._forget(now)
        return sum(count for _, count in self._by_second)

    def _forget(self, now: float) -> None:
        while self._by_second and self._by_second[0][0] + 1 <= now - _RETRY_SECONDS:
            self._by_second.popleft()


def _hash_of(text: str) -> int:
    """Return a number of 64 bits that is the same in every process."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
