"""Names of a package are loaded when they are used."""

from __future__ import annotations

import pytest

import rungraph


def test_every_public_name_is_listed_before_it_is_loaded() -> None:
    """``dir`` has the names that are not loaded yet, too."""
    assert {"Stack", "compile_config", "render"} <= set(dir(rungraph))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As in any other module."""
    with pytest.raises(AttributeError, match="No rungraph attribute Stak"):
        _ = getattr(rungraph, "Stak")  # noqa: B009  checkers know that it is not there
