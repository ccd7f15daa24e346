"""Laws of reading: what a document means, where its values stand, and that nothing raises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rungraph.graph.place import Place, caret_column
from rungraph.graph.source.document import Document, document_of, parse_document

Path = tuple[str | int, ...]

# Neither dumper nor loader of PyYAML round-trips these breaks and controls in every style.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029\ufeff")
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.dates().map(str),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
documents = st.dictionaries(texts, trees, min_size=1, max_size=4)
styles = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "default_style": st.sampled_from([None, '"', "'", "|", ">"]),
        "allow_unicode": st.booleans(),
        "indent": st.integers(2, 6),
        "width": st.sampled_from([20, 80, 10_000]),
    }
)


# The two parsers of PyYAML differ in what they refuse.
Loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class NoTimestamps(Loader):  # type: ignore[misc]  # chosen at run time
    """PyYAML's safe loader without the one type that a config does not have."""


NoTimestamps.yaml_implicit_resolvers = {
    first: [pair for pair in resolvers if not pair[0].endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value in a tree with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


def text_at(document: Document, place: Place) -> str:
    """Return the document's text from a place on."""
    lines = re.split("(?<=\n)", document.text)
    return "".join(lines[place.line - 1 :])[place.column - 1 :]


def no_timestamps(text: str) -> Any:
    """Return what PyYAML makes of *text*, timestamps left as text."""
    return yaml.load(text, NoTimestamps)  # noqa: S506 (a safe loader)


@settings(deadline=None)
@given(documents, styles)
def test_what_is_dumped_is_read_back(tree: dict[str, Any], style: dict[str, Any]) -> None:
    """In every style, the value is the one that PyYAML's own loader gives."""
    text = yaml.safe_dump(tree, **style)
    document = parse_document(text, "run.yaml")
    assert document.diagnostics == ()
    assert document.value == no_timestamps(text)


@settings(deadline=None)
@given(documents, styles)
def test_every_place_points_at_its_value(tree: dict[str, Any], style: dict[str, Any]) -> None:
    """What stands at a value's place is that value, and at a key's place that key."""
    document = parse_document(yaml.safe_dump(tree, **style), "run.yaml")
    for path, value in paths(document.value):
        rest = text_at(document, document.place_of(path))
        if isinstance(value, dict | list) and not value:
            assert rest.startswith(("{}", "[]"))
        elif isinstance(value, str) and value.isalnum() and not document.is_quoted(path):
            assert rest.startswith(value)
        elif document.is_quoted(path):
            assert rest.startswith(('"', "'", "|", ">", "!!"))
        if path and isinstance(path[-1], str) and path[-1].isascii() and path[-1].isalnum():
            key_rest = text_at(document, document.place_of(path, key=True))
            assert key_rest.lstrip("? |>-+0123456789\n\"'").startswith(
                path[-1].lstrip("0123456789")
            ) or key_rest.startswith((path[-1], f'"{path[-1]}', f"'{path[-1]}"))


@settings(deadline=None)
@given(documents, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_json_is_read_back_with_places(
    tree: dict[str, Any], indent: int | str | None, escapes: bool
) -> None:
    """JSON means what the json module says, and each place decodes to its value."""
    text = json.dumps(tree, indent=indent, ensure_ascii=escapes)
    document = parse_document(text)
    assert document.diagnostics == ()
    assert document.value == tree
    decoder = json.JSONDecoder()
    for path, value in paths(document.value):
        decoded, _ = decoder.raw_decode(text_at(document, document.place_of(path)))
        assert decoded == value
        if path and isinstance(path[-1], str):
            key_text = text_at(document, document.place_of(path, key=True))
            assert decoder.raw_decode(key_text)[0] == path[-1]


@settings(deadline=None)
@given(documents)
def test_a_mapping_means_what_its_text_means(tree: dict[str, Any]) -> None:
    """A config given in Python is the config of its JSON."""
    assert document_of(tree).value == parse_document(json.dumps(tree)).value == tree


yaml_like = st.text(
    st.sampled_from("ab:- \n\t[]{},&*!|>'\"#%@?<=$~1e.${env}\r\u00e9\ufeff\x00\ud800")
)


@settings(deadline=None)
@given(yaml_like | st.text(), st.sampled_from(["run.yaml", "run.json"]))
@example("{a: {b: &x [*x]}}", "run.yaml")
@example("? ? - [", "run.yaml")
def test_no_text_raises(text: str, file: str) -> None:
    """Whatever is written, there is a mapping and every problem has a place in the text."""
    document = parse_document(text, file)
    assert isinstance(document.value, dict)
    for diagnostic in document.diagnostics:
        place = diagnostic.place
        assert place is not None
        assert place.line >= 1
        assert place.column >= 1
        assert diagnostic.help
        assert diagnostic.message[:1] == diagnostic.message[:1].lower()
    for path, _ in paths(document.value):
        assert document.place_of(path).line >= 1 or not document.text


@settings(deadline=None)
@given(yaml_like)
def test_a_text_that_is_refused_has_no_other_meaning(text: str) -> None:
    """Without a diagnostic, the value is the one that PyYAML gives."""
    document = parse_document(text)
    if not document.diagnostics:
        assert document.value == no_timestamps(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 3), st.integers(1, 400))
def test_an_excerpt_is_short_and_holds_its_caret(text: str, line: int, column: int) -> None:
    """Whatever the place, there is one line of at most 160 characters."""
    document = parse_document(text)
    place = Place("<text>", line, column)
    excerpt = document.excerpt(place)
    assert len(excerpt) <= 160
    assert "\n" not in excerpt
    assert caret_column(excerpt, place) >= 1
