"""What a server runs, as its own routes tell it."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import click

from rungraph.cli.inputs.comparables import Comparable, ComparableError, saved
from rungraph.cli.inputs.options import SERVER_KEY

if TYPE_CHECKING:
    from rungraph.cli.inputs.options import Reading

_SECONDS = 10.0
_MOST_BYTES = 1 << 28


def load_running(url: str, reading: Reading) -> tuple[Comparable, dict[str, list[str]]]:
    """Return the graph that the server at *url* runs, and what its providers can do meanwhile.

    Raises:
        ComparableError: If there is no such server, or it does not tell.
    """
    if not url.startswith(("http://", "https://")):
        msg = f"'{url}' is no URL of a server, such as http://localhost:8321"
        raise click.BadParameter(msg, param_hint="--against-running")
    graph = saved(url, _asked(url, "/graph"), reading.level)
    try:
        return graph, json.loads(_asked(url, "/graph/abilities"))
    except ValueError as error:
        msg = f"{url} does not tell what its providers can do: that is no JSON"
        raise ComparableError(msg) from error


def _asked(url: str, path: str) -> str:
    request = Request(url.rstrip("/") + path)  # noqa: S310  (its scheme is checked)
    if key := os.environ.get(SERVER_KEY):
        # Not sent on where the server redirects to.
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.read(_MOST_BYTES).decode()  # type: ignore[no-any-return]
    except HTTPError as error:
        with error:
            reason = f"{error.code} {error.reason}"
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            reason += f"\nhelp: set {SERVER_KEY} to a key that may inspect"
        msg = f"{url} does not tell what it runs: {reason}"
    except (OSError, HTTPException, UnicodeDecodeError) as error:
        msg = f"{url} cannot be asked what it runs: {getattr(error, 'reason', error)}"
    raise ComparableError(msg)
