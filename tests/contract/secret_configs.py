"""Run configs full of secrets, each of them marked, and what they look like in any output."""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
import zlib
from itertools import count
from pathlib import Path
from urllib.parse import unquote

from tests.secret_shapes import PLACEHOLDER, PLANTED

MARK = "zqxhidden"
"""What every secret begins with; nothing else in the world does."""
END = "endzqx"
"""What every secret ends with, so that half of one is found as well."""
DIGITS = "918273645546372"
"""A secret that is a number in YAML."""

VARIABLES = {
    "WALK_TOKEN": f"{MARK}-of-a-variable-{END}",
    "WALK_PLAIN": f"{MARK}-of-a-plain-variable-{END}",
    "WALK_PASSWORD": f"{MARK}<&\"'é%/of a password{END}",
    "WALK_PIN": DIGITS,
}
"""The environment; what the second is called tells nothing, where it is used does."""


def _numbered(text: str) -> str:
    """Return *text* with a secret of its own for each ``@``."""
    numbers = count(1)
    return re.sub("@", lambda _: f"{MARK}{next(numbers)}{END}", text)


_PROVIDER_CONFIG = """\
api_key: @
      pin_password: 918273645546372
      password: ${env.WALK_PASSWORD}
      client_secret: ${env.WALK_PLAIN}
      code_password: ${env.WALK_PIN}
      note: "${env.WALK_TOKEN}"
      spare_key: "${env.WALK_UNSET_API_KEY:=@}"
      api_token: "${env.WALK_UNSET:=@}"
      more: "${env.WALK_TOKEN:+@}"
      url: "http://someone:@%40host.example:8080/v1?api_key=@&token=@"
      dsn: "postgresql://someone:@%40db.example/x?password=@&sslmode=require"
      endpoints: ["https://a:@%40one.example", {url: "https://b:@%40two.example"}]
      headers: {Authorization: "Bearer @", X-Api-Key: @, Accept: text/plain}
      list_of_headers: [{name: Authorization, value: "Bearer @"}]
      args: ["--api-key", "@", "--token=@", "--verbose"]
      credentials: [{user: @, deep: [[@], {er: @}]}, @]
      private_key: |
        -----BEGIN PRIVATE KEY-----
        @
        @
        -----END PRIVATE KEY-----
      folded_secret: >-
        @
        @
      json_text: '{"password": "@", "fine": 1}'
      by_token: {sk-@: alice, sk-@: bob, "https://a:@%40one.example": {deep: 1}}
      api_keys: {ghp_@: alice}
      tag_secret: zqxhidden-of-a-tag-endzqx
      planted: PLANTED"""

_GOOD = """\
version: "2"
image_name: walked
metadata_store:
  type: sqlite
  db_path: STATE/store.db
  password: @
  url: "redis://someone:@%40store.example:1"
providers:
  inference:
  - provider_id: told
    provider_type: inline::told
    module: fake_provider
    tags: [walked, sk-@, zqxhidden-of-a-tag-endzqx]
    config:
      PROVIDER
  - provider_id: far
    provider_type: remote::far
    module: fake_provider
    config: {url: "http://someone:@%40127.0.0.1:1/v1?token=@", api_key: @, model: far}
  - provider_id: ${env.WALK_OFF:+off}
    provider_type: inline::told
    module: fake_provider
    config: {api_key: @}
models:
- model_id: small
  provider_id: told
  model_type: llm
  metadata: {api_key: @, sk-@: me, url: "http://someone:@%40host.example", headers: {Cookie: @}}
selectors: {walked: "tag:walked"}
checks:
- {name: all here, query: "type:inline::*", expect: nonempty}
"""

_BROKEN = """\
version: "7"
image_name: [{api_key: @}]
unknown: {api_key: @, password: "@"}
my_api_key: @
sk-@: 1
by_token: {sk-@: {sk-@: x}}
limits: {sk-@: 3}
my_passwords: [@, {deep: @}]
metadata_store: ["--password", "@"]
apis: [inferense, {token: @}]
providers:
  inferense: [{provider_id: x, provider_type: "inline::told", config: {api_key: @}}]
  inference:
  - {provider_id: twice, provider_type: "inline::told", module: fake_provider, config: {api_key: @}}
  - {provider_id: twice, provider_type: "inline::told", module: fake_provider, config: {api_key: @}}
  - {provider_id: 5, provider_type: "inline::told", config: {api_key: @, url: "http://u:@%40h"}}
  - {provider_type: "inline::told", config: {api_key: @}, api_key: @}
  - {provider_id: none, provider_type: "inline::nosuch", config: {password: @}}
  - {provider_id: list, provider_type: "inline::told", module: fake_provider, config: [{token: @}]}
  - provider_id: openai
    provider_type: remote::openai
    config:
      {base_url: "http://me:@%40h/v1?token=@", api_key: [@], max_retries: {token: @}, api_kye: @}
  - provider_id: unset
    provider_type: inline::told
    module: fake_provider
    config: {api_key: "${env.WALK_MISSING}", url: "http://u:@%40h/${env.WALK_MISSING}?key=@"}
  - provider_id: malformed
    provider_type: inline::told
    module: fake_provider
    config: {api_key: "${env.WALK-MISSING:-@}", password: "${ENV.X:=@}", x_token: "$@ ${WALK:-@}"}
models: [{model_id: a, provider_id: nowhere, api_key: @}, {model_id: 5, token: @}, {api_key: @}]
shields: {password: @}
telemetry: {password: @}
"""

_MALFORMED = {
    "tab.yaml": "providers:\n\tinference: [{config: {api_key: @}}]\n",
    "unclosed.yaml": 'providers:\n  a: [{config: {api_key: "@\n',
    "brace.yaml": "api_key: @\nproviders: {a: {config: {api_key: @, x: ${env.X}}}\n",
    "twice.yaml": "api_key: @\nproviders: {}\npassword: @\napi_key: @\n",
    "keys-twice.yaml": "providers: {}\nsk-zqxhidden12endzqx: 1\nsk-zqxhidden12endzqx: 2\n",
    "list.yaml": "- api_key: @\n- {password: @}\n",
    "scalar.yaml": "api_key=@\n",
    "object.yaml": "providers: {}\npassword: !!python/object:os.system {token: @}\n",
    "keys.yaml": "providers: {}\n? {api_key: @}\n: {password: @}\n",
    "two.yaml": "providers: {}\n--- {api_key: @}\n",
    "broken.json": '{"providers": {}, "api_key": "@", "password": @}\n',
    "anchor.yaml": "providers: {}\napi_key: &key @\nx: *kye\n",
}


def write_configs(folder: Path) -> dict[str, Path]:
    """Write the configs to *folder* and return their paths by name, the malformed ones last."""

    def filled(text: str) -> str:
        planted = json.dumps(PLANTED, ensure_ascii=False).replace("@", "%40")
        whole = text.replace("PROVIDER", _PROVIDER_CONFIG).replace("STATE", str(folder))
        whole = whole.replace("PLANTED", planted.replace(PLACEHOLDER, "@"))
        return _numbered(whole).replace("%40", "@")

    texts = {
        "good": filled(_GOOD),
        "other": filled(_GOOD).replace(END, f"changed{END}").replace("one.example", "uno.example"),
        "broken": filled(_BROKEN),
        "failing": filled(_GOOD).replace("tags:", "tags: [x]\n    #").replace(
            "      pin_password", "      start: fail\n      log: true\n      pin_password"
        ),
        "checks": "checks: [{name: none, query: \"config.api_key:'zqy*'\", expect: nonempty}]\n",
    }  # fmt: skip
    paths: dict[str, Path] = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.yaml"
        paths[name].write_text(text)
    for name, text in _MALFORMED.items():
        paths[name] = folder / name
        paths[name].write_text(_numbered(text))
    return paths


# --- finding them ------------------------------------------------------------------------------

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
_PDF_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SECRETS = re.compile(
    rf"{MARK}[^\s]{{0,20}}|.{{0,20}}{END}|{DIGITS}|of a password|of%20a%20password", re.IGNORECASE
)


def leaks_in(content: bytes) -> list[str]:
    """Return the pieces of secrets in *content*, whatever it is: text, a picture, a page."""
    return sorted({found.group() for text in _texts(content) for found in _SECRETS.finditer(text)})


def _texts(content: bytes) -> list[str]:
    parts = [content, *_chunks_of_png(content)]
    parts += [_inflated(match[1]) for match in _PDF_STREAM.finditer(content)]
    for match in _BASE64.finditer(content):
        try:
            decoded = base64.b64decode(match.group() + b"==")
        except binascii.Error:
            continue
        parts += [decoded, _inflated(decoded)]
    texts = [part.decode("utf-8", errors="replace") for part in parts]
    return [form for text in texts for form in (text, unquote(text))]


def _inflated(data: bytes) -> bytes:
    for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompress(data, bits)
        except zlib.error:
            continue
    return b""


def _chunks_of_png(content: bytes) -> list[bytes]:
    """Return the chunks of text of a PNG, decompressed."""
    if not content.startswith(b"\x89PNG"):
        return []
    texts: list[bytes] = []
    position = 8
    while position < len(content):
        length, kind = struct.unpack(">I4s", content[position : position + 8])
        data = content[position + 8 : position + 8 + length]
        if kind == b"tEXt":
            texts.append(data)
        elif kind in (b"zTXt", b"iTXt"):
            texts += [data, *map(_inflated, re.split(rb"\0+", data))]
        position += length + 12
    return texts
