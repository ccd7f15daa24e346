"""The nearest name."""

from __future__ import annotations

import itertools

import pytest

from rungraph.graph.suggest import closest, did_you_mean


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("inferense", "inference"),
        ("INFERENCE", "inference"),
        ("memory-banks", "memory_banks"),
        ("telemtry", "telemetry"),
        ("safty", "safety"),
    ],
)
def test_a_typo_finds_the_name_that_was_meant(word: str, expected: str) -> None:
    """Slips of the finger, of case and of separator all lead to the real name."""
    known = ["inference", "memory", "memory_banks", "models", "safety", "telemetry"]
    assert closest(word, known) == (expected,)


def test_a_word_like_nothing_known_gets_no_suggestion() -> None:
    """A bad guess is worse than none."""
    assert closest("banana", ["inference", "safety"]) == ()
    assert did_you_mean("banana", ["inference", "safety"]) == ""


def test_the_order_of_what_is_known_does_not_matter() -> None:
    """Equally near names always come in the same order."""
    answers = {closest("aab", order, 3) for order in itertools.permutations(["aaa", "aac", "aad"])}
    assert answers == {("aaa", "aac", "aad")}


def test_the_question_quotes_the_name() -> None:
    """The sentence can stand in a help text as it is."""
    assert did_you_mean("modles", ["models"]) == "did you mean 'models'?"


def test_many_known_names_still_give_the_nearest() -> None:
    """Past the bound on comparisons, names of a similar length are the ones compared."""
    known = [f"provider-{'x' * (i % 40)}-{i}" for i in range(8_000)]
    assert closest("inferense", [*known, "inference"]) == ("inference",)
