"""A run in one HTML file: the same screens and the same slider, from a stick, and it asks nobody for anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import Workbench
from tests.support.samples.folders import contents
from tests.system.watch.bench import Page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.system


def test_a_saved_run_is_looked_at_without_a_server(
    browser: Browser, finished: tuple[Workbench, Page], tmp_path: Path
) -> None:
    bench, served = finished
    before = contents(bench.runs / "gap_gain")
    file = tmp_path / "gap_gain.html"
    saved = bench.entropilot("report", "gap_gain", "--html", file)
    assert saved.code == 0, saved.err
    assert contents(bench.runs / "gap_gain") == before
    context = browser.new_context(offline=True)
    tab = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    tab.locator("table.families tbody tr").first.wait_for()
    tab.locator("#slider").focus()
    for _ in range(4):
        tab.keyboard.press("ArrowLeft")
    tab.get_by_text("as it stood after observation 12").wait_for()
    moment = served.get("runs/gap_gain/at/12")
    shown = {
        row.locator("bdi").first.inner_text(): row.locator("td").first.inner_text()
        for row in tab.locator("table.families tbody tr").all()
    }
    assert shown == {each["family"]: str(each["size"]) for each in moment["families"]}
    for screen, words in (
        ("decision/3", "Decision 3"), ("instruments", "Values given"), ("dataset?family=cubic", "cubic"),
        ("journal?kind=DecisionMade", "DecisionMade"),
    ):  # fmt: skip
        tab.goto(f"{file.as_uri()}#run/gap_gain/{screen}")
        tab.locator("main").locator("table, .card").get_by_text(words).and_(tab.locator(":visible")).first.wait_for()
    assert tab.locator("[data-act]").count() == 0
    assert faults == []
    assert {url.split("#")[0].split(":")[0] for url in asked} == {"file"}
    assert {url.split("#")[0] for url in asked} == {file.as_uri()}
    context.close()
