"""What a PNG shows, apart from how it is packed."""

from __future__ import annotations

from io import BytesIO
from typing import Any, cast


def show_the_same(one: bytes, other: bytes) -> bool:
    """Whether two PNG files show the same: other versions of zlib pack the same pixels otherwise.

    What is no PNG shows nothing.
    """
    from matplotlib import image

    try:
        first, second = (
            cast("Any", image).imread(BytesIO(content), format="png") for content in (one, other)
        )
    except (OSError, ValueError, SyntaxError):  # All three mean that it is no whole PNG.
        return False
    return bool(first.shape == second.shape and (first == second).all())
