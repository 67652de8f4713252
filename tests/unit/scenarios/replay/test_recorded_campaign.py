"""What a followed campaign leaves to be asked about."""

from __future__ import annotations

from agent.campaign import presence
from agent.campaign.events import CandidateAbandoned
from agent.campaign.ledger import Ledger
from agent.runtime.transaction import Transaction
from scenarios.replay.recorded_campaign import RecordedCampaign
from scenarios.run.offline import Measured
from tests.support.samples.heard import POOL, lab


def test_values_have_the_uncertainties_that_came_with_them_and_else_none() -> None:
    recorded = RecordedCampaign(uncertainties={"a": (0.1, 0.2)})
    assert recorded.measured("a", (1.0, 2.0)) == Measured((1.0, 2.0), (0.1, 0.2))
    assert recorded.measured("b", (1.0, 2.0)) == Measured((1.0, 2.0), (0.0, 0.0))


def test_a_candidate_that_is_abandoned_and_answered_after_all_has_one_outcome() -> None:
    played = lab(max_attempts=1, budget=4, recipients=("a", "b"))
    silent = played.awaited[0]
    played.expire(silent)
    played.answer(silent)
    played.expire(played.awaited[0])
    played.take(presence.decide_back(played.campaign, "a"))
    while played.awaited:
        played.answer(played.awaited[0])
    assert len(played.of_kind(CandidateAbandoned)) == 2
    recorded, ledger = RecordedCampaign(), Ledger(POOL)
    for event in played.journal:
        change = ledger.fold(event)
        points = [] if change.metrics is None else [change.metrics]
        recorded.note(Transaction(events=[event], bias=points), 0.0)
    assert recorded.asked_at[-1] == 4
    assert recorded.asked_at == sorted(recorded.asked_at)
