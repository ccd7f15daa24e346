"""A YAML text to a tree that keeps its comments, its order and its quotes, and back."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from rungraph.graph.budgets import MOST_REWRITTEN
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.errors import RungraphError
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.source.document import parse_document
from rungraph.graph.upgrade.aliases import Aliases, containers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ruamel.yaml import YAML

    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path

_BELOW = r"^( *)[^\s#-][^\n]*:[ ]*(?:#[^\n]*)?\n(?:[ ]*(?:#[^\n]*)?\n)*( *)"
_LIST = re.compile(rf"{_BELOW}- ", re.MULTILINE)
_MAPPING = re.compile(rf"{_BELOW}[^\s#\-\[{{]", re.MULTILINE)
_LINE = re.compile(r"^(?=.)", re.MULTILINE)
_WIDEST = 4096
_UNREADABLE = "what it becomes cannot be written so that it can be read again"


class UpgradeError(RungraphError, ValueError):
    """Raised when a run config cannot be written for another release."""


class YamlText:
    """One text and how it is written: what is not touched is written as it was.

    Args:
        document: The text, as it was read.

    Raises:
        UpgradeError: If ruamel.yaml is not installed, or cannot read the text, or it is too large.
    """

    def __init__(self, document: Document) -> None:
        try:
            from ruamel.yaml import YAML
            from ruamel.yaml.error import YAMLError
        except ImportError as error:
            msg = "'ruamel.yaml' is not installed\nhelp: pip install \"rungraph[upgrade]\""
            raise UpgradeError(msg) from error
        if _holds_more_than(MOST_REWRITTEN, document.value):
            msg = f"{document.file} holds more than {MOST_REWRITTEN:,} values: rewrite its parts"
            raise UpgradeError(msg)
        text = document.text
        self._yaml: YAML = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = _WIDEST
        offset = _usual(_LIST, text, least=0, default=0)
        mapping = _usual(_MAPPING, text, least=1, default=2)
        self._yaml.indent(mapping=mapping, sequence=2 + offset, offset=offset)
        self.is_json = False
        with suppress(ValueError):
            json.loads(text)
            self.is_json = True
        indented = re.search(r"^[{[]\s*\n( +)", text)
        self._spaces = len(indented[1]) if indented else None
        try:
            self.tree: Any = self._yaml.load(text)
        except (YAMLError, ValueError) as error:  # Such as a date that there is not.
            reason = masked_text(str(error).partition("\n")[0])
            msg = f"ruamel.yaml, which keeps the comments, cannot read it: {reason}"
            raise UpgradeError(msg) from error
        if (path := _difference(document.value, self.tree)) is not None:
            msg = "ruamel.yaml, which keeps the comments, does not read this as YAML 1.1 is read"
            msg = f"{document.place_of(path, key=True)}: {msg}: quote it, or write it plainer"
            raise UpgradeError(msg)
        self._aliases = Aliases(self.tree)

    def dumped(self, value: Any) -> str:
        """Return *value*, a part of the tree, as YAML text, or as JSON when the text was."""
        if self.is_json:
            return json.dumps(value, indent=self._spaces, ensure_ascii=False) + "\n"
        _write_empty(value)
        self._aliases.put_back(value)
        stream = io.StringIO()
        self._yaml.dump(value, stream)
        return stream.getvalue()


def _holds_more_than(most: int, value: Any) -> bool:
    todo = [value]
    while todo and most >= 0:
        most -= 1
        one: Any = todo.pop()
        if isinstance(one, dict | list):
            todo += one.values() if isinstance(one, dict) else one
    return most < 0


def _difference(value: Any, tree: Any, path: Path = ()) -> Path | None:
    """Return where *tree* has not the mappings and lists of *value*; None where it has them all.

    Other scalars are to be expected: ``on`` is text in YAML 1.2, and a key can be a number.
    """
    steps: list[Any]
    if isinstance(value, dict):
        steps = [one for one in tree if isinstance(one, str)] if isinstance(tree, dict) else []
        if not isinstance(tree, dict) or len(tree) != len(value) or not value.keys() >= {*steps}:
            return path
    elif isinstance(value, list):
        if not isinstance(tree, list) or len(tree) != len(value):
            return path
        steps = [*range(len(value))]
    else:
        return path if isinstance(tree, dict | list) else None
    found = (_difference(value[step], tree[step], (*path, step)) for step in steps)
    return next((one for one in found if one is not None), None)


def _write_empty(node: Any) -> None:
    """Let what has become empty be written behind its key, where a comment may stand now."""
    for key, value in containers(node):
        if value:
            _write_empty(value)
        elif hasattr(value, "fa") and value.fa.flow_style() is False:
            node.ca.items.pop(key, None)
            node[key] = type(value)()
            node[key].fa.set_flow_style()


def _usual(pattern: re.Pattern[str], text: str, *, least: int, default: int) -> int:
    """Return by how much, *least* or more, a text mostly indents what stands below a key.

    What stands further left is below no key: the key is without a value, or no key but text.
    """
    # Overlapping, because the line of one key is the line above another.
    found = (pattern.match(text, at.start()) for at in _LINE.finditer(text))
    steps = (len(one[2]) - len(one[1]) for one in found if one)
    depths = Counter(step for step in steps if step >= least)
    return max(depths.items(), key=lambda one: (one[1], -one[0]))[0] if depths else default


def renamed(mapping: Any, old: str, new: str, value: Any) -> None:
    """Give the key *old* of a tree's mapping another name and value, where it stands."""
    position = list(mapping).index(old)
    comment = mapping.ca.items.pop(old, None)
    del mapping[old]
    mapping.insert(position, new, value)
    if comment is not None:
        mapping.ca.items[new] = comment
        behind = comment[2] if len(comment) > 2 else None
        if behind is not None and not behind.value.startswith("\n"):
            # A comment behind the value keeps its distance.
            behind.start_mark.column += len(new) - len(old)


def readable(text: str) -> str:
    """Return *text*, which has been written; ruamel.yaml reads ``{&a: b}`` as nobody else does.

    Raises:
        UpgradeError: If it cannot be read.
    """
    if errors_in(parse_document(text).diagnostics):
        raise UpgradeError(_UNREADABLE)
    return text


def with_comments_of(before: str, after: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the YAML *after* with the comments of *before*, and those that have no place in it.

    A comment goes with what is beside it when that is moved or taken out: it is put back above, or
    behind, the line that it was written to. Each that has no place is given with its line.

    Raises:
        UpgradeError: If *after* cannot be read.
    """
    try:
        return _with_comments(before, after)
    except yaml.YAMLError as error:
        raise UpgradeError(_UNREADABLE) from error


def _with_comments(before: str, after: str) -> tuple[str, list[tuple[str, str]]]:
    lines = after.splitlines()
    comments = _comments(before)
    missing = Counter(comments.values()) - Counter(_comments(after).values())
    pending: list[tuple[str, str]] = []
    lost: list[tuple[str, str]] = []
    everything: list[tuple[str, str]] = []
    at = 0
    for number, line in enumerate(before.splitlines()):
        comment = comments.get(number, "")
        content = line.strip().removesuffix(comment).strip()
        is_missing = missing[comment] > 0
        missing[comment] -= is_missing
        own = [(content, comment)] * is_missing
        everything += own
        if not content:
            pending += own
            continue
        found = next((i for i in range(at, len(lines)) if lines[i].strip() == content), -1)
        if found < 0:
            lost += [*pending, *own]
        else:
            indent = lines[found][: len(lines[found]) - len(lines[found].lstrip())]
            lines[found] += "".join(f"  {one}" for _, one in own)
            lines[found:found] = [indent + one for _, one in pending]
            at = found + len(pending) + 1
        pending = []
    text = "\n".join(lines) + "\n"
    # A line of a text can look like one of the config: then nothing is put into it.
    old, new = (yaml.serialize(yaml.compose(one)) for one in (after, text))
    return (text, [*lost, *pending]) if old == new else (after, everything)


@cache
def _comments(text: str) -> Mapping[int, str]:
    """Return the comments of a YAML text by the number of their line."""
    lines = text.splitlines()
    ends = dict.fromkeys(range(len(lines)), 0)
    for token in yaml.scan(text):
        first, last = token.start_mark.line, token.end_mark.line
        if last > first and isinstance(token, yaml.ScalarToken):
            # What is inside of a text is none, also where it begins with #.
            for inside in range(first + (token.style in ("|", ">")), last):
                ends.pop(inside, None)
        if last in ends:
            ends[last] = max(ends[last], token.end_mark.column)
    return {
        number: lines[number][end:].strip()
        for number, end in ends.items()
        if lines[number][end:].strip().startswith("#")
    }
