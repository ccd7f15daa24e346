"""The page of a server with 3,000 nodes to which 100 things a second happen.

Providers of a real server report that they are degraded and well again, one after the other. In
headless Chromium it is counted how many frames a second there are, and measured how long it takes
from a provider's report, by its clock, to the end of the frame that shows it.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from measuring import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NODES, MOST_MS, LEAST_FRAMES, SECONDS = 3000, 150, 30, 6
_PROVIDER = """
import asyncio, itertools, time
from rungraph.engine.provider import ProviderReport

every, tasks = [], []

class Flipping:
    is_well = True

    def report_to(self, report):
        self.report = report

    async def list_models(self):
        return []

    async def register_model(self, model):
        return model

    async def unregister_model(self, model): ...

    async def completion(self, model, content, sampling_params=None, response_format=None,
        stream=False, logprobs=None): ...

    async def chat_completion(self, model, messages, sampling_params=None, response_format=None,
        tools=None, tool_choice="auto", tool_prompt_format="json", stream=False, logprobs=None): ...

    async def embeddings(self, model, contents): ...

async def flip():
    due = time.monotonic() + 5
    for number in itertools.count():
        await asyncio.sleep(max(0, due - time.monotonic()))
        due += 0.01
        one = every[number * 37 % len(every)]
        one.is_well = not one.is_well
        state = "ready" if one.is_well else "degraded"
        one.report(ProviderReport(state, f"at={time.time() * 1000:.1f}"))

async def get_provider_impl(config, deps):
    every.append(Flipping())
    if len(every) == 1:
        tasks.append(asyncio.create_task(flip()))
    return every[-1]
"""
# A message of a channel comes after the frame that was asked for has been made.
_WATCH = """
window.waits = [];
const Source = window.EventSource;
window.EventSource = class extends Source {
  constructor(url) {
    super(url);
    this.addEventListener("message", ({ data }) => {
      const at = /"at=([\\d.]+)"/.exec(data);
      if (!at) return;
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => window.waits.push(Date.now() - at[1]);
        port2.postMessage(0);
      });
    });
  }
};
"""
_FRAMES = """seconds => new Promise((done) => {
  let frames = 0;
  const begun = performance.now();
  window.waits.length = 0;
  requestAnimationFrame(function next() {
    frames += 1;
    if (performance.now() - begun < seconds * 1000) requestAnimationFrame(next);
    else done([frames / seconds, window.waits]);
  });
})"""


def config_in(folder: Path) -> Path:
    """Write a config with so many providers, and what they are, and return its path."""
    (folder / "flipping.py").write_text(_PROVIDER)
    made_of_itself = 3  # A table, a router, and inspect.
    entry = {"provider_type": "inline::flipping", "module": "./flipping.py"}
    providers = [{**entry, "provider_id": f"p{n:04}"} for n in range(NODES - made_of_itself)]
    path = folder / "run.yaml"
    path.write_text(json.dumps({"image_name": "large", "providers": {"inference": providers}}))
    return path


def measure(browser: Browser, url: str) -> None:
    """Print what each of the page's views reaches."""
    for view in ("view=full", "view=full&node=provider:inference/p0100", "tab=timeline"):
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.add_init_script(_WATCH)
        page.goto(f"{url}/#{view}")
        page.wait_for_timeout(5000)
        frames, waits = page.evaluate(_FRAMES, SECONDS)
        middle, slow = statistics.median(waits), statistics.quantiles(waits, n=20)[-1]
        print(f"{view}: {frames:.0f} frames a second  >= {LEAST_FRAMES}", end="; ")
        print(
            f"{len(waits) / SECONDS:.0f} events a second, each seen after {middle:.0f} ms", end=""
        )
        print(f"  <= {MOST_MS}, 95 of 100 after {slow:.0f} ms")
        page.close()


def main() -> None:
    """Serve, measure and print."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        words = ["-m", "rungraph", "serve", str(config_in(Path(name))), "--port", "0"]
        words += ["--state-dir", str(Path(name, "state"))]
        with subprocess.Popen(
            [sys.executable, *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stderr is not None
            line = next(line for line in process.stderr if line.startswith("serving "))
            # What happens is told there, too: unread, it would hold the server up.
            Thread(target=process.stderr.read, daemon=True).start()
            measure(browser, line.split()[1].rstrip(";"))
            for one in (signal.SIGTERM, signal.SIGINT):  # The second one ends it at once.
                process.send_signal(one)
            process.wait()


if __name__ == "__main__":
    main()
