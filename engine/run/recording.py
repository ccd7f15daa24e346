"""What happened to a stack as a file, one JSON object a line: written while it runs, read after."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol, cast

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from rungraph.engine import events
from rungraph.engine.errors import describe
from rungraph.engine.events import Event
from rungraph.engine.recorded_errors import RecordedError, RecordingError
from rungraph.graph.address import Address
from rungraph.graph.budgets import LARGEST_RECORDED, LONGEST_EVENT
from rungraph.graph.secrets.masking import masked_name, masked_text
from rungraph.graph.secrets.values import masked
from rungraph.graph.wording import safe_json, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike
    from typing import BinaryIO

FORMAT_VERSION = "1.0"
"""A new minor version adds events or fields, which older readers pass over; a new major breaks."""
_HEADER = "Recording"


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file of events holds.

    Attributes:
        name: The name of what ran; empty when the file does not say.
        events: The events, in the order in which they happened.
    """

    name: str
    events: tuple[Event, ...]


class LineStream(Protocol):
    """What takes lines of text, such as an open file."""

    def write(self, line: str, /) -> int:
        """Take *line*."""
        ...

    def flush(self) -> None:
        """Let go of what is held back."""
        ...


class EventFile:
    """Writes every event as one JSON object a line, at once; `read_recording` reads them.

    The first line names the format: ``{"event": "Recording", "format_version": "1.0", …}``. Of an
    error its type and its text are kept.

    Args:
        stream: Where to.
        scrub: Masks secrets.
        name: The name of what runs.
    """

    def __init__(self, stream: LineStream, scrub: Callable[[str], str], name: str = "") -> None:
        self._stream = stream
        self._scrub = scrub
        self._write(header_line(name, scrub))

    def take(self, event: Event) -> None:
        """Write *event*."""
        self._write(event_line(event, self._scrub))

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def header_line(name: str, scrub: Callable[[str], str]) -> str:
    """Return the first line of a recording of what is called *name*."""
    header = {"event": _HEADER, "format_version": FORMAT_VERSION, "name": scrub(name)}
    return safe_json(json.dumps(header, ensure_ascii=False))


def event_line(event: Event, scrub: Callable[[str], str]) -> str:
    """Return the line of *event*, its texts without the secrets that *scrub* masks."""
    values = {one.name: _jsonable(getattr(event, one.name), scrub) for one in fields(event)}
    whole = {"event": type(event).__name__, **values}
    return safe_json(json.dumps(whole, ensure_ascii=False))


def _jsonable(value: object, scrub: Callable[[str], str]) -> Any:
    if isinstance(value, Address):
        return str(value)
    if isinstance(value, tuple):
        return [_jsonable(one, scrub) for one in cast("tuple[object, ...]", value)]
    if isinstance(value, RecordedError):
        return {"type": scrub(value.type_name), "text": scrub(value.text)}
    if isinstance(value, BaseException):
        return {"type": scrub(type(value).__name__), "text": scrub(describe(value))}
    if isinstance(value, float):
        return round(value, 6)
    return scrub(value) if isinstance(value, str) else value


def read_recording(path: str | PathLike[str]) -> Recording:
    """Return what an `EventFile` wrote, the events in the order in which they happened.

    Times come back rounded to microseconds, errors as `RecordedError`. Events and fields that this
    version does not know are passed over, and so is a last line that a crash cut off.

    Raises:
        RecordingError: If the file is no recording of events, or one of a later major version; the
            text names the line.
        OSError: If the file cannot be read.
    """
    file = Path(path)
    with file.open("rb") as stream:
        lines = _Lines(str(file), stream)
        values = iter(lines)
        name = lines.checked_header(next(values, None))
        known = event_types()
        # One after the other: what is wrong stands in the line that was read last.
        found = ((known.get(str(value.get("event"))), value) for value in values)
        return Recording(name, tuple(lines.event_of(kind, value) for kind, value in found if kind))


class _Lines:
    """The lines of a file as JSON objects; knows where it is, for errors."""

    def __init__(self, file: str, stream: BinaryIO) -> None:
        self._file = file
        self._stream = stream
        self._number = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while line := self._stream.readline(LONGEST_EVENT + 1):
            self._number += 1
            if len(line) > LONGEST_EVENT:
                self._refuse("a line of more than 1 MiB: this is no file of events")
            if line.isspace():
                continue
            value = self._parsed(line)
            if value is None:
                return
            yield value

    def _parsed(self, line: bytes) -> dict[str, Any] | None:
        """Return the object in *line*; None for a line that was cut off."""
        try:
            text = line.decode("utf-8")
            value: Any = json.loads(text)
            if _HALF.search(text):
                whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
                value = json.loads(whole)
        except (ValueError, RecursionError) as error:
            # A crashed run may leave half a line; the first one is not forgiven, so that text
            # without a line end is not taken for an empty recording.
            if not line.endswith(b"\n") and self._number > 1:
                return None
            self._refuse(f"not a JSON object ({_reason(error)})")
        if not isinstance(value, dict):
            self._refuse(f"not a JSON object but {_kind(value)}")
        return cast("dict[str, Any]", value)

    def checked_header(self, value: Mapping[str, Any] | None) -> str:
        """Return the name in the first line, if that line is one of ours."""
        if value is None:
            self._refuse("the file is empty: was nothing recorded?", is_about_line=False)
        version = value.get("format_version")
        if value.get("event") != _HEADER or not isinstance(version, str):
            self._refuse(
                f'the first line must be {{"event": "{_HEADER}", "format_version": '
                f'"{FORMAT_VERSION}"}}: this is no file of events'
            )
        major = FORMAT_VERSION.partition(".")[0]
        if version.partition(".")[0] != major:
            self._refuse(f"format version {version!r} is not known; this rungraph reads {major}.x")
        name = value.get("name", "")
        return masked_text(name) if isinstance(name, str) else ""

    def event_of(self, kind: type[Event], value: Mapping[str, Any]) -> Event:
        """Return the event of *kind* that *value* describes."""
        read: dict[str, Any] = {}
        for field in fields(kind):
            if field.name not in value:
                self._refuse(f"{kind.__name__} has no {field.name!r}")
            what, adapter = _READERS[str(field.type)]
            try:
                read[field.name] = adapter.validate_python(value[field.name])
            except ValidationError:
                shown = masked(value[field.name])
                text = shortened(json.dumps(shown, ensure_ascii=False), 60)
                self._refuse(f"{field.name!r} of {kind.__name__} must be {what}, not {text}")
        return kind(**read)

    def _refuse(self, problem: str, *, is_about_line: bool = True) -> NoReturn:
        line = self._number if is_about_line else None
        raise RecordingError(self._file, line, problem) from None


_HALF = re.compile(r"\\u[Dd][89A-Fa-f]")
"""Half of a surrogate pair, which a provider's error can hold and no output."""
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)
# Others wrote it: what is a secret by its shape is one even where no config is there to ask.
_SHOWN = Annotated[str, AfterValidator(masked_text)]
_TEXT = TypeAdapter(_SHOWN, config=_STRICT)


def _error(recorded: Mapping[str, object]) -> RecordedError:
    kind, text = (_TEXT.validate_python(recorded.get(key)) for key in ("type", "text"))
    return RecordedError(kind, text)


_SECONDS = Annotated[float, Field(ge=0, le=LARGEST_RECORDED)]
_WHOLE = Annotated[int, Field(ge=0, le=LARGEST_RECORDED)]
_RANGE = f"from 0 to {LARGEST_RECORDED:,}"
_ADDRESS = Annotated[str, AfterValidator(masked_name), AfterValidator(Address.parse)]
_TEXTS = Annotated[list[_SHOWN], AfterValidator(tuple)]
_ADDRESSES = Annotated[list[_ADDRESS], AfterValidator(tuple)]
_ERROR = Annotated[dict[str, object], AfterValidator(_error)]
_READERS: Mapping[str, tuple[str, TypeAdapter[Any]]] = {
    "float": (f"a number of seconds {_RANGE}", TypeAdapter(_SECONDS, config=_STRICT)),
    "int": (f"a whole number {_RANGE}", TypeAdapter(_WHOLE, config=_STRICT)),
    "str": ("text", _TEXT),
    "Address": ("an address", TypeAdapter(_ADDRESS, config=_STRICT)),
    "tuple[Address, ...]": ("a list of addresses", TypeAdapter(_ADDRESSES, config=_STRICT)),
    "tuple[str, ...]": ("a list of texts", TypeAdapter(_TEXTS, config=_STRICT)),
    "BaseException": ("an object with 'type' and 'text'", TypeAdapter(_ERROR, config=_STRICT)),
}
"""What the fields of events are, by their annotation."""


@cache
def event_types() -> Mapping[str, type[Event]]:
    """Return every event by its name, without the bases that never happen themselves."""
    # Not by __subclasses__: that may still have the classes that slots=True has replaced.
    kinds = {one for one in vars(events).values() if isinstance(one, type)}
    found = {one for one in kinds if issubclass(one, Event)}
    bases = {base for one in found for base in one.__mro__[1:]}
    return {one.__name__: one for one in sorted(found - bases, key=attrgetter("__name__"))}


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"column {error.colno}: {error.msg.lower()}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is not UTF-8"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a number"
