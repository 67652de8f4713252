"""What others say of a journal's rows fits its chain, or is told; one that goes on may have more rows by now."""

from __future__ import annotations

from agent.campaign.events import CampaignFinished, CampaignPaused, LateResultKept, RequestIssued
from scenarios.verify.known_journal import KnownJournal
from tests.support.campaigns import small_plan, small_pool

PLAN = small_plan(small_pool())
ISSUED = RequestIssued("a-1", "c000", 0, 1, "simulator-1")
OVER = KnownJournal(PLAN, [ISSUED, CampaignFinished("the budget is spent")], ["1" * 64, "2" * 64])
GOING_ON = KnownJournal(PLAN, [ISSUED, CampaignPaused("x")], ["1" * 64, "2" * 64])


def test_a_row_with_its_digest_fits_and_none_at_all_says_nothing() -> None:
    assert OVER.other_row(2, "2" * 64) == ""
    assert OVER.other_row(None, None) == ""
    assert OVER.other_row(0, "0" * 64) == ""


def test_another_digest_is_told() -> None:
    assert OVER.other_row(1, "2" * 64).startswith("row 1 of the journal had the digest 222222222222…")


def test_more_rows_than_there_are_count_against_a_finished_campaign_alone() -> None:
    assert OVER.other_row(3, "3" * 64) == "it knows row 3 of a journal that ends at 2"
    assert GOING_ON.other_row(3, "3" * 64) == ""
    assert (OVER.is_over, GOING_ON.is_over) == (True, False)
    late = LateResultKept("a-1", "c000", "simulator-1", (), "the campaign is finished")
    assert KnownJournal(PLAN, [*OVER.events, late], ["1" * 64, "2" * 64, "3" * 64]).is_over


def test_what_was_asked_is_found_by_attempt() -> None:
    assert OVER.issued == {"a-1": (1, ISSUED)}
    assert OVER.answered == {}
