"""The page of a server asks its stack, and registers with it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Browser, Page, expect
from tests.browser.running import opened_page, served
from tests.contract.command_line import opened
from tests.contract.conftest import ConfigFile
from tests.contract.conftest import config_file as config_file
from tests.wire import free_port


def test_the_path_of_a_chat_is_that_of_the_provider_that_answered(
    browser: Browser, config_file: ConfigFile
) -> None:
    """Of a model that several serve, only the answer tells which of them it was."""
    path = config_file()
    written = yaml.safe_load(path.read_text())
    (told,) = written["providers"]["inference"]
    other = {**told, "provider_id": "other"}
    members: list[dict[str, Any]] = [{"provider_id": "told", "order": 1}, {"provider_id": "other"}]
    written["models"] = [{"model_id": "both", "routing": "first", "members": [
        {**one, "provider_model_id": "echo"} for one in members
    ]}]  # fmt: skip
    path.write_text(yaml.safe_dump({**written, "providers": {"inference": [told, other]}}))
    with served(path) as (_, url), opened_page(browser, url) as page:
        page.get_by_role("tab", name="Try").click()
        page.locator("#try-model").select_option("both")
        page.locator("#try-message").fill("x")
        page.get_by_role("button", name="Send").click()
        page.get_by_text("the path of the call in the graph").click()
        expect(page.locator("#panel")).to_contain_text("inference/other")


def test_a_chat_streams_and_shows_its_path(browser: Browser, config_file: ConfigFile) -> None:
    """The playground shows the answer, its times, the call as code, and its way by keyboard."""
    with served(config_file(tokens=77)) as (_, url), opened_page(browser, url) as page:
        page.get_by_role("tab", name="Try").click()
        message = page.locator("#try-message")
        expect(page.locator("#try-model")).to_have_value("echo")
        message.fill("say it's :true")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Send").press("Enter")
        expect(page.locator("#try-answer")).to_have_text("say it's :true ")
        expect(page.locator("#try-figures")).to_contain_text(
            re.compile(r"^first token after .*s; 77 tokens, \d+\.\d a second$")
        )
        curl, python = page.locator("#try-page details pre").all_text_contents()
        told = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)
        assert '"it\'s "' in told.stdout
        (body,) = re.findall("^body = (.*)", python, re.MULTILINE)
        said = [{"role": "user", "content": "say it's :true"}]
        assert ast.literal_eval(body)["messages"] == said
        page.get_by_text("the path of the call in the graph").click()
        expect(page.locator("#panel")).to_contain_text("Path")
        expect(page.locator(".flow").first).to_contain_text("/min")
        page.get_by_role("tab", name="Try").click()
        message.fill("break")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#try-figures")).to_contain_text("internal error")
        expect(page.locator("#try-before li")).to_have_text(
            ["user: say it's :true", "assistant: say it's :true "]
        )
        page.get_by_role("tab", name="Graph").click()
        flow = page.locator(".flow.failing").first
        expect(flow).to_have_text(re.compile("^3/min. 33 %"))
        page.locator("#pause").click()
        expect(flow).to_be_visible()
        page.locator('#picture .n[data-address="table:models"]').click()
        page.locator("#replay input").press("Home")
        expect(flow).to_be_hidden()
        expect(page.locator("#now")).to_contain_text("Statenot started")
        expect(page.locator("#now")).not_to_contain_text("/min")


@contextmanager
def starting(browser: Browser, config_file: ConfigFile) -> Generator[tuple[Page, Path]]:
    """Open the page of a server that starts to the end once the gate is written to."""
    gate = config_file().with_name("gate")
    os.mkfifo(gate)
    port = free_port()
    path = config_file(start="wait", until=str(gate))
    words = ("serve", path, "--port", str(port), "--state-dir", gate.with_name("state"))
    with opened(*words) as process:
        process.until("starting   provider:inference/told")
        with opened_page(browser, f"http://127.0.0.1:{port}/") as page:
            yield page, gate


def test_what_can_be_asked_comes_when_the_stack_is_up(
    browser: Browser, config_file: ConfigFile
) -> None:
    """Whoever looks before is told how far the start is, and need not ask again."""
    with starting(browser, config_file) as (page, gate):
        for tab in ("Register", "Try"):
            page.get_by_role("tab", name=tab).click()
            expect(page.locator("#say")).to_contain_text("the stack starts")
        gate.write_text("")
        expect(page.locator("#try-model")).to_have_value("echo")
        page.get_by_role("tab", name="Register").click()
        expect(page.locator("[data-unregister=echo]")).to_be_visible()


def test_answers_that_break_off_are_asked_for_again(
    browser: Browser, config_file: ConfigFile
) -> None:
    """A server that goes in the midst of an answer leaves a page that goes on when it is back."""
    with starting(browser, config_file) as (page, gate):
        asked = re.compile("/(timeline|graph/traffic)$")
        page.route(asked, lambda route: route.fulfill(body='{"total": '))
        with page.expect_response("**/graph/traffic"), page.expect_response("**/timeline"):
            page.get_by_role("tab", name="Timeline").click()
        page.unroute(asked)
        with page.expect_response("**/graph/traffic"):
            gate.write_text("")
            row = page.locator('#timeline-page tr[data-address="table:models"]')
            expect(row).to_be_visible()


def test_a_resource_is_registered_by_a_form(browser: Browser, config_file: ConfigFile) -> None:
    """The form has the fields of the schema; an error stands beside its field."""
    with served(config_file()) as (_, url), opened_page(browser, url) as page:
        page.get_by_role("tab", name="Try").click()
        expect(page.locator("#try-model option")).to_have_text(["echo"])
        page.get_by_role("tab", name="Register").click()
        page.get_by_text("Register another").click()
        form = page.locator("form[data-register=model]")
        form.get_by_role("button", name="Register").click()
        expect(form.locator("div:has(> label [data-field=identifier]) > .wrong")).to_have_text(
            "is missing"
        )
        form.locator("[data-field=identifier]").fill("mine")
        form.locator("[data-field=provider_id]").fill("told")
        form.get_by_role("button", name="Register").click()
        expect(form.locator("[role=alert]")).to_have_text("registered")
        mine = page.locator("[data-unregister=mine]")
        expect(mine).to_be_visible()
        page.get_by_role("tab", name="Try").click()
        expect(page.locator("#try-model option")).to_have_text(["echo", "mine"])
        elsewhere = {"model": {"identifier": "elsewhere", "provider_id": "told"}}
        assert page.request.post(f"{url}/models/register", data=elsewhere).ok
        page.get_by_role("tab", name="Register").click()
        expect(page.locator("[data-unregister=elsewhere]")).to_be_visible()
        mine.click()
        expect(mine).to_have_count(0)
