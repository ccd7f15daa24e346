"""Where Hugging Face runs a server, by the name that it has there; asks ``huggingface_hub``."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from huggingface_hub import InferenceEndpoint

_logger = logging.getLogger(__name__)

_REFRESH_SECONDS: Final = 2.0
_ENDED: Final = {
    "failed": "look at its logs on Hugging Face",
    "paused": "resume it on Hugging Face",
    "updateFailed": "look at its logs on Hugging Face",
}
"""The states that waiting does not end, and what to do."""


def login() -> str | None:
    """Return the key that the user is logged in to Hugging Face with; None without one."""
    from huggingface_hub import get_token

    return get_token()


def serverless_url(repository: str) -> str:
    """Return where serverless inference has a model: ``HF_INFERENCE_ENDPOINT``, or the router."""
    from huggingface_hub.constants import INFERENCE_PROXY_TEMPLATE

    router = INFERENCE_PROXY_TEMPLATE.format(provider="hf-inference")
    root = os.environ.get("HF_INFERENCE_ENDPOINT") or router
    return f"{root.rstrip('/')}/models/{repository}"


async def endpoint_url(name: str, key: str | None, seconds: float) -> str:
    """Return where an inference endpoint is, once it runs.

    Args:
        name: Its name in the namespace of the key's owner, or ``namespace/name``.
        key: The key for Hugging Face.
        seconds: How long to wait for it.

    Raises:
        PermissionError: If Hugging Face does not know the key.
        ConnectionError: If it does not answer, or the endpoint has failed or is paused.
        TimeoutError: If the endpoint does not run in time.
        ValueError: If there is no such endpoint.
    """
    if key is None:
        msg = "Hugging Face wants a key: set api_token, or log in with 'hf auth login'"
        raise PermissionError(msg)
    deadline = time.monotonic() + seconds
    told = ""
    while True:
        endpoint = await asyncio.to_thread(_asked, name, key)
        state = str(endpoint.raw["status"]["state"])
        if state == "running" and endpoint.url:
            return endpoint.url
        what = f"the inference endpoint {name!r} is in the state {state!r}"
        if state in _ENDED:
            msg = f"{what}: {_ENDED[state]}"
            raise ConnectionError(msg)
        if time.monotonic() > deadline:
            msg = f"{what} and did not run within {seconds:g} s"
            raise TimeoutError(msg)
        if state != told:
            _logger.warning("%s; waiting for it", what)
            told = state
        if state == "scaledToZero" and endpoint.url:
            # It is a request that wakes it.
            await asyncio.to_thread(_wake, endpoint.url, key)
        await asyncio.sleep(_REFRESH_SECONDS)


def _asked(name: str, key: str) -> InferenceEndpoint:
    from huggingface_hub import HfApi

    namespace, _, own_name = name.rpartition("/")
    try:
        return HfApi().get_inference_endpoint(own_name, namespace=namespace or None, token=key)
    except Exception as error:  # What its HTTP library raises differs by release.
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status == 404:
            msg = f"Hugging Face has no inference endpoint {name!r} that the key may see"
            raise ValueError(msg) from error
        if status in (401, 403):
            msg = f"Hugging Face refuses the key for the inference endpoint {name!r}"
            raise PermissionError(msg) from error
        msg = f"Hugging Face does not say where the inference endpoint {name!r} is: {error}"
        raise ConnectionError(msg) from error


def _wake(url: str, key: str) -> None:
    from huggingface_hub import get_session

    with suppress(Exception):  # It is not up yet, so that most requests fail.
        get_session().get(url, headers={"Authorization": f"Bearer {key}"})
