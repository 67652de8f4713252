"""Somebody who looks at the page in a headless Chromium, and hears every word of its console."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import psutil
import pytest

from tests.support import processes
from tests.system.watch.bench import Page as Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Error, Page, Request, Route

PATIENCE_MS: Final = 60_000
"""How long something may take to be seen on a loaded machine [ms]."""

POLL_MS: Final = 25

WIDE: Final = (1440, 900)
NARROW: Final = (390, 844)

Scheme = Literal["light", "dark"]

EXPECTED: Final = re.compile(r"Failed to load resource: (the server responded with a status of|net::ERR_)")
"""What Chromium itself says of an answer that is a refusal: no fault of the page, where the test expects it."""


def chromium() -> str:
    """Return where Chromium is; without one the test is skipped."""
    pytest.importorskip("playwright", reason="Playwright drives the browser: pip install playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or pytest.skip("there is no Chromium here (Debian's package `chromium`)")


@contextmanager
def started_browser(*arguments: str) -> Iterator[Browser]:
    """Start Chromium. Its processes come and go with its pages: their session is the fixture's, not a test's."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", *arguments])
        for each in psutil.Process().children(recursive=True):
            if os.getsid(each.pid) == each.pid:
                processes.keep_session(each.pid)
        try:
            yield browser
        finally:
            browser.close()


@dataclass  # without slots: Playwright keeps what it makes of a listener beside it
class Viewer:
    """A tab with the page.

    Attributes:
        tab: Of the browser.
        served: The server of the page.
        faults: What the console called an error, and exceptions that nobody caught.
        foreign: Requests to any other host.
        dialogs: Boxes that a script opened.
    """

    tab: Page
    served: Served
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    may_be_refused: bool = False

    def listen(self) -> None:
        """Hear the console, refuse what is foreign."""
        self.tab.on("console", self._hear)
        self.tab.on("pageerror", self._fail)
        self.tab.on("dialog", self._dismiss)
        self.tab.route("**/*", self._judge)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not (self.may_be_refused and EXPECTED.match(message.text)):
            self.faults.append(message.text)

    def _fail(self, error: Error) -> None:
        self.faults.append(str(error))

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _judge(self, route: Route, request: Request) -> None:
        if request.url.startswith((self.served.url, "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(request.url)
            route.abort()

    def open(self, address: str = "") -> None:
        """Go to an address of the page, as the printed one leads there."""
        self.tab.goto(f"{self.served.url}#token={self.served.token}")
        self.tab.goto(f"{self.served.url}#{address}")
        self.tab.locator("main").locator(".card, .problem, table").first.wait_for(timeout=PATIENCE_MS)

    def go(self, address: str) -> None:
        """Go on to another address."""
        self.tab.evaluate("address => { location.hash = address }", address)

    def see(self, text: str, within: str = "body") -> None:
        """Wait until a text is seen."""
        self.tab.locator(within).filter(has_text=text).first.wait_for(timeout=PATIENCE_MS)

    def text(self, selector: str) -> str:
        """Return what is read there."""
        return self.tab.locator(selector).first.inner_text()

    def state(self, expression: str) -> Any:
        """Return something of the page's state; `app` is what `main.js` exports."""
        return self.tab.evaluate(f"import('/page/js/main.js').then(({{ app }}) => {expression})")

    def wait_for_state(self, expression: str) -> None:
        """Wait until something of the page's state is true."""
        for _ in range(PATIENCE_MS // POLL_MS):
            if self.state(f"Boolean({expression})"):
                return
            self.tab.wait_for_timeout(POLL_MS)
        pytest.fail(f"{expression} did not become true")

    def saved(self, button: str) -> bytes:
        """Press a button that saves a file, and return what is in it."""
        with self.tab.expect_download() as download:
            self.tab.locator(button).first.click()
        return Path(download.value.path()).read_bytes()

    def violations(self) -> list[str]:
        """Return what axe-core finds that is serious or critical."""
        found = self.tab.evaluate(
            "() => axe.run(document, {resultTypes: ['violations']}).then((told) => told.violations"
            ".filter((each) => ['serious', 'critical'].includes(each.impact))"
            ".map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3)]))"
        )
        return [json.dumps(each) for each in found]

    def load_axe(self) -> None:
        """Bring axe-core into the tab, past the page's own content policy."""
        self.tab.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))


@contextmanager
def looking(
    browser: Browser,
    served: Served,
    *,
    size: tuple[int, int] = WIDE,
    scheme: Scheme = "light",
    reduced: bool = False,
    context: BrowserContext | None = None,
) -> Iterator[Viewer]:
    """Look at a page in a tab of its own; at the end there was no fault, no dialog and no foreign request."""
    own = context or browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        reduced_motion="reduce" if reduced else "no-preference",
    )
    viewer = Viewer(own.new_page(), served)
    viewer.listen()
    try:
        yield viewer
        assert viewer.faults == [], viewer.faults
        assert viewer.dialogs == [], viewer.dialogs
        assert viewer.foreign == [], viewer.foreign
    finally:
        if context is None:
            own.close()
        else:
            viewer.tab.close()
