"""Laws of substitution and of hiding secrets."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rungraph.graph.place import Place
from rungraph.graph.placeholders import placeholders
from rungraph.graph.secrets.values import MASK, Scrubber, masked, scrubbed, secret_values
from rungraph.graph.source.document import document_of, parse_document
from rungraph.graph.source.environment import Substitution
from rungraph.graph.source.text import SourceText

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
literals = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="${}"), max_size=8)
words = st.recursive(
    literals,
    lambda inner: st.builds(
        "{}${{env.{}{}{}}}{}".format,
        literals,
        names,
        st.sampled_from([":=", ":+"]),
        inner,
        literals,
    ),
    max_leaves=3,
)
templates = st.lists(
    st.tuples(literals, names, st.sampled_from(["", ":=", ":+"]), words), min_size=1, max_size=3
)
# After a bare colon or plus, a word must not begin with what makes another operator of it.
old_templates = st.lists(
    st.tuples(
        literals,
        names,
        st.sampled_from([":", "+"]),
        literals.filter(lambda word: not word.startswith(("=", "+", "-", "?"))),
    ),
    min_size=1,
    max_size=3,
)
plain_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | literals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(literals, inner, max_size=3),
    max_leaves=8,
)
secrets = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=12, max_size=20)
secret_keys = st.sampled_from(["api_key", "token", "password", "clientSecret", "HF_TOKEN", "pwd"])


def written(template: list[tuple[str, str, str, str]]) -> str:
    """Return the text of a template."""
    return "".join(
        f"{before}${{env.{name}{operator}{word if operator else ''}}}"
        for before, name, operator, word in template
    )


@settings(deadline=None)
@given(templates)
def test_placeholders_are_found_as_they_were_written(
    template: list[tuple[str, str, str, str]],
) -> None:
    """Name, operator and word come back, and the spans cover exactly the placeholders."""
    text = written(template)
    found = placeholders(text)
    assert [(one.name, one.operator, one.word) for one in found] == [
        (name, operator, word if operator else "") for _, name, operator, word in template
    ]
    assert [text[one.start : one.end] for one in found] == [str(one) for one in found]


@settings(deadline=None)
@given(old_templates, st.dictionaries(names, st.text("abc1", max_size=4), max_size=3))
def test_the_older_spelling_means_what_todays_does(
    template: list[tuple[str, str, str, str]], environment: dict[str, str]
) -> None:
    """A bare colon is ':=' and a bare plus ':+', found and filled in alike, with one note."""
    todays = [
        (before, name, {":": ":=", "+": ":+"}[operator], word)
        for before, name, operator, word in template
    ]
    old, new = written(template), written(todays)
    assert [(one.name, one.operator, one.word) for one in placeholders(old)] == [
        (name, operator, word) for _, name, operator, word in template
    ]
    sides = [Substitution(document_of({"a": text}), environment) for text in (old, new)]
    assert sides[0].resolve(old, ("a",)) == sides[1].resolve(new, ("a",))
    assert sides[0].uses == sides[1].uses
    codes = [[one.code for one in side.diagnostics if one.code != "E003"] for side in sides]
    assert codes == [["E004"], []]


@settings(deadline=None)
@given(plain_trees)
def test_without_placeholders_nothing_changes(tree: Any) -> None:
    """The same object comes back, and nothing is reported."""
    substitution = Substitution(document_of({}), {"X": "x"})
    assert substitution.resolve(tree, ()) is tree
    assert substitution.uses == ()
    assert substitution.diagnostics == ()


@settings(deadline=None)
@given(
    st.recursive(
        templates.map(written) | literals,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(literals, inner, max_size=3),
        max_leaves=6,
    ),
    st.dictionaries(names, secrets, max_size=3),
)
def test_the_environment_shows_in_values_alone(tree: Any, environment: dict[str, str]) -> None:
    """No diagnostic and no use holds a variable's value, and the tree is never changed."""
    before = copy.deepcopy(tree)
    document = document_of({"a": tree})
    substitution = Substitution(document, environment)
    substitution.resolve(document.value, ())
    assert tree == before
    shown = repr((substitution.diagnostics, substitution.uses))
    quoted = json.dumps(tree)
    for value in environment.values():
        assert value not in shown or value in quoted
    unset = {use.name for use in substitution.uses if use.is_required and not use.is_set}
    assert len([one for one in substitution.diagnostics if one.code == "E001"]) == len(unset)


@settings(deadline=None, max_examples=40)
@given(secret_keys, secrets, plain_trees, st.integers(0, 3))
def test_a_masked_config_never_holds_a_secret(key: str, secret: str, other: Any, form: int) -> None:
    """Wherever a secret stands, neither the masked config nor its excerpts show it."""
    forms: list[Any] = [
        secret,
        [{"name": "x", "other": secret}],
        f"${{env.X:={secret}}}",
        f"Bearer {secret}",
    ]
    config = {"a": [{"b": other, key: forms[form], "url": f"http://me:{secret}@host"}]}
    assume(secret not in json.dumps(other))
    shown = masked(config)
    assert secret not in json.dumps(shown)
    assert masked(shown) == shown
    for text in (
        yaml.safe_dump(config),
        yaml.safe_dump(config, default_flow_style=True),
        yaml.safe_dump(config, default_style="|"),
        yaml.safe_dump(config, width=20),
        json.dumps(config),
        json.dumps(config, indent=1),
    ):
        document = parse_document(text)
        for number in range(1, text.count("\n") + 2):
            for column in (1, 20, 200):
                assert secret not in document.excerpt(Place("<text>", number, column))


@settings(deadline=None)
@given(secret_keys, secrets, literals)
def test_the_secrets_of_a_config_can_be_scrubbed_from_any_text(
    key: str, secret: str, around: str
) -> None:
    """Those from the environment and those that are written."""
    assume(secret not in around)
    config = {key: "${env.X}", "b": {key: secret[::-1]}}
    document = document_of(config)
    resolved = Substitution(document, {"X": secret}).resolve(document.value, ())
    values = secret_values(config, resolved)
    assert values == {secret, secret[::-1]}
    message = f"{around}{secret}{around}{secret[::-1]}"
    assert secret not in scrubbed(message, values)


@settings(deadline=None)
@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_scrubbing_is_complete_and_idempotent(text: str, values: list[str]) -> None:
    """Afterwards no value is left, so scrubbing again changes nothing; two are one for all."""
    once = scrubbed(text, values)
    assert scrubbed(once, values) == once
    first, second = Scrubber(values[:2]), Scrubber(values[2:])
    both = first | second
    assert both(text) == once
    assert both | second is both
    for value in values:
        assert value not in once or not value.strip("*")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=99))
def test_masking_a_line_is_idempotent(line: str) -> None:
    """A masked line holds nothing more to mask, and a line without secrets is not touched."""
    place = Place("", 1, 1)
    once = SourceText("", line).excerpt(place)
    assert SourceText("", once).excerpt(place) == once
    if MASK not in once:
        assert once == line
