"""The names that ``rungraph`` itself offers."""

from __future__ import annotations

import pytest

import rungraph


def test_every_public_name_is_there() -> None:
    """``__all__`` is sorted, and each of its names can be used."""
    assert list(rungraph.__all__) == sorted(rungraph.__all__)
    for name in rungraph.__all__:
        assert getattr(rungraph, name) is not None
    assert set(rungraph.__all__) <= set(dir(rungraph))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As in any other module."""
    with pytest.raises(AttributeError, match="has no attribute 'Stak'"):
        _ = getattr(rungraph, "Stak")  # noqa: B009  checkers know that it is not there
