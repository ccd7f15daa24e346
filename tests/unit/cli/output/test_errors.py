"""A user's mistake is one message; a bug shows all that is known of it."""

from __future__ import annotations

import pytest

from rungraph.cli.output.errors import DEBUG_VARIABLE, text_of
from rungraph.graph import RungraphError


def raised(error: Exception) -> Exception:
    """Return *error* with a traceback."""
    try:
        fall_over(error)
    except Exception as caught:  # noqa: BLE001
        return caught
    return error


def fall_over(error: Exception) -> None:
    """Raise *error*."""
    raise error


def test_errors_of_rungraph_are_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, unless it is asked for."""
    error = raised(RungraphError("it cannot be"))
    assert text_of(error) == "it cannot be"
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    assert text_of(error).startswith("Traceback")
    assert text_of(error).endswith("it cannot be")


def test_errors_of_the_system_name_the_file() -> None:
    """What the system says, behind the path that it says it of."""
    assert text_of(OSError(28, "No space left on device", "/x")) == "/x: no space left on device"
    assert text_of(ConnectionError("gone")) == "gone"


def test_a_bug_keeps_its_traceback() -> None:
    """It may not happen again, so nothing of it is lost."""
    text = text_of(raised(KeyError("x")))
    assert "in raised" in text
    assert "KeyError: 'x'" in text
    assert text.endswith("this is a bug in rungraph: please report the lines above")
