"""Fetching a wheel as the user's pip is set up to: pip finds it, and the transfer can be resumed.

pip knows the user's index, mirrors and credentials, but a transfer that it breaks off begins anew.
So pip only answers where the wheel is; the bytes are fetched here, into a file that is continued.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from rungraph.engine.errors import EngineError

if TYPE_CHECKING:
    from http.client import HTTPResponse

Progress = Callable[[int, int | None], None]
"""Told how many bytes have come, and of how many; None when that is not known."""

_BLOCK = 1 << 18
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL = 206
_SERVER_ERROR = 500


class FetchError(EngineError):
    """Raised when a wheel cannot be found or fetched."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """Where a wheel is.

    Attributes:
        url: Its URL.
        sha256: Its checksum by the index; empty when the index does not tell.
        certificates: The file of certificates that pip trusts; None for the system's.
        proxy: The proxy that pip goes through; None for the environment's.
    """

    url: str
    sha256: str = ""
    certificates: str | None = None
    proxy: str | None = None


def find_wheel(requirement: str) -> Wheel:
    """Return where the index that the user's pip is set up for has the wheel of *requirement*.

    Nothing is installed.

    Raises:
        FetchError: If there is no pip, or it does not find the wheel.
    """
    report = _pip(
        "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed",
        "--only-binary", ":all:", "--retries", "2", "--report", "-", requirement,
    )  # fmt: skip
    try:
        found = json.loads(report)["install"][0]["download_info"]
        hashes = found.get("archive_info", {}).get("hashes", {})
        settings = _pip_settings()
        return Wheel(
            found["url"], hashes.get("sha256", ""), settings.get("cert"), settings.get("proxy")
        )
    except (ValueError, LookupError, TypeError) as error:
        msg = f"pip does not tell where {requirement!r} is"
        raise FetchError(msg) from error


def fetch(
    wheel: Wheel,
    target: Path,
    *,
    progress: Progress | None = None,
    tries: int = 5,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch *wheel* into *target*; what is in *target* already is taken as its beginning.

    A transfer that breaks off is taken up again where it stopped; after *tries* times in a row
    without a byte it is given up. *target* is then left as the beginning for the next time.

    Args:
        wheel: What to fetch.
        target: Where to.
        progress: Told how far it is.
        tries: How often to try without getting any further.
        pause: Waits so many seconds before the next try.

    Raises:
        FetchError: If it cannot be fetched, or is not what the index says; in the latter case
            *target* is removed.
    """
    address = _without_credentials(wheel.url)
    if urlsplit(wheel.url).scheme not in {"http", "https", "file"}:
        msg = f"cannot fetch from {address!r}"
        raise FetchError(msg)
    opener = _opener(wheel)
    failures = 0
    while True:
        before = _size(target)
        try:
            if _continue(opener, wheel.url, target, progress):
                break
            reason: Exception | str = "the connection was closed too early"
        except HTTPError as error:
            error.close()
            if error.code < _SERVER_ERROR:
                msg = f"{address}: the server answers {error.code} {error.reason}"
                raise FetchError(msg) from None
            reason = f"the server answers {error.code} {error.reason}"
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
        failures = 0 if _size(target) > before else failures + 1
        if failures >= tries:
            msg = f"{address}: {reason}"
            raise FetchError(msg)
        pause(0.5 * 2**failures)
    if wheel.sha256 and (found := _sha256(target)) != wheel.sha256:
        target.unlink()
        msg = f"{address} is not what the index says: sha256 {found}\nexpected: {wheel.sha256}"
        raise FetchError(msg)


def _continue(opener: OpenerDirector, url: str, target: Path, progress: Progress | None) -> bool:
    """Fetch what *target* lacks and return whether it is whole now."""
    done = _size(target)
    headers = {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    user, at, _ = urlsplit(url).netloc.rpartition("@")
    if at:
        headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    request = Request(_without_credentials(url), headers=headers)  # noqa: S310 (it was checked)
    try:
        response: HTTPResponse = opener.open(request, timeout=60)
    except HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{done}":
            return True
        target.unlink()
        return False
    with response:
        # A server without ranges sends all of it again.
        if response.status != _PARTIAL:
            done = 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length is not None else None
        with target.open("ab" if done else "wb") as file:
            while block := response.read(_BLOCK):
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, total)
    return total is None or done >= total


def _opener(wheel: Wheel) -> OpenerDirector:
    context = ssl.create_default_context(cafile=wheel.certificates)
    proxies = {"http": wheel.proxy, "https": wheel.proxy} if wheel.proxy else None
    return build_opener(ProxyHandler(proxies), HTTPSHandler(context=context))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _pip(*arguments: str) -> str:
    """Run the user's pip and return what it prints."""
    command = [*_pip_command(), "--disable-pip-version-check", "--no-input", *arguments]
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"}
    result = subprocess.run(  # noqa: S603 (a fixed command)
        command, capture_output=True, text=True, env=environment, check=False
    )
    if result.returncode:
        lines = result.stderr.splitlines()
        # pip goes on after a failed connection and then finds nothing; the first is the reason.
        shown = [line for line in lines if line.startswith("WARNING: Retrying")][-1:]
        shown += [line for line in lines if line.startswith("ERROR:")]
        raise FetchError("\n".join(shown) or f"pip ends with exit code {result.returncode}")
    return result.stdout


def _pip_command() -> list[str]:
    """Return how pip is run: this Python's own, the one that came with it, or one on the path."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    spec = importlib.util.find_spec("ensurepip")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        for bundled in sorted(Path(folder, "_bundled").glob("pip-*.whl")):
            return [sys.executable, f"{bundled}/pip"]
    if (command := shutil.which("pip")) is not None:
        return [command]
    msg = "there is no pip"
    raise FetchError(msg)


def _pip_settings() -> dict[str, str]:
    """Return pip's ``cert`` and ``proxy``, as far as they are set."""
    found: dict[str, str] = {}
    settings = dict(
        line.split("=", 1) for line in _pip("config", "list").splitlines() if "=" in line
    )
    for key in ("cert", "proxy"):
        for section in ("global", "install", ":env:"):
            if (value := settings.get(f"{section}.{key}")) is not None:
                found[key] = str(ast.literal_eval(value))
    return found
