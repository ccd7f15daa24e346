"""Logging in with a key, for browsers: pages and event sources cannot send a header."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from rungraph.engine.server.failures import RequestError

if TYPE_CHECKING:
    from rungraph.engine.server.exchange import Exchange, Header
    from rungraph.engine.server.guards import Guard

LOGIN = "/login"
_HTML = b"text/html; charset=utf-8"
_POLICY = b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_SHOWN: tuple[Header, ...] = (
    (b"content-security-policy", _POLICY),
    (b"cache-control", b"no-store"),
)
_FORM = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title></head>
<body><main><h1>Log in</h1>
<form method="post"><label>Key <input name="key" type="password" autocomplete="current-password"
required autofocus></label> <button>Log in</button></form><p role="alert">{problem}</p>
</main></body></html>
"""


class Login:
    """Gives browsers that know a key a cookie that no script can read and no other site send."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def show(self, exchange: Exchange) -> None:
        """Answer with the form."""
        await self._show(exchange, 200, "")

    async def log_in(self, exchange: Exchange) -> None:
        """Take the form: go on to the page, or show it again with what is wrong."""
        given = parse_qs((await exchange.body()).decode("latin-1"), encoding="latin-1")
        try:
            cookie = self._guard.new_session(given.get("key", [""])[0])
        except RequestError as error:
            await self._show(exchange, error.status, str(error))
            return
        secure = "; Secure" if exchange.is_secure else ""
        value = f"{cookie}; HttpOnly; SameSite=Strict; Path=/{secure}"
        headers = ((b"location", b"/"), (b"set-cookie", value.encode()))
        await exchange.answer(b"", status=303, headers=headers)

    async def _show(self, exchange: Exchange, status: int, problem: str) -> None:
        content = _FORM.format(problem=escape(problem)).encode()
        await exchange.answer(content, status=status, media=_HTML, headers=_SHOWN)
