"""What an operator does on the page: shown as sent, then as the journal has it, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import NARROW, Viewer, looking
from tests.support.commands import Workbench
from tests.system.operating.bench import at_work, free_candidates
from tests.system.watch.bench import Page, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.system

RUN = "run/lab"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workbench, Page]]:
    """A campaign of which every decision waits for a person, and its page."""
    with Workbench(tmp_path_factory.mktemp("held")) as bench:
        at_work(bench)
        yield bench, open_page(bench, "--operator", "ann")


@pytest.fixture
def operator(browser: Browser, held: tuple[Workbench, Page]) -> Iterator[Viewer]:
    """Somebody who operates the campaign; what Chromium says of refusals is theirs to expect."""
    with looking(browser, held[1]) as viewer:
        viewer.open(RUN)
        yield viewer


def payloads(bench: Workbench, kind: str) -> list[dict[str, object]]:
    """Return what the journal's rows of a kind hold."""
    return [json.loads(row[0]) for row in bench.rows(f"SELECT payload FROM journal WHERE kind = '{kind}'")]


def number_of(bench: Workbench, kind: str) -> int:
    """Return the number of the journal's last row of a kind."""
    return int(bench.rows(f"SELECT max(sequence) FROM journal WHERE kind = '{kind}'")[0][0])


def test_a_pause_is_shown_with_its_row_and_who_ordered_it(operator: Viewer, held: tuple[Workbench, Page]) -> None:
    """A10, by keys alone."""
    bench = held[0]
    operator.tab.keyboard.press("p")
    operator.tab.keyboard.type("the furnace is being cleaned")
    operator.tab.keyboard.press("Enter")
    operator.see("carried out, #", "#acts")
    assert f"carried out, #{number_of(bench, 'CampaignPaused')}" in operator.text("#acts")
    (paused,) = payloads(bench, "CampaignPaused")
    assert (paused["reason"], paused["operator"]) == ("the furnace is being cleaned", "ann")
    operator.see("paused", "#strip .phase")
    assert "paused" in operator.text("#said") or "carried out" in operator.text("#said")
    operator.tab.keyboard.press("p")
    operator.tab.keyboard.press("Enter")
    operator.see("running", "#strip .phase")
    assert len(payloads(bench, "CampaignResumed")) == 1


def test_a_double_click_is_one_order(operator: Viewer, held: tuple[Workbench, Page]) -> None:
    """A12."""
    (name,) = free_candidates(held[0])[:1]
    before = held[0].count("CandidateExcluded")
    operator.tab.locator("summary:has-text('More acts')").click()
    operator.tab.locator(".menu-list [data-act=exclude_candidate]").click()
    operator.tab.locator("#act-candidate").fill(name)
    operator.tab.locator("dialog button[type=submit]").dblclick()
    operator.see("carried out, #", "#acts")
    assert held[0].count("CandidateExcluded") == before + 1
    operator.go(f"{RUN}/dataset")
    operator.see(name, "main")
    operator.tab.locator(f"[aria-label='Requeue {name}']").click()
    operator.tab.locator("dialog button[type=submit]").click()
    operator.see(f"Requeue {name}", "#acts")
    held[0].wait_for_events("CandidateRequeued", 1)


def test_what_cannot_be_done_is_refused_in_words_that_stay(operator: Viewer, held: tuple[Workbench, Page]) -> None:
    """A11."""
    before = held[0].count("CandidateExcluded")
    operator.tab.locator("summary:has-text('More acts')").click()
    operator.tab.locator(".menu-list [data-act=exclude_candidate]").click()
    operator.tab.locator("#act-candidate").fill("nope-123")
    operator.tab.keyboard.press("Enter")
    operator.see("refused: ", "#acts")
    assert "nope-123" in operator.text("#acts .bad")
    assert "refused" in operator.text("#alarm")
    operator.tab.wait_for_timeout(500)
    assert operator.tab.locator("#acts .bad").count() == 1
    assert held[0].count("CandidateExcluded") == before
    operator.tab.locator("#acts .bad button.quiet").click()
    assert operator.tab.locator("#acts .bad").count() == 0


def test_the_first_of_two_tabs_decides_and_the_other_is_told(
    browser: Browser, held: tuple[Workbench, Page], operator: Viewer
) -> None:
    """A13: one approves, the other vetoes the same decision."""
    bench = held[0]
    operator.wait_for_state("app.session.waiting.length > 0")
    decision = operator.state("app.session.waiting[0]")
    with looking(browser, held[1]) as other:
        other.open(f"{RUN}/decision/{decision}")
        operator.go(f"{RUN}/decision/{decision}")
        other.tab.locator("main [data-act=veto_decision]").first.wait_for()
        operator.tab.locator("main [data-act=approve_decision]").first.click()
        other.tab.locator("main [data-act=veto_decision]").first.click()
        operator.tab.locator("dialog button[type=submit]").click()
        operator.see("carried out", "#acts")
        other.tab.locator("dialog button[type=submit]").click()
        other.see("refused: ", "#acts")
        other.see("approved", "main")
    approved = [each["decision"] for each in payloads(bench, "DecisionApproved")]
    assert approved.count(decision) == 1
    assert decision not in [each["decision"] for each in payloads(bench, "DecisionVetoed")]


def test_a_and_v_answer_the_decision_that_waits_longest(operator: Viewer, held: tuple[Workbench, Page]) -> None:
    operator.wait_for_state("app.session.waiting.length > 0")
    decision = operator.state("app.session.waiting[0]")
    operator.tab.keyboard.press("v")
    operator.tab.keyboard.press("Tab")
    operator.tab.keyboard.press("Enter")
    operator.see(f"Veto decision {decision}", "#acts")
    operator.see("carried out, #", "#acts")
    assert decision in [each["decision"] for each in payloads(held[0], "DecisionVetoed")]


def test_a_value_is_added_amended_and_taken_back(operator: Viewer, held: tuple[Workbench, Page]) -> None:
    """Checked before it is sent, shown as the row that it makes, and struck through with who took it back."""
    bench = held[0]
    name = free_candidates(bench)[-1]
    operator.tab.keyboard.press("n")
    operator.tab.locator("#act-candidate").fill(name)
    operator.tab.locator("#act-value").fill("one")
    operator.tab.keyboard.press("Enter")
    operator.see("is no number", "dialog .warning")
    operator.tab.locator("#act-value").fill("8.5")
    operator.see("outside of all values so far", "dialog .warning")
    operator.tab.keyboard.press("Enter")
    operator.see("carried out, #", "#acts")
    operator.go(f"{RUN}/dataset?text={name}")
    operator.tab.locator(f"[aria-label='Amend {name}']").click()
    operator.tab.locator("#act-value").fill("0.85")
    operator.tab.keyboard.press("Enter")
    operator.see("0.85", "main table")
    operator.tab.locator(f"[aria-label='Retract {name}']").click()
    operator.tab.locator("#act-reason").fill("the wrong sample")
    operator.tab.keyboard.press("Enter")
    operator.see("taken back by", "main table")
    assert "the wrong sample" in operator.text("tr.retracted")
    assert [bench.count(f"Observation{each}") for each in ("Added", "Amended", "Retracted")] == [1, 1, 1]


def test_the_budget_and_a_candidate_more(operator: Viewer, held: tuple[Workbench, Page]) -> None:
    operator.tab.locator("summary:has-text('More acts')").click()
    operator.tab.locator("[data-act=set_budget]").click()
    operator.tab.locator("#act-budget").fill("30")
    operator.tab.keyboard.press("Enter")
    operator.see("/ 30 spent", "#strip")
    operator.tab.locator("summary:has-text('More acts')").click()
    operator.tab.locator("[data-act=add_candidates]").click()
    operator.tab.locator("#act-cells").fill("id=new-1\nfamily=cubic\nf0=0.25\nf1=-0.5")
    operator.tab.locator("dialog button[type=submit]").click()
    operator.see("Add candidate", "#acts")
    held[0].wait_for_events("CandidatesAdded", 1)


def test_pause_and_stop_are_at_hand_on_a_phone(browser: Browser, held: tuple[Workbench, Page]) -> None:
    """A17: without scrolling."""
    with looking(browser, held[1], size=NARROW) as viewer:
        viewer.open(RUN)
        for act in ("pause", "stop"):
            box = viewer.tab.locator(f"#strip [data-act={act}]").bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < 200
            assert box["height"] >= 24


def test_whoever_may_only_look_has_no_buttons(browser: Browser, held: tuple[Workbench, Page]) -> None:
    served = open_page(held[0], "--read-only")
    with looking(browser, served) as viewer:
        viewer.open(RUN)
        viewer.see("only looking", "#strip")
        assert viewer.tab.locator("[data-act]").count() == 0
    assert served.part.end().code in {0, 130, 143}
