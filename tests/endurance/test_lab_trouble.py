"""A lab whose calculations hang, crash and lie costs those candidates, each with its reason, and no other."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.endurance.conftest import Open
from tests.endurance.parts.odd_evaluator import MISDEEDS, misdeed_of
from tests.endurance.stage import START, Terms

pytestmark = pytest.mark.system

POOL = 64
DEADLINE_S = 2.0
REASONS = {
    "hang": "deadline_exceeded",
    "spin": "deadline_exceeded",
    "exit": "crashed",
    "segfault": "crashed",
    "raise": "crashed",
    "garbage": "crashed",
    "nan": "calculation_failed",
    "unit": "result_refused",
    "property": "result_refused",
    "range": "result_refused",
}


def test_every_misdeed_is_told_by_its_name_and_every_other_candidate_is_observed(opened: Open) -> None:
    terms = Terms(
        POOL - START,
        extra=(
            'simulator.evaluator="tests.endurance.parts.odd_evaluator:Odd"',
            'simulator.options={table="table.csv"}',
            f"campaign.evaluation_deadline_s={DEADLINE_S}",
            "campaign.max_attempts=2",
            "campaign.give_up_after=100",
        ),
    )
    stage = opened(terms, pool=POOL).start()
    journal = stage.finish(120.0)
    reasons: dict[str, set[str]] = defaultdict(set)
    for failed in journal.of_kind("AttemptFailed"):
        reasons[misdeed_of(failed["candidate_id"])].add(failed["reason"])
    asked = {issued["candidate_id"] for issued in journal.of_kind("RequestIssued")}
    assert len(asked) == POOL - START
    met = {misdeed_of(candidate) for candidate in asked} - {""}
    assert met == set(MISDEEDS), "the pool is too small to meet every misdeed"
    assert {misdeed: reasons[misdeed] for misdeed in met} == {misdeed: {REASONS[misdeed]} for misdeed in met}
    assert set(reasons) == met, "a candidate that behaves failed"
    accepted = {result["candidate_id"] for result in journal.of_kind("ResultAccepted")}
    assert accepted == {candidate for candidate in asked if not misdeed_of(candidate)}
    aside = {each["candidate_id"] for each in journal.of_kind("CandidateAbandoned")}
    assert aside == asked - accepted
    assert journal.of_kind("RequestExpired") == [], "somebody waited in vain"
