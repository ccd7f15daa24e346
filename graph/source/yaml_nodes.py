"""A text to YAML nodes, through libyaml where PyYAML has it."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from yaml.nodes import Node, ScalarNode

from rungraph.graph.budgets import DEEPEST
from rungraph.graph.source.text import UnreadableError
from rungraph.graph.source.yaml_errors import explained

STR_TAG: Final = "tag:yaml.org,2002:str"

_BRACKET = re.compile(r"[\[\]{}]")
# libyaml looks ahead for the end of a key and meets its own limit before ours.
_DEPTH_LIMIT = "maximum nesting depth"


def too_deep(offset: int) -> UnreadableError:
    """Return the error for collections that are nested too deep at *offset*."""
    message = f"collections nested deeper than {DEEPEST}"
    return UnreadableError(offset, message, "close the brackets, or flatten the config", "C007")


def deep_bracket(text: str) -> int:
    """Return the offset of the first bracket that is nested too deep; 0 when there is none."""
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match.group() in "[{" else -1
        if depth > DEEPEST:
            return match.start()
    return 0


class _BareNodes:
    """What makes either loader of PyYAML yield nodes without tags that are not written.

    The type of a plain scalar is not looked up here for each node but later for each distinct text.
    """

    depth = 0
    # The parameters have the names that PyYAML gives them.

    def resolve(self, kind: type[Node], value: object, implicit: Any) -> str:  # noqa: ARG002
        return "" if kind is not ScalarNode or implicit[0] else STR_TAG

    def descend_resolver(self, current_node: Any, current_index: object) -> None:  # noqa: ARG002
        self.depth += 1
        if self.depth > DEEPEST:
            raise too_deep(current_node.start_mark.index)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class PureLoader(_BareNodes, yaml.SafeLoader):
    """Nodes from PyYAML's own parser."""


_Loader: Any = PureLoader
if yaml.__with_libyaml__:

    class _FastLoader(_BareNodes, yaml.CSafeLoader):
        """Nodes from libyaml."""

    _Loader = _FastLoader


def compose(text: str) -> tuple[Node | None, int | None]:
    """Return the root of the first document in *text*, and the offset of a second document.

    The node of a plain scalar, and of a collection, has the tag that is written or an empty one.

    Raises:
        UnreadableError: If *text* is not YAML, or nested too deep.
    """
    try:
        loader = _Loader(text)
        node = loader.get_node() if loader.check_node() else None
        return node, _second(loader, text) if node and loader.check_node() else None
    except yaml.YAMLError as error:
        is_depth = _DEPTH_LIMIT in str(error)
        raise (too_deep(deep_bracket(text)) if is_depth else explained(error, text)) from error
    except RecursionError as error:
        raise too_deep(deep_bracket(text)) from error


def _second(loader: Any, text: str) -> int:
    try:
        return int(loader.get_node().start_mark.index)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return len(text) if mark is None else mark.index
