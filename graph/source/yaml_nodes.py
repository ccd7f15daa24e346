"""YAML text to bare nodes, through libyaml where PyYAML has it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import yaml
from yaml.nodes import Node, ScalarNode

DEEPEST: Final = 100
"""Collections inside collections; a run config has some ten. Bounds every recursion over it."""
STR_TAG: Final = "tag:yaml.org,2002:str"


class TooDeepError(Exception):
    """Raised inside when collections are nested deeper than ``DEEPEST``.

    Attributes:
        offset: About where.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _BareNodes:
    """What makes either loader of PyYAML yield nodes without tags.

    The tag of a plain scalar is not looked up here for each node but later for each distinct text.
    """

    depth = 0
    # The parameters have the names that PyYAML gives them.

    def resolve(self, kind: type[Node], value: object, implicit: Any) -> str | None:  # noqa: ARG002
        return None if kind is not ScalarNode or implicit[0] else STR_TAG

    def descend_resolver(self, current_node: Any, current_index: object) -> None:  # noqa: ARG002
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooDeepError(current_node.start_mark.index)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class PureLoader(_BareNodes, yaml.SafeLoader):
    """Nodes from PyYAML's own parser."""


_Loader: Any = PureLoader
if yaml.__with_libyaml__:

    class _FastLoader(_BareNodes, yaml.CSafeLoader):
        """Nodes from libyaml."""

    _Loader = _FastLoader


class Composed(NamedTuple):
    """What one YAML text holds.

    Attributes:
        node: The root node of the first document; None when there is no document.
        second: The offset of the second document's first node; None when there is one document.
    """

    node: Node | None
    second: int | None


def compose(text: str) -> Composed:
    """Return the root node of *text*.

    The node of a plain scalar, and of a collection, has the tag that is written or None.

    Raises:
        yaml.YAMLError: If *text* is not YAML.
        TooDeepError: If collections are nested deeper than ``DEEPEST``.
    """
    loader = _Loader(text)
    try:
        if not loader.check_node():
            return Composed(None, None)
        node = loader.get_node()
        if not loader.check_node():
            return Composed(node, None)
        try:
            second = loader.get_node().start_mark.index
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            second = len(text) if mark is None else mark.index
        return Composed(node, second)
    finally:
        loader.dispose()
