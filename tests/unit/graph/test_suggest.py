"""The nearest name."""

from __future__ import annotations

import itertools

import pytest

from rungraph.graph.suggest import closest, did_you_mean

KNOWN = ["inference", "memory", "memory_banks", "models", "safety", "telemetry"]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("inferense", ("inference",)),
        ("INFERENCE", ("inference",)),
        ("memory-banks", ("memory_banks",)),
        ("telemtry", ("telemetry",)),
        ("safty", ("safety",)),
        ("banana", ()),  # A bad guess is worse than none.
    ],
)
def test_a_typo_finds_the_name_that_was_meant(word: str, nearest: tuple[str, ...]) -> None:
    """Slips of the finger, of case and of separator; the sentence can stand in a help text."""
    assert closest(word, KNOWN) == nearest
    assert did_you_mean(word, KNOWN) == (f"did you mean '{nearest[0]}'?" if nearest else "")


def test_neither_order_nor_number_of_what_is_known_matters() -> None:
    """Equally near names come in one order; past the bound, those of a similar length count."""
    answers = {closest("aab", order, 3) for order in itertools.permutations(["aaa", "aac", "aad"])}
    assert answers == {("aaa", "aac", "aad")}
    known = [f"provider-{'x' * (i % 40)}-{i}" for i in range(8_000)]
    assert closest("inferense", [*known, "inference"]) == ("inference",)
