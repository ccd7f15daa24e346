"""Regular expressions that others wrote."""

from __future__ import annotations

import pytest

from rungraph.graph.budgets import LONGEST_PATTERN
from rungraph.graph.regex import PatternError, escaped, linear_pattern


@pytest.mark.parametrize("pattern", ["(.+)+!", "(a|a)*!", "(a*)*!", ".*.*.*.*.*!", "(a|aa)+!"])
def test_no_pattern_takes_more_than_linear_time(pattern: str) -> None:
    """With `re` each of these would outlive the machine."""
    assert not linear_pattern(pattern).search("a" * 100_000)
    assert linear_pattern(pattern).search("a" * 1_000 + "!")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing ): ("),
        ("(?=a)", "invalid perl operator: (?="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("((a{100}){100}){100}", "invalid repetition size: {100}"),
        ("x" * (LONGEST_PATTERN + 1), "longer than 2,000 characters"),
    ],
)
def test_what_cannot_be_matched_in_linear_time_is_refused(pattern: str, reason: str) -> None:
    """In words, whatever it is."""
    with pytest.raises(PatternError) as caught:
        linear_pattern(pattern)
    assert str(caught.value) == reason


def test_texts_are_matched_as_they_are() -> None:
    """Letters beyond ASCII, line breaks and halves of characters included."""
    assert linear_pattern("^é.x$").fullmatch("é\nx")
    assert linear_pattern("a").search("\udc80a")
    assert linear_pattern("(.*)é(.*)").groups_in("ä\udc80é") == ("ä\udc80", "")
    assert linear_pattern("b").groups_in("a") is None
    for text in ("a.b*[c]\\", "\0", "é\n ", "{2}|^$"):
        assert linear_pattern(escaped(text)).fullmatch(text)
        assert not linear_pattern(escaped(text)).search(f"{text[:-1]}x")


@pytest.mark.parametrize("pattern", ["((a|b|ab|ba){0,30}){0,30}Z", "(.{0,300}a){3}", r"\pL{1,100}"])
def test_what_becomes_too_large_is_refused(pattern: str) -> None:
    """Linear time is no help where each character meets thousands of instructions."""
    with pytest.raises(
        PatternError, match=r"^it repeats too much: [\d,]+ instructions, at most 2,"
    ):
        linear_pattern(pattern)
