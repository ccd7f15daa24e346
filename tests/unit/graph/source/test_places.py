"""Every value and key has its place, and every place an excerpt without secrets."""

from __future__ import annotations

import pytest
from tests.unit.graph.source.documents import CONFIG, spot

from rungraph.graph.place import Place, caret_column
from rungraph.graph.source.document import parse_document


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("providers",), (2, 3), (1, 1)),
        (("providers", "inference", 0), (3, 5), (3, 5)),
        (("providers", "inference", 0, "provider_id"), (3, 18), (3, 5)),
        (("providers", "inference", 0, "config", "url"), (4, 19), (4, 14)),
        (("providers", "inference", 0, "config", "port"), (4, 39), (4, 31)),
        (("providers", "inference", 1, "config", "text"), (7, 13), (7, 7)),
        # What is missing is reported where the mapping or the list stands.
        (("providers", "inference", 0, "nothing"), (3, 5), (3, 5)),
        (("providers", "inference", 0, "nothing", 3, "more"), (3, 5), (3, 5)),
        (("providers", "inference", 0, 7), (3, 5), (3, 5)),
        (("providers", "inference", 2), (3, 3), (3, 3)),
        (("providers", "inference", -1), (3, 3), (3, 3)),
        (("providers", "inference", "0"), (3, 3), (3, 3)),
    ],
)
def test_every_value_and_key_has_its_place(
    path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]
) -> None:
    """Lines and columns count from one and point at the first character."""
    document = parse_document(CONFIG, "run.yaml")
    assert document.place_of(path) == Place("run.yaml", *value)
    assert spot(document, *path, key=True) == key


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_all_line_breaks_count(line_break: str) -> None:
    """Lines are what an editor shows, whatever wrote the file."""
    document = parse_document(f"a: 1{line_break}{line_break}b:{line_break}  c: 2{line_break}")
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert spot(document, "b", "c") == (4, 6)
    assert document.excerpt(document.place_of(("b", "c"))) == "  c: 2"
    # Characters of several bytes are one column each.
    assert spot(parse_document('ключ: "日本"  \n😀: {é: ü}'), "😀", "é") == (2, 8)


def test_quotes_and_blocks_are_told_from_plain_text() -> None:
    """Only a plain scalar may change its type when the environment is filled in."""
    document = parse_document(
        "plain: a\ndouble: \"a\"\nsingle: 'a'\nliteral: |\n  a\nfolded: >\n  a\n"
        "tagged: !!str a\nmapping: {}\n"
    )
    quoted = {name for name in document.value if document.is_quoted((name,))}
    assert quoted == {"double", "single", "literal", "folded", "tagged"}
    assert not document.is_quoted(("double", "below"))


def test_many_items_are_found_without_a_walk_for_each() -> None:
    """Looking places up needs no walk over the siblings each time."""
    document = parse_document("a:\n" + "- {b: 1}\n" * 20_000)
    places = [document.place_of(("a", index, "b")).line for index in range(20_000)]
    assert places == list(range(2, 20_002))


def test_an_alias_is_the_same_object_at_the_place_of_its_anchor() -> None:
    """What is repeated is read once and reported where it is written."""
    document = parse_document("a: &x\n  b: {c: 1}\nd: [*x]\n")
    assert document.value["a"] is document.value["d"][0]
    assert spot(document, "d", 0, "b", "c") == (2, 10)
    assert document.has_aliases
    assert not parse_document("a: '*'").has_aliases


def test_a_merged_key_stands_where_it_is_written() -> None:
    """Among merged mappings the one that gives the value gives the place, too."""
    document = parse_document(
        "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], d: 3}\n"
        "w:\n  <<: *x\n  <<: {a: 4}\n  b: 5\n"
    )
    assert document.value["z"] == {"a": 1, "b": 1, "c": 2, "d": 3}
    assert document.value["w"] == {"a": 4, "b": 5}
    assert (spot(document, "z", "b"), spot(document, "z", "c")) == ((1, 17), (2, 17))
    assert (spot(document, "w", "a"), spot(document, "w", "b")) == ((6, 11), (7, 6))
    assert spot(document, "w", "missing") == (5, 3)


def test_the_excerpt_is_the_source_line() -> None:
    """Tabs are kept, so that a caret can be put under the column; outside there is nothing."""
    document = parse_document('a: 1\nb:\t"x"\t# c')
    place = document.place_of(("b",))
    assert document.excerpt(place) == 'b:\t"x"\t# c'
    assert caret_column(document.excerpt(place), place) == place.column
    assert document.excerpt(Place("<text>", 9, 1)) == ""


@pytest.mark.parametrize("key", ["k1", "k11", "k30", "k59"])
def test_a_long_line_is_cut_around_the_place(key: str) -> None:
    """The caret still stands under what it is about."""
    document = parse_document("{" + ", ".join(f"k{i}: value{i}" for i in range(60)) + "}")
    place = document.place_of((key,))
    excerpt = document.excerpt(place)
    assert excerpt[caret_column(excerpt, place) - 1 :].startswith(f"value{key[1:]}")
    assert len(excerpt) <= 160


@pytest.mark.parametrize(
    ("text", "column", "rest"),
    [
        ("a: {password: correct-horse-battery, url: here}", 43, "here}"),
        ("a: {password: correct-horse-battery, url: here}", 20, "********, url: here}"),
        ("${env.API_KEY:=correct-horse}", 20, "${env.API_KEY:=********}"),
        ("url: http://me:correct-horse\x01battery@host", 29, "********@host"),
    ],
)
def test_a_secret_before_the_place_does_not_move_the_caret(
    text: str, column: int, rest: str
) -> None:
    """The excerpt is cut on the left when a mask has another length than the secret."""
    place = Place("<text>", 1, column)
    excerpt = parse_document(text).excerpt(place)
    assert "horse" not in excerpt
    assert excerpt[caret_column(excerpt, place) - 1 :] == rest


@pytest.mark.parametrize(
    "text",
    [
        "api_key: |\n  line\n  SECRET\n",
        "a:\n- password: >-\n    one\n\n    SECRET\n",
        "credentials:\n  user: SECRET\n",
        "credentials:\n- SECRET\n",
        "a: {token:\n SECRET}",
        '{"api_key":\n"SECRET"}',
        'password: "one\nSECRET"\n',
        "x: {client_secret: 'one\n  SECRET', b: 1}",
        "{a: 1,\n x: 2, password: [{name: y,\n other: SECRET}], c: 1}",
        "{a: 1,\n x: 2, password: one two\n SECRET, c: 1}",
        '{"token":\n[\n{"a":\n"SECRET"}]}',
        "token:\n# why\n  SECRET\n",
        "token: &t\n  SECRET\n",
        "a: {token: ']', b: 1, secret: ['[', \n SECRET]",
    ],
)
def test_a_secret_on_a_later_line_than_its_key_is_masked(text: str) -> None:
    """Wherever the value goes on, its lines are hidden."""
    document = parse_document(text)
    for number in range(1, text.count("\n") + 2):
        assert "SECRET" not in document.excerpt(Place("<text>", number, 1))


@pytest.mark.parametrize(
    "value",
    [
        *("&Hunter2", "!Hunter2", "!!Hunter2", "&Hunter2 x", "!<Hunter2>", "!a!Hunter2"),
        *("#Hunter2", "a #Hunter2", "a]Hunter2", "a}Hunter2", "a[Hunter2", "a{Hunter2"),
        *(
            "]Hunter2",
            "}Hunter2",
            "[*Hunter2]",
            "[a, !Hunter2]",
            "[a]Hunter2",
            "{a: b}Hunter2",
            "${env.X:-a}Hunter2",
            "${X:-${env.Y:-Hunter2}}",
        ),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "providers: {}\napi_key: VALUE\n",
        "providers: {inference: [{config: {api_key: VALUE, y: 1}}]}\n",
        "providers: {}\napi_key:\n  a: VALUE\n  b: 1\n",
    ],
)
def test_a_secret_that_means_something_in_yaml_is_masked(text: str, value: str) -> None:
    """What YAML takes for an anchor, a tag, a comment or brackets is meant as the secret's."""
    document = parse_document(text.replace("VALUE", value))
    shown = [document.excerpt(Place("<text>", number, 1)) for number in range(1, 5)]
    assert "Hunter2" not in f"{shown} {document.diagnostics}"


@pytest.mark.parametrize(
    "text",
    [
        '"pass\\x77ord": SECRET : x\n',
        '{"p\\u0061ssword": "SECRET" "x"}\n',
        "? password\n: SECRET\nx: [\n",
        "{password\n  : SECRET : x}\n",
        "password\u00a0: SECRET : x\n",
        "password:: SECRET : x\n",
        "a:\n  password: |\n    one\n SECRET\n",
        "  password:\n- one\n- SECRET\nx: [\n",
        "a:\n  b: 1\n  password:\n - SECRET:x\n - 'SECRET' ]\n",
        "- token:\n- SECRET\nx: [\n",
        "pin: one\n!!str password:\n- SECRET\nx: [\n",
        '"pass\\\n  word": SECRET ]\n',
        '? "pass\\\r\n  word" : SECRET ]\n',
        '"pass\\0word": SECRET : x\n',
        '"api\\u200b_ke\\u00ADy": SECRET : x\n',
        "api_ke\0y: SECRET\n",
        "to\u200bken: SECRET : x\n",
        "api_\u2060key: SECRET : x\n",
        "'to\ufeffken': SECRET : x\n",
    ],
)
def test_no_excerpt_of_an_error_shows_a_secret_however_its_key_is_written(text: str) -> None:
    """With escapes, with what is not seen, away from its colon, or its value indented wrongly."""
    document = parse_document(f"providers: {{}}\n{text}")
    assert document.value == {}
    shown = [document.excerpt(Place("<text>", number, 1)) for number in range(1, 7)]
    assert "SECRET" not in f"{shown} {document.diagnostics}"


def test_anchors_tags_and_remarks_at_a_secret_are_shown() -> None:
    """Those that an alias names, plain words, and comments after a blank."""
    text = "a: {token: &t_1 !vault x} # why\npassword: x # why\nb: *t_1\n"
    document = parse_document(text)
    shown = [document.excerpt(Place("<text>", number, 1)) for number in (1, 2)]
    assert shown == ["a: {token: &t_1 !vault ********} # why", "password: ******** # why"]


@pytest.mark.parametrize(
    "value", ["|\n    x", "'\n    x'", "[\n    x]", "\n    x: y", "x\n    y", " # c\n    y"]
)
def test_the_lines_after_a_secret_are_shown(value: str) -> None:
    """Masking ends with the value."""
    document = parse_document(f"a:\n  token: {value}\n  url: shown\n'b': shown\n")
    assert document.excerpt(Place("<text>", 4, 3)) == "  url: shown"
    assert document.excerpt(Place("<text>", 5, 1)) == "'b': shown"


@pytest.mark.parametrize("line", ["- my own url: shown", "- b: shown", "- 'c': shown", "d: shown"])
def test_the_entry_after_a_secret_without_a_value_is_shown(line: str) -> None:
    """An item with a key is no value of a key that stands right of it; one without can be."""
    document = parse_document(f"- a: 1\n  token:\n{line}\n")
    assert document.excerpt(Place("<text>", 3, 1)) == line


@pytest.mark.parametrize("line", ["  my own url: shown", "  ? shown", "  <<: *shown"])
def test_the_entry_after_a_secret_block_is_shown(line: str) -> None:
    """Whatever its key looks like; other text there is taken for the secret's."""
    document = parse_document(f"a:\n  token: |\n    x\n{line}\n")
    assert document.excerpt(Place("<text>", 4, 3)) == line
