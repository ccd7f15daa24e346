"""A YAML text to a tree that keeps its comments, its order and its quotes, and back."""

from __future__ import annotations

import io
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import yaml

from rungraph.graph.errors import RungraphError

if TYPE_CHECKING:
    from ruamel.yaml import YAML

_LIST = re.compile(r"^( *)[^\s#-][^\n]*:[ ]*\n(?:[ ]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)
_WIDEST = 4096


class UpgradeError(RungraphError, ValueError):
    """Raised when a run config cannot be written for another release."""


def _never_an_alias(_: object) -> bool:
    return True


class YamlText:
    """One text and how it is written: what is not touched is written as it was.

    Args:
        text: YAML.

    Raises:
        UpgradeError: If ruamel.yaml is not installed.
    """

    def __init__(self, text: str) -> None:
        try:
            from ruamel.yaml import YAML
        except ImportError as error:
            msg = (
                "writing YAML with its comments needs ruamel.yaml: pip install 'rungraph[upgrade]'"
            )
            raise UpgradeError(msg) from error
        self._yaml: YAML = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = _WIDEST
        offset = next((len(m[2]) - len(m[1]) for m in _LIST.finditer(text)), 0)
        self._yaml.indent(mapping=2, sequence=2 + offset, offset=offset)
        self.is_json = False
        with suppress(ValueError):
            json.loads(text)
            self.is_json = True
        indented = re.search(r"^[{[]\s*\n( +)", text)
        self._spaces = len(indented[1]) if indented else None
        self._yaml.representer.ignore_aliases = _never_an_alias
        self.tree: Any = self._yaml.load(text)

    def dumped(self, value: Any) -> str:
        """Return *value* as YAML text, or as JSON when the text was."""
        if self.is_json:
            return json.dumps(value, indent=self._spaces, ensure_ascii=False) + "\n"
        stream = io.StringIO()
        self._yaml.dump(value, stream)
        return stream.getvalue()


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


def with_comments_of(before: str, after: str) -> str:
    """Return the YAML *after* with the comments of *before* that stand above a line of both.

    A comment goes with the line before it when that is moved or taken out: it is put back where it
    was, above what it is about.
    """
    lines = after.splitlines()
    there = {line.strip() for line in lines}
    pending: list[str] = []
    at = 0
    for line in map(str.strip, before.splitlines()):
        if line.startswith("#"):
            if line not in there:
                pending.append(line)
            continue
        if not line:
            continue
        places = range(at, len(lines)) if line in there else ()
        found = next((index for index in places if lines[index].strip() == line), -1)
        if found >= 0:
            indent = lines[found][: len(lines[found]) - len(lines[found].lstrip())]
            lines[found:found] = [indent + one for one in pending]
            at = found + len(pending) + 1
        pending = []
    text = "\n".join(lines) + "\n"
    # A line of a text can look like one of the config: then nothing is put into it.
    old, new = (yaml.serialize(yaml.compose(one)) for one in (after, text))
    return text if old == new else after
