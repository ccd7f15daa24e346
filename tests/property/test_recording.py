"""Laws of recordings: reading is the inverse of writing, and a cut-off end costs one event."""

from __future__ import annotations

import io
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rungraph.engine.events import Event
from rungraph.engine.recorded_errors import RecordedError
from rungraph.engine.run.recording import EventFile, event_types, read_recording
from rungraph.graph import Address

_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_NAMES = st.text("ab-_é日", min_size=1, max_size=4)
_ADDRESSES = st.builds(Address.provider, _NAMES, _NAMES) | st.builds(Address.table, _NAMES)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "float": st.floats(0, 1e6).map(lambda value: round(value, 6)),
    "int": st.integers(0, 10**6),
    "str": _TEXT,
    "Address": _ADDRESSES,
    "tuple[str, ...]": st.lists(_TEXT, max_size=3).map(tuple),
    "tuple[Address, ...]": st.lists(_ADDRESSES, max_size=3).map(tuple),
    "BaseException": st.builds(RecordedError, _TEXT, _TEXT),
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Events of every type with any values."""
    kind = draw(st.sampled_from(sorted(event_types().values(), key=lambda one: one.__name__)))
    return kind(**{field.name: draw(_VALUES[str(field.type)]) for field in fields(kind)})


def _written(happened: list[Event]) -> bytes:
    stream = io.StringIO()
    file = EventFile(stream, lambda text: text)
    for event in happened:
        file.take(event)
    return stream.getvalue().encode()


def _read(content: bytes) -> tuple[Event, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.jsonl")
        path.write_bytes(content)
        return read_recording(path).events


@given(st.lists(events(), max_size=6))
def test_what_was_written_is_read(happened: list[Event]) -> None:
    """Every event comes back equal, in order; written again it gives the same bytes."""
    content = _written(happened)
    assert _read(content) == tuple(happened)
    assert _written([*_read(content)]) == content


@given(st.lists(events(), min_size=1, max_size=4), st.data())
def test_a_crash_costs_at_most_the_event_that_was_being_written(
    happened: list[Event], data: st.DataObject
) -> None:
    """Wherever the file ends behind its first line, all events that are whole are read."""
    content = _written(happened)
    first = content.index(b"\n") + 1
    end = data.draw(st.integers(first, len(content)))
    whole = content[:end].count(b"\n") - 1
    found = _read(content[:end])
    assert found[:whole] == tuple(happened[:whole])
    assert len(found) in (whole, whole + 1)
