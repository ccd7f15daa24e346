"""Who is let in: callers with a key, and no web page of others."""

from __future__ import annotations

import hmac
import re
import secrets
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from rungraph.engine.server.exchange import OBJECT
from rungraph.engine.server.failures import RequestError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rungraph.engine.server.exchange import Exchange, Header
    from rungraph.engine.server.keys import Key, Permission

_COOKIE = "rungraph_session"
_MOST_SESSIONS = 1_000

PROVIDER_DATA = (
    b"x-llamastack-provider-data",
    b"x-ogx-provider-data",
    b"x-llamastack-providerdata",
)
"""The headers in which clients send what is for the provider, by the age of the clients."""

PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    # SDKs send headers of their own; the star is every one but for the key.
    (b"access-control-allow-headers", b"authorization, *"),
    (b"access-control-max-age", b"600"),
)
"""What a page of an allowed site may send."""


class Guard:
    """Lets requests in.

    On the loopback interface nobody needs a key, but a web page that the user looks at could send
    requests there: so the Host must be this machine's, which a page that rebinds its own name
    cannot say, and an Origin that is not the server's own is refused.

    Args:
        keys: The keys that are taken; without any, everybody who gets here is let in.
        origins: The origins of other sites whose pages may ask.
        is_local: Whether the server listens on the loopback interface alone.
    """

    def __init__(
        self, keys: Sequence[Key] = (), *, origins: Collection[str] = (), is_local: bool = True
    ) -> None:
        self._keys = tuple(keys)
        self._origins = frozenset(origins)
        self._is_local = is_local
        self._sessions: dict[str, Key] = {}

    def check_source(self, exchange: Exchange) -> None:
        """Refuse what a foreign web page may have sent; let one of an allowed site read the answer.

        Raises:
            RequestError: If so.
        """
        host = exchange.headers.get(b"host", b"")
        if self._is_local and not _is_here(host):
            text = f"the server is not called {host.decode('latin-1')!r}"
            raise RequestError(403, text, code="foreign_host")
        if not (origin := exchange.headers.get(b"origin")):
            return
        name = origin.decode("latin-1")
        if name in self._origins:
            exchange.more_headers = (
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", b"*"),
                (b"vary", b"origin"),
            )
        elif urlsplit(name).netloc != host.decode("latin-1"):
            text = f"pages of {name} may not ask\nhelp: allow them with --cors {name}"
            raise RequestError(403, text, code="foreign_origin")

    def check_key(self, exchange: Exchange, needs: frozenset[Permission]) -> None:
        """Refuse a caller whose key is not good for one of *needs*.

        Raises:
            RequestError: 401 without a key that is known, 403 with one that is not good for it.
        """
        if not self._keys:
            return
        kind, _, secret = exchange.header(b"authorization").partition(" ")
        if kind.lower() == "bearer" and secret:
            found = self._known(secret)
        elif (key := self._key_of_session(exchange.header(b"cookie"))) is not None:
            found = [key]
        else:
            text = "a key is needed\nhelp: send the header 'Authorization: Bearer KEY'"
            raise RequestError(401, text, code="missing_key")
        exchange.key = next((key for key in found if key.may & needs), None)
        if exchange.key is None:
            wanted = " or ".join(sorted(repr(str(one)) for one in needs))
            text = f"the key {found[0].name!r} may not do this: it lacks the permission {wanted}"
            raise RequestError(403, text, code="missing_permission")

    def new_session(self, secret: str) -> str:
        """Return the cookie that stands for the key *secret* as long as this server runs.

        Raises:
            RequestError: If the key is not known.
        """
        key = self._known(secret)[0]
        if len(self._sessions) >= _MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        token = secrets.token_urlsafe(32)
        self._sessions[token] = key
        return f"{_COOKIE}={token}"

    def _known(self, secret: str) -> list[Key]:
        digest = sha256(secret.strip().encode("latin-1")).hexdigest()
        # All are compared, so that the time tells nothing.
        found = [key for key in self._keys if hmac.compare_digest(key.sha256, digest)]
        if not found:
            raise RequestError(401, "the key is not known", code="invalid_key")
        return found

    def _key_of_session(self, cookies: str) -> Key | None:
        """Return the key that a browser has logged in with; its token is too long to be guessed."""
        pairs = (one.strip().partition("=") for one in cookies.split(";"))
        tokens = (token for name, _, token in pairs if name == _COOKIE)
        return self._sessions.get(next(tokens, ""))


def provider_data_of(exchange: Exchange) -> Mapping[str, Any] | None:
    """Return what the caller sends for the provider; None for nothing.

    Raises:
        RequestError: If it is no JSON object; the text holds nothing of it.
    """
    for name in PROVIDER_DATA:
        if name in exchange.headers and (text := exchange.header(name)):
            try:
                return OBJECT.validate_json(text.encode("latin-1"))
            except ValidationError as error:
                msg = f"the header {name.decode()!r} is no JSON object"
                raise RequestError(400, msg, name.decode(), "invalid_value") from error
    return None


def origin_of(text: str) -> str:
    """Return the origin of a site as browsers write it.

    Examples:
        >>> origin_of("https://App.Example")
        'https://app.example'

    Raises:
        ValueError: If *text* is none; no browser would ever send it.
    """
    if not re.fullmatch(r"https?://[^/?#@*\s]+", text, re.IGNORECASE):
        msg = f"{text!r} is no origin such as 'https://app.example': no path, no '*'"
        raise ValueError(msg)
    return text.lower()


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine, seen from itself.

    Examples:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1")
        (True, True, True)
        >>> is_loopback("0.0.0.0"), is_loopback("example.org"), is_loopback("")
        (False, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _is_here(header: bytes) -> bool:
    """Whether a Host header means this machine, whatever the port; most callers say the same."""
    try:
        parts = urlsplit(f"//{header.decode('latin-1')}")
        return is_loopback(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False
