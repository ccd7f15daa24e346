"""Which values are secret, and what is shown instead."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote

import pytest

from rungraph.graph.place import Place
from rungraph.graph.secrets.values import (
    MASK,
    is_secret_key,
    is_secret_path,
    masked,
    scrubbed,
    secret_values,
)
from rungraph.graph.source.text import SourceText

HIDDEN_KEYS = """
api_key apiKey apikey API-Key x-api-key OPENAI_API_KEY openai_key token api_token HF_TOKEN
access_token accessToken bot_token authtoken password PGPASSWORD db.password passwd pwd passphrase
password2 secret client_secret secrets clientSecret secret_value secret_id credentials credential
authorization Authorization private_key ssh_key secret_access_key aws_access_key_id signing_key
api_keys api_tokens refresh_tokens cookie github_pat jwt --api-key basic_auth
api_kye pasword passwrod secrett acces_tokne credentails apikye
pass smtp_pass dbpass userpass auth auth_header tokens password_list key keys sas psk pin otp
shared_access_signature session private webhook_url kubeconfig service_account_json
api_key_primary api_key_backup psk_hex otp_code passwd_hash .dockercfg db_cred privkey passkey
sshkey api_key_default credentials_json secretAccessKey MYSQL_PWD
"""
SHOWN_KEYS = """
max_tokens token_limit tokenizer num_tokens stop_tokens eos_token pad_token max_token
token_url token_type tokens_per_second secret_name password_file api_key_env keyvalue key_value
keyword public_key primary_key routing_key cache_key keyboard taken secretion passage
cache_kye max_tokne pass_world credit monkey passthrough author secretary first_pass bypass compass
auth_mode auth_type session_timeout session_id sessions key_field keystore authority private_network
is_private pin_memory spin signature input_tokens imagePullSecrets token_file otp_length url 1 _
"""


class TestKeys:
    @pytest.mark.parametrize("name", HIDDEN_KEYS.split())
    def test_names_of_secrets_are_known(self, name: str) -> None:
        """In any spelling, for config keys and variables alike."""
        assert is_secret_key(name)

    @pytest.mark.parametrize("name", ["", *SHOWN_KEYS.split()])
    def test_names_that_only_sound_like_it_are_not(self, name: str) -> None:
        """A plan full of masks would be useless."""
        assert not is_secret_key(name)

    def test_a_path_is_secret_below_a_secret_key(self) -> None:
        """All of the credentials are secret, but no API is because of its name."""
        assert is_secret_path(("providers", "inference", 0, "config", "credentials", "user"))
        assert not is_secret_path(("providers", "secrets", 0, "provider_id"))
        assert is_secret_path(("server", "token"))


class TestMasked:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("sk-123", MASK),
            ("", ""),
            (None, None),
            (True, True),
            (123456, MASK),
            (1.5, MASK),
            (["a", {"b": "c", "d": None}], [MASK, {"b": MASK, "d": None}]),
            ("${env.X}", "${env.X}"),
            ("${env.X:=}", "${env.X:=}"),
            ("${env.X:=abc}", f"${{env.X:={MASK}}}"),
            ("${env.X:+abc}", f"${{env.X:+{MASK}}}"),
            ("${env.X:=${env.Y:=abc}}", f"${{env.X:=${{env.Y:={MASK}}}}}"),
            ("abc${env.X}def", f"{MASK}${{env.X}}{MASK}"),
            ("Bearer abc", f"Bearer {MASK}"),
            ("Bearer ${env.X}", "Bearer ${env.X}"),
        ],
    )
    def test_what_stands_at_a_secret_key_is_masked(self, value: Any, shown: Any) -> None:
        """Placeholders stay readable, their words do not."""
        assert masked({"api_key": value}) == {"api_key": shown}

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("http://me:pw@host:80/x", f"http://me:{MASK}@host:80/x"),
            ("redis://:pw@host", f"redis://:{MASK}@host"),
            ("postgres://me:p/w#1@host/db", f"postgres://me:{MASK}@host/db"),
            ("postgres://me:${env.PG:=pw}@h/db", f"postgres://me:${{env.PG:={MASK}}}@h/db"),
            ("http://host:80/me@home", "http://host:80/me@home"),
            ("${env.API_KEY:+cerebras}", "${env.API_KEY:+cerebras}"),
            ("${env.API_KEY:+hidden7}", f"${{env.API_KEY:+{MASK}}}"),
            ("${env.API_KEY:=abc}", f"${{env.API_KEY:={MASK}}}"),
            ("http://${env.H}:${env.P:=80}/x", "http://${env.H}:${env.P:=80}/x"),
            ("https://h/x?a=1&api_key=abc&b=2", f"https://h/x?a=1&api_key={MASK}&b=2"),
            ("https://h/x?key=abc", f"https://h/x?key={MASK}"),
            ("host=h user=me password=pw dbname=d", f"host=h user=me password={MASK} dbname=d"),
            ("AccountName=n;AccountKey=abc==;X=1", f"AccountName=n;AccountKey={MASK};X=1"),
            ("url=http://h?token=abc", f"url=http://h?token={MASK}"),
            ("Authorization: Bearer abc", f"Authorization: Bearer {MASK}"),
            ('{"password": "a\\"b", "c": 1}', f'{{"password": "{MASK}", "c": 1}}'),
            ("run sk-proj-0123456789abcdefgh now", f"run {MASK} now"),
            ("ghp_0123456789abcdefghij", MASK),
            ("curl -H 'X: Bearer 0123456789'", f"curl -H 'X: Bearer {MASK}'"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb",
                f"a\n{MASK}\nb",
            ),
            ("${env.HF_TOKEN:=abc}", f"${{env.HF_TOKEN:={MASK}}}"),
            ("${env.URL:=http://a:b@c}", f"${{env.URL:=http://a:{MASK}@c}}"),
            ("serve --api-key abc --port 80", f"serve --api-key {MASK} --port 80"),
            ("serve --password 'a b' -x", f"serve --password '{MASK}' -x"),
            ("serve --token --verbose", "serve --token --verbose"),
            ("max_tokens=100 key=5", "max_tokens=100 key=5"),
            ("12:30", "12:30"),
        ],
    )
    def test_secrets_in_any_text_are_masked(self, value: str, shown: str) -> None:
        """URLs, connection strings, headers, and what has the shape of a known kind of key."""
        assert masked({"text": value}) == {"text": shown}
        assert masked(shown) == shown

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ({"name": "API_KEY", "value": "abc"}, {"name": "API_KEY", "value": MASK}),
            ({"name": "PORT", "value": "80"}, {"name": "PORT", "value": "80"}),
            ({"kind": "token", "value": "abc"}, {"kind": "token", "value": MASK}),
            ({"value": "abc", "method": "bearer"}, {"value": MASK, "method": "bearer"}),
            (
                ["run", "--api-key", "abc", "--token=def", "--port", "80"],
                ["run", "--api-key", MASK, f"--token={MASK}", "--port", "80"],
            ),
            (
                {"license": "abc", "Some-Code": "def", "other": "ghi"},
                {"license": MASK, "Some-Code": MASK, "other": "ghi"},
            ),
            ({"a": {"token": "abc", "b": (1, 2)}}, {"a": {"token": MASK, "b": [1, 2]}}),
        ],
    )
    def test_what_stands_beside_a_value_can_make_it_secret(self, written: Any, shown: Any) -> None:
        """A name, a flag before it, or a key that a provider's spec knows; nothing is changed."""
        before = copy.deepcopy(written)
        assert masked(written, secrets=("license", "some_code")) == shown
        assert written == before


@pytest.mark.parametrize(
    ("written", "resolved", "secrets"),
    [
        ({"api_key": "literal-1"}, {"api_key": "literal-1"}, {"literal-1"}),
        ({"token": "${env.X:=default-1}"}, {"token": "from-x"}, {"default-1", "from-x"}),
        ({"url": "http://me:${env.PW}@h"}, {"url": "http://me:from-pw@h"}, {"from-pw"}),
        (["a ${env.MY_TOKEN} b ${env.X} c"], ["a from-token b from-x c"], {"from-token"}),
        ({"a": {"password": 123456}}, {"a": {"password": 123456}}, {"123456"}),
        ({"plain": "${env.OTHER}"}, {"plain": "from-other"}, set()),
        ({"jwt": "Bearer ${env.X}"}, {"jwt": "Bearer from-x"}, {"from-x", "Bearer from-x"}),
        (None, {"token": "abc", "password": "true", "secret": None, "api_key": ""}, set()),
        ({"pwd": "Bearer ${env.Y}"}, {"pwd": "Bearer ${env.Y}"}, set()),
        ("~/${env.MY_TOKEN}", "/home/me/abcd", {"/home/me/abcd"}),
        (None, {"a": [{"token": "abcd"}]}, {"abcd"}),
        ({"a": ["x"]}, {"a": ["--token", "abcd", 1]}, {"abcd"}),
        ({}, {"pin": "abcd"}, {"abcd"}),
    ],
)  # fmt: skip
def test_the_secrets_of_a_config_are_found(written: Any, resolved: Any, secrets: set[str]) -> None:
    """From secret keys, secret variables, URLs and defaults that are not used now."""
    assert secret_values(written, resolved, secrets=("pin",)) == secrets


_OTHERS = [f"else-{number}" for number in range(200)]


@pytest.mark.parametrize("others", [[], _OTHERS], ids=["few", "many"])
class TestScrubbed:
    def test_every_occurrence_is_replaced(self, others: list[str]) -> None:
        """The longest first, so that no rest of it is left."""
        assert (
            scrubbed("abcd abcdef xabcdx", ["abcd", "abcdef", *others]) == f"{MASK} {MASK} x{MASK}x"
        )

    @pytest.mark.parametrize(
        "escaped",
        [
            quote("a b/ü\"'<\n>", safe=""),
            json.dumps("a b/ü\"'<\n>"),
            json.dumps("a b/ü\"'<\n>", ensure_ascii=False),
            repr("a b/ü\"'<\n>"),
            repr("a b/ü\"'<\n>".encode())[1:],
            "a b/ü&quot;&#x27;&lt;\n&gt;",
            r"a b\/\u00fc\"'<\n>",
            "a+b%2F%C3%BC%22%27%3C%0A%3E",
        ],
    )
    def test_escaped_values_are_found(self, escaped: str, others: list[str]) -> None:
        """Messages of other libraries quote what they were given."""
        found = scrubbed(f"<{escaped}>", ["a b/ü\"'<\n>", *others])
        assert found.strip("<>\"'") == MASK

    def test_values_made_of_stars_change_nothing(self, others: list[str]) -> None:
        """A mask is not masked again and again."""
        assert scrubbed(f"a {MASK} b", ["****", MASK, *others]) == f"a {MASK} b"

    def test_a_value_that_a_mask_makes_up_is_replaced_too(self, others: list[str]) -> None:
        """What is left never holds a value."""
        assert "**b" not in scrubbed("secretb", ["secret", "**b", *others])


class TestLines:
    @pytest.mark.parametrize(
        ("line", "shown"),
        [
            ("  api_key: sk-123  # why", f"  api_key: {MASK}  # why"),
            ("- token: abc def", f"- token: {MASK}"),
            ('api_key: "a\\"b" # c', f'api_key: "{MASK}" # c'),
            ("token: 'it''s' # c", f"token: '{MASK}' # c"),
            ("password: 123", f"password: {MASK}"),
            ("password: &p abc", f"password: &p {MASK}"),
            ("password: !!str abc", f"password: !!str {MASK}"),
            ("password: *p", f"password: {MASK}"),
            ("{a: &p x, password: *p}", f"{{a: &p {MASK}, password: *p}}"),
            ("password: | # c", "password: | # c"),
            ("password:", "password:"),
            ("password: # none", "password: # none"),
            ("password: [a, b]", f"password: {MASK}"),
            ("password: {a: b, c: [d", f"password: {MASK}"),
            ("a: {password: abc, url: x}", f"a: {{password: {MASK}, url: x}}"),
            ('{"api_key": "abc", "b": 1}', f'{{"api_key": "{MASK}", "b": 1}}'),
            ('  "api_key":"abc",', f'  "api_key":"{MASK}",'),
            ('"password": "unclosed', f'"password": "{MASK}'),
            ("api_key: ${env.X:=abc} # c", f"api_key: ${{env.X:={MASK}}} # c"),
            ("headers: {Authorization: Bearer abc}", f"headers: {{Authorization: Bearer {MASK}}}"),
            ("url: http://me:pw@host", f"url: http://me:{MASK}@host"),
            ("cmd: x --token=abc y", f"cmd: x --token={MASK} y"),
            (
                'args: ["--api-key", "a b", --port, 80]',
                f'args: ["--api-key", "{MASK}", --port, 80]',
            ),
            ("args: [--password, abc]", f"args: [--password, {MASK}]"),
            ("# api_key: abc", f"# api_key: {MASK}"),
            ("\tmax_tokens: 5", "\tmax_tokens: 5"),
            ("url: http://host:80", "url: http://host:80"),
        ],
    )
    def test_secret_values_of_a_line_are_masked(self, line: str, shown: str) -> None:
        """Block YAML, flow YAML and JSON; what stands before a secret stays in its column."""
        assert SourceText("", line).excerpt(Place("", 1, 1)) == shown

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("password: |\n    some text: more", f"    {MASK}"),
            ("password:\n    user: bob", f"    user: {MASK}"),
            ("password:\n    - bob", f"    - {MASK}"),
            ("password:\n    {a: b, c: d}", f"    {MASK}"),
            ("password: 'a\n  b', url: shown", f"  {MASK}"),
            ("password: one\n    bob", f"    {MASK}"),
            ("password: none\n    bob", f"    {MASK}"),
            ("password: ${TOKEN}\n    bob", f"    {MASK}"),
        ],
    )
    def test_a_line_inside_a_secret_is_masked(self, text: str, shown: str) -> None:
        """As a whole, or but for its keys."""
        assert SourceText("", text).excerpt(Place("", 2, 1)) == shown
