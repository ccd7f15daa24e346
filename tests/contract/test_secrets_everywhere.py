"""No secret is in any output: every command, in every format, with configs full of secrets.

The commands and their formats are asked of the command line itself, so a new one that is not
walked here fails.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import click
import httpx2
import pytest
from pydantic import BaseModel
from tests.contract.command_line import ROOT, all_commands
from tests.contract.secret_configs import DIGITS, END, MARK, VARIABLES, leaks_in, write_configs
from tests.peers import serving

from rungraph.cli import main
from rungraph.cli.serve import page_of, svg_of
from rungraph.engine import Stack
from rungraph.engine.catalog import CATALOG
from rungraph.engine.server.app import StackApp
from rungraph.graph import ProviderSpec, compile_config
from rungraph.graph.secrets.keys import is_secret_key

PACKAGES = Path(__file__).parent / "cli_package"

CALLS: dict[str, tuple[str, ...]] = {
    "validate": (
        "{good}",
        "--verbose --level import {good} {broken}",
        "--level health --timeout 0.5 {good} {broken}",
        "--deny-warnings --allow-unset-env --checks {checks} {broken}",
        "--level import {malformed}",
    ),
    "plan": (
        "{good}",
        "{broken} --level import",
        "{good} --against {other}",
        "{good} --assume-failed inference/told",
        "{good} --timings {events}",
        "{good} --save {out}",
        "{good} --explain-masking",
        "{broken} --allow-unset-env --save {out}",
    ),
    "diff": ("{good} {other}", "{good} {broken}", "{broken} {failing}", "{plan} {other}"),
    "query": (
        "{good} *",
        "{broken} *",
        "{good} state:modified+ --against {other}",
        "{good} status:* --status {failed}",
        "{good} config.api_key:zqyhidden*",
        "{good} config.api_key:zqyhidden",
        "{good} config.api_key.zqy:1",
        "{good} env:WALK_TOKEN",
        "{good} attr(config.api_key,zqy,*)",
        "{good} somepath(inference/told,router:inference)",
        "{good} * --expect 1",
    ),
    "why": (
        "{good} router:inference",
        "{good} router:inference inference/told",
        "{good} router:inference inference/told --all",
        "{broken} router:inference",
        "{good} zqy",
    ),
    "why-not": (
        "{good} inference/off",
        "{good} inference/told",
        "{broken} inference/twice",
        "{good} zqy",
        "{good} inference/told --events {events}",
    ),
    "graph": (
        "{good} -o {out}",
        "{broken} -o {out} --overlay plan",
        "{good} -o {out} --against {other}",
        "{good} -o {out} --overlay status --events {events}",
        "{good} -o {out} --overlay times --events {events}",
        "{good} -o {out} --view collapsed --assume-failed inference/told",
        "{good} --check {good}",
    ),
    "timeline": ("{events} -o {out}", "{failed} -o {out}"),
    "blame": ("{events}", "{failed}"),
    "critical-chain": ("{events}", "{failed}", "{events} router:inference"),
    "run": (
        "{failing} --state-dir {state} --events {out}",
        "{failing} --state-dir {state} --on-failure degrade --call inspect.health",
        "{good} --state-dir {state} --call inference.chat_completion model=echo messages=fail",
        "{good} --state-dir {state} --events {out} --call models.list_models",
        "{good} --state-dir {state} --call inspect.list_providers --call inspect.health",
        "{broken} --state-dir {state}",
        "{good} --state-dir {state} --plan {saved} --call inspect.health",
        "{other} --state-dir {state} --plan {saved} --call inspect.health",
        "{failing} --state-dir {state} --plan {saved} --call inspect.health",
    ),
    "serve": ("{failing} --port 0 --state-dir {state}", "{broken} --state-dir {state}"),
    "providers": ("", "inference", "--needed-by {good}", "--needed-by {broken}"),
    # What it writes with -o has the secrets, as the config has.
    "upgrade": ("{good} --to ogx@1.5.0", "{broken} --to ogx@1.5.0"),
    "models list": ("",),
    "models pull": (),  # It fetches, and reads no config.
    # They ask a server, whose routes are looked at below.
    "members drain": (),
    "members list": (),
    "members undrain": (),
    "schema": ("plan",),
    "explain": ("", "C023"),
}
"""How each command is called, once for every format that it has."""

IN_A_PROCESS_OF_ITS_OWN = frozenset(("run", "serve"))
"""What takes over the signals of its process."""


def _formats(command: click.Command) -> Iterator[tuple[str, str]]:
    """Yield the options of a command that choose a format, with each of their choices."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and isinstance(parameter.type, click.Choice):
            choices = [str(choice) for choice in parameter.type.choices]
            if {"json", "svg", "text", "markdown", "html"}.intersection(choices):
                for choice in choices:
                    yield parameter.opts[-1], choice


def _walks() -> Iterator[tuple[str, str]]:
    """Yield every command line: a command's name, and the words after it."""
    for name, command in all_commands().items():
        for call in CALLS.get(name, ()):
            formats = [*_formats(command)]
            if not formats:
                yield name, call
            for option, choice in formats:
                if choice == "path" and "somepath" not in call:
                    continue  # Nothing but a path can be written as one,
                if name == "timeline" and choice in ("dot", "graphml"):
                    continue  # and nothing but a graph as one.
                if choice in ("pip", "uv") and "--needed-by" not in call:
                    continue  # Nothing but the packages of a config can be installed.
                yield name, f"{call} {option} {choice}".lstrip()


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the files that command lines name, with the environment that fills them in."""
    folder = tmp_path_factory.mktemp("walk")
    paths = write_configs(folder)
    names = [*paths]
    first = names.index("checks") + 1
    words = {name: str(paths[name]) for name in names[:first]}
    words["malformed"] = " ".join(str(paths[name]) for name in names[first:])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        patch.syspath_prepend(str(PACKAGES))
        for name in ("WALK_OFF", "WALK_UNSET", "WALK_UNSET_API_KEY", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        for name, config in (("events", "good"), ("failed", "failing")):
            words[name] = str(folder / f"{name}.jsonl")
            state = folder / f"state-of-{name}"
            _run_apart(
                ["run", words[config], "--state-dir", str(state), "--events", words[name]],
                *("--call", "inspect.health"),
            )
            assert Path(words[name]).is_file()
        words["saved"] = str(folder / "saved.json")
        _run_here(["plan", words["good"], "--save", words["saved"]])
        plan = folder / "plan.json"
        plan.write_bytes(_run_here(["plan", words["good"], "--format", "json"]))
        words["plan"] = str(plan)
        yield words


def _run_here(words: list[str]) -> bytes:
    """Return all that a command line writes, run in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        main._code_of(words)
    for stream in streams:
        stream.flush()
    return b"".join(stream.buffer.getvalue() for stream in streams)


def _run_apart(words: list[str], *more: str) -> bytes:
    """Return all that a command line writes, run in a process of its own."""
    paths = os.pathsep.join([str(ROOT / "src"), str(PACKAGES)])
    done = subprocess.run(
        [sys.executable, "-m", "rungraph", *words, *more],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": paths},
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_every_command_is_walked() -> None:
    """A command that is not in the table here has not been looked at."""
    assert all_commands().keys() <= CALLS.keys()
    assert {name for name, _ in _walks()} == {name for name in all_commands() if CALLS[name]}


@pytest.mark.parametrize(("name", "call"), [*_walks()])
def test_no_secret_is_in_any_output(
    name: str, call: str, around: dict[str, str], tmp_path: Path
) -> None:
    """Neither streams nor files that a command writes hold a piece of a secret."""
    files = {**around, "out": str(tmp_path / "out"), "state": str(tmp_path / "state")}
    words = name.split()
    for word in call.split():
        words += word.format(**files).split() if word.startswith("{") else [word]
    run = _run_apart if name in IN_A_PROCESS_OF_ITS_OWN else _run_here
    output = run(words)
    shown = output.decode(errors="replace")
    assert "this is a bug in rungraph" not in shown, shown
    assert "Usage: " not in shown, shown  # The table means what the command understands.
    assert leaks_in(output) == []
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            assert leaks_in(path.read_bytes()) == [], path
            output += path.read_bytes()
    assert output or name == "query"  # Which may select nothing.


def test_no_route_of_a_server_shows_a_secret(around: dict[str, str]) -> None:
    """Every route that there is, asked of the application itself, and errors of providers."""
    good = Path(around["good"])
    stack = Stack(compile_config(good.read_text(), environment=os.environ))
    pages = {"/": ("", page_of), "/graph.svg": ("", svg_of)}
    routes = StackApp(stack, pages=pages)._served
    chat = {"model": "small", "messages": [{"role": "user", "content": "fail"}]}
    with serving(good, **VARIABLES) as url, httpx2.Client(base_url=url) as client:
        for route, methods in routes.items():
            path = re.sub(r"\{[^}]*\}", "small", route)
            if route == "/graph/query":
                path += "?q=config.api_key:*|*"
            elif route == "/graph/why":
                path += "?a=inference/told"
            elif "GET" in methods and route.endswith("/get"):
                path += "?identifier=small"
            if route == "/events":
                with client.stream("GET", path) as answer:
                    assert leaks_in(next(answer.iter_bytes())) == []
            elif "GET" in methods:
                answer = client.get(path)
                assert leaks_in(answer.content) == [], path
                assert answer.status_code in (200, 404), path
        failed = client.post("/v1/chat/completions", json=chat)
        assert failed.status_code == 500
        assert leaks_in(failed.content) == []


# --- the walk itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        f"x {MARK} x".encode(),
        f"x half of one{END}".encode(),
        f'{{"pin": {DIGITS}}}'.encode(),
        b"of%20a%20password",
        base64.b64encode(f"some words around {MARK} here".encode()),
        base64.b64encode(zlib.compress(f"some words around {MARK} here".encode())),
        b"\nstream\n" + zlib.compress(MARK.encode()) + b"\nendstream",
    ],
)
def test_secrets_are_found_wherever_they_are(content: bytes) -> None:
    """The search reads text, URLs, what is packed into pages and PDFs, and numbers."""
    assert leaks_in(content) != []


def test_the_text_of_a_png_is_read() -> None:
    """What a picture says of itself is looked at, compressed or not."""
    from matplotlib.figure import Figure

    stream = io.BytesIO()
    metadata: dict[str, Any] = {"Title": f"{MARK} {'long ' * 500}"}
    Figure().savefig(stream, format="png", metadata=metadata)
    assert leaks_in(stream.getvalue()) != []


# --- what a catalog says is secret -------------------------------------------------------------


SPECS = [spec for spec in CATALOG.providers.values() if spec.config_class]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.provider_type)
def test_every_secret_field_is_masked(spec: ProviderSpec) -> None:
    """A graph is made without the config class, so the catalog has to know."""
    config_class: type[BaseModel] = resolve_name(spec.config_class)
    secret = {
        name
        for name, field in config_class.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert {name for name in secret if not is_secret_key(name)} <= {*spec.secrets}


def test_there_is_one_that_only_its_spec_tells() -> None:
    """Headers are secret where an exporter sends them, and nowhere else."""
    assert any("headers" in spec.secrets for spec in SPECS)
