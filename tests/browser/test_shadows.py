"""A22: a shadow beside a lab is shown in two columns, at any of its decisions, and nothing can be ordered of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import NARROW, Scheme, Viewer, looking
from tests.support.commands import Part, Workbench, until
from tests.support.samples.folders import contents
from tests.system.watch.bench import Page, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.system

SHADOW = "shadow/lab-shadow"
CHOICES = 12


def listening(bench: Workbench, url: str) -> Part:
    """Start a shadow, and wait until it listens."""
    part = bench.start("shadow", "lab.toml", "--broker", url, "--policy", "round_robin", "--json")
    log = bench.runs / "lab-shadow" / "agent.jsonl"
    until(lambda: log.exists() and '"link_up"' in log.read_text(), f"the shadow does not listen: {part.said}")
    return part


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workbench, Page]]:
    """A lab that was followed to its end, and the page."""
    with Workbench(tmp_path_factory.mktemp("followed")) as bench:
        url = bench.start_broker("embedded")
        shadow = listening(bench, url)
        page = open_page(bench)
        view = page.get("shadows/lab-shadow")
        assert (view["phase"], view["decisions"]) == ("running", 0)
        bench.start("simulator", "lab.toml", "--broker", url).wait_for("link_up")
        assert bench.start("agent", "lab.toml", "--broker", url, "--quiet").finish().code == 0
        assert shadow.finish().code == 0
        yield bench, page


@pytest.fixture
def viewer(browser: Browser, followed: tuple[Workbench, Page]) -> Iterator[Viewer]:
    with looking(browser, followed[1]) as opened:
        yield opened


def test_lab_and_shadow_stand_side_by_side_and_there_is_no_button(
    viewer: Viewer, followed: tuple[Workbench, Page]
) -> None:
    told = json.loads((followed[0].runs / "lab-shadow" / "shadow.json").read_text())
    viewer.open("runs")
    viewer.tab.locator("tr", has_text="shadow").locator("a", has_text="lab").click()
    viewer.see("Decision by decision")
    lab, ours = (viewer.tab.locator(".card", has=viewer.tab.get_by_role("heading", name=name, exact=True)) for name in
                 ("The lab", "In its shadow"))  # fmt: skip
    for side, who in ((lab, "lab"), (ours, "shadow")):
        shown = {
            each.locator("bdi").inner_text(): int(each.locator("td").first.inner_text())
            for each in side.locator("tbody tr").all()
        }
        assert {each["family"]: each[who] for each in told["families"] if each["lab"] + each["shadow"]} == shown
    assert f"{told['same']} of {CHOICES} choices of the lab" in viewer.text(".keys")
    assert viewer.tab.locator(".tall tbody tr").count() == CHOICES
    assert viewer.tab.locator("[data-act]").count() == 0
    one, other = lab.bounding_box(), ours.bounding_box()
    assert one is not None
    assert other is not None
    assert one["y"] == other["y"]
    assert one["x"] + one["width"] <= other["x"]


def test_each_decision_of_the_past_has_its_address_and_is_what_the_lines_say(
    viewer: Viewer, followed: tuple[Workbench, Page]
) -> None:
    lines = [json.loads(each) for each in (followed[0].runs / "lab-shadow" / "shadow.jsonl").read_text().splitlines()]
    for shown in (0, 5, CHOICES):
        viewer.open(f"{SHADOW}/at/{shown}")
        viewer.see(f"As it stood after decision {shown}")
        same = sum(len(set(each["lab"]) & set(each["shadow"])) for each in lines[:shown])
        assert f"{same} of {shown} choices of the lab" in viewer.text(".keys")
    viewer.tab.keyboard.press("ArrowLeft")
    viewer.see(f"As it stood after decision {CHOICES - 1}")
    viewer.tab.keyboard.press("l")
    viewer.tab.wait_for_function("() => !location.hash.includes('/at/')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_keeps_nobody_out(browser: Browser, followed: tuple[Workbench, Page], scheme: Scheme) -> None:
    with looking(browser, followed[1], scheme=scheme) as viewer:
        for address in (SHADOW, f"{SHADOW}/at/4"):
            viewer.open(address)
            viewer.see("Decision by decision")
            viewer.load_axe()
            assert viewer.violations() == [], address


def test_on_a_phone_nothing_is_beside_the_page(browser: Browser, followed: tuple[Workbench, Page]) -> None:
    with looking(browser, followed[1], size=NARROW) as viewer:
        viewer.open(SHADOW)
        viewer.see("Decision by decision")
        assert viewer.tab.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_whoever_only_looks_changes_nothing_and_orders_are_refused(followed: tuple[Workbench, Page]) -> None:
    bench, page = followed
    before = contents(bench.runs / "lab-shadow")
    refused = page.order("lab-shadow", action="pause", reason="why not")
    assert refused.is_client_error
    assert "only listens" in refused.json()["found"]
    with page.client as client:
        assert client.get("api/shadows/nobody").status_code == 404
        assert client.get("api/shadows/lab-shadow", params={"shown": 99}).is_client_error
    assert page.get("shadows/lab-shadow", shown=3)["shown"] == 3
    assert contents(bench.runs / "lab-shadow") == before
