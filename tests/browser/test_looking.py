"""A finished run in a browser: every screen and moment by address, in every look, and nothing is written."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import NARROW, Scheme, Viewer, looking
from tests.support.commands import Workbench
from tests.support.samples.folders import contents
from tests.system.watch.bench import Page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.system

RUN = "run/gap_gain"

SCREENS = {
    "runs": "gap_gain",
    RUN: "Families, poorest first",
    f"{RUN}/at/7": "as it stood after observation 7",
    f"{RUN}/decision/5": "Decision 5",
    f"{RUN}/instruments": "simulator-1",
    f"{RUN}/dataset": "Set aside",
    f"{RUN}/journal": "The chain is sound",
    f"{RUN}/compare/random": "What differs",
}
"""Address -> what is read there."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_has_its_address_and_keeps_nobody_out(
    browser: Browser, finished: tuple[Workbench, Page], scheme: Scheme
) -> None:
    """A4, A16, A21: no foreign request, no serious fault that axe-core finds, and a silent console."""
    with looking(browser, finished[1], scheme=scheme) as viewer:
        for address, words in SCREENS.items():
            viewer.open(address)
            viewer.see(words)
            viewer.load_axe()
            assert viewer.violations() == [], address


@pytest.mark.parametrize("address", SCREENS)
def test_on_a_phone_nothing_is_beside_the_page(
    browser: Browser, finished: tuple[Workbench, Page], address: str
) -> None:
    """A17: 390 × 844, no sideways scroll."""
    with looking(browser, finished[1], size=NARROW) as viewer:
        viewer.open(address)
        viewer.see(SCREENS[address])
        assert viewer.tab.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_each_moment_of_the_past_is_shown_as_the_journal_has_it(
    viewer: Viewer, finished: tuple[Workbench, Page]
) -> None:
    """A8: families, what was in flight and the decision, at observations by chance."""
    bench, served = finished
    viewer.open(RUN)
    asked = False
    for observation in random.Random(5).sample(range(16), 5):
        viewer.tab.locator(".slider .number").fill(str(observation))
        viewer.tab.keyboard.press("Tab")
        viewer.wait_for_state(f"app.session.moment.observation === {observation} && !app.session.moment.isGuess")
        moment = served.get(f"runs/gap_gain/at/{observation}")
        shown = {
            row.locator("bdi").first.inner_text(): row.locator("td").first.inner_text()
            for row in viewer.tab.locator("table.families tbody tr").all()
        }
        assert shown == {each["family"]: str(each["size"]) for each in moment["families"]}
        flying = bench.rows(
            f"SELECT count(*) FROM request WHERE sequence <= {moment['sequence']}"
            f" AND (closed_sequence IS NULL OR closed_sequence > {moment['sequence']})",
            "gap_gain",
        )
        rows = viewer.tab.locator("section:has(> header:has-text('In flight')) tbody tr").count()
        assert rows == flying[0][0] == len(moment["in_flight"])
        if moment["decision"] and not asked:
            asked = True
            why = bench.entropilot("why", "gap_gain", str(moment["decision"]["decision"]), "--json", "--no-figure")
            chosen = [each["candidate"]["candidate_id"] for each in json.loads(why.out)["chosen"]]
            assert chosen == [each["candidate"] for each in moment["decision"]["candidates"]]
            assert moment["decision"]["candidates"][0]["name"] in viewer.text("section.decision tbody")


def test_the_slider_obeys_the_keyboard_and_the_address_follows_it(viewer: Viewer) -> None:
    viewer.open(RUN)
    for _ in range(3):
        viewer.tab.keyboard.press("ArrowLeft")
    viewer.see("as it stood after observation 13")
    viewer.tab.wait_for_url(f"**/#{RUN}/at/13")
    viewer.tab.locator("#slider").press("ArrowRight")
    viewer.see("as it stood after observation 14")
    viewer.tab.keyboard.press("Tab")
    viewer.tab.locator("main").press("l")
    viewer.tab.wait_for_url(f"**/#{RUN}")
    assert viewer.tab.locator(".past:visible").count() == 0


def test_all_screens_are_reached_by_keys_and_the_list_of_keys_opens_and_closes(viewer: Viewer) -> None:
    viewer.open(RUN)
    for key, words in (("2", "All decisions"), ("3", "Values given"), ("4", "Set aside"), ("5", "Quarantine")):
        viewer.tab.keyboard.press(key)
        viewer.see(words)
    viewer.tab.keyboard.press("?")
    viewer.see("This list", "dialog")
    viewer.tab.keyboard.press("Escape")
    assert viewer.tab.locator("dialog").count() == 0
    viewer.tab.keyboard.press("0")
    viewer.see("Budget spent")


def test_whoever_speaks_to_the_computer_switches_the_letters_off(viewer: Viewer) -> None:
    viewer.open(RUN)
    viewer.tab.keyboard.press("?")
    viewer.tab.locator("#letters").uncheck()
    viewer.tab.keyboard.press("Escape")
    viewer.tab.keyboard.press("4")
    assert viewer.tab.url.endswith(f"#{RUN}")


def test_what_is_exported_is_the_trajectory_that_the_run_wrote(
    viewer: Viewer, finished: tuple[Workbench, Page]
) -> None:
    """A20: byte for byte; and as of the moment that is shown."""
    written = (finished[0].runs / "gap_gain" / "trajectory.csv").read_bytes()
    viewer.open(RUN)
    viewer.tab.locator("[data-menu=export]").click()
    assert viewer.saved("[data-export=CSV]") == written
    viewer.go(f"{RUN}/at/9")
    viewer.see("as it stood after observation 9")
    viewer.tab.locator("[data-menu=export]").click()
    lines = written.splitlines()
    assert viewer.saved("[data-export=CSV]").splitlines() == [
        lines[0], *(line for line in lines[1:] if int(line.partition(b",")[0]) <= 9)
    ]  # fmt: skip


def test_pictures_are_what_is_shown(viewer: Viewer) -> None:
    viewer.open(f"{RUN}/at/9")
    viewer.tab.locator("[data-menu=export]").click()
    assert viewer.saved("[data-export=PNG]").startswith(b"\x89PNG\r\n")
    viewer.tab.locator("[data-menu=export]").click()
    drawn = viewer.saved("[data-export=SVG]").decode()
    assert drawn.count("<polyline") == 3
    assert all(text in drawn for text in ("cubic", "as of observation 9"))


def test_filters_of_the_dataset_are_in_the_address_and_in_what_is_exported(viewer: Viewer) -> None:
    viewer.open(f"{RUN}/dataset?family=cubic&order=name")
    viewer.wait_for_state("document.querySelectorAll('main tbody tr').length > 3")
    families = viewer.tab.locator(
        "section:has(> header:has-text('Dataset')) tbody tr td:nth-child(3)"
    ).all_inner_texts()
    assert set(families) == {"cubic"}
    rows = viewer.saved("[data-export=csv]").decode().splitlines()
    assert len(rows) - 1 == len(families)
    viewer.tab.locator("#filter").fill("m00")
    viewer.tab.wait_for_url("**text=m00*")


def test_a_finished_run_is_looked_at_and_nothing_in_its_folder_changes(
    viewer: Viewer, finished: tuple[Workbench, Page]
) -> None:
    """A18."""
    folder = finished[0].runs / "gap_gain"
    before = contents(folder)
    for address, words in SCREENS.items():
        viewer.open(address)
        viewer.see(words)
    assert contents(folder) == before
    assert viewer.tab.locator("[data-act]").count() == 0, "there is nobody to give an order to"


def test_every_minus_of_a_number_is_a_minus(viewer: Viewer) -> None:
    viewer.open(RUN)
    told = viewer.tab.evaluate(
        "import('/page/js/words.js').then((words) => [words.figure(-5.1e-5), words.change(2e-4), words.exact(-1.5e-9)])"
    )
    assert told == ["−5.10e−5", "+2.00e−4", "−1.5e−9"]


def test_whoever_wants_no_motion_sees_none(browser: Browser, finished: tuple[Workbench, Page]) -> None:
    with looking(browser, finished[1], reduced=True) as viewer:
        viewer.open(RUN)
        moved = viewer.tab.evaluate("document.getAnimations().length")
        assert moved == 0


def test_an_address_without_a_token_shows_nothing_of_a_run(browser: Browser, finished: tuple[Workbench, Page]) -> None:
    with looking(browser, finished[1]) as viewer:
        viewer.may_be_refused = True
        viewer.tab.goto(f"{finished[1].url}#{RUN}")
        viewer.see("token", "main")
        assert "cubic" not in viewer.text("body")


def test_the_page_weighs_what_it_may(finished: tuple[Workbench, Page]) -> None:
    page = Path(__file__).parents[2] / "scenarios" / "watch" / "page"
    assert (page / "style.css").stat().st_size < 12_000
    markup = (page / "index.html").read_text()
    assert "style=" not in markup
    assert "<script>" not in markup


def test_why_and_what_if_are_answered_beside_the_decision(viewer: Viewer) -> None:
    """The same today, in words; and what another policy does from here, drawn beside what was."""
    viewer.open(f"{RUN}/decision/5")
    viewer.tab.keyboard.press("w")
    viewer.see("Asked again today: the same", "main")
    viewer.tab.locator("#what-if-policy").select_option("random")
    viewer.tab.locator("[data-key=what-if]").click()
    viewer.see("random measures", "main")
    viewer.tab.wait_for_url("**policy=random*")
