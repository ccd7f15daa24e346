"""What must not bring a server down, or show what is secret: load, limits, hostile callers."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
import pytest
from tests.contract.command_line import HIDDEN, opened, until
from tests.contract.conftest import ConfigFile
from tests.contract.test_serve_command import hanging, request_of
from tests.peers import CHAT, Peer, asked, serving

KILLS = int(os.environ.get("RUNGRAPH_KILLS", "5"))
"""``make soak`` kills a server more often, and calls it more often, than every test run does."""
CALLS = int(os.environ.get("RUNGRAPH_CALLS", "1000"))
SCHEMATHESIS = Peer("schemathesis", "schemathesis>=4")
MODEL = {"llama_model": "x", "metadata": {}, "provider_id": "told"}


@pytest.fixture
def url(config_file: ConfigFile) -> Generator[str]:
    """The URL of a server whose provider has a secret key."""
    with serving(config_file(api_key=HIDDEN)) as found:
        yield found


def raw(url: str, content: bytes) -> bytes:
    """Return what is answered to the bytes *content*, up to the end of the connection."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        with suppress(ConnectionError):  # It may be refused before it has all been sent.
            connection.sendall(content)
        came = b""
        while part := connection.recv(65536):
            came += part
    return came


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"GET /version HTTP/1.1\r\nhost: localhost\r\nx: %b\r\n\r\n" % (b"x" * 70_000), 431),
        (b"GET /version?%b HTTP/1.1\r\nhost: localhost\r\n\r\n" % (b"x" * 70_000), 431),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n%b\r\n" % (b"a: b\r\n" * 40_000), 431),
        (b"no HTTP at all\r\n\r\n", 400),
    ],
)
def test_a_head_that_is_too_long_is_refused(url: str, content: bytes, status: int) -> None:
    """It gets a clear answer in the shape of all errors, and the connection ends."""
    head, _, body = raw(url, content).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert list(json.loads(body)["error"]) == ["message", "type", "param", "code"]


@pytest.mark.parametrize("path", [CHAT, "/v1/chat/completions", "/v1/responses"])
def test_a_body_that_is_too_deep_or_no_json_is_refused(url: str, path: str) -> None:
    """Whatever is nested in it, the server says 400 and goes on."""
    with httpx2.Client(base_url=url) as http:
        for body in (b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"null", b"{" + b"}" * 9):
            headers = {"content-type": "application/json"}
            answered = http.post(path, content=body, headers=headers)
            assert answered.status_code == 400, body[:20]
        assert http.get("/livez").status_code == 200


def test_many_streams_are_served_and_probes_stay_quick(config_file: ConfigFile) -> None:
    """Under 256 open streams and a provider that hangs, the process still says that it turns."""
    with (
        serving(config_file()) as url,
        httpx2.Client(base_url=url) as http,
        ExitStack() as calls,
    ):
        for body in [asked("a pause", stream=True)] * 255 + [asked("hang")]:
            calls.enter_context(hanging(url, body))
        until(lambda: b"requests_in_flight 256.0" in http.get("/metrics").content)
        assert http.get("/livez").status_code == 200
        assert http.get("/readyz").status_code == 200
        assert http.post(CHAT, json=asked("x")).status_code == 200


def test_two_thousand_streams_and_one_more(config_file: ConfigFile) -> None:
    """As many as allowed are open at once; the next caller is told at once to come again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5_000:
        pytest.skip("this machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))
    request = request_of(asked("a pause", stream=True))

    async def main(url: str) -> None:
        host, port = url.removeprefix("http://").split(":")

        async def open_one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            await reader.readuntil(b'"a "')
            return reader, writer

        streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        for _ in range(20):
            streams += await asyncio.gather(*(open_one() for _ in range(100)))
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer
        for _, one in [*streams, (reader, writer)]:
            one.close()

    try:
        with serving(config_file(), "--max-calls", "2000") as url:
            asyncio.run(main(url))
            with httpx2.Client(base_url=url) as http:
                until(lambda: b"in_flight 0.0" in http.get("/metrics").content)
                assert http.post(CHAT, json=asked("x")).status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_reader_that_does_not_read_costs_only_itself(config_file: ConfigFile) -> None:
    """While one caller takes nothing of a long answer, others are answered."""
    words = "word " * 200_000
    with (
        serving(config_file()) as url,
        hanging(url, asked(words, stream=True)),
        httpx2.Client(base_url=url) as http,
    ):
        for _ in range(20):
            assert http.post(CHAT, json=asked("x")).status_code == 200


def test_nothing_is_left_of_calls_that_are_over(url: str) -> None:
    """After streams, half of them broken off, the server holds no more files and calls."""
    port = url.rpartition(":")[2]
    with httpx2.Client(base_url=url) as http:
        (process,) = _listeners(int(port))
        http.post(CHAT, json=asked("x"))
        before = len(os.listdir(f"/proc/{process}/fd"))  # noqa: PTH208
        for number in range(200):
            with hanging(url, asked("a pause" if number % 2 else "a b c", stream=True)) as one:
                one.recv(100)
        until(lambda: b"in_flight 0.0" in http.get("/metrics").content)
        assert len(os.listdir(f"/proc/{process}/fd")) <= before + 2  # noqa: PTH208


def test_memory_stays_flat(config_file: ConfigFile) -> None:
    """Calls, streams of which a third is broken off, and registrations leave nothing behind.

    After a tenth of them the server has all that it ever needs: memory, tasks and files.
    """
    with serving(config_file()) as url, httpx2.Client(base_url=url, timeout=60) as http:
        (process,) = _listeners(int(url.rpartition(":")[2]))

        def held() -> tuple[float, float, int]:
            while "in_flight 0.0" not in (told := http.get("/metrics").text):
                threading.Event().wait(0.05)
            # What it has for itself: pages that it shares count for less, the more others run.
            maps = Path(f"/proc/{process}/smaps_rollup").read_text()
            own = maps.partition("\nAnonymous:")[2].split()[0]
            tasks = told.partition("\nrungraph_tasks ")[2].split()[0]
            files = len(os.listdir(f"/proc/{process}/fd"))  # noqa: PTH208
            return int(own), float(tasks), files

        before = (0.0, 0.0, 0)
        for number in range(CALLS):
            assert http.post(CHAT, json=asked("x")).status_code == 200
            if number % 5 == 0:
                text = "a pause" if number % 3 == 0 else "a b c"
                with hanging(url, asked(text, stream=True)) as one:
                    one.recv(100)
            if number % 10 == 0:
                model = {"model": {"identifier": f"m{number}", **MODEL}}
                assert http.post("/models/register", json=model).status_code == 200
                gone = {"identifier": f"m{number}"}
                assert http.post("/models/unregister", json=gone).status_code == 200
            if number == CALLS // 10:
                before = held()
        memory, tasks, files = held()
        assert memory <= before[0] * 1.05
        assert tasks <= before[1] + 2
        assert files <= before[2] + 2


def _listeners(port: int) -> list[str]:
    """Return the processes that listen at *port*."""
    wanted = f":{port:04X} "
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()
        if wanted in line and line.split()[3] == "0A"
    }
    found: list[str] = []
    for process in (one for one in os.listdir("/proc") if one.isdecimal()):  # noqa: PTH208
        try:
            links = {str(one.readlink()) for one in Path(f"/proc/{process}/fd").iterdir()}
        except OSError:
            continue
        if any(f"socket:[{inode}]" in links for inode in inodes):
            found.append(process)
    return found


# --- what is told ------------------------------------------------------------------------------


def test_an_answer_tells_whose_time_it_took(url: str) -> None:
    """The server's own milliseconds and the provider's come in the standard header."""
    answered = httpx2.post(url + CHAT, json=asked("x"))
    own, upstream = answered.headers["server-timing"].split(", ")
    assert float(own.removeprefix("own;dur=")) >= 0
    assert float(upstream.removeprefix("upstream;dur=")) >= 0


def test_no_key_is_told_whatever_fails(config_file: ConfigFile, tmp_path: Path) -> None:
    """Keys of the config, the environment, headers and queries are in no answer and no log.

    The log has the traceback of each fault, with the request's id.
    """
    canaries = [HIDDEN, "sk-from-the-environment", "sk-of-a-caller", "sk-in-a-query"]
    variables = {"RUNGRAPH_SERVE_KEY": "sk-from-the-environment", "RUNGRAPH_DEBUG": "1"}
    said, ids = "", set[str]()
    words = ("serve", config_file(api_key=HIDDEN), "--port", "0", "--state-dir", tmp_path / "state")
    with opened(*words, **variables) as process:
        with httpx2.Client(base_url=process.url()) as http:
            for key in ("sk-from-the-environment", "sk-of-a-caller"):
                header = {
                    "authorization": f"Bearer {key}",
                    "x-llamastack-provider-data": '{"told_key": "sk-of-a-caller"}',
                }
                for text in ("fail", "fail with my key", "x"):
                    answered = http.post(CHAT, json=asked(text), headers=header)
                    said += answered.text
                    if answered.status_code == 500:
                        ids.add(answered.headers["x-request-id"])
                    said += http.post(f"{CHAT}?api_key=sk-in-a-query", json=asked(text)).text
                    body = {"model": "echo", "messages": asked(text)["messages"], "stream": True}
                    said += http.post("/v1/chat/completions", json=body, headers=header).text
                for place in ("/graph", "/timeline", "/metrics", "/providers/list", "/nowhere"):
                    said += http.get(f"{place}?key=sk-in-a-query", headers=header).text
        _, log = process.end(signal.SIGTERM)
    assert len(ids) == 2
    assert [one for one in ids if one not in log] == []
    assert "RuntimeError: refused with ***" in log
    said += log
    assert "internal error" in said
    assert [one for one in canaries if one in said] == []


# --- what is kept ------------------------------------------------------------------------------


def test_a_killed_server_loses_no_registration(config_file: ConfigFile, tmp_path: Path) -> None:
    """Whatever was acknowledged before a kill -9 is there after it, usable at once."""
    path, state = config_file(), tmp_path / "state"
    acknowledged: dict[str, int] = {}
    count = 0
    for _ in range(KILLS):
        with opened("serve", path, "--port", "0", "--state-dir", state) as process:
            with httpx2.Client(base_url=process.url(), timeout=20) as http:
                known = {one["identifier"]: one for one in http.get("/models/list").json()}
                for name, number in acknowledged.items():
                    # The last one may have been kept without an answer, and then it stays.
                    acknowledged[name] = known[name]["metadata"]["number"]
                    assert acknowledged[name] in {number, count}, name
                    body = {**asked("x"), "model": name}
                    assert http.post(CHAT, json=body).status_code == 200
                threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL)).start()
                while True:
                    count += 1
                    name = f"m{count % 20}"
                    model = {"identifier": name, **MODEL, "metadata": {"number": count}}
                    try:
                        answered = http.post("/models/register", json={"model": model})
                    except httpx2.HTTPError:
                        break
                    assert answered.status_code == 200, answered.text
                    acknowledged[name] = count
            process.wait(20)
    assert len(acknowledged) > 10


@pytest.mark.peer
def test_schemathesis_finds_no_fault(url: str) -> None:
    """What it makes of our own OpenAPI document, valid or not, never ends in a 500."""
    words = ["run", f"{url}/openapi.json", "--checks", "not_a_server_error"]
    SCHEMATHESIS.command("schemathesis", *words, "--max-examples", "20", "--seed", "1")
