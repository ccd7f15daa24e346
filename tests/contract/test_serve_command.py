"""``rungraph serve`` over plain HTTP: errors, streams, probes, callers that go, and the end."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.builders import entry
from tests.contract.command_line import HIDDEN, opened, rungraph, until
from tests.contract.conftest import ConfigFile
from tests.peers import CHAT, asked, serving
from tests.wire import free_port


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """Return what *response* says is wrong, in the one shape of errors."""
    error = response.json()["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert response.headers["x-request-id"].startswith("req_")
    assert HIDDEN not in response.text
    return error  # type: ignore[no-any-return]


def test_a_request_is_validated_as_the_protocol_says(http: httpx2.Client) -> None:
    """Every problem is named by its path, with what may be meant, and never with the value."""
    response = http.post(CHAT, json={"modle": HIDDEN, "messages": [{"role": "user"}]})
    assert response.status_code == 400
    assert response.headers["x-should-retry"] == "false"
    assert error_of(response) == {
        "message": "model: is missing\nmessages.0.user.content: is missing\n"
        "modle: unknown parameter; did you mean 'model'?",
        "type": "invalid_request_error",
        "param": "model",
        "code": "invalid_value",
    }


def test_the_status_tells_the_kind_of_an_error(http: httpx2.Client) -> None:
    """Each kind of error has its status; what nobody foresaw tells no text at all."""
    found = {
        "unknown model": http.post(CHAT, json={**asked("x"), "model": "ecko"}),
        "unknown path": http.post("/inference/chat", json={}),
        "not served": http.get("/shields/list"),
        "method": http.get(CHAT),
        "no JSON": http.post(CHAT, content="{", headers={"content-type": "application/json"}),
        "form": http.post(CHAT, data={"model": "x"}),
        "too long": http.post(CHAT, json=asked("x" * 20_000_000)),
        "fault": http.post(CHAT, json=asked("fail")),
    }
    assert {name: response.status_code for name, response in found.items()} == {
        "unknown model": 404,
        "unknown path": 404,
        "not served": 404,
        "method": 405,
        "no JSON": 400,
        "form": 415,
        "too long": 413,
        "fault": 500,
    }
    for response in found.values():
        error_of(response)
    assert found["method"].headers["allow"] == "POST"
    assert error_of(found["unknown model"])["message"] == (
        "model 'ecko' is not registered\nregistered: 'echo'\nhelp: did you mean 'echo'?"
    )
    fault = found["fault"]
    request_id = fault.headers["x-request-id"]
    assert error_of(fault)["message"] == (
        f"internal error; the server's log tells more of request {request_id}"
    )


@pytest.mark.parametrize("text", ["exit", "cancel", "cancel me"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_provider_that_wants_its_task_to_end_fails_its_call(
    http: httpx2.Client, text: str, *, is_stream: bool
) -> None:
    """It is a fault like any other, with an answer like any other."""
    response = http.post(CHAT, json=asked(text, stream=is_stream))
    assert response.status_code == 500
    assert error_of(response)["message"].startswith("internal error; the server's log tells")


def test_a_provider_that_is_a_file_beside_the_config_is_served(tmp_path: Path) -> None:
    """Its path begins beside the config, wherever the server runs; it imports its neighbour."""
    fake = Path(__file__).parent / "cli_package" / "fake_provider.py"
    (tmp_path / "fake.py").write_text(fake.read_text())
    (tmp_path / "my_provider.py").write_text("from .fake import *\n")
    path = tmp_path / "run.yaml"
    path.write_text(
        "providers:\n  inference:\n"
        "  - {provider_id: a, provider_type: 'inline::a', module: ./my_provider.py}\n"
    )
    with serving(path) as url:
        answer = httpx2.post(url + CHAT, json=asked("hello")).json()
    assert answer["completion_message"]["content"] == "hello"


def test_a_stream_is_events(http: httpx2.Client) -> None:
    """Each chunk is one ``data:`` event; nothing comes after the last, for JSON alone is read."""
    response = http.post(CHAT, json=asked("a b", stream=True))
    assert response.headers["content-type"] == "text/event-stream"
    *events, rest = response.text.split("\n\n")
    assert rest == ""
    deltas = [json.loads(one.removeprefix("data: "))["event"]["delta"] for one in events]
    assert deltas == ["", "a ", "b ", ""]


def test_a_stream_that_breaks_off_ends_with_an_error(http: httpx2.Client) -> None:
    """What came stays, and the last event says that it is not all."""
    response = http.post(CHAT, json=asked("one break two", stream=True))
    assert response.status_code == 200
    last = json.loads(response.text.split("\n\n")[-2].removeprefix("data: "))
    assert last["error"]["type"] == "server_error"


def test_openapi_has_every_route(http: httpx2.Client) -> None:
    """The document lists what is served, with the parameters of a GET and the body of a POST."""
    document = http.get("/openapi.json").json()
    routes = http.get("/routes/list").json()
    assert set(document["paths"]) == {one["route"] for api in routes.values() for one in api}
    schema = document["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]
    name = schema["schema"].get("$ref", "").rpartition("/")[2]
    body = document["components"]["schemas"].get(name, schema["schema"])
    assert set(body["required"]) == {"model", "messages"}
    parameters = document["paths"]["/models/get"]["get"]["parameters"]
    assert [one["name"] for one in parameters] == ["identifier"]


def test_probes_tell_of_a_start_and_calls_wait_for_it(config_file: ConfigFile) -> None:
    """The port opens at once: the process lives, is not ready, and says how far it has come."""
    port = free_port()
    with opened("serve", config_file(start="hang"), "--port", str(port)) as process:
        process.until("starting   provider:inference/told")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
            assert http.get("/livez").status_code == 200
            ready = http.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["phase"] == "starting"
            call = http.post(CHAT, json=asked("x"))
            assert (call.status_code, call.headers["retry-after"]) == (503, "1")
            assert error_of(call)["message"].startswith("the stack starts: ")
            assert "starting: provider:inference/told" in error_of(call)["message"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143


def test_a_degraded_stack_says_what_it_lacks(config_file: ConfigFile) -> None:
    """An API whose only provider failed is not ready, and names node, state and cause."""
    told = entry("told", "inline::told", "fake_provider", start="fail", api_key=HIDDEN)
    path = config_file(more={"providers": {"inference": [{**told, "restart": "never"}]}})
    with (
        serving(path, "--on-failure", "degrade") as url,
        httpx2.Client(base_url=url) as http,
    ):
        ready = http.get("/readyz/inference")
        assert ready.status_code == 503
        lacks = {one["node"]: one["state"] for one in ready.json()["lacks"]}
        assert lacks["provider:inference/told"] == "failed"
        assert http.get("/readyz/inspect").status_code == 200
        call = http.post(CHAT, json=asked("x"))
        assert call.status_code == 503
        assert "it needs 'provider:inference/told', which failed" in error_of(call)["message"]


def request_of(body: dict[str, Any]) -> bytes:
    """Return the request of a chat with *body*, as it is sent."""
    content = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


@contextmanager
def hanging(url: str, body: dict[str, Any]) -> Generator[socket.socket]:
    """Open a connection that has sent *body* as a chat."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request_of(body))
        yield connection


def read_up_to(connection: socket.socket, text: bytes) -> bytes:
    """Return what comes through *connection* until *text* has come."""
    came = b""
    while text not in came:
        part = connection.recv(65536)
        assert part, came
        came += part
    return came


@pytest.mark.parametrize(("text", "streams"), [("hang", False), ("hang", True), ("a pause", True)])
def test_a_caller_that_goes_stops_the_call(
    config_file: ConfigFile, tmp_path: Path, text: str, *, streams: bool
) -> None:
    """The provider's call is cancelled: before the answer, before its first chunk, between two."""
    noted = tmp_path / "cancelled"
    with serving(config_file(cancelled=str(noted))) as url:
        with hanging(url, asked(text, stream=streams)) as connection:
            if text == "a pause":
                read_up_to(connection, b'"a "')
            else:
                threading.Event().wait(0.1)  # The request is on its way.
        until(noted.exists)
        assert noted.read_text() == text


def test_a_stop_lets_running_answers_end(config_file: ConfigFile) -> None:
    """On SIGTERM new calls are refused while a running one goes on, until the drain is over."""
    with opened("serve", config_file(), "--port", "0", "--drain", "1") as process:
        url = process.url()
        with (
            hanging(url, asked("a pause", stream=True)) as connection,
            httpx2.Client(base_url=url, timeout=20) as http,
        ):
            read_up_to(connection, b'"a "')
            process.send_signal(signal.SIGTERM)
            process.until("draining: 1 call may go on for 1 s")
            refused = http.post(CHAT, json=asked("x"))
            assert refused.status_code == 503
            assert error_of(refused)["message"] == "the server stops and takes no new calls"
            assert http.get("/readyz").json()["phase"] == "draining"
            read_up_to(
                connection, b'data: {"error":{"message":"the server stops and ends this call'
            )
        assert process.wait(30) == 143


def test_a_second_signal_ends_the_drain(config_file: ConfigFile) -> None:
    """The second signal waits for no answer."""
    with opened("serve", config_file(), "--port", "0", "--drain", "600") as process:
        process.until("registrations are kept in ")
        with hanging(process.url(), asked("a pause", stream=True)) as connection:
            read_up_to(connection, b'"a "')
            process.send_signal(signal.SIGTERM)
            process.until("draining: 1 call")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 143


def test_an_address_that_is_taken_is_named(config_file: ConfigFile) -> None:
    """The error says where nobody can listen, before anything starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = rungraph("serve", config_file(), "--port", str(port))
    assert ended.code == 1
    assert ended.err.endswith(f"error: cannot listen at 127.0.0.1:{port}: address already in use\n")


def test_without_the_extra_the_command_that_installs_it_is_named(config_file: ConfigFile) -> None:
    """A machine without the server's packages is told what to install."""
    folder = config_file().parent
    (folder / "uvicorn.py").write_text("raise ModuleNotFoundError(name='uvicorn')")
    ended = rungraph("serve", config_file(), PYTHONPATH=f"{folder}:src:tests/contract/cli_package")
    assert ended.code == 1
    assert (
        ended.err == "error: 'uvicorn' is not installed\nhelp: pip install \"rungraph[server]\"\n"
    )


def test_beyond_this_machine_callers_need_keys(config_file: ConfigFile) -> None:
    """Nobody serves others by mistake: without keys the command ends before anything starts."""
    ended = rungraph("serve", config_file(), "--host", "0.0.0.0")  # noqa: S104  refused
    assert ended.code == 2
    assert ended.err.endswith(
        "Error: '0.0.0.0' can be reached from elsewhere, so callers need a key\n"
        "help: set RUNGRAPH_SERVE_KEY, or name a file with --keys\n"
    )


def test_a_server_speaks_tls(config_file: ConfigFile, tmp_path: Path) -> None:
    """With a certificate the server speaks HTTPS, and only that."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*words, *subject, *files], check=True, capture_output=True)
    tls = ("--tls-certificate", certificate, "--tls-key", key)
    with serving(config_file(), *tls) as url:
        assert url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert httpx2.get(f"{url}/livez", verify=trusted).status_code == 200


def test_a_watched_file_is_served_as_it_is_now(config_file: ConfigFile) -> None:
    """What a reload adds is served, what it takes is not, and no secret of either is told."""
    file = config_file(api_key=HIDDEN)
    with serving(file, "--watch") as url, httpx2.Client(base_url=url) as http:
        assert http.post(CHAT, json=asked("hi")).status_code == 200
        config = json.loads(file.read_text())
        other = HIDDEN.upper()
        config["providers"]["inference"][0]["config"] = {"api_key": other}
        config["providers"]["safety"] = [entry("s", "inline::s", "fake_agents", kind="safety")]
        before = http.get("/graph/status").json()
        new = file.with_name("new.yaml")
        new.write_text(json.dumps(config))
        words = ("plan", new, "--against-running", url, "--format", "json")
        planned = json.loads(rungraph(*words).out)
        file.write_text(json.dumps(config))
        changes = {one["address"]: one["actions"] for one in planned["changes"]}
        until(lambda: http.get("/graph/status").json().get("router:safety") == "ready")
        after = http.get("/graph/status").json()
        assert {one for one in after if one not in before} == {
            one for one, actions in changes.items() if actions == ["create"]
        }
        assert http.get("/shields/list").status_code == 200
        assert "/shields/list" in http.get("/openapi.json").json()["paths"]
        for secret in (HIDDEN, other):
            failed = http.post(CHAT, json={**asked("hi"), "model": secret})
            assert (failed.status_code, secret in failed.text) == (404, False)
        del config["providers"]["safety"]
        file.write_text(json.dumps(config))
        until(lambda: "router:safety" not in http.get("/graph/status").json())
        assert http.get("/shields/list").status_code == 404


def test_what_runs_is_told_to_those_who_may_know(config_file: ConfigFile) -> None:
    """A plan against a running server needs its key, where it has one, and a server."""
    file = config_file()
    with serving(file, RUNGRAPH_SERVE_KEY=HIDDEN) as url:
        refused = rungraph("plan", file, "--against-running", url)
        assert refused.code == 1
        assert (
            "error: a key is needed\nhelp: set RUNGRAPH_SERVE_KEY to a key that may do this"
            in refused.err
        )
        told = rungraph("plan", file, "--against-running", url, RUNGRAPH_SERVE_KEY=HIDDEN)
        assert (told.code, "nothing differs" in told.out) == (0, True)
    gone = rungraph("plan", file, "--against-running", url)
    assert f"{url} does not answer: connection refused" in gone.err
    assert rungraph("plan", file, "--against-running", "localhost:1").code == 2
