"""The page of a server: it follows what happens, is logged in to, and survives a restart."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Locator, expect
from tests.browser.running import PROVIDER, marked, opened_page, served
from tests.builders import entry
from tests.contract.command_line import HIDDEN
from tests.contract.conftest import ConfigFile
from tests.contract.conftest import config_file as config_file

KEY = "sk-of-the-browser"


def children_of(pid: int) -> list[int]:
    """Return the processes that *pid* has started."""
    found = (path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(child) for line in found for child in line.split()]


def test_states_and_facts_are_told_as_they_happen(
    browser: Browser, config_file: ConfigFile
) -> None:
    """The box of a node, its panel, the timeline and its log say what it does; so does a stop."""
    with (
        served(config_file()) as (process, url),
        opened_page(browser, f"{url}/#view=full") as page,
    ):
        marked(page, "ready")
        expect(page.locator("#link")).to_have_text("live")
        page.locator(f'#picture .n[data-address="{PROVIDER}"]').click()
        expect(page.locator("#now")).to_contain_text("ready")
        expect(page.locator("#now summary")).to_have_text("4 events")
        expect(page.locator("#now")).to_contain_text("Serves 1echo")
        asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        assert f"{url}/timeline" not in asked  # To make it takes long: only who looks at it asks.
        page.get_by_role("tab", name="Timeline").click()
        log = page.locator("#log")
        expect(log).to_contain_text("4 events of told")
        expect(log).not_to_contain_text("stack ready")
        log.get_by_role("button", name="of all nodes").click()
        expect(log).to_contain_text("stack ready")
        page.locator('#timeline-page tr[data-address="table:models"] button').click()
        expect(log).to_contain_text("events of models")
        page.get_by_role("tab", name="Graph").click()
        process.send_signal(signal.SIGTERM)
        expect(page.locator("#link")).to_have_text("no connection; trying again")


def test_what_is_pressed_or_has_the_keyboard_stays(
    browser: Browser, config_file: ConfigFile
) -> None:
    """What is written anew because something happens takes no click and no keyboard away."""
    with (
        served(config_file()) as (_, url),
        opened_page(browser, f"{url}/#view=full") as page,
    ):
        taken = 0

        def happens() -> None:
            nonlocal taken
            taken += 1
            model = {"model": {"identifier": f"m{taken}", "provider_id": "told"}}
            assert page.request.post(f"{url}/models/register", data=model).ok
            page.wait_for_timeout(1000)  # Until it would have been written anew.

        def click_while_it_happens(target: Locator) -> None:
            target.hover()
            page.mouse.down()
            happens()
            page.mouse.up()

        marked(page, "ready")
        page.locator(f'#picture .n[data-address="{PROVIDER}"]').click()
        expect(page.locator("#now")).to_contain_text("Serves 1echo")  # Nothing moves any more.
        click_while_it_happens(page.locator("#now summary"))
        expect(page.locator("#now details")).to_have_attribute("open", "")
        expect(page.locator("#now summary")).to_have_text("5 events")
        page.get_by_role("tab", name="Timeline").click()
        log = page.locator("#log")
        button = log.get_by_role("button", name="of all nodes")
        click_while_it_happens(button)
        expect(log).to_contain_text("stack ready")
        expect(log).to_contain_text("m2")
        page.locator("#timeline-page tr button").first.click()
        button.focus()
        happens()
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(log).to_contain_text("m3")
        expect(log).to_contain_text("stack ready")


def test_a_node_that_failed_tells_why(browser: Browser, config_file: ConfigFile) -> None:
    """Its box and its panel have the error, with no secret in it."""
    providers = [
        entry("told", "inline::told", "fake_provider"),
        entry("bad", "inline::told", "fake_provider", start="fail", api_key=HIDDEN),
    ]
    path = config_file(more={"providers": {"inference": providers}})
    with (
        served(path, "0", "--on-failure", "degrade") as (_, url),
        opened_page(browser, f"{url}/#view=full") as page,
    ):
        box = page.locator('#picture .n[data-address="provider:inference/bad"]')
        expect(box).to_contain_text(re.compile("failed|starting"))
        box.click()
        expect(page.locator("#now .wrong").first).to_contain_text("start refused with ***")
        assert HIDDEN not in page.content()


def test_what_happened_is_replayed_by_keyboard(browser: Browser, config_file: ConfigFile) -> None:
    """A page that pauses shows the nodes as they were at any event, and then as they are."""
    with (
        served(config_file()) as (_, url),
        opened_page(browser, f"{url}/#view=full") as page,
    ):
        marked(page, "ready")
        page.keyboard.press("/")
        page.keyboard.type("told")
        page.keyboard.press("Enter")
        expect(page.locator("#now")).to_contain_text("ready")

        def tab_to(selector: str) -> None:
            for _ in range(40):
                if page.locator(f"{selector}:focus").count():
                    return
                page.keyboard.press("Tab")
            pytest.fail(f"no Tab comes to {selector}")

        tab_to("#pause")
        page.keyboard.press("Enter")
        tab_to("#replay input")
        page.keyboard.press("Home")
        marked(page, "not started")
        expect(page.locator("#replay output")).to_contain_text("before the start")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#replay output")).to_contain_text("1 of ")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        marked(page, "ready")
        expect(page.locator("#replay output")).to_contain_text("stack ready")


def test_a_provider_that_is_killed_is_seen_to_come_back(
    browser: Browser, config_file: ConfigFile
) -> None:
    """The panel says what happened to it, and that it runs again."""
    provider = entry("told", "inline::told", "fake_provider") | {"placement": "process"}
    path = config_file(more={"providers": {"inference": [provider]}})
    with served(path) as (process, url), opened_page(browser, f"{url}/#view=full") as page:
        marked(page, "ready")
        page.locator(f'#picture .n[data-address="{PROVIDER}"]').click()
        for child in children_of(process.pid):
            os.kill(child, signal.SIGKILL)
        expect(page.locator("#now .wrong").first).to_be_visible()
        page.locator("#now summary").click()
        told = page.locator("#now details li")
        expect(told.filter(has_text="restarting")).to_have_count(1)
        expect(told.filter(has_text=re.compile("s +ready"))).to_have_count(2)
        expect(page.locator("#now")).to_contain_text("Stateready")


def test_a_page_comes_back_after_a_restart(browser: Browser, config_file: ConfigFile) -> None:
    """When the server is there again the page goes on by itself, and says if its graph is old."""
    path = config_file()
    with served(path) as (process, url):
        port = url.rpartition(":")[2]
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/#view=full")
        marked(page, "ready")
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        expect(page.locator("#link")).to_have_class("broken")
    written = yaml.safe_load(path.read_text())
    (told,) = written["providers"]["inference"]
    other = {**told, "provider_id": "other", "config": {"model": "other"}}
    path.write_text(yaml.safe_dump({**written, "providers": {"inference": [told, other]}}))
    with served(path, port):
        expect(page.locator("#link")).to_have_text("live", timeout=20_000)
        marked(page, "ready")
        said = {"model": "other", "messages": [{"role": "user", "content": "x"}]}
        assert page.request.post(f"{url}/inference/chat_completion", data=said).ok
        expect(page.locator(".flow")).to_contain_text(["1/min"])
        page.locator('#picture .n[data-address="table:models"]').click()
        expect(page.locator("#now")).to_contain_text("To inference1/min")
        page.get_by_role("button", name="The graph has changed").click()
        expect(page.locator('#picture .n[data-address="provider:inference/other"]')).to_be_visible()
        expect(page.locator("#changed")).to_have_count(0)
    context.close()


def test_a_browser_logs_in_with_a_key(browser: Browser, config_file: ConfigFile) -> None:
    """Without one it is asked for it; the cookie is no script's, and events come with it."""
    with (
        served(config_file(), RUNGRAPH_SERVE_KEY=KEY) as (_, url),
        opened_page(browser, f"{url}/") as page,
    ):
        assert page.url == f"{url}/login"
        page.get_by_label("Key").fill("sk-wrong")
        page.keyboard.press("Enter")
        expect(page.locator("[role=alert]")).to_have_text("the key is not known")
        page.get_by_label("Key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#link")).to_have_text("live")
        (cookie,) = page.context.cookies()
        assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")
        assert KEY not in str(cookie)
        page.get_by_role("tab", name="Try").click()
        expect(page.locator("#try-model")).to_have_value("echo")
        page.locator("#try-message").fill("hello")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#try-answer")).to_have_text("hello ")
        (curl, _) = page.locator("#try-page details pre").all_text_contents()
        variables = {**os.environ, "KEY": KEY}
        again = subprocess.check_output(["bash", "-c", curl], env=variables, text=True)
        assert '"hello "' in again


def test_a_page_says_that_its_login_has_ended(browser: Browser, config_file: ConfigFile) -> None:
    """A server that starts again knows none; what the page has recorded is not thrown away."""
    path = config_file()
    with ExitStack() as stack:
        process, url = stack.enter_context(served(path, RUNGRAPH_SERVE_KEY=KEY))
        page = stack.enter_context(opened_page(browser, f"{url}/"))
        page.get_by_label("Key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#link")).to_have_text("live")
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        stack.enter_context(served(path, url.rpartition(":")[2], RUNGRAPH_SERVE_KEY=KEY))
        told = page.locator("#link")
        expect(told).to_have_text("logged out; load the page again", timeout=20_000)
        page.reload()
        assert page.url == f"{url}/login"


def test_no_text_becomes_markup(browser: Browser, config_file: ConfigFile) -> None:
    """What a model says is text, whatever it looks like."""
    with served(config_file()) as (_, url), opened_page(browser, f"{url}/#tab=try") as page:
        for text in ("<img src=x onerror=alert(1)>", "</script><script>1"):
            page.locator("#try-message").fill(text)
            page.get_by_role("button", name="Send").click()
            expect(page.locator("#try-answer")).to_have_text(f"{text} ")
