"""The nodes of a document to its plain value, the spots of its values and its problems."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from rungraph.graph.budgets import LONGEST_NUMBER, MOST_FROM_ALIASES
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.source.positions import Spot
from rungraph.graph.source.text import SourceText, UnreadableError
from rungraph.graph.source.yaml_nodes import STR_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG = "tag:yaml.org,2002:"
_CONSTRUCTOR: Any = SafeConstructor()
# A timestamp stays text, and so do "=" and "<<" where they are values.
_CONVERSIONS: dict[str, Any] = {
    f"{_TAG}int": _CONSTRUCTOR.construct_yaml_int,
    f"{_TAG}float": _CONSTRUCTOR.construct_yaml_float,
    f"{_TAG}bool": _CONSTRUCTOR.construct_yaml_bool,
    f"{_TAG}null": _CONSTRUCTOR.construct_yaml_null,
}
_RESOLVERS: dict[str, list[tuple[str, Any]]] = {
    first: typed
    for first, resolvers in Resolver.yaml_implicit_resolvers.items()
    if first is not None and (typed := [pair for pair in resolvers if pair[0] in _CONVERSIONS])
}


def constructed(
    source: SourceText, root: Node, problems: list[Diagnostic]
) -> tuple[Any, Spot, bool]:
    """Return the value of a document, the spots of all in it, and whether anything is repeated.

    A problem in one place does not keep the rest from being read: of equal keys the last counts,
    a key that is not text is taken as the text that it is written with, and a tag that has no
    meaning here is passed over. What is found is added to *problems*.

    Raises:
        UnreadableError: If the document contains itself, or repeats too much.
    """
    construction = _Construction(source, problems)
    value, spot = construction.read(root)
    return value, spot, construction.has_aliases


class _Construction:
    """One walk over the nodes."""

    def __init__(self, source: SourceText, problems: list[Diagnostic]) -> None:
        self._source = source
        self._problems = problems
        self._path: list[str | int] = []
        self._open: set[Node] = set()
        self._done: dict[Node, tuple[Any, Spot, int]] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._written = 0
        self._from_aliases = 0

    @property
    def has_aliases(self) -> bool:
        return self._from_aliases > 0

    def read(self, node: Node, key: int | None = None) -> tuple[Any, Spot]:
        """Return the value of *node*, whose key stands at *key*, and its spot."""
        start = node.start_mark.index
        key_start = start if key is None else key
        self._written += 1
        if isinstance(node, ScalarNode):
            return self._scalar(node), Spot(start, key_start, node.tag == STR_TAG)
        if node in self._done:
            return self._repeated(node, key_start)
        if node in self._open:
            raise UnreadableError(
                start,
                "an alias stands inside the collection that it repeats",
                "write the values out: a config cannot contain itself",
                "C007",
                path=tuple(self._path),
            )
        before = self._written + self._from_aliases
        self._open.add(node)
        value, children = (
            self._sequence(node) if isinstance(node, SequenceNode) else self._mapping(node)
        )
        self._open.discard(node)
        spot = Spot(start, key_start, children=children)
        self._done[node] = value, spot, self._written + self._from_aliases - before + 1
        return value, spot

    def _repeated(self, node: Node, key: int) -> tuple[Any, Spot]:
        """Return what an alias repeats: the same object each time."""
        value, spot, size = self._done[node]
        self._from_aliases += size
        if self._from_aliases > max(MOST_FROM_ALIASES, 10 * self._written):
            raise UnreadableError(
                spot.start,
                f"aliases repeat more than {MOST_FROM_ALIASES:,} values",
                "repeat less by alias: aliases of aliases multiply",
                "C007",
                path=tuple(self._path),
            )
        return value, spot._replace(key=key)

    def _sequence(self, node: Node) -> tuple[list[Any], list[Spot]]:
        if node.tag not in ("", f"{_TAG}seq"):
            self._unsupported_tag(node)
        values: list[Any] = []
        spots: list[Spot] = []
        self._path.append(0)
        for index, item in enumerate(node.value):
            self._path[-1] = index
            value, spot = self.read(item)
            values.append(value)
            spots.append(spot)
        self._path.pop()
        return values, spots

    def _mapping(self, node: Node) -> tuple[dict[str, Any], dict[str | int, Spot]]:
        if node.tag not in ("", f"{_TAG}map"):
            self._unsupported_tag(node)
        values: dict[str, Any] = {}
        spots: dict[str | int, Spot] = {}
        firsts: dict[str, Spot] = {}
        merged_values: dict[str, Any] = {}
        merged_spots: dict[str | int, Spot] = {}
        self._path.append("")
        for key, item in node.value:
            start = key.start_mark.index
            label = self._label(key)
            if label is None:
                # Later merge keys win.
                for source_values, source_spots in self._sources(*self.read(item, start)):
                    merged_values.update(source_values)
                    merged_spots.update(source_spots)
                continue
            self._path[-1] = label
            if label in spots:
                self._duplicate(label, start, firsts.setdefault(label, spots[label]))
            values[label], spots[label] = self.read(item, start)
        self._path.pop()
        if merged_values:
            return {**merged_values, **values}, {**merged_spots, **spots}
        return values, spots

    def _sources(
        self, value: Any, spot: Spot
    ) -> Iterator[tuple[dict[str, Any], dict[str | int, Spot]]]:
        """Yield the mappings that a merge key names, the one that counts most last."""
        is_list = isinstance(value, list)
        values = value if is_list else [value]
        spots: Any = spot.children if is_list else [spot]
        if not all(isinstance(one, dict) for one in values):
            message = "a merge key '<<' needs a mapping or a list of mappings"
            self._problem(message, spot.start, "name an anchored mapping: <<: *name")
            return
        for one, one_spot in zip(reversed(values), reversed(spots), strict=True):
            yield one, one_spot.children

    def _scalar(self, node: ScalarNode) -> Any:
        tag, text = node.tag, str(node.value)
        if not tag:
            return _plain_value(text) if text[:1] in _RESOLVERS else text
        if tag == STR_TAG:
            return text
        if tag not in _CONVERSIONS:
            self._unsupported_tag(node)
            return text
        value = _converted(tag, text)
        if value is text:
            self._problem(
                f"the value is not what its tag {_shown_tag(tag)!r} says",
                node.start_mark.index,
                f"remove {_shown_tag(tag)}, or write a value of that type",
            )
        return value

    def _label(self, node: Node) -> str | None:
        """Return the text of a key; None for a merge key."""
        start: int = node.start_mark.index
        if not isinstance(node, ScalarNode):
            kind = "list" if isinstance(node, SequenceNode) else "mapping"
            label = self._source.part(start, node.end_mark.index)[:40]
            is_template = self._source.text.startswith("{{", start - 1)
            way_out = 'put a template in quotes: "{{ ... }}"' if is_template else "use a text"
            self._path[-1] = label
            self._problem(f"a {kind} cannot be a key", start, way_out)
            return label
        text: str = node.value
        # Configs have few different keys: each is judged, and kept, once.
        if (known := self._labels.get((node.tag, text))) is not None:
            return known
        self._path[-1] = text
        if node.tag == f"{_TAG}merge" or (not node.tag and text == "<<"):
            return None
        value = self._scalar(node)
        if not isinstance(value, str):
            kind = "a number" if isinstance(value, int | float) else "null"
            if isinstance(value, bool):
                kind = str(value).lower()
            self._problem(
                f"the key {text or '(nothing)'} is {kind} in YAML; it is read as text, {text!r}",
                start,
                f'put the key in quotes: "{text}":',
                severity=Severity.WARNING,
            )
        elif node.tag in ("", STR_TAG):
            self._labels[node.tag, text] = text
        return text

    def _duplicate(self, label: str, start: int, first: Spot) -> None:
        place = self._source.place(first.key)
        self._problem(
            f"the key {label!r} is written twice; only the last counts",
            start,
            f"remove or rename one of the two; the first is in line {place.line}",
            code="C006",
            related=((place, "first written here"),),
        )

    def _unsupported_tag(self, node: Node) -> None:
        tag = _shown_tag(node.tag)
        if tag == "!!binary":
            way_out = "write the base64 text in quotes, without the tag"
        else:
            way_out = (
                f"remove {tag}: a config holds text, numbers, true, false, null, lists, mappings"
            )
        self._problem(f"the tag {tag!r} is not supported", node.start_mark.index, way_out)

    def _problem(
        self, message: str, offset: int, way_out: str, *, code: str = "C007", **more: Any
    ) -> None:
        path = tuple(self._path)
        self._problems.append(
            self._source.problem(code, message, offset, way_out, path=path, **more)
        )


@lru_cache(maxsize=4096)
def _plain_value(text: str) -> Any:
    """Return what a scalar without quotes means."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return _converted(tag, text)
    return text


def _converted(tag: str, text: str) -> Any:
    """Return *text* as the type that *tag* names; *text* itself when it is none of that type."""
    if len(text) > LONGEST_NUMBER:
        return text
    try:
        return _CONVERSIONS[tag](ScalarNode(tag, text))
    except (ValueError, KeyError, IndexError, ConstructorError):
        return text


def _shown_tag(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
