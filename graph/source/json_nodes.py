"""A JSON text to YAML nodes.

YAML itself cannot read it all: not ``1e5`` as a number, nor the two escapes that JSON writers make
of an emoji, nor a colon on the line after its key.
"""

from __future__ import annotations

import json
import re
from typing import Final

from yaml import Mark
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from rungraph.graph.budgets import DEEPEST
from rungraph.graph.source.yaml_nodes import STR_TAG, deep_bracket, too_deep

# Only for text that the json module has accepted.
_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s\[\]{},:"]+', re.DOTALL)
_TAG: Final = "tag:yaml.org,2002:"
_TYPE: Final = {"true": "bool", "false": "bool", "null": "null"}
_NOT_JSON: Final = ("NaN", "Infinity", "-Infinity")


def compose_json(text: str) -> Node:
    """Return the root of a JSON text.

    Raises:
        json.JSONDecodeError: If *text* is not JSON; NaN, Infinity and half characters are not.
        UnreadableError: If it is nested too deep.
    """
    try:
        # Only a check; Python's int refuses numbers with very many digits.
        json.loads(text, parse_int=float)
    except RecursionError as error:
        raise too_deep(deep_bracket(text)) from error
    root: list[Node] = []
    opened: list[CollectionNode] = [SequenceNode("", root)]
    for match in _LEXEME.finditer(text):
        lexeme, start = match.group(), match.start()
        if lexeme in ("]", "}"):
            closed = opened.pop()
            if isinstance(closed, MappingNode):
                flat = closed.value
                closed.value = list(zip(flat[::2], flat[1::2], strict=True))
            continue
        mark = Mark("", start, 0, 0, None, 0)
        if lexeme in ("[", "{"):
            node = (
                SequenceNode(f"{_TAG}seq", [], mark, mark)
                if lexeme == "["
                else MappingNode(f"{_TAG}map", [], mark, mark)
            )
            opened[-1].value.append(node)
            opened.append(node)
            if len(opened) - 1 > DEEPEST:
                raise too_deep(start)
        else:
            opened[-1].value.append(_scalar(text, lexeme, mark))
    return root[0]


def _scalar(text: str, lexeme: str, mark: Mark) -> ScalarNode:
    if lexeme[0] == '"':
        value: str = json.loads(lexeme) if "\\" in lexeme else lexeme[1:-1]
        try:
            value.encode()
        except UnicodeEncodeError:
            message = "half of a surrogate pair, which is no character"
            raise json.JSONDecodeError(message, text, mark.index) from None
        return ScalarNode(STR_TAG, value, mark, mark)
    if lexeme in _NOT_JSON:
        message = f"{lexeme} is not a JSON value"
        raise json.JSONDecodeError(message, text, mark.index)
    kind = _TYPE.get(lexeme) or ("int" if lexeme.lstrip("-").isdigit() else "float")
    if kind == "int":
        try:
            int(lexeme)
        except ValueError:
            message = "a number with too many digits"
            raise json.JSONDecodeError(message, text, mark.index) from None
    return ScalarNode(f"{_TAG}{kind}", lexeme, mark, mark)
