"""The environment filled into a document's values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place
from rungraph.graph.source.document import Document, document_of, parse_document
from rungraph.graph.source.environment import Substitution, Use


def filled(written: str, **environment: str) -> Any:
    """Return what one plain value of a document becomes."""
    document = parse_document(f"a: {written}")
    assert document.diagnostics == ()
    return Substitution(document, environment).resolve(document.value, ())["a"]


def problems(text: str, **environment: str) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a whole document."""
    document = parse_document(text)
    substitution = Substitution(document, environment)
    substitution.resolve(document.value, ())
    return substitution.diagnostics


class TestGrammar:
    @pytest.mark.parametrize(
        ("written", "unset", "value", "empty"),
        [
            ("${env.X:=d}", "d", "v", "d"),
            ("${env.X:=}", None, "v", None),
            ("${env.X:+w}", None, "w", None),
            ("${env.X:+}", None, None, None),
            ("${env.X}", "${env.X}", "v", "${env.X}"),
        ],
    )
    def test_each_form_has_its_meaning(
        self, written: str, unset: Any, value: Any, empty: Any
    ) -> None:
        """A variable set to an empty text is like one that is not set."""
        assert filled(written) == unset
        assert filled(written, X="v") == value
        assert filled(written, X="") == empty

    @pytest.mark.parametrize(
        ("written", "environment", "expected"),
        [
            ("http://${env.H}:${env.P}/x", {"H": "host", "P": "80"}, "http://host:80/x"),
            ("a${env.H:=}b", {}, "ab"),
            ('"${env.H:=}${env.P:=}"', {}, None),
            # A default can be a placeholder, and so can what stands after :+ when it is used.
            ("${env.A:=${env.B:=x}}", {}, "x"),
            ("${env.A:=${env.B:=x}}", {"B": "b"}, "b"),
            ("${env.A:=${env.B:=x}}", {"A": "a", "B": "b"}, "a"),
            ("<${env.A:=-${env.B:=x}-}>", {"A": "a"}, "<a>"),
            ("${env.A:+http://${env.B}}", {"A": "1", "B": "b"}, "http://b"),
            ("${env.A:+http://${env.B}}", {}, None),
            # Braces that match belong to the word; the last that does not closes it.
            ("""'${env.X:={"a": {"b": 1}}}'""", {}, '{"a": {"b": 1}}'),
            ("""'${env.X:={"a": {"b": 1}}}'""", {"X": "v"}, "v"),
            ("'${env.X:={}-'", {}, "{-"),
            ("${env.http_proxy:=none}", {"http_proxy": "p"}, "p"),
            # Whoever sets a variable does not get to read others.
            ("${env.X}", {"X": "${env.Y}", "Y": "y"}, "${env.Y}"),
        ],
    )
    def test_words_and_the_text_around_placeholders_are_filled_in(
        self, written: str, environment: dict[str, str], expected: Any
    ) -> None:
        """Several can stand in one value, and inside each other; keys are left alone."""
        assert filled(written, **environment) == expected
        keyed = parse_document('"${env.X}": 1')
        assert Substitution(keyed, environment).resolve(keyed.value, ()) == {"${env.X}": 1}

    @pytest.mark.parametrize(("written", "home"), [("${env.X}", "~/data"), ("${env.X:=~}", "")])
    def test_the_home_folder_is_expanded(self, written: str, home: str) -> None:
        """Only in what was substituted, and with the environment that was given."""
        assert filled(written, X=home, HOME="/home/me").startswith("/home/me")
        assert filled(written, X=home) == (home or "~")
        assert filled("~/data", HOME="/home/me") == "~/data"
        assert filled("${env.X}", X="~you/data", HOME="/home/me") == "~you/data"


class TestTypes:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            *(("true", True), ("False", False), ("TRUE", True), ("0", 0), ("30", 30), ("-7", -7)),
            *(("0.5", 0.5), ("-2.0", -2.0)),
            *((text, text) for text in ("yes", "null", "1.2.3", "\u0663")),
            ("9" * 5_000, "9" * 5_000),  # Python refuses to read very long integers.
        ],
    )
    def test_a_whole_plain_value_becomes_what_it_is_the_usual_way_to_write(
        self, text: str, value: Any
    ) -> None:
        """Booleans in any case, integers and decimals; the rest is text."""
        for found in (filled("${env.X}", X=text), filled(f"${{env.X:={text}}}")):
            assert (found, type(found)) == (value, type(value))

    @pytest.mark.parametrize(
        "text",
        [
            *("0012345", "1_000", "1e5", "nan", "Infinity", "-inf"),
            *("+5", "-0", "0.50", "1.", ".5", "\u0663.\u0665"),
        ],
    )
    def test_what_only_looks_like_a_number_stays_text(self, text: str) -> None:
        """A note says so, because a reader may expect a number; it never shows the value."""
        assert filled("${env.X}", X=text) == text
        (note,) = problems("a: 1\nb: ${env.X}", X=text)
        assert (note.code, note.severity) == ("E003", Severity.NOTE)
        assert note.place == Place("<text>", 2, 4)
        assert problems("a: 1\nb: ${env.X}", X="0o7_5.0e0") == ()
        assert problems("a: 1\nb: ${env.X}", X="007") == (note,)

    @pytest.mark.parametrize("quote", ['"', "'"])
    def test_a_quoted_value_stays_text(self, quote: str) -> None:
        """Quotes say that it is text, also in flow style, where they are needed."""
        for value in ("80", "true", "0.5", "1e5"):
            assert filled(f"{quote}${{env.X}}{quote}", X=value) == value
        assert problems(f"a: {quote}${{env.X}}{quote}", X="1e5") == ()

    @pytest.mark.parametrize(
        ("document", "value"),
        [
            (parse_document("a: |-\n  ${env.X}\n"), "80"),
            (parse_document('{"a": "${env.X}"}'), "80"),
            (parse_document("a: 1${env.X}"), "180"),
            (document_of({"a": "${env.X}"}), 80),
        ],
    )
    def test_only_a_whole_plain_value_has_a_type(self, document: Document, value: Any) -> None:
        """A block and a part are text, and all of JSON is in quotes; Python has no quotes."""
        substitution = Substitution(document, {"X": "80"})
        assert substitution.resolve(document.value, ()) == {"a": value}
        # A field that wants text gets what the variable holds.
        assert substitution.text_of("${env.X}") == "80"
        assert substitution.text_of("${env.Y:=}") is None
        assert substitution.text_of("${env.Y}") is None
        assert {use.name for use in substitution.uses} == {"X"}

    @pytest.mark.parametrize("written", ["{api_key: '${env.X}'}", "\n  api_key: ${env.X}\n"])
    def test_a_secret_stays_text(self, written: str) -> None:
        """A password of digits is still a password, and no note tells what it looks like."""
        for value in ("123456", "true", "1e5"):
            assert filled(written, X=value) == {"api_key": value}
        assert problems("a:\n  password: ${env.X}", X="1e5") == ()
        environment = {"DB_PASSWORD": "123456"}
        assert filled("${env.DB_PASSWORD}", **environment) == "123456"


class TestResolve:
    def test_only_what_changes_is_copied(self) -> None:
        """The original is never changed."""
        value: dict[str, Any] = {"a": ["${env.X}", {"b": 1}], "c": {"d": [1]}}
        before = copy.deepcopy(value)
        result = Substitution(document_of(value), {"X": "x"}).resolve(value, ())
        assert result == {"a": ["x", {"b": 1}], "c": {"d": [1]}}
        assert value == before
        assert result["c"] is value["c"]
        assert result["a"][1] is value["a"][1]

    def test_a_repeated_object_is_resolved_once(self) -> None:
        """What an alias repeats is one object afterwards too, and one problem."""
        document = parse_document("a: &x {b: '${env.X}'}\nc: [*x, *x]\nd: *x")
        substitution = Substitution(document, {})
        value = substitution.resolve(document.value, ())
        assert value["a"] is value["c"][0] is value["c"][1] is value["d"]
        assert len(substitution.diagnostics) == 1
        assert substitution.diagnostics[0].related == ()


class TestProblems:
    def test_all_missing_variables_are_reported_at_once(self) -> None:
        """Each at its first place, with its other places."""
        found = problems("a: ${env.A}\nb: [x, '${env.B}']\nc: ${env.A}-${env.C}", C="")
        assert [(one.code, one.severity) for one in found] == [("E001", Severity.ERROR)] * 3
        assert [(one.message, one.path, one.place) for one in found] == [
            ("the environment variable 'A' is not set", "a", Place("<text>", 1, 4)),
            ("the environment variable 'B' is not set", "b[1]", Place("<text>", 2, 8)),
            ("the environment variable 'C' is set to an empty text", "c", Place("<text>", 3, 4)),
        ]
        assert found[0].related == ((Place("<text>", 3, 4), "also needed here"),)
        assert found[0].help == ("export A=..., or give it a default: ${env.A:=default}",)
        # Of very many only the first are compared with what is set.
        text = "".join(f"k{i}: ${{env.V{i}}}\n" for i in range(300))
        assert len(problems(text, **{f"W{i}": "1" for i in range(300)})) == 300

    def test_a_similar_variable_that_is_set_is_suggested(self) -> None:
        """A slip in the name is the most likely cause."""
        (found,) = problems("a: ${env.OPENAI_APIKEY}", OPENAI_API_KEY="hunter2", PATH="/bin")
        assert found.help[0] == "did you mean 'OPENAI_API_KEY', which is set?"
        assert "hunter2" not in repr(found)

    @pytest.mark.parametrize(
        ("text", "environment", "missing"),
        [
            ("${env.A:=${env.B}}", {}, ["B"]),
            ("${env.A:=${env.B}}", {"A": "a"}, []),
            ("${env.A:+${env.B}}", {"A": "a"}, ["B"]),
            ("${env.A:+${env.B}}", {}, []),
            ("${env.Z:=${env.A:=${env.B}}}", {"Z": "z"}, []),
        ],
    )
    def test_a_variable_is_missing_only_where_it_is_used(
        self, text: str, environment: dict[str, str], missing: list[str]
    ) -> None:
        """A word that is not used needs nothing."""
        found = problems(f"a: {text}", **environment)
        assert [one.message.split("'")[1] for one in found] == missing

    @pytest.mark.parametrize(
        ("text", "reason", "way_out"),
        [
            ("${env.X:-d}", "a placeholder whose default", "write ${env.X:=default}"),
            ("${env.X=d}", "a placeholder whose default", "write ${env.X:=default}"),
            ("${env.X-Y}", "a placeholder whose default", "write ${env.X:=default}"),
            ("${env.X Y}", "a placeholder whose name", "write ${env.X}"),
            ("${X}", "a placeholder without 'env.'", "write ${env.X}"),
            ("${X:-d}", "a placeholder without 'env.'", "write ${env.X:=default}"),
            ("${env.}", "a placeholder without a variable's name", "write ${env.NAME}"),
            ("${env.X", "a placeholder that is never closed", "write ${env.X}"),
            ("${env.X:=d", "a placeholder that is never closed", "write ${env.X:=default}"),
            ("${env.", "a placeholder that is never closed", "write ${env.NAME}"),
            ("${ENV.X}", "a placeholder that does not begin", "write ${env.X}"),
            ("${ env.X }", "a placeholder that does not begin", "write ${env.X}"),
            ("${env:X}", "a placeholder that does not begin", "write ${env.X}"),
            ("${env.A:=${B}}", "a placeholder without 'env.'", "write ${env.B}"),
        ],
    )
    def test_a_malformed_placeholder_stays_and_is_explained(
        self, text: str, reason: str, way_out: str
    ) -> None:
        """Silence would leave a literal text where a value was meant."""
        (found,) = problems(f"a: b\nc: '{text}'")
        assert (found.code, found.severity) == ("E002", Severity.WARNING)
        assert found.place == Place("<text>", 2, 4)
        assert found.message.startswith(reason)
        assert found.help == (way_out,)
        if not text.startswith("${env.A:="):
            assert filled(f"'{text}'", X="x") == text

    def test_around_a_malformed_placeholder_all_is_as_ever(self) -> None:
        """A right one beside it is filled in; its default can be a secret, and is not shown."""
        document = parse_document("a: '${env.X}${Y}${env.X}'")
        substitution = Substitution(document, {"X": "x"})
        assert substitution.resolve(document.value, ()) == {"a": "x${Y}x"}
        assert [one.code for one in substitution.diagnostics] == ["E002"]
        assert "hunter22" not in repr(problems("a:\n  api_key: ${env.KEY:-hunter22}\n"))

    @pytest.mark.parametrize(
        ("text", "unset", "when_set"),
        [
            ("${env.X:d}", "d", "x"),
            ("${env.X:}", None, "x"),
            ("${env.X:http://h:80/}", "http://h:80/", "x"),
            ("${env.X+w}", None, "w"),
            ("${env.X:${env.Y:d}}", "d", "x"),
        ],
    )
    def test_the_older_spelling_is_read_and_noted_once(
        self, text: str, unset: str | None, when_set: str
    ) -> None:
        """A bare colon was ':=' and a bare plus was ':+', and hundreds of files have them."""
        assert filled(f"'{text}'") == unset
        assert filled(f"'{text}'", X="x") == when_set
        (found,) = problems(f"a: b\nc: '{text}'\nd: '{text}'")
        assert (found.code, found.severity) == ("E004", Severity.NOTE)
        assert found.message == "placeholders of 2 values are in the older spelling"
        assert found.place == Place("<text>", 2, 4)

    def test_templates_are_no_malformed_placeholders(self) -> None:
        """What a prompt or a shell script is made of does not look like a slip."""
        assert problems("a: '${name} $HOME {{ env.X }} {env.X} $${x:-y} ${1}'") == ()

    def test_asking_again_does_not_double_problems(self) -> None:
        """A value that is resolved twice has its problems once."""
        document = parse_document("a: ${env.X}\nb: ${Y}")
        substitution = Substitution(document, {})
        substitution.resolve(document.value["a"], ("a",))
        # What is not resolved, as of a provider that is switched off, needs no variables.
        assert [one.code for one in substitution.diagnostics] == ["E001"]
        substitution.resolve(document.value, ())
        substitution.resolve(document.value, ())
        assert [one.code for one in substitution.diagnostics] == ["E001", "E002"]
        assert len(substitution.uses) == 1


class TestUses:
    def test_every_reading_of_a_variable_is_listed(self) -> None:
        """Sorted by name and path, with what a plan needs to know."""
        document = parse_document(
            "b: ${env.B:=${env.C}}\na: ${env.A}${env.A}\nx: {token: '${env.A:+t}'}\n"
        )
        substitution = Substitution(document, {"A": "a", "B": "b"})
        substitution.resolve(document.value, ())
        assert substitution.uses == (
            Use("A", ("a",), True, False, True, False),
            Use("A", ("x", "token"), True, False, False, True),
            Use("B", ("b",), True, True, False, False),
            Use("C", ("b",), False, False, False, False),
        )
        assert [use.path for use in substitution.uses] == ["a", "x.token", "b", "b"]

    def test_a_secret_is_told_by_its_name_or_its_key(self) -> None:
        """Either is enough; the name of an API says nothing."""
        document = parse_document(
            "providers:\n  secrets:\n  - {provider_id: '${env.ID:=x}', config: {v: '${env.PX}',"
            " w: '${env.HF_TOKEN:=}', password: '${env.P:=}'}}\n"
        )
        substitution = Substitution(document, {"PX": "x"})
        substitution.resolve(document.value, ())
        secret = {use.name: use.is_secret for use in substitution.uses}
        assert secret == {"ID": False, "PX": False, "HF_TOKEN": True, "P": True}
