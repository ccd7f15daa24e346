"""Lists that clients read page by page."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rungraph.engine.server.failures import RequestError
from rungraph.engine.server.stores import Listing, page_of
from rungraph.engine.server.translation import read


def items(times: list[int]) -> list[dict[str, Any]]:
    """Return things of a list, made at these times one after the other."""
    return [{"id": f"i{at}", "created_at": time} for at, time in enumerate(sorted(times))]


@given(
    times=st.lists(st.integers(0, 3), max_size=9),
    limit=st.integers(1, 4),
    order=st.sampled_from(["asc", "desc"]),
)
def test_pages_make_the_list(times: list[int], limit: int, order: Literal["asc", "desc"]) -> None:
    """Whatever their size, pages one after the other have each thing once, in order."""
    data = items(times)
    found: list[str] = []
    page = page_of(data, Listing(limit=limit, order=order))
    while True:
        found += [one["id"] for one in page["data"]]
        assert len(page["data"]) <= limit
        if not page["has_more"]:
            break
        page = page_of(data, Listing(limit=limit, order=order, after=page["last_id"]))
    ids = [one["id"] for one in data]
    assert found == (ids if order == "asc" else ids[::-1])


def test_a_page_may_be_asked_for_backwards() -> None:
    """``before`` has what comes just before it."""
    page = page_of(items([1, 2, 3, 4]), Listing(order="asc", before="i3", limit=2))
    assert [one["id"] for one in page["data"]] == ["i1", "i2"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("i1", "i2", True)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"limit": "0"}, "limit: input should be greater than or equal to 1"),
        ({"order": "newest"}, "order: input should be 'asc' or 'desc'"),
        ({"sort": "x"}, "sort: this server cannot honour it"),
    ],
)
def test_what_a_list_cannot_do_is_named(query: dict[str, str], told: str) -> None:
    """A parameter that would be passed over in silence is an error, like one that is wrong."""
    with pytest.raises(RequestError, match=f"^{told}"):
        read(Listing, query)


def test_a_page_after_nothing_is_refused() -> None:
    """A cursor that is not in the list is no beginning of it."""
    with pytest.raises(RequestError, match=r"^after: 'x' is not in this list$"):
        page_of(items([1]), Listing(after="x"))
