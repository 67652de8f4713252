"""What strangers bring: names in tables, pages on other hosts. Neither does anything."""

from __future__ import annotations

import csv
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import looking
from tests.support.commands import Workbench
from tests.system.operating.bench import at_work
from tests.system.watch.bench import Page, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.system

NAMES = {"cubic": "<img src=x onerror=alert(1)>", "hexagonal": "\u05d0\u05d1\u05d2 / 2", "trigonal": "t" * 64}
"""A family of the table -> what a stranger calls it: markup, another direction, as long as may be."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        with (tmp_path / "table.csv").open(encoding="utf-8") as file:
            rows = list(csv.reader(file))
        with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([[NAMES.get(cell, cell) for cell in row] for row in rows])
        yield opened


def test_names_of_strangers_are_text_wherever_they_stand(browser: Browser, bench: Workbench) -> None:
    """A15: no element is made of them, no dialog opens, and none reorders what stands beside it."""
    ended = bench.entropilot("run", "lab.toml", "--quiet", "--budget", "6")
    assert ended.code == 0, ended.err
    with looking(browser, open_page(bench)) as viewer:
        for screen in ("", "/at/3", "/decision/2", "/dataset", "/journal"):
            viewer.open(f"run/lab{screen}")
            viewer.see("<img src=x onerror=alert(1)>" if screen in {"", "/dataset"} else "lab")
            assert viewer.tab.locator("main img").count() == 0
            assert viewer.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        viewer.go("run/lab")
        hebrew = viewer.tab.locator("table.families bdi", has_text="\u05d0\u05d1\u05d2")
        assert hebrew.first.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"


FOREIGN = """<!doctype html><title>foreign</title><script>
const ask = (path, options) => fetch(`http://HOST:PORT/${path}`, options).then((a) => a.status, () => "failed");
const json = {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"action": "pause"}'};
const simple = {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body: '{"action": "pause"}'};
Promise.all([
  ask("api/runs/lab/controls", simple), ask("api/runs/lab/controls", json), ask("api/runs"),
  ask("api/runs/lab/controls", {...json, headers: {...json.headers, Authorization: "Bearer wrong"}}),
]).then((told) => { document.title = JSON.stringify(told); });
</script>"""


class Foreign(http.server.BaseHTTPRequestHandler):
    """A page of somebody else."""

    content = b""

    def do_GET(self) -> None:
        """Answer with it, whatever is asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_a_page_of_another_host_gives_no_order(browser: Browser, bench: Workbench, host: str) -> None:
    """A14: simple and JSON posts, no token, a wrong one; and by a name that leads to this machine."""
    at_work(bench)
    served: Page = open_page(bench)
    port = served.url.rsplit(":", 1)[1].strip("/")
    Foreign.content = FOREIGN.replace("HOST", host).replace("PORT", port).encode()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        tab = browser.new_page()
        tab.goto(f"http://evil.example:{server.server_port}/")
        tab.wait_for_function("() => document.title !== 'foreign'")
        told = tab.title()
        tab.close()
    finally:
        server.shutdown()
        server.server_close()
    assert "202" not in told
    assert "200" not in told
    assert bench.count("CampaignPaused") == 0
