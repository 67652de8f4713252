"""What a followed campaign leaves to be asked about."""

from __future__ import annotations

from agent.campaign import presence
from agent.campaign.events import CandidateAbandoned, DecisionMade
from agent.campaign.ledger import Ledger
from agent.campaign.people.approval import ApprovalSettings
from agent.runtime.transaction import Transaction
from protocols.wire.messages import ControlAction
from scenarios.replay.recorded_campaign import RecordedCampaign
from scenarios.run.offline import Measured
from tests.support.campaigns import Play, quantity, value_of
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
    recorded = recorded_of(played)
    assert recorded.asked_at[-1] == 4
    assert recorded.asked_at == sorted(recorded.asked_at)


def recorded_of(played: Play) -> RecordedCampaign:
    recorded, ledger = RecordedCampaign(), Ledger(POOL)
    for event in played.journal:
        change = ledger.fold(event)
        points = [] if change.metrics is None else [change.metrics]
        recorded.note(Transaction(events=[event], bias=points), 0.0)
    return recorded


def test_what_was_taken_back_is_no_answer_and_what_was_corrected_is_the_right_one() -> None:
    played = lab(budget=5)
    for _ in range(3):
        played.answer(played.awaited[0])
    one, two, three = (each.candidate_id for each in list(played.campaign.attempts.values())[:3])
    played.steer(ControlAction.RETRACT_OBSERVATION, one)
    right = quantity(0.25).model_copy(update={"standard_deviation": 0.5})
    played.steer(ControlAction.AMEND_OBSERVATION, two, quantity=right)
    start = next(iter(recorded_of(played).start))
    played.steer(ControlAction.RETRACT_OBSERVATION, start)
    recorded = recorded_of(played)
    assert one not in recorded.answers
    assert start not in recorded.start
    assert recorded.measured(two, recorded.answers[two]) == Measured((0.25,), (0.5,))
    assert recorded.answers[three] == (value_of(three),)


def test_who_was_ruled_out_by_a_veto_is_so_and_whoever_is_requeued_is_not() -> None:
    played = lab(budget=4, approval=ApprovalSettings(required="first_n", first=1))
    (vetoed,) = played.of_kind(DecisionMade)[0].candidate_ids
    played.steer(ControlAction.VETO_DECISION, decision=0)
    assert recorded_of(played).excluded == [vetoed]
    played.steer(ControlAction.REQUEUE_CANDIDATE, vetoed)
    assert recorded_of(played).excluded == []
