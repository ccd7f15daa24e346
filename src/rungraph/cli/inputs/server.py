"""Asks a server that ``rungraph serve`` runs."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import click

from rungraph.cli.inputs.options import SERVER_KEY
from rungraph.graph.errors import RungraphError
from rungraph.graph.secrets.masking import masked_text

_MOST_BYTES = 1 << 28


class ServerError(RungraphError):
    """Raised when there is no server, or it refuses what it is asked."""


def ask_server(
    url: str, path: str, *, option: str, method: str = "GET", seconds: float = 10.0
) -> str:
    """Return what the server at *url* answers for *path*.

    Args:
        url: Where it is served.
        path: What it is asked.
        option: The option that names it, for an error.
        method: The HTTP method.
        seconds: How long it may take.

    Raises:
        click.BadParameter: If *url* is none of a server.
        ServerError: If it does not answer, or refuses; the text says why.
    """
    shown_url = masked_text(url)
    if not url.startswith(("http://", "https://")):
        msg = f"'{shown_url}' is no URL of a server, such as http://localhost:8321"
        raise click.BadParameter(msg, param_hint=option)
    try:
        request = Request(url.rstrip("/") + path, method=method)  # noqa: S310  (its scheme is checked)
        if key := os.environ.get(SERVER_KEY):
            # Not sent on where the server redirects to.
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        with urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return answer.read(_MOST_BYTES).decode()  # type: ignore[no-any-return]
    except HTTPError as error:
        msg = _told(error) or f"{shown_url}: {error.code} {error.reason}"
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            what, _, _ = msg.partition("\n")  # What follows is for who writes headers.
            msg = f"{what}\nhelp: set {SERVER_KEY} to a key that may do this"
    except (OSError, HTTPException, ValueError) as error:  # Of a host that is none: ValueError.
        reason = getattr(error, "reason", error)
        shown = (getattr(reason, "strerror", None) or str(reason)).lower()
        msg = f"{shown_url} does not answer: {shown}\nhelp: is 'rungraph serve' running there?"
    raise ServerError(msg)


def read_json(url: str, text: str) -> Any:
    """Return the JSON that *text*, an answer of the server at *url*, is.

    Raises:
        ServerError: If it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{masked_text(url)}: what answers there is no server of rungraph"
        raise ServerError(msg) from error


def _told(error: HTTPError) -> str:
    """Return what a server says about a request that it refuses; empty if nothing."""
    try:
        with error:
            return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return ""
