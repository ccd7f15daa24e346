"""A text to its value, its problems and its places: the one module that chooses YAML or JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.source.construct import constructed
from rungraph.graph.source.json_nodes import compose_json
from rungraph.graph.source.positions import Spot
from rungraph.graph.source.text import UnreadableError
from rungraph.graph.source.yaml_nodes import compose

if TYPE_CHECKING:
    from yaml.nodes import Node

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.text import SourceText

_BRACE = re.compile(r"\s*\{")
_DOCUMENT_MARK = re.compile(r"^---", re.MULTILINE)
_MAPPING_HELP = "write a mapping with the key 'providers' at the top"


class Parsed(NamedTuple):
    """What a text holds.

    Attributes:
        value: The mapping; an empty one when there is none.
        problems: What is wrong with the text, in its order.
        spot: Where the value stands.
        has_aliases: Whether some object can occur in *value* more than once.
    """

    value: dict[str, Any]
    problems: tuple[Diagnostic, ...]
    spot: Spot = Spot(0, 0)
    has_aliases: bool = False


def parsed(source: SourceText) -> Parsed:
    """Return what *source* holds; nothing is raised for what is wrong with it."""
    problems: list[Diagnostic] = []
    try:
        node, second = _nodes(source)
        value, spot, has_aliases = constructed(source, node, problems)
    except UnreadableError as error:
        related = () if error.opened is None else ((source.place(error.opened), "it begins here"),)
        found = source.problem(
            error.code, error.message, error.offset, error.help, path=error.path, related=related
        )
        return Parsed({}, (*problems, found))
    if second is not None:
        mark = _DOCUMENT_MARK.search(source.text, node.end_mark.index, second + 3)
        offset = mark.start() if mark else second
        way_out = "keep one document a file; only the first is read"
        problems.append(source.problem("C005", "a second document in one file", offset, way_out))
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "a single value"
        message = "empty" if value is None else f"{kind}, not a mapping"
        problems.append(
            source.problem("C004", f"the document is {message}", spot.start, _MAPPING_HELP)
        )
        value = {}
    return Parsed(value, tuple(problems), spot, has_aliases)


def _nodes(source: SourceText) -> tuple[Node, int | None]:
    """Return the root node, and the offset of a second document."""
    text = source.text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # Only a text given in Python can hold half a character.
        message = f"the character U+{ord(text[error.start]):04X} is only half of one"
        way_out = "decode the text from UTF-8"
        raise UnreadableError(error.start, message, way_out, "C002") from error
    is_named_json = source.file.lower().endswith(".json")
    if (is_named_json and text.strip()) or _BRACE.match(text):
        try:
            return compose_json(text), None
        except json.JSONDecodeError as error:
            if is_named_json:
                message = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
                way_out = "check commas, quotes and brackets around this place"
                raise UnreadableError(error.pos, message, way_out) from error
    node, second = compose(text)
    if node is None:
        message = "the document is empty"
        raise UnreadableError(0, message, _MAPPING_HELP, "C004")
    return node, second
