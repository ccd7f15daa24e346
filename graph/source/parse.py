"""A text to its value, diagnostics and layout: the one place that chooses YAML or JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import yaml

from rungraph.graph.diagnostics import Diagnostic
from rungraph.graph.source.construct import Construction, UnusableError
from rungraph.graph.source.json_nodes import read_json
from rungraph.graph.source.yaml_errors import explained
from rungraph.graph.source.yaml_nodes import DEEPEST, TooDeepError, compose

if TYPE_CHECKING:
    from rungraph.graph.source.positions import Layout
    from rungraph.graph.source.text import SourceText

_Parsed = tuple[dict[str, Any], list[Diagnostic], "Layout | None"]

_BRACE = re.compile(r"\s*\{")
_BRACKET = re.compile(r"[\[\]{}]")
_DOCUMENT_MARK = re.compile(r"^---", re.MULTILINE)
_DEPTH_LIMIT = "maximum nesting depth"
_MAPPING_HELP = "write a mapping with the key 'providers' at the top"


def parsed(source: SourceText) -> _Parsed:
    """Return the value of the text, an empty mapping when it has none; diagnostics; the layout."""
    try:
        return _json(source) or _yaml(source)
    except (TooDeepError, RecursionError) as error:
        offset = error.offset if isinstance(error, TooDeepError) else _deep_bracket(source.text)
        return _unusable(
            source,
            "C007",
            f"collections nested deeper than {DEEPEST}",
            offset,
            "close the brackets, or flatten the config",
        )
    except UnicodeEncodeError as error:
        # Only a text given in Python can hold half a character.
        return _unusable(
            source,
            "C002",
            f"the character U+{ord(source.text[error.start]):04X} is only half of one",
            error.start,
            "decode the text from UTF-8",
        )


def _json(source: SourceText) -> _Parsed | None:
    """Return what JSON holds; None when the text is to be read as YAML."""
    is_named_json = source.file.lower().endswith(".json")
    if not is_named_json and not _BRACE.match(source.text):
        return None
    if not source.text.strip():
        return None
    try:
        value, layout, diagnostics = read_json(source)
    except json.JSONDecodeError as error:
        if not is_named_json:
            return None
        message = f"{error.msg[:1].lower()}{error.msg[1:]}"
        way_out = "check commas, quotes and brackets around this place"
        return _unusable(source, "C003", f"not JSON: {message}", error.pos, way_out)
    return _checked(source, value, diagnostics, layout)


def _yaml(source: SourceText) -> _Parsed:
    try:
        node, second = compose(source.text)
    except yaml.YAMLError as error:
        if _DEPTH_LIMIT in str(error):
            # libyaml looks ahead for the end of a key and meets its own limit before ours.
            raise TooDeepError(_deep_bracket(source.text)) from error
        problem = explained(error, source.text)
        opened = problem.opened
        related = () if opened is None else ((source.place(opened), "it begins here"),)
        return _unusable(source, "C003", problem.message, problem.offset, problem.help, related)
    if node is None:
        return _unusable(source, "C004", "the document is empty", 0, _MAPPING_HELP)
    construction = Construction(source)
    try:
        value = construction.value_of(node)
    except UnusableError:
        return {}, construction.diagnostics, None
    diagnostics = construction.diagnostics
    if second is not None:
        ends = [m.start() for m in _DOCUMENT_MARK.finditer(source.text, node.end_mark.index)]
        offset = next((start for start in ends if start <= second), second)
        way_out = "keep one document a file; only the first is read"
        diagnostics.append(
            _problem(source, "C005", "a second document in one file", offset, way_out)
        )
    return _checked(source, value, diagnostics, construction.layout)


def _checked(
    source: SourceText, value: Any, diagnostics: list[Diagnostic], layout: Layout
) -> _Parsed:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value), diagnostics, layout
    offset = layout.starts[0]
    if value is None:
        message = "the document is empty"
    else:
        kind = "a list" if isinstance(value, list) else "a single value"
        message = f"the document is {kind}, not a mapping"
    diagnostics.append(_problem(source, "C004", message, offset, _MAPPING_HELP))
    return {}, diagnostics, layout


def _unusable(
    source: SourceText,
    code: str,
    message: str,
    offset: int,
    way_out: str,
    related: Any = (),
) -> _Parsed:
    return {}, [_problem(source, code, message, offset, way_out, related)], None


def _problem(
    source: SourceText, code: str, message: str, offset: int, way_out: str, related: Any = ()
) -> Diagnostic:
    place = source.place(min(offset, len(source.text)))
    excerpt = source.excerpt(place)
    return Diagnostic(code, message, place=place, help=(way_out,), related=related, excerpt=excerpt)


def _deep_bracket(text: str) -> int:
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match.group() in "[{" else -1
        if depth > DEEPEST:
            return match.start()
    return 0
