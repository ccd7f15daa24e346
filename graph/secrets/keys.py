"""Which keys and variables hold secrets, by their names.

The rule: a name is secret when its *head* is. The head is the last word, once words that only say
how a value is held (``_value``, ``_list``, a number) are off. ``smtp_pass`` and ``auth_header`` are
secret; ``auth_mode``, ``key_field`` and ``session_timeout`` are not. Some heads need or forbid a
word before them: an ``api_key`` is secret, a ``primary_key`` is not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import category, combining, normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_SECRETS = frozenset(
    (
        *("basic", "bearer", "digest", "disabled", "enabled", "false", "jwt", "no", "none", "null"),
        *("oauth", "oauth2", "off", "on", "true", "yes", "optional", "required", "missing"),
        *("empty", "expired", "invalid", "unset", "undefined", "redacted", "str", "string"),
        "secretstr",
    )
)
"""Words that say whether or how there is a secret; whoever has one as a secret has none."""
_REFERENCE = re.compile(
    r"""\$\{(?P<braces>\w{1,100})\}|\$(?P<shell>[A-Z_][A-Z0-9_]{0,99})
    |%(?P<dos>[A-Z_][A-Z0-9_]{0,99})%|<(?P<gap>[A-Za-z][A-Za-z_ -]{0,60})>
    |\{\{\s?[.$]?(?:\w{1,60}\.){0,9}(?P<template>\w{1,60})\s?\}\}
    |os\.environ/(?P<environ>\w{1,100})
    |[Yy][Oo][Uu][Rr][_-](?P<yours>[A-Za-z_-]{1,60}?)(?:[_-][Hh][Ee][Rr][Ee])?""",
    re.VERBOSE,
)
"""What a shell, a template or a reader is to put something else for, by its name."""
_AROUND = ")]}.,:;!?"
"""What can stand behind a value in a text and is no part of it."""
NAME_KEYS = (
    *("name", "key", "header", "type", "scheme", "id", "variable", "var", "env", "field", "param"),
    *("parameter", "property", "option", "flag", "arg", "k", "header_name", "key_name"),
    *("kind", "method", "headername", "keyname"),
)
"""Keys whose values tell whether a ``value`` beside them is a secret."""
HELD_KEYS = frozenset(
    (
        *("value", "Value", "VALUE", "val", "default", "Default", "DEFAULT", "v", "V"),
        *("header_value", "key_value", "headerValue", "keyValue"),
    )
)
"""Keys that only say that they hold what a name beside them names."""

_WORD = re.compile(
    r"(?:[A-Za-z]*[^\W\d_A-Za-z])+[A-Za-z]*|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+"
)
_HEADER = re.compile(
    r"(?:Proxy-)?Authorization|Cookie|(?:X-)?(?:[A-Z][A-Za-z]{0,19}-){0,3}(?:Api|Auth|API)-?(?:Key|Token)"
)
_LONGEST_NAME = 200

_HOLDERS = frozenset(
    (
        *("value", "values", "default", "defaults", "list", "json", "header", "headers", "string"),
        *("str", "text", "literal", "base", "b", "plain", "raw", "override", "pem", "data"),
        *("map", "dict", "v", "binary", "encrypted", "encoded", "material", "content", "new"),
        *("old", "current", "previous", "prod", "production", "staging", "dev", "hex"),
        *(
            "primary",
            "secondary",
            "backup",
            "fallback",
            "again",
            "confirm",
            "confirmation",
            "repeat",
        ),
    )
)
"""Words after a head that say how it is held: ``password_list``, ``token_b64``, ``key_prod``."""


def _folded(name: str) -> str:
    """Return *name* without accents and what is not seen; no word differs in these alone."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(
        char
        for char in normalize("NFKD", name)
        if not combining(char) and category(char) not in ("Cc", "Cf")
    )


HEADS = frozenset(
    map(
        _folded,
        (
            *("auth", "authorization", "bearer", "cookie", "cookies", "credential", "credentials"),
            *("creds", "jwt", "kubeconfig", "otp", "passcode", "passphrase", "passwd", "password"),
            *("passwords", "pat", "pin", "psk", "pw", "pwd", "sas", "secret", "secrets", "token"),
            *(
                "totp",
                "passphrases",
                "pincode",
                "dockerconfigjson",
                "passwort",
                "kennwort",
                "senha",
            ),
            *("contrasena", "mdp", "wachtwoord", "haslo", "hasło", "heslo", "sifre", "passord"),
            *(
                "losenord",
                "jelszo",
                "salasana",
                "adgangskode",
                "пароль",
                "密码",
                "密碼",
                "비밀번호",
            ),
            *("パスワード", "pwds", "pws", "cred", "dockercfg", "passkey", "privkey"),
            *("otps", "psks", "passkeys"),
        ),
    )
)
WEAK = frozenset(("key", "keys", "private", "session", "tokens"))
"""Secret as whole names only, and only of a config: in a sentence these words say nothing."""
_PHRASES = frozenset(
    (
        *(("access", "key", "id"), ("secret", "id"), ("access", "signature"), ("kube", "config")),
        *(("webhook", "url"), ("hook", "url"), ("webhook", "urls"), ("service", "account", "json")),
        *(("basic", "auth"), ("encryption", "passphrase"), ("access", "code"), ("pin", "code")),
        *(("backup", "codes"), ("recovery", "code"), ("recovery", "codes"), ("seed", "phrase")),
        *(("community", "string"), ("snmp", "community"), ("pass", "word"), ("pass", "phrase")),
        *(("mot", "de", "passe"), ("honeycomb", "team"), ("password", "hash")),
        *(("otp", "code"), ("mfa", "code"), ("passwd", "hash"), ("secret", "phrase")),
        *(("pwd", "hash"), ("pass", "hash"), ("pw", "hash"), ("sas", "url"), ("sas", "uri")),
    )
)
"""Names, or ends of names, of several words."""
_OPAQUE = re.compile(
    r"(?:dsn|conn(?:ection)?[_.-]?str(?:ing)?|access|code|csrf|fernet|hmac|jwk|keys?|license|p12|pem"
    r"|pfx|private|rsa|salt|seed|signature)[_-]?\d{0,3}$",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"cache|dedup|foreign|group|idempotency|object|partition|primary|public|routing|row|s3|sort",
    re.IGNORECASE,
)
"""In names of keys that say where something is found: these are long and random, too."""
# Written as one word, and with another before it: apikey, dbpassword, mysecret, userpass.
_ENDINGS = (
    *("accesskey", "accesstoken", "accountkey", "apikey", "apikeys", "authkey", "authtoken"),
    *("clientsecret", "encryptionkey", "masterkey", "pass", "passphrase", "passwd", "password"),
    *(
        "privatekey",
        "pw",
        "pwd",
        "secret",
        "secretkey",
        "sharedkey",
        "signingkey",
        "sshkey",
        "token",
    ),
)
_NO_ENDINGS = frozenset(
    ("bypass", "compass", "encompass", "overpass", "surpass", "trespass", "underpass")
)
# What a key must be of to be a secret: there are public, primary and routing keys, too.
_KEY_OF = frozenset(
    (
        *("access", "account", "admin", "api", "app", "application", "auth", "authentication"),
        *("bearer", "client", "consumer", "deploy", "encryption", "hmac", "license", "master"),
        *("private", "secret", "service", "session", "shared", "signing", "ssh", "storage"),
        *("aes", "enc", "fernet", "priv", "psk"),
        *("subscription", "webhook", "rsa", "tls", "ssl", "gpg", "pgp", "jwt", "cookie", "crypto"),
        *(
            "decryption",
            "functions",
            "project",
            "server",
            "user",
            "write",
            "unseal",
            "recovery",
            "preshared",
            "ingest",
            "integration",
            "sas",
        ),
        *("anthropic", "aws", "azure", "bing", "brave", "cerebras", "cohere", "databricks"),
        *("deepseek", "fireworks", "gemini", "google", "groq", "hf", "huggingface", "langfuse"),
        *("langsmith", "mistral", "nvidia", "openai", "openrouter", "pinecone", "qdrant"),
        *("sambanova", "sendgrid", "serper", "serpapi", "stripe", "tavily", "together"),
        *("twilio", "watsonx", "weaviate", "xai", "voyage", "jina", "replicate", "perplexity"),
    )
)
_TOKENS_OF = _KEY_OF | {"bot", "refresh", "id", "user"}
_NOT_OF = {
    # Tokens of a text, not of an account.
    "token": frozenset(
        (
            *("begin", "bos", "cls", "end", "eos", "eot", "image", "mask", "max", "min", "new"),
            *("next", "num", "number", "pad", "padding", "per", "prev", "role", "sep", "special"),
            *("start", "stop", "unk", "unknown", "word"),
        )
    ),
    "pass": frozenset(
        (
            *("backward", "first", "forward", "high", "last", "low", "max", "min", "multi", "num"),
            *("one", "per", "second", "single", "two", "by", "band", "can", "will"),
        )
    ),
    "pin": frozenset(("gpio", "led", "input", "output", "reset")),
    # Names of what Kubernetes keeps.
    "secret": frozenset(("image", "pull")),
    "secrets": frozenset(("image", "pull")),
}

# Recognised when misspelt as well: an unknown key is shown with its line, which holds the secret.
_LONG_WORDS = ("password", "passwd", "passphrase", "secret", "credential", "credentials", "apikey")
_MISSPELT = {"".join(sorted(word)): word for word in ("key", "token", *_LONG_WORDS)}


def _spelled(word: str) -> str:
    """Return the word for secrets that *word* is a misspelling of; itself when it is of none.

    That is with its letters in another order, with one of them left out, or with one too many.

    Examples:
        >>> [_spelled(word) for word in ("kye", "pasword", "secrett", "secretary", "taken")]
        ['key', 'password', 'secret', 'secretary', 'taken']
    """
    if len(word) < 3 or word in HEADS or word in _NOT_OF["token"]:
        return word
    if meant := _MISSPELT.get("".join(sorted(word))):
        return meant
    for meant in _LONG_WORDS:
        short, long = sorted((word, meant), key=len)
        if len(long) - len(short) == 1 and any(
            long[:gap] + long[gap + 1 :] == short for gap in range(len(long))
        ):
            return meant
    return word


@lru_cache(maxsize=8192)
def secret_head(name: str) -> str:
    """Return the word or words that make *name* that of a secret; empty when nothing does.

    Examples:
        >>> [secret_head(name) for name in ("apiKey", "HF_TOKEN", "db-password", "auth_header")]
        ['api key', 'token', 'password', 'auth']
        >>> [secret_head(name) for name in ("max_tokens", "public_key", "auth_mode", "author")]
        ['', '', '', '']
    """
    if len(name) > _LONGEST_NAME:
        name = name[-_LONGEST_NAME:]
    words = [word.lower() for word in _WORD.findall(_folded(name))]
    if phrase := _phrase(words):
        return phrase
    whole = len(words)
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in _HOLDERS):
        words.pop()
    if not words:
        return ""
    if phrase := _phrase(words):
        return phrase
    last = _spelled(words[-1])
    before = words[-2] if len(words) > 1 else ""
    if len(words) == 1 and last in WEAK and (whole == 1 or last == "tokens"):
        return last
    if last in ("key", "keys"):
        return f"{before} {last}" if before in _KEY_OF else ""
    if last == "tokens":
        return last if before in _TOKENS_OF else ""
    head = last if last in HEADS else next((one for one in _ENDINGS if last.endswith(one)), "")
    if last in _NO_ENDINGS or before in _NOT_OF.get(head, ()):
        return ""
    return "" if head == "token" and last.removesuffix("token") in _NOT_OF["token"] else head


def is_header_name(name: str, value: object) -> bool:
    """Whether *value*, under the key *name*, names a header rather than being what it holds.

    Examples:
        >>> is_header_name("api_key_header", "X-Api-Key"), is_header_name("api_key", "X-Api-Key")
        (True, False)
    """
    is_of_header = name.lower().endswith("header") and isinstance(value, str)
    return is_of_header and _HEADER.fullmatch(str(value)) is not None


@lru_cache(maxsize=8192)
def opaque_head(name: str) -> str:
    """Return what makes *name* that of a secret if its value looks like one; else nothing.

    Examples:
        >>> [opaque_head(name) for name in ("DATABASE_DSN", "vllm_key", "cache_key", "url")]
        ['DSN', 'key', '', '']
    """
    match = _OPAQUE.search(name[-100:])
    return match[0] if match and not _OPEN.search(name[-100:]) else ""


def _phrase(words: Sequence[str]) -> str:
    for count in (2, 3):
        if len(words) >= count and tuple(words[-count:]) in _PHRASES:
            return " ".join(words[-count:])
    return ""


def is_no_secret(value: str) -> bool:
    """Whether *value*, where a secret could be, only says whether there is one, or where it is.

    A reference is one only if what it names is called like a secret, to the letter: a password can
    look like one.

    Examples:
        >>> values = ("none", "${TOKEN}", "$API_KEY", "<your token>", "{{ password }}")
        >>> all(map(is_no_secret, values))
        True
        >>> any(map(is_no_secret, ("hunter2", "$ECRET", "${A:-hunter2}", "<hunter2>")))
        False
    """
    if value.lower() in _NO_SECRETS:
        return True
    match = _REFERENCE.fullmatch(value)
    return match is not None and _is_called_so(match[str(match.lastgroup)].replace(" ", "_"))


def is_no_secret_in_text(value: str) -> bool:
    """Whether `is_no_secret` holds of *value*, and be it with what ends a sentence behind it."""
    return is_no_secret(value) or is_no_secret(value.rstrip(_AROUND))


def _is_called_so(name: str) -> bool:
    """Whether *name* ends with a word for secrets as it is written; passwords play on such words.

    Examples:
        >>> [_is_called_so(name) for name in ("X-ApiKey", "DB_PASSWORD", "UPERSECRET", "PASSWORD1")]
        [True, True, False, False]
    """
    head = secret_head(name)
    ends = (f"_{head.replace(' ', sign)}" for sign in ("_", ""))
    return bool(head) and f"_{name.lower().replace('-', '_')}".endswith((*ends,))


def is_secret_key(name: str) -> bool:
    """Whether a value under the key *name*, or in the variable *name*, is a secret.

    Examples:
        >>> [is_secret_key(name) for name in ("apiKey", "HF_TOKEN", "db-password", "client_secret")]
        [True, True, True, True]
        >>> [is_secret_key(name) for name in ("max_tokens", "tokenizer", "primary_key")]
        [False, False, False]
    """
    return bool(secret_head(name))


@lru_cache(maxsize=8192)
def is_reference(name: str) -> bool:
    """Whether what is under the key *name* says where something is kept: its ``key`` is a name.

    Examples:
        >>> [is_reference(name) for name in ("secretKeyRef", "secret_ref", "prefer", "key")]
        [True, True, False, False]
    """
    return [*_WORD.findall(name[-_LONGEST_NAME:])][-1:] in (["Ref"], ["ref"], ["Selector"])


def is_secret_name(name: str) -> bool:
    """Whether *name*, the value of one of `NAME_KEYS`, makes a value beside it a secret.

    Examples:
        >>> [is_secret_name(name) for name in ("API_KEY", "bearer", "basic", "string")]
        [True, True, True, False]
    """
    return is_secret_key(name) or name.lower() in ("basic", "digest")


def is_secret_path(path: Sequence[str | int]) -> bool:
    """Whether the value at *path* is a secret: one of the keys on the way says so.

    The name of an API and the place of a provider in its list say nothing.
    """
    start = 3 if path and path[0] == "providers" else 0
    return any(isinstance(step, str) and is_secret_key(step) for step in path[start:])
