"""``rungraph validate`` as users and scripts meet it: texts, JSON, exit codes, servers, signals."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.contract.command_line import HIDDEN, INVALID, Ended, opened, rungraph
from tests.contract.conftest import ConfigFile
from tests.counterparts import serve_counterpart

from rungraph.graph.rules.checklist import CHECKS


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with 401, but below ``/wrong`` with 404."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path.startswith("/wrong") else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def server(handler: type[BaseHTTPRequestHandler] = Handler) -> Generator[str]:
    """Serve HTTP on this machine, and hand out the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


# --- one file, several files -------------------------------------------------------------------


def test_one_file_has_every_check_named_with_its_result(remote_file: ConfigFile) -> None:
    """By level and result, those that were not made as well; with ``--verbose`` a line each."""
    path = remote_file()
    ended = rungraph("validate", path)
    expected = f"""{path}: no problems (4 nodes, 3 generations)
  schema   passed       readable, yaml, shape, known-keys, known-version, known-apis, known-types,
                        current-types, unique-ids, single-providers, resources-placed,
                        sections-placed, catalogs-usable, secrets-present
  graph    passed       no-hard-cycles, no-soft-cycles, dependencies-configured, apis-provided,
                        providers-served
  env      passed       environment-set, placeholders-read, ids-public
  import   passed       configs-accepted, resources-accepted
  not checked: 5 checks of import, health
"""
    assert (ended.code, ended.out, ended.err) == (0, expected, "")
    lines = rungraph("validate", "--verbose", path).out.splitlines()[1:]
    assert [line.rpartition("  ")[2].strip() for line in lines] == [
        check.states for check in CHECKS if check.name != "queries"
    ]
    assert lines[0] == (
        "  schema   passed       readable                 "
        "the file can be read, and is text of a size that is meant"
    )


def test_problems_go_to_standard_error_and_end_with_1() -> None:
    """Each problem has its code and its place; standard output names the check that failed."""
    path = INVALID / "C021-unknown-provider-type.yaml"
    ended = rungraph("validate", path)
    assert ended.code == 1
    assert "error[C021]" in ended.err
    assert f"{path}:" in ended.err
    head, first, *_ = ended.out.splitlines()
    assert head == f"{path}: 2 errors (5 nodes, 3 generations)"
    assert first == "  schema   failed       known-types"
    # ``-`` reads the config from standard input.
    assert rungraph("validate", "-", stdin="providers: {}\n").code == 0
    assert rungraph("validate", "-", stdin="- 1\n").code == 1


def test_several_files_are_a_line_each_and_a_summary(remote_file: ConfigFile) -> None:
    """One bad file makes the exit code 1 and hides nothing of the others."""
    good, warned = remote_file("good.yaml"), remote_file("warned.yaml", more={"modls": []})
    bad = INVALID / "C021-unknown-provider-type.yaml"
    ended = rungraph("validate", "nowhere.yaml", good, bad, warned)
    assert ended.code == 1
    assert "error[C001]" in ended.err
    assert ended.out == (
        "nowhere.yaml: 1 error; the rest could not be checked; failed: readable; "
        "not checked: import, health\n"
        f"{good}: no problems (4 nodes, 3 generations); not checked: import, health\n"
        f"{bad}: 2 errors (5 nodes, 3 generations); failed: known-types; "
        "not checked: import, health\n"
        f"{warned}: 1 warning (4 nodes, 3 generations); not checked: import, health\n"
        "4 files: 2 valid, 2 with errors\n"
    )


def test_a_catalog_that_is_none_is_the_problem_of_its_file(remote_file: ConfigFile) -> None:
    """The other files are checked; in JSON ``valid`` is what the exit code says."""
    bad, good = remote_file("bad.yaml", more={"catalog": "nowhere.yaml"}), remote_file("good.yaml")
    ended = rungraph("validate", bad, good)
    assert ended.code == 1
    assert "nowhere.yaml" in ended.err
    assert "Traceback" not in ended.err
    assert f"{good}: no problems" in ended.out
    assert ended.out.endswith("2 files: 1 valid, 1 with errors\n")
    warned = remote_file("warned.yaml", more={"modls": []})
    values = rungraph("validate", "--format", "json", "--deny-warnings", bad, good, warned).out
    found = [json.loads(line) for line in values.splitlines()]
    assert [(one["file"], one["valid"]) for one in found] == [
        (str(bad), False),
        (str(good), True),
        (str(warned), False),
    ]


def test_warnings_can_be_denied_and_unset_variables_allowed(remote_file: ConfigFile) -> None:
    """``--deny-warnings`` makes a warning a failure; a note, as of an unset variable, stays one."""
    path = remote_file(more={"modls": []})
    assert rungraph("validate", path).code == 0
    ended = rungraph("validate", "--deny-warnings", path)
    assert ended.code == 1
    assert f"{path}: warnings count as failures, because of --deny-warnings" in ended.err
    many = rungraph("validate", "--deny-warnings", path, remote_file("good.yaml"))
    assert many.out.endswith("2 files: 1 valid, 1 with warnings, which are denied\n")
    noted = INVALID / "C014-older-format.yaml"
    assert rungraph("validate", "--deny-warnings", noted).code == 0
    unset = remote_file("unset.yaml", url="${env.NOWHERE_URL}")
    assert rungraph("validate", unset).code == 1
    ended = rungraph("validate", "--allow-unset-env", "--deny-warnings", unset)
    assert ended.code == 0
    assert "note[E001]" in ended.err
    assert "  env      noted        environment-set\n" in ended.out


# --- JSON --------------------------------------------------------------------------------------


def test_json_is_one_object_a_line_and_file(remote_file: ConfigFile) -> None:
    """``--format json`` says what each check came to, what was not checked, every diagnostic."""
    ended = rungraph("validate", "--format", "json", remote_file(), "nowhere.yaml")
    good, bad = map(json.loads, ended.out.splitlines())
    assert ended.code == 1
    assert ended.err == ""
    checks = good.pop("checks")
    assert good == {
        "file": str(remote_file()),
        "catalog": None,
        "valid": True,
        "checked": ["schema", "graph", "env"],
        "not_checked": ["import", "health"],
        "configs_not_checked": [],
        "diagnostics": [],
    }
    assert [one["name"] for one in checks] == [
        check.name for check in CHECKS if check.name != "queries"
    ]
    assert checks[0] == {"name": "readable", "level": "schema", "result": "passed", "problems": 0}
    assert checks[-1]["result"] == "not_checked"
    assert not bad["valid"]
    assert bad["diagnostics"][0]["code"] == "C001"
    assert {one["result"] for one in bad["checks"]} == {"failed", "not_checked"}


# --- levels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "passes", "fails", "line"),
    [
        ("E001-unset-variables", "graph", "env", "  env      failed       environment-set\n"),
        ("I003-rejected-config", "env", "import", "  import   failed       configs-accepted\n"),
    ],
)
def test_a_level_leaves_out_what_is_deeper(name: str, passes: str, fails: str, line: str) -> None:
    """A problem is found at its own level, not before; what is deeper is not checked."""
    path = INVALID / f"{name}.yaml"
    assert rungraph("validate", "--level", passes, path).code == 0
    ended = rungraph("validate", "--level", fails, path)
    assert ended.code == 1
    assert f"error[{name[:4]}]" in ended.err
    assert line in ended.out
    assert ended.out.endswith(" of import, health\n" if passes == "graph" else " of health\n")


# --- checks that are queries -------------------------------------------------------------------


def test_checks_of_the_config_are_asked_and_listed_by_name(remote_file: ConfigFile) -> None:
    """A check that fails is an error with what it found; each has its own name in the list."""
    checks = [
        {"name": "nothing remote", "query": "type:remote::*"},
        {"name": "one router", "query": "kind:router", "expect": 1},
    ]
    path = remote_file(more={"checks": checks})
    ended = rungraph("validate", path)
    assert ended.code == 1
    assert "error[Q001]: check 'nothing remote' expects no node and finds 1" in ended.err
    assert "  graph    failed       'nothing remote'\n" in ended.out
    assert "providers-served, 'one router'\n" in ended.out
    assert rungraph("validate", "--level", "schema", path).code == 0
    found = json.loads(rungraph("validate", "--format", "json", path).out)["checks"]
    assert {
        "name": "nothing remote",
        "level": "graph",
        "result": "failed",
        "problems": 1,
        "query": "type:remote::*",
        "expect": "empty",
        "found": ["provider:inference/far"],
    } in found


def test_checks_can_stand_in_a_file_of_their_own(remote_file: ConfigFile, tmp_path: Path) -> None:
    """``--checks`` asks the same of several configs; the places are in the file of the checks."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("checks:\n- {name: nothing remote, query: 'type:remote::*'}\n")
    ended = rungraph("validate", "--checks", rules, remote_file("a.yaml"), remote_file("b.yaml"))
    assert ended.code == 1
    assert ended.err.count("error[Q001]") == 2
    assert f"--> {rules}:2:3" in ended.err
    assert "providers" not in ended.err.split("-->")[1].splitlines()[1]
    assert ended.out.count("failed: 'nothing remote'") == 2
    # Without the file, the config is checked all the same.
    ended = rungraph("validate", "--checks", tmp_path / "nowhere.yaml", remote_file())
    assert ended.code == 1
    assert "error[C001]" in ended.err
    assert "no problems" in ended.out


def test_a_config_whose_class_cannot_be_imported_is_listed_as_not_checked() -> None:
    """Where that was asked for; in text it is counted."""
    words = ("validate", "--level", "import", INVALID / "I006-config-not-checked.yaml")
    values = json.loads(rungraph(*words, "--format", "json").out)
    assert values["configs_not_checked"] == ["provider:inference/here"]
    left = "  not checked: 3 checks of health; the configs of 1 provider whose classes cannot"
    assert f"{left} be imported\n" in rungraph(*words).out


# --- health ------------------------------------------------------------------------------------


def test_servers_that_answer_are_listed(remote_file: ConfigFile) -> None:
    """Whatever HTTP status a server answers with, it is there."""
    with server() as url:
        path = remote_file(url=url.replace("//", f"//me:{HIDDEN}@") + f"/v1?token={HIDDEN}")
        ended = rungraph("validate", "--level", "health", path)
        values = rungraph("validate", "--level", "health", "--format", "json", path)
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
    ended = rungraph("validate", "--level", "health", path)
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
    ended = rungraph("validate", "--level", "health", remote_file(region="eu"))
    assert ended.code == 0
    assert "note[H007]: 'provider:inference/far' has no address in its config, not checked" in (
        ended.err
    )
    assert "  health   noted        addresses-usable\n" in ended.out


def test_a_silent_server_is_given_up_in_time(remote_file: ConfigFile) -> None:
    """``--timeout`` says how long a server may take; several files are asked at once."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        files = [remote_file(f"{number}.yaml", url=f"{url}/{number}") for number in range(3)]
        ended = rungraph("validate", "--level", "health", "--timeout", "0.2", *files)
    assert ended.code == 1
    assert ended.err.count("a connection, but no answer within 0.2 s") == 3
    assert ended.out.endswith("3 files: 3 with errors\n")


def test_an_interruption_ends_with_130_and_no_traceback(remote_file: ConfigFile) -> None:
    """Ctrl-C while servers are waited for ends at once."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        words = ("validate", "--level", "health", "--timeout", "50", remote_file(url=url))
        with opened(*words) as process, hole.accept()[0]:  # Reached, and silent.
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_url_under_which_a_type_is_not_found_is_an_error(tmp_path: Path) -> None:
    """A server of the type answers a path that is known; 401 there is an answer, 404 is none."""
    path = tmp_path / "run.yaml"
    with server() as url:
        for below, code in (("/v1", 0), ("/wrong", 1)):
            config = {"base_url": url + below}
            entry = {"provider_id": "a", "provider_type": "remote::openai", "config": config}
            path.write_text(json.dumps({"providers": {"inference": [entry]}}))
            ended = rungraph("validate", "--level", "health", path)
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
            entry = {"provider_id": "a", "provider_type": provider_type, "config": config | more}
            model = "- {{model_id: m{}, provider_id: a, provider_model_id: {}}}\n"
            models = "".join(model.format(*one) for one in enumerate(names))
            providers = json.dumps({"inference": [entry]})
            path.write_text(f"providers: {providers}\nmodels:\n{models}")
            return rungraph("validate", "--level", "health", path)

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
    with server() as url:
        path.write_text(
            'providers: {inference: [{provider_id: a, provider_type: "remote::openai", config: '
            f'{{base_url: "{url}/v1", api_key: {HIDDEN}}}}}]}}\n'
            "models: [{model_id: m, provider_id: a}]\n"
        )
        ended = rungraph("validate", "--level", "health", path)
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
    with server(Other) as url:
        config = json.dumps({"base_url": url})
        path.write_text(
            'providers: {inference: [{provider_id: a, provider_type: "remote::openai", '
            f"config: {config}}}]}}\n"
        )
        ended = rungraph("validate", "--level", "health", path)
    assert ended.code == 1
    assert ended.err.startswith(
        f"error[H008]: 'provider:inference/a' {says} {url}/models: HTTP {status}\n"
    )
