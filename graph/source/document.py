"""A run config's text to plain values that know their file, line and column.

Reading never raises for what is in a file: every problem is a diagnostic of the document.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.budgets import LARGEST_FILE, LONGEST_MESSAGE, LONGEST_SEARCHED
from rungraph.graph.collector import collector_paused
from rungraph.graph.diagnostics import Diagnostic, bounded
from rungraph.graph.place import Place, absolute
from rungraph.graph.secrets.known import KnownSecrets
from rungraph.graph.secrets.masking import rendered, spans_in_lines
from rungraph.graph.secrets.values import names_in, secret_values
from rungraph.graph.source.mapping import plain_value
from rungraph.graph.source.parse import parsed
from rungraph.graph.source.positions import Spot, path_text
from rungraph.graph.source.text import SourceText
from rungraph.graph.suggest import closest
from rungraph.graph.wording import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LIMIT_VARIABLE: Final = "RUNGRAPH_MAX_CONFIG_BYTES"

_BYTE_ORDER_MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_CONFIG_NAME = re.compile(r".*\.(?:ya?ml|json)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Document:
    """One run config as written.

    Attributes:
        source: Its text, empty when there is none.
        value: Dicts, lists, texts, numbers, booleans and None, the environment not filled in. What
            an alias repeats is the same object each time. An empty dict when nothing is usable.
        diagnostics: What is wrong with it, in the order of the text.
        spot: Where the value stands in the text.
        has_aliases: Whether some object can occur in ``value`` more than once.
    """

    source: SourceText = field(repr=False)
    value: Any = field(repr=False)
    diagnostics: Sequence[Diagnostic]
    spot: Spot = field(default=Spot(0, 0), repr=False)
    has_aliases: bool = False

    @property
    def file(self) -> str:
        """The path as the user gave it, or ``<text>`` or ``<mapping>``."""
        return self.source.file

    @cached_property
    def folder(self) -> Path:
        """Where relative paths in it begin, wherever the process goes later."""
        return absolute(Path(self.file)).parent

    @cached_property
    def known(self) -> KnownSecrets:
        """What is secret somewhere in it, which is shown nowhere; found when it is first needed."""
        return KnownSecrets(lambda: self.secrets, lambda: self.names)

    @cached_property
    def secrets(self) -> frozenset[str]:
        """What is secret in it, the environment not filled in, as its keys and its looks tell."""
        return secret_values(self.value, self.value)

    @cached_property
    def names(self) -> frozenset[str]:
        """What is a key or a name in it, and so no secret."""
        return names_in(self.value)

    @property
    def text(self) -> str:
        """The whole text; empty when there is none."""
        return self.source.text

    def place_of(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Return where the value at *path* stands, or its key.

        What an alias or a merge key brings in stands where it is written out. A path that does not
        exist gives the place of its nearest parent; a document without text has no lines.
        """
        if not self.source.text:
            return Place(self.source.file, 0, 0)
        spot, is_there = self.spot.find(path)
        return self.source.place(spot.key if key and is_there else spot.start)

    def is_quoted(self, path: Sequence[str | int]) -> bool:
        """Whether the value at *path* is a scalar written in quotes or in block style."""
        spot, is_there = self.spot.find(path)
        return is_there and spot.is_quoted

    def problem(
        self,
        code: str,
        message: str,
        path: Sequence[str | int],
        *ways_out: str,
        key: bool = False,
        **more: Any,
    ) -> Diagnostic:
        """Return the diagnostic of a problem with the value at *path*, or with its key.

        Its place is filled in; *more* are other fields of it. Its source line is not: of very many
        problems only the first are shown, see `with_excerpt`.
        """
        place = self.place_of(path, key=key)
        return Diagnostic(code, message, place=place, help=ways_out, path=path_text(path), **more)

    def with_excerpt(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return *diagnostic* with its source line, if it is of this document and has none yet.

        What the document holds as a secret anywhere is masked in all of it.
        """
        place = diagnostic.place
        if place is None or diagnostic.excerpt or place.file != self.file:
            return diagnostic
        return replace(
            diagnostic,
            message=self._shown(diagnostic.message, place),
            help=tuple(self._shown(text, place) for text in diagnostic.help),
            detail=self._masked(diagnostic.detail, place),
            path=self._masked(diagnostic.path, place),
            excerpt=self.excerpt(place),
        )

    def _shown(self, text: str, place: Place) -> str:
        return shortened(self._masked(text, place), LONGEST_MESSAGE)

    def _masked(self, text: str, place: Place) -> str:
        if place.line:
            return self.source.masked(text, place)
        return rendered(text, [*self.known.spans_in(text), *spans_in_lines(text)])

    def excerpt(self, place: Place) -> str:
        """Return the source line at *place* with secrets masked; empty when there is no text.

        It has at most 160 characters; `caret_column` tells where the place is in it.
        """
        return self.source.excerpt(place)


def load_document(path: Path | str) -> Document:
    """Return the document in the file at *path*, YAML or JSON.

    A file of more bytes than the environment variable ``RUNGRAPH_MAX_CONFIG_BYTES`` says, else 32
    MiB, is not read.

    Args:
        path: The file; its text is UTF-8, or UTF-16 or UTF-32 with a byte order mark.
    """
    file = str(path)
    limit = _limit()
    try:
        with Path(path).open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            # What has no size of its own, such as a pipe, is read up to the limit.
            content = b"" if size > limit else stream.read(limit + 1)
    except (OSError, ValueError) as error:
        return _without_text(file, _unreadable(Path(path), file, error))
    if max(size, len(content)) > limit:
        return _without_text(file, _too_large(file, max(size, len(content)), limit))
    return decode_document(content, file)


def decode_document(content: bytes, file: str) -> Document:
    """Return the document that the bytes of a file are; see `load_document`.

    Args:
        content: All of the file.
        file: What the file is called in places.
    """
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    if encoding.startswith("utf-8") and (nul := content.find(0)) != -1:
        return _without_text(file, _not_text(file, content, nul, encoding))
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        return _without_text(file, _not_text(file, content, error.start, encoding))
    return parse_document(text, file)


@collector_paused()
def parse_document(text: str, file: str = "<text>", *, first_line: int = 1) -> Document:
    """Return the document that *text* is.

    A text is JSON when its file's name ends in ``.json``, or when it begins with a brace and is
    JSON; otherwise it is YAML 1.1 as PyYAML's safe loader reads it, except that timestamps stay
    text. Of a part of a file, *first_line* is the number of its first line there.
    """
    source = SourceText(file, text.removeprefix("\ufeff"), first_line)
    document = Document(source, *parsed(source))
    if len(text) <= LONGEST_SEARCHED:
        source.learn(lambda: document.secrets)
    shown = tuple(map(document.with_excerpt, bounded(document.diagnostics)))
    # Of this one the source learns then, so that the secrets are looked for once.
    document = replace(document, diagnostics=shown)
    return document


def document_of(mapping: Mapping[str, Any]) -> Document:
    """Return the document that *mapping* is; it holds a copy, and no part of it has a line."""
    value, diagnostics = plain_value(mapping)
    return Document(SourceText("<mapping>", ""), value, tuple(diagnostics), has_aliases=True)


def _limit() -> int:
    written = os.environ.get(LIMIT_VARIABLE, "")
    return int(written) if written.isascii() and written.isdigit() else LARGEST_FILE


def _without_text(file: str, diagnostic: Diagnostic) -> Document:
    return Document(SourceText(file, ""), {}, (diagnostic,))


def _too_large(file: str, size: int, limit: int) -> Diagnostic:
    at_least = "" if size > limit + 1 else "at least "
    return Diagnostic(
        "C008",
        f"the file has {at_least}{size:,} bytes; at most {limit:,} are read",
        place=Place(file, 0, 0),
        help=(
            "check that this is the run config that was meant",
            f"to read it all the same: export {LIMIT_VARIABLE}={max(size, 2 * limit)}",
        ),
    )


def _not_text(file: str, content: bytes, offset: int, encoding: str) -> Diagnostic:
    name = encoding.removesuffix("-sig").upper()
    message = f"the file is not {name} text: the byte 0x{content[offset]:02X} does not fit"
    way_out = "save the file as UTF-8"
    if content[offset] == 0 and encoding.startswith("utf-8"):
        message, way_out = "the file is not text: it holds a zero byte", "name a YAML or JSON file"
        if b"\0" in content[:2]:
            way_out = "this looks like UTF-16 without a byte order mark: save the file as UTF-8"
    before = SourceText(file, content[:offset].decode(encoding, errors="replace"))
    return Diagnostic("C002", message, place=before.place(len(before.text)), help=(way_out,))


def _unreadable(path: Path, file: str, error: OSError | ValueError) -> Diagnostic:
    number = error.errno if isinstance(error, OSError) else None
    reason = error.strerror if isinstance(error, OSError) else str(error)
    message = f"the file {file!r} cannot be read: {(reason or '').lower()}"
    way_out = ""
    if number == errno.ENOENT:
        message, way_out = f"there is no file {file!r}", _instead_of(path)
    elif number == errno.EISDIR:
        message, way_out = f"{file!r} is a folder", _named_in(path, "name a file in it")
    elif number in (errno.EACCES, errno.EPERM):
        message = f"the file {file!r} may not be read"
        way_out = "give yourself the right to read it, such as with chmod u+r"
    return Diagnostic("C001", message, place=Place(file, 0, 0), help=(way_out,) if way_out else ())


def _instead_of(path: Path) -> str:
    """Return what the user may have meant by a file that is not there."""
    folder = path.parent
    if path.is_symlink():
        return f"it is a link to {str(path.readlink())!r}, which is not there"
    if not folder.is_dir():
        return f"there is no folder {str(folder)!r} either"
    if near := closest(path.name, _names_in(folder)):
        return f"did you mean {str(folder / near[0])!r}?"
    return _named_in(folder, f"in {str(folder)!r} there is")


def _named_in(folder: Path, introduction: str) -> str:
    configs = [name for name in _names_in(folder) if _CONFIG_NAME.fullmatch(name)]
    if not configs:
        return f"there is no YAML or JSON file in {str(folder)!r}"
    return f"{introduction}: {listed(configs, most=5)}"


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.is_dir())
    except OSError:
        return []
