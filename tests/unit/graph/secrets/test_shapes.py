"""What is taken for a secret and what is not: the project's own lists of both."""

from __future__ import annotations

import json
import string
from random import Random
from typing import Any

import pytest
import yaml
from tests.secret_shapes import DRAWN, HARMLESS, PLACEHOLDER, PLANTED

from rungraph.graph import compile_config
from rungraph.graph.diagnostic_text import render_diagnostics
from rungraph.graph.place import Place
from rungraph.graph.secrets.keys import HEADS
from rungraph.graph.secrets.values import MASK, masked, secret_values
from rungraph.graph.source.text import SourceText

VALUE = "Zq7xh1dD3n0EndZq7xh1dD3n0EndZq7xh1dD3n0End"
FOUND = ("Zq7x", "EndZq", "h1dD3n0", "dXNlcjpw")


def _planted(value: Any, secret: str = VALUE) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False).replace(PLACEHOLDER, secret))


def _leaks(text: str) -> list[str]:
    return [part for part in FOUND if part in text]


def test_the_lists_are_as_long_as_they_should_be() -> None:
    """No fewer than 120 that are secret and 150 that are not, none twice."""
    for values, least in ((PLANTED, 120), (HARMLESS, 150)):
        assert len({json.dumps(value) for value in values}) == len(values) >= least


@pytest.mark.parametrize("value", [*PLANTED, *DRAWN], ids=json.dumps)
def test_a_secret_is_masked(value: Any) -> None:
    """In a config, and in what is scrubbed from texts by others."""
    planted = _planted(value)
    assert _leaks(json.dumps(masked(planted))) == []
    assert _leaks(json.dumps(masked(masked(planted)))) == []
    assert any(_leaks(one) for one in secret_values(planted, planted))


def test_most_secrets_are_known_by_where_they_stand() -> None:
    """And not by looking random: 40 of the list are formats and keys that tell by that alone."""
    weak = "h4nter2x"
    shown = [one for one in PLANTED if weak in json.dumps(masked({"x": _planted(one, weak)}))]
    assert len(shown) <= 40


@pytest.mark.parametrize("value", [*PLANTED, *DRAWN], ids=json.dumps)
@pytest.mark.parametrize("is_flow", [True, False])
def test_a_secret_is_in_no_excerpt(value: Any, is_flow: bool) -> None:
    """Nor in a message, however the YAML is written and wherever it is wrong."""
    planted = yaml.safe_dump(_planted(value), default_flow_style=is_flow, width=10_000, indent=2)
    for text in (
        planted,
        f"{planted}\n5: x\n",
        f"{planted}\n}}\n",
        f"x: {{\n{planted}",
        json.dumps({"x": _planted(value)}),
        json.dumps({"x": _planted(value)})[:-1],
    ):
        found = compile_config(f"{text}\n", environment={}).diagnostics
        assert _leaks(render_diagnostics(found)) == []
        for line in text.splitlines():
            wrong = f"providers: {{}}\n{text}".replace(line, f"{line}  ]: [\t%", 1)
            found = compile_config(wrong, environment={}).diagnostics
            assert _leaks(render_diagnostics(found)) == []


def test_what_is_harmless_is_shown() -> None:
    """None of 150 values is masked."""
    assert [value for value in HARMLESS if masked(value) != value] == []


def test_what_is_harmless_is_shown_in_source_lines_as_well() -> None:
    """Of 150 values one may be masked there: a line is searched as text alone."""
    masked_values = [
        value
        for value in HARMLESS
        for text in [yaml.safe_dump(value, width=10_000)]
        for number in range(1, text.count("\n") + 1)
        if MASK in SourceText("", text).excerpt(Place("", number, 1))
    ]
    assert len(masked_values) <= 1, masked_values


@pytest.mark.parametrize(
    "text",
    [
        *("password=SecretStr('§')", "auth=('me', '§')", "password=b'§'", "PASSWORD=$'§'"),
        *("x:///?odbc_connect=UID%3Dme%3BPWD%3D§", "u=%3Ftoken%3D§", "password=&quot;§&quot;"),
        *("password&#x3D;§", "u=%3Fa%3D1%2526token%253D§", r"http://x?a=1\u0026token=§"),
        *(r"\u003cpassword\u003e§\u003c/password\u003e", "password=&amp;quot;§&amp;quot;"),
        *("&lt;password&gt;§&lt;/password&gt;", r'{"url": "https:\/\/me:§@h\/v1"}'),
        *(r"https:\\/\\/me:§@h\\/", "&amp;lt;pwd&amp;gt;§&amp;lt;/pwd&amp;gt;"),
        *("ALTER USER me WITH PASSWORD '§'", "wrong password '§'", "password: |\n  §"),
        *("User : me\nPassword : §", "requirepass §"),
        *("IDENTIFIED BY '§'", "IDENTIFIED WITH x BY §", "HTTPBasicAuth('me', '§')"),
        *("Authorization: Key §", "authorization='SSWS §'", "('x-api-key', '§')"),
        *("password: - §", "password:\n- §", "password: - - §", "password: &a §", "password: ! §"),
        *("password: !!str &a §", "password: !<tag:yaml.org,2002:str> §", "password: |2\n  §"),
        *("password: >2- # why\n  §", "password: !!str |\n  §"),
        *("[(b'X-Auth', b'§')]", "csk-§§§§", "keys/q7zWk93xTb+§/2LmQ0n4Rf8/v1"),
    ],
)
def test_a_password_is_masked_whatever_is_around_it(text: str) -> None:
    """One that nobody drew at random, and all parts of what is."""
    assert "h4nter2" not in masked(text.replace("§", "h4nter2x"))


@pytest.mark.parametrize(
    "text",
    [
        "Auth:\n- OAuth2\n- none",
        "Secrets:\n- Never tell them",
        "Token: - ask the user",
        "secrets:\n- db\n- cache",
        "password:\n  - min_length: 8",
    ],
)
def test_a_list_in_a_text_is_no_secret(text: str) -> None:
    """Words of a sentence, and those that say that there is none, after a dash as well."""
    assert masked(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "api_ke\u200by",
        "api_ke\0y",
        "pass\u00adwd",
        "token_b64",
        "api_key_v2",
        "password_prod",
        "passwort",
    ],
)
def test_a_key_is_that_of_a_secret_however_it_is_held(key: str) -> None:
    """In whatever form, in whatever version, wherever it is used."""
    assert masked({key: "h4nter2x"}) == {key: MASK}


@pytest.mark.parametrize("letters", [string.ascii_lowercase, string.ascii_uppercase])
def test_what_is_drawn_from_letters_of_one_case_and_digits_is_masked(letters: str) -> None:
    """Nine of ten at least, of 32 characters, wherever they stand; no digest is."""
    drawn = Random(1)  # noqa: S311 - nothing is kept secret by it
    for text in ("{}", "use {} now", "https://h/api/{}/x", "x_{}"):
        runs = ["".join(drawn.choices(letters + string.digits, k=32)) for _ in range(100)]
        assert sum(run not in masked(text.format(run)) for run in runs) >= 90
        digests = [run.translate(dict.fromkeys(map(ord, letters[6:]), "0")) for run in runs]
        assert [one for one in digests if one not in masked(text.format(one))] == []


def test_a_key_beside_a_reference_is_a_secret() -> None:
    """Only what stands in the reference itself is a name, however far the lines are indented."""
    value = {"secretKeyRef": {"name": "db-login"}, "key": "hunter22x"}
    assert "hunter22x" not in json.dumps(masked(value))
    for is_flow in (False, True):
        text = yaml.safe_dump([value], default_flow_style=is_flow, sort_keys=False)
        assert "hunter22x" not in "".join(SourceText("x", text).shown())


@pytest.mark.parametrize("gap", [" ", "\t", "\n"])
def test_what_is_random_after_any_name_of_a_secret_is_masked(gap: str) -> None:
    """Texts are passed over that have no name of a secret; no name is forgotten there."""
    texts = [f"{head}{gap}q7z9k2m4x8w1p5t3" for head in HEADS]
    assert [text for text in texts if masked(text) == text] == []


@pytest.mark.parametrize("scheme", ["Basic", "Bearer", "Token"])
def test_what_is_not_ascii_can_follow_a_scheme(scheme: str) -> None:
    """It is no base64 of a login, and may be a secret all the same."""
    assert masked(f"{scheme} Schlüssel-1") == f"{scheme} {MASK}"


@pytest.mark.parametrize(
    "secret", ["$ECRET", "$UPERSECRET", "$PASSWORD1", "your-dog-ate-it", "YOUR_HORSE_RAN_HERE"]
)
def test_a_password_that_plays_on_a_reference_is_masked(secret: str) -> None:
    """What is to be put in is called like a secret to the letter; a password only reminds of it."""
    for value in {"password": secret}, f"PASSWORD={secret}", f"http://me:{secret}@host/":
        assert secret not in str(masked(value))


@pytest.mark.parametrize(
    "secret", ["expired!", "none!!!", "<hunter>", "{{hunter}}", "${hunter2}", "$TOKEN!"]
)
def test_a_password_that_only_begins_as_a_word_about_one_is_masked(secret: str) -> None:
    """In a config nothing stands around a value that is no part of it."""
    assert masked({"password": secret}) == {"password": MASK}


@pytest.mark.parametrize(
    "text",
    [
        "http://me:123@host/",
        "curl -u me:42! h",
        "mysql -p123 db",
        "PASSWORD=12!@#$",
        "auth_header=AbPass",
        "auth_header=SuperSecret-Token",
        "http://me:yes!@host/",
        "postgres://me:required@host/db",
        "pin=123",
        "sk-correct-horse-battery-staple-one",
        "xoxb-abc-def-ghi-jkl-mno",
        "sha256-q7zWk93xTb2LmQ0n4Rf8",
        "<key>hunter2hunter</key>",
    ],
)
def test_a_poor_password_is_masked(text: str) -> None:
    """A short number is one unless it is counted in words, and no header is called 'AbPass'."""
    assert MASK in masked(text)
