"""``rungraph validate --level health``: what servers answer, and what they have."""

from __future__ import annotations

import json
import signal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.builders import entry, written
from tests.contract.command_line import HIDDEN, Ended, opened, rungraph
from tests.contract.conftest import ConfigFile
from tests.counterparts import serve_counterpart
from tests.wire import black_hole, serve_with


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with 401, but below ``/wrong`` with 404."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path.startswith("/wrong") else 401)
        self.end_headers()


def health(path: Path, *words: str) -> Ended:
    """Return what is said of the servers of a config."""
    return rungraph("validate", "--level", "health", *words, path)


def openai(url: str, **more: str) -> dict[str, Any]:
    """Return the entry of a server of the OpenAI API."""
    return entry("a", "remote::openai", base_url=url, **more)


def test_servers_that_answer_are_listed(remote_file: ConfigFile) -> None:
    """Whatever HTTP status a server answers with, it is there."""
    with serve_with(Handler) as url:
        path = remote_file(url=url.replace("//", f"//me:{HIDDEN}@") + f"/v1?token={HIDDEN}")
        ended = health(path)
        values = health(path, "--format", "json")
    assert ended.code == 0, ended.err
    *_, checks, line = ended.out.splitlines()
    assert checks == "  health   passed       addresses-usable, remotes-reachable, resources-served"
    assert line.startswith(f"  provider:inference/far  {url}/v1  answered in ")
    assert line.endswith(" ms (HTTP 401)")
    [found] = json.loads(values.out)["servers"]
    assert found.pop("milliseconds") >= 1
    assert found == {
        "address": "provider:inference/far",
        "url": f"{url}/v1",
        "answered": True,
        "said": "HTTP 401",
    }
    assert HIDDEN not in ended.out + ended.err + values.out + values.err


def test_a_server_that_is_not_there_is_an_error_at_its_url(remote_file: ConfigFile) -> None:
    """At the place of the URL, the password masked; what has no address is only noted."""
    path = remote_file(url=f"http://me:{HIDDEN}@127.0.0.1:1/v1")
    ended = health(path)
    assert ended.code == 1
    assert "error[H002]: 'provider:inference/far' gets no answer from http://127.0.0.1:1/v1:" in (
        ended.err
    )
    column = path.read_text().index('"http://') + 1
    assert f"--> {path}:1:{column}" in ended.err
    assert ended.out.endswith(
        "  provider:inference/far  http://127.0.0.1:1/v1  "
        "no answer: connection refused: nothing listens there\n"
    )
    assert HIDDEN not in ended.out + ended.err
    ended = health(remote_file(region="eu"))
    assert ended.code == 0
    assert "note[H007]: 'provider:inference/far' has no address in its config, not checked" in (
        ended.err
    )
    assert "  health   noted        addresses-usable\n" in ended.out
    assert "  health   passed       resources-served\n" in ended.out
    assert "  not checked: 1 check of health\n" in ended.out


def test_a_silent_server_is_given_up_in_time(remote_file: ConfigFile) -> None:
    """``--timeout`` says how long a server may take; several files are asked at once."""
    with black_hole() as (_, port):
        url = f"http://127.0.0.1:{port}"
        files = [remote_file(f"{number}.yaml", url=f"{url}/{number}") for number in range(3)]
        ended = rungraph("validate", "--level", "health", "--timeout", "0.2", *files)
    assert ended.code == 1
    assert ended.err.count("a connection, but no answer within 0.2 s") == 3
    assert ended.out.endswith("3 files: 3 with errors\n")


def test_an_interruption_ends_with_130_and_no_traceback(remote_file: ConfigFile) -> None:
    """Ctrl-C while servers are waited for ends at once."""
    with black_hole() as (hole, port):
        path = remote_file(url=f"http://127.0.0.1:{port}")
        words = ("validate", "--level", "health", "--timeout", "50", path)
        with opened(*words) as process, hole.accept()[0]:  # Reached, and silent.
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_url_under_which_a_type_is_not_found_is_an_error(tmp_path: Path) -> None:
    """A server of the type answers a path that is known; 401 there is an answer, 404 is none."""
    path = tmp_path / "run.yaml"
    with serve_with(Handler) as url:
        for below, code in (("/v1", 0), ("/wrong", 1)):
            ended = health(written(path, {"inference": [openai(url + below)]}))
            assert ended.code == code, ended.err
    assert (
        f"error[H008]: 'provider:inference/a' finds nothing at {url}/wrong/models: HTTP 404\n"
        in ended.err
    )
    assert "help: check 'base_url': a remote::openai server answers there" in ended.err


@pytest.mark.real
@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(
    ("kind", "provider_type", "there", "absent"),
    [
        ("ollama", "remote::ollama", ["small", "small:latest"], "smal"),
        ("tgi", "remote::tgi", ["small"], "smal"),
        ("vllm", "remote::vllm", ["small"], "smal"),
        ("vllm", "remote::openai", ["small"], "smal"),
    ],
)
def test_models_are_looked_for_on_their_server(
    tmp_path: Path, kind: str, provider_type: str, there: list[str], absent: str
) -> None:
    """Each type says how its servers are asked; what one lacks is told at the model's line."""
    path = tmp_path / "run.yaml"
    with serve_counterpart(kind, "small", "--api-key", "") as url:
        config = {"base_url": f"{url}/v1"} if provider_type == "remote::openai" else {"url": url}

        def checked(*names: str, **more: str) -> Ended:
            provider = entry("a", provider_type, **config, **more)
            model = "- {{model_id: m{}, provider_id: a, provider_model_id: {}}}\n"
            models = "".join(model.format(*one) for one in enumerate(names))
            providers = json.dumps({"inference": [provider]})
            path.write_text(f"providers: {providers}\nmodels:\n{models}")
            return health(path)

        fine, wrong = checked(*there), checked(*there, absent)
        fetched = checked(absent, pull="missing") if kind == "ollama" else fine
    assert (fine.code, fine.err) == (0, "")
    assert (fetched.code, fetched.err) == (0, "")
    assert wrong.code == 1
    assert wrong.err.startswith(
        f"error[H009]: model '{absent}' is not on the server of 'provider:inference/a'\n"
        f"  --> {path}:{3 + len(there)}:3\n"
    )
    assert wrong.err.endswith("help: did you mean 'small'?\n\n")


def test_a_server_that_keeps_its_models_to_itself_is_noted(tmp_path: Path) -> None:
    """Credentials are never sent, so what is behind a key is not known; nor is it wrong."""
    path = tmp_path / "run.yaml"
    with serve_with(Handler) as url:
        provider = openai(f"{url}/v1", api_key=HIDDEN)
        models = [{"model_id": "m", "provider_id": "a"}]
        ended = health(written(path, {"inference": [provider]}, models=models))
    assert ended.code == 0
    assert ended.err.startswith(
        "note[H007]: 'provider:inference/a' is not asked for its 1 model: no key is sent\n"
    )


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (301, "", "is sent elsewhere from"),
        (200, "<!doctype html>", "does not understand what answers at"),
        (200, '{"models": []}', "does not understand what answers at"),
    ],
)
def test_what_answers_as_another_server_is_an_error(
    tmp_path: Path, status: int, body: str, says: str
) -> None:
    """A page for browsers answers every path with 200; the provider would not understand it."""

    class Other(Handler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "https://elsewhere.invalid/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    path = tmp_path / "run.yaml"
    with serve_with(Other) as url:
        ended = health(written(path, {"inference": [openai(url)]}))
    assert ended.code == 1
    assert ended.err.startswith(
        f"error[H008]: 'provider:inference/a' {says} {url}/models: HTTP {status}\n"
    )
