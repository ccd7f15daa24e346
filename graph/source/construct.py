"""The nodes of a YAML document to its plain value, its layout and its diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.source.positions import (
    ALIAS,
    MAPPING,
    MERGE,
    PLAIN,
    QUOTED,
    SEQUENCE,
    Layout,
    path_text,
)
from rungraph.graph.source.yaml_nodes import STR_TAG

if TYPE_CHECKING:
    from rungraph.graph.source.text import SourceText

MOST_FROM_ALIASES: Final = 1_000_000
"""Values that aliases may add to those that are written out; ten times those when that is more."""

_TAG = "tag:yaml.org,2002:"
_MERGE_TAG = f"{_TAG}merge"
_COLLECTION_TAGS: dict[type[Node], str] = {
    SequenceNode: f"{_TAG}seq",
    MappingNode: f"{_TAG}map",
}
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


class UnusableError(Exception):
    """Raised inside when no value can be made of a document."""


class _PlainValues(dict[str, Any]):
    """The value of each plain scalar that is not certainly text, looked up once for each text."""

    def __missing__(self, text: str) -> Any:
        value: Any = text
        for tag, pattern in _RESOLVERS.get(text[:1], ()):
            if pattern.match(text):
                value = _converted(tag, text)
                break
        self[text] = value
        return value


class Construction:
    """The plain value of one node tree, its layout and its diagnostics.

    A problem in one place does not keep the rest from being read: of equal keys the first counts,
    a key that is not text is taken as the text that it is written with, and a tag that has no
    meaning here is passed over.
    """

    def __init__(self, source: SourceText) -> None:
        self.layout = Layout()
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._path: list[str | int] = []
        self._plain_values = _PlainValues()
        self._labels: dict[str, str] = {}
        # Only a text with aliases has nodes that come up twice.
        self._may_repeat = "*" in source.text
        self._done: dict[Node, tuple[Any, int, int]] = {}
        self._open: set[Node] = set()
        self._from_aliases = 0
        self._first_keys: dict[int, tuple[int, dict[str, int]]] = {}

    def value_of(self, root: Node) -> Any:
        """Return the value of the whole document.

        Raises:
            UnusableError: If it has none; a diagnostic tells why.
        """
        return self._value(root, root.start_mark.index, None)

    def _value(self, node: Node, key: int, label: str | None) -> Any:
        """Append the entries of *node* to the layout and return its value."""
        layout = self.layout
        layout.starts.append(node.start_mark.index)
        layout.keys.append(key)
        layout.labels.append(label)
        if node.__class__ is ScalarNode:
            layout.kinds.append(PLAIN if _tag(node) is None else QUOTED)
            return self._scalar(node)
        entry = len(layout.labels) - 1
        if self._may_repeat:
            if node in self._done:
                return self._repeated(node, entry)
            self._open_once(node)
        before = entry + self._from_aliases
        tag = _tag(node)
        if tag is not None and tag != _COLLECTION_TAGS[node.__class__]:
            self._unsupported_tag(node)
        if node.__class__ is SequenceNode:
            layout.kinds.append(SEQUENCE)
            value = self._sequence(node)
        else:
            layout.kinds.append(MAPPING)
            value = self._mapping(node, entry)
        layout.ends[entry] = end = len(layout.labels)
        if self._may_repeat:
            self._open.discard(node)
            self._done[node] = value, entry, end + self._from_aliases - before
        return value

    def _sequence(self, node: Node) -> list[Any]:
        path = self._path
        result: list[Any] = []
        path.append(0)
        items: list[Node | None] = node.value
        for index, item in enumerate(node.value):
            path[-1] = index
            result.append(self._value(item, item.start_mark.index, None))
            if not self._may_repeat:
                items[index] = None  # Its memory is used again at once for what follows.
        path.pop()
        return result

    def _mapping(self, node: Node, entry: int) -> Any:
        # The one loop whose speed matters: most nodes are scalars in mappings.
        layout, path, labels = self.layout, self._path, self._labels
        add_start, add_key = layout.starts.append, layout.keys.append
        add_label, add_kind = layout.labels.append, layout.kinds.append
        plain_values, maybe_typed = self._plain_values, _RESOLVERS
        result: dict[str, Any] = {}
        merged: dict[str, Any] | None = None
        path.append("")
        for key_node, item in node.value:
            tag = key_node.tag
            text = key_node.value
            if (tag is None or tag == STR_TAG) and text.__class__ is str and text in labels:
                label = labels[text]
            else:
                label = self._label(key_node)
            if label in result:
                self._duplicate(label, key_node, entry)
            path[-1] = label
            if item.__class__ is ScalarNode:
                add_start(item.start_mark.index)
                add_key(key_node.start_mark.index)
                add_label(label)
                value = item.value
                if (tag := item.tag) is None:
                    add_kind(PLAIN)
                    if value[:1] in maybe_typed:
                        value = plain_values[value]
                else:
                    add_kind(QUOTED)
                    if tag != STR_TAG:
                        value = self._scalar(item)
            else:
                value = self._value(item, key_node.start_mark.index, label)
            if label is MERGE:
                merged = self._merged(merged or {}, value, item)
            elif label not in result:
                result[label] = value
        path.pop()
        return result if merged is None else {**merged, **result}

    def _scalar(self, node: Node) -> Any:
        tag = _tag(node)
        text: str = node.value
        if tag is None:
            return self._plain_values[text] if text[:1] in _RESOLVERS else text
        if tag == STR_TAG:
            return text
        if tag not in _CONVERSIONS:
            self._unsupported_tag(node)
            return text
        value = _converted(tag, text)
        if value is text:
            self._problem(
                "C007",
                f"the value is not what its tag {_shown_tag(tag)!r} says",
                node.start_mark.index,
                f"remove {_shown_tag(tag)}, or write a value of that type",
            )
        return value

    def _label(self, node: Node) -> str:
        """Return the text of a key, ``MERGE`` for a merge key."""
        start: int = node.start_mark.index
        if node.__class__ is not ScalarNode:
            kind = "list" if node.__class__ is SequenceNode else "mapping"
            label = masked_text(self._source.text[start : node.end_mark.index])[:40]
            is_template = self._source.text.startswith("{{", start - 1)
            way_out = 'put a template in quotes: "{{ ... }}"' if is_template else "use a text"
            self._path[-1] = label
            self._problem("C007", f"a {kind} cannot be a key", start, way_out)
            return label
        text: str = node.value
        tag = _tag(node)
        if tag == _MERGE_TAG or (tag is None and text == "<<"):
            return MERGE
        self._path[-1] = text
        value = self._scalar(node)
        if not isinstance(value, str):
            kind = "a number" if isinstance(value, int | float) else "null"
            if isinstance(value, bool):
                kind = str(value).lower()
            self._problem(
                "C007",
                f"the key {text or '(nothing)'} is {kind} in YAML; it is read as text, {text!r}",
                start,
                f'put the key in quotes: "{text}":',
                Severity.WARNING,
            )
            return text
        if text[:1] not in _RESOLVERS or self._plain_values[text] is text:
            # Such a key means the same with quotes and without.
            self._labels[text] = text
        return text

    def _merged(self, merged: dict[str, Any], value: Any, node: Node) -> dict[str, Any]:
        """Return what the merge keys bring in: later keys win, and earlier items of a list."""
        sources: list[Any] = value if value.__class__ is list else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._problem(
                "C007",
                "a merge key '<<' needs a mapping or a list of mappings",
                node.start_mark.index,
                "name an anchored mapping: <<: *name",
            )
            return merged
        result = dict(merged)
        for source in reversed(sources):
            result.update(source)
        return result

    def _open_once(self, node: Node) -> None:
        if node in self._open:
            self._problem(
                "C007",
                "an alias stands inside the collection that it repeats",
                node.start_mark.index,
                "write the values out: a config cannot contain itself",
            )
            raise UnusableError
        self._open.add(node)

    def _repeated(self, node: Node, entry: int) -> Any:
        """Return the value of a collection that an alias repeats: the same object each time."""
        layout = self.layout
        value, target, weight = self._done[node]
        layout.kinds.append(ALIAS)
        layout.targets[entry] = target
        self._from_aliases += weight
        if self._from_aliases > max(MOST_FROM_ALIASES, 10 * len(layout.labels)):
            self._problem(
                "C007",
                f"aliases repeat more than {MOST_FROM_ALIASES:,} values",
                node.start_mark.index,
                "repeat less by alias: aliases of aliases multiply",
            )
            raise UnusableError
        return value

    def _duplicate(self, label: str, node: Node, entry: int) -> None:
        layout = self.layout
        child, first_keys = self._first_keys.get(entry, (entry + 1, {}))
        while child < len(layout.labels):
            first_keys.setdefault(layout.labels[child] or "", layout.keys[child])
            child = layout.ends.get(child, child + 1)
        self._first_keys[entry] = child, first_keys
        first = self._source.place(first_keys[label])
        self._path[-1] = label
        self._problem(
            "C006",
            f"the key {label!r} is written twice; only the first counts",
            node.start_mark.index,
            f"remove or rename one of the two; the first is in line {first.line}",
            related=(first, "first written here"),
        )

    def _unsupported_tag(self, node: Node) -> None:
        tag = _shown_tag(node.tag)
        if tag == "!!binary":
            way_out = "write the base64 text in quotes, without the tag"
        else:
            way_out = (
                f"remove {tag}: a config holds text, numbers, true, false, null, lists, mappings"
            )
        self._problem("C007", f"the tag {tag!r} is not supported", node.start_mark.index, way_out)

    def _problem(
        self,
        code: str,
        message: str,
        offset: int,
        way_out: str,
        severity: Severity = Severity.ERROR,
        *,
        related: tuple[Any, str] | None = None,
    ) -> None:
        place = self._source.place(offset)
        self.diagnostics.append(
            Diagnostic(
                code,
                message,
                severity,
                place,
                (way_out,),
                path=path_text(["<<" if step is MERGE else step for step in self._path]),
                related=() if related is None else (related,),
                excerpt=self._source.excerpt(place),
            )
        )


def _converted(tag: str, text: str) -> Any:
    """Return *text* as the type that *tag* names; *text* itself when it is none of that type."""
    try:
        return _CONVERSIONS[tag](ScalarNode(tag, text))
    except (ValueError, KeyError, IndexError, ConstructorError):
        return text


def _tag(node: Node) -> str | None:
    return cast("str | None", node.tag)


def _shown_tag(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
