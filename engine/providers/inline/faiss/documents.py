"""Reading the text of a document, whatever form it comes in. Never touches files or networks."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from rungraph.engine.apis.common import text_of

if TYPE_CHECKING:
    from rungraph.engine.apis.memory import MemoryBankDocument

_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?P<parameters>(?:;[\w.+-]+=[^\s;,]+)*)(?P<base64>;base64)?,",
    re.IGNORECASE,
)
_CHARSET = re.compile(r";charset=\"?([\w.:+-]+)", re.IGNORECASE)
_URL = re.compile(r"(?:https?|ftp|file|s3|gs)://\S+\s*", re.IGNORECASE)


def text_of_document(document: MemoryBankDocument) -> str:
    """Return the text of *document*: its content, or what the ``data:`` URL in it carries.

    Raises:
        ValueError: If the content is no text, or a URL that would have to be fetched.
    """
    name = f"document {document.document_id!r}"
    _check_type(name, document.mime_type)
    try:
        content = text_of(document.content)
    except ValueError:
        msg = f"{name} holds an image; this memory takes text"
        raise ValueError(msg) from None
    if data_url := _DATA_URL.match(content):
        return encodable(_text_of_data_url(name, data_url, content[data_url.end() :]))
    if _URL.fullmatch(content):
        msg = (
            f"{name} is a URL, and this memory fetches nothing\n"
            "help: insert the text itself, or a data: URL that carries it"
        )
        raise ValueError(msg)
    return encodable(content)


def encodable(text: str) -> str:
    """Return *text* with each lone surrogate, which no encoding can write, as a ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _check_type(name: str, mime_type: str | None) -> None:
    if mime_type and not mime_type.strip().lower().startswith("text/"):
        msg = f"{name} is {mime_type!r}; this memory takes text: 'text/plain', 'text/markdown', …"
        raise ValueError(msg)


def _text_of_data_url(name: str, url: re.Match[str], payload: str) -> str:
    _check_type(name, url["type"])
    charset = _CHARSET.search(url["parameters"])
    encoding = charset[1] if charset else "utf-8"
    try:
        data = unquote_to_bytes(payload)
        if url["base64"]:
            data = base64.b64decode(data, validate=True)
        return data.decode(encoding)
    except (binascii.Error, UnicodeDecodeError, LookupError) as error:
        msg = f"{name} is a data: URL that cannot be decoded: {error}"
        raise ValueError(msg) from error
