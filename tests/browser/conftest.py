"""A browser for each module, and a finished run with the page beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import Viewer, looking, started_browser
from tests.support.commands import Workbench
from tests.system.watch.bench import Page, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


LAST = 16
"""Number of the last observation of the finished runs."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; of a module, for while it is there no other test of this process can have a loop of its own."""
    with started_browser("--host-resolver-rules=MAP *.example 127.0.0.1") as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workbench, Page]]:
    """A finished run and its page; tests only look."""
    with Workbench(tmp_path_factory.mktemp("finished")) as bench:
        for policy in ("gap_gain", "random"):
            ended = bench.entropilot(
                "run", "lab.toml", "--quiet", "--policy", policy, "--campaign", policy, "--budget", str(LAST)
            )
            assert ended.code == 0, ended.err
        yield bench, open_page(bench)


@pytest.fixture
def viewer(browser: Browser, finished: tuple[Workbench, Page]) -> Iterator[Viewer]:
    """Somebody who looks at the finished run."""
    with looking(browser, finished[1]) as opened:
        yield opened
