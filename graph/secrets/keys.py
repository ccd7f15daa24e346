"""Which keys and variables hold secrets, by their names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SECRETS = frozenset(
    (
        *("authorization", "bearer", "cookie", "cookies", "credential", "credentials", "jwt"),
        *("passcode", "passphrase", "passwd", "password", "passwords", "pat", "pwd"),
        *("secret", "secrets", "token"),
    )
)
# Written as one word, and with another before it: apikey, dbpassword, mysecret.
_ENDINGS = (
    *("accesskey", "accesstoken", "accountkey", "apikey", "apikeys", "authkey", "clientsecret"),
    *("encryptionkey", "masterkey", "passphrase", "passwd", "password", "privatekey", "secret"),
    *("secretkey", "sharedkey", "signingkey", "token"),
)
# What a key must be of to be a secret: there are public, primary and routing keys, too.
_KEY_OF = frozenset(
    (
        *("access", "account", "admin", "api", "app", "application", "auth", "authentication"),
        *("bearer", "client", "consumer", "deploy", "encryption", "hmac", "license", "master"),
        *("private", "secret", "service", "session", "shared", "signing", "ssh", "storage"),
        *("subscription", "webhook"),
        *("anthropic", "aws", "azure", "bing", "brave", "cerebras", "cohere", "databricks"),
        *("deepseek", "fireworks", "gemini", "google", "groq", "hf", "huggingface", "langfuse"),
        *("langsmith", "mistral", "nvidia", "openai", "openrouter", "pinecone", "qdrant"),
        *("sambanova", "serper", "serpapi", "tavily", "together", "watsonx", "weaviate"),
    )
)
_TOKENS_OF = _KEY_OF | {"bot", "refresh"}
# Tokens of a text, not of an account.
_NO_TOKEN_OF = frozenset(
    (
        *("begin", "bos", "cls", "end", "eos", "eot", "image", "mask", "max", "min", "new", "next"),
        *("num", "number", "pad", "padding", "per", "prev", "role", "sep", "special", "start"),
        *("stop", "unk", "unknown", "word"),
    )
)
_IDS = frozenset((("access", "key", "id"), ("secret", "id"), ("basic", "auth")))


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
    if word in _SECRETS or word in _NO_TOKEN_OF:
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
def is_secret_key(name: str) -> bool:
    """Whether a value under the key *name*, or in the variable *name*, is a secret.

    Examples:
        >>> [is_secret_key(name) for name in ("apiKey", "HF_TOKEN", "db-password", "client_secret")]
        [True, True, True, True]
        >>> [is_secret_key(name) for name in ("max_tokens", "tokenizer", "public_key")]
        [False, False, False]
    """
    words = [word.lower() for word in _WORD.findall(name)]
    # password_2 and secret_value are still the secret itself.
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in ("value", "values")):
        words.pop()
    if not words:
        return False
    last = _spelled(words[-1])
    before = words[-2] if len(words) > 1 else ""
    if last in ("key", "keys"):
        return before in _KEY_OF
    if last == "tokens":
        return before in _TOKENS_OF
    if last == "token":
        return before not in _NO_TOKEN_OF
    if last in _SECRETS or tuple(words[-2:]) in _IDS or tuple(words[-3:]) in _IDS:
        return True
    return last.endswith(_ENDINGS) and last.removesuffix("token") not in _NO_TOKEN_OF


def is_secret_path(path: Sequence[str | int]) -> bool:
    """Whether the value at *path* is a secret: one of the keys on the way says so.

    The name of an API and the place of a provider in its list say nothing.
    """
    start = 3 if path and path[0] == "providers" else 0
    return any(isinstance(step, str) and is_secret_key(step) for step in path[start:])
