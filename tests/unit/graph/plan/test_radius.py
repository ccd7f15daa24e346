"""What each node alone would take down, counted in one sweep; see also the laws of plans."""

from __future__ import annotations

from itertools import pairwise

from rungraph.graph import Address, ApiSpec, Catalog, ProviderSpec, compile_config
from rungraph.graph.failures import Needs, assume_failed, needs_of
from rungraph.graph.plan.radius import blast_radii


def address(name: str) -> Address:
    """Return the address of a node."""
    return Address.provider("test", name)


def radii(generations: list[str], needs: dict[str, tuple[str, str, str]]) -> dict[str, str]:
    """Return hard and soft counts by node; names are letters."""
    found = blast_radii(
        [[address(name) for name in generation] for generation in generations],
        {
            address(name): Needs(*(tuple(map(address, group)) for group in groups))
            for name, groups in needs.items()
        },
    )
    return {one.name: f"{radius.hard}/{radius.soft}" for one, radius in found.items()}


def test_a_chain_counts_all_that_follow() -> None:
    """Each takes down those after it."""
    assert radii(["a", "b", "c"], {"b": ("a", "", ""), "c": ("b", "", "")}) == {
        "a": "2/0",
        "b": "1/0",
        "c": "0/0",
    }


def test_one_of_several_members_takes_nothing_down_and_an_only_one_does() -> None:
    """t has two members, u has one."""
    assert radii(["abc", "tu"], {"t": ("", "ab", ""), "u": ("", "c", "")}) == {
        "a": "0/1",
        "b": "0/1",
        "c": "1/0",
        "t": "0/0",
        "u": "0/0",
    }


def test_members_that_fail_together_take_their_table_down() -> None:
    """Both members of t need x."""
    assert (
        radii(["x", "ab", "t"], {"a": ("x", "", ""), "b": ("x", "", ""), "t": ("", "ab", "")})["x"]
        == "3/0"
    )


def test_a_diamond_is_counted_once() -> None:
    """What is reached on two ways is one node."""
    needs = {"b": ("a", "", ""), "c": ("a", "", ""), "d": ("bc", "", "")}
    assert radii(["a", "bc", "d"], needs)["a"] == "3/0"


def test_a_user_that_falls_anyway_does_not_go_on_without() -> None:
    """d needs a and uses b, which needs a: it is down, not degraded; e only uses b."""
    needs = {"b": ("a", "", ""), "d": ("a", "", "b"), "e": ("", "", "b")}
    assert radii(["a", "b", "de"], needs) == {"a": "2/1", "b": "0/2", "d": "0/0", "e": "0/0"}


def test_a_circle_and_what_hangs_on_it_go_down_together() -> None:
    """Whichever of its nodes fails; the same as is said of single failures."""
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:y") for name in "abcd"],
        providers=[
            ProviderSpec("a", "inline::x", "x", dependencies=("c",)),
            ProviderSpec("b", "inline::x", "x", dependencies=("a",)),
            ProviderSpec("c", "inline::x", "x", dependencies=("b",)),
            ProviderSpec("d", "inline::x", "x", dependencies=("b",)),
        ],
    )
    entry = [{"provider_id": "p", "provider_type": "inline::x"}]
    graph = compile_config(
        {"providers": dict.fromkeys("abcd", entry)}, catalog=catalog, environment={}
    )
    found = blast_radii(graph.generations(), needs_of(graph))
    assert [found[one].hard for one in graph] == [3, 3, 3, 0]
    assert [len(assume_failed(graph, [one]).failed) - 1 for one in graph] == [3, 3, 3, 0]


def test_a_long_chain_is_counted_in_one_sweep() -> None:
    """Two thousand nodes, two million pairs."""
    names = [f"n{number}" for number in range(2000)]
    found = blast_radii(
        [[address(name)] for name in names],
        {address(after): Needs((address(before),)) for before, after in pairwise(names)},
    )
    assert [found[address(name)].hard for name in names] == list(range(1999, -1, -1))
