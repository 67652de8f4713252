"""A second word on an attempt: a repetition, a contradiction, a correction, or a first value that comes late."""

from __future__ import annotations

import pytest

from agent.campaign import decide
from agent.campaign.events import (
    AttemptFailed,
    CandidateAbandoned,
    LateResultKept,
    ResultAccepted,
    ResultContradicted,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import Ordering
from agent.campaign.results_seen import MAX_CONTRADICTIONS, MAX_KEPT_ASIDE
from agent.campaign.state import Attempt
from protocols.wire.messages import CandidateResult, ControlAction, FailureReason, ReceiptStatus
from tests.support.campaigns import Play, quantity, refold, result_of, small_plan, small_pool, state_of, value_of

POOL = small_pool()
WRONG_UNIT = quantity(1.0, unit="J")


def play(**changes: object) -> Play:
    played = Play(POOL, small_plan(POOL, **changes))
    played.settle()
    return played


def said(played: Play, message: CandidateResult) -> ReceiptStatus:
    """Take a result; return the status of its receipt."""
    receipt = played.take(decide.decide_result(played.campaign, message))
    assert receipt is not None
    assert receipt.answers == message.message_id
    return receipt.status


def observed(played: Play, attempt: Attempt) -> float | None:
    """Return the value of an attempt's candidate, if it has one."""
    is_observed = played.campaign.status_of(attempt.candidate_id) is CandidateStatus.OBSERVED
    return float(played.campaign.values[POOL.index_of[attempt.candidate_id]]) if is_observed else None


def abandoned(played: Play, **how: object) -> Attempt:
    """Let the oldest attempt be the last of its candidate, by silence or a refused result; return it."""
    attempt = played.awaited[0]
    if refused := how.get("refused"):
        assert isinstance(refused, CandidateResult)
        assert said(played, refused) is ReceiptStatus.REFUSED
    else:
        played.expire(attempt)
    assert played.campaign.status_of(attempt.candidate_id) is CandidateStatus.ABANDONED
    return attempt


# ── contradictions ───────────────────────────────────────────────────────────────────────────────────────────────


def test_another_value_of_an_attempt_is_journalled_and_told_and_the_first_one_stays() -> None:
    played = play()
    attempt = played.awaited[0]
    first, second = result_of(attempt), result_of(attempt, quantity(9.0), quantity(1.0, name="volume"))
    played.take(decide.decide_result(played.campaign, first))
    outcome = decide.decide_result(played.campaign, second, signed_by="simulator-1")
    (event,) = outcome.events
    assert isinstance(event, ResultContradicted)
    assert (event.attempt_id, event.candidate_id, event.simulator) == (
        attempt.attempt_id,
        attempt.candidate_id,
        "simulator-1",
    )
    assert [(q.name, q.value) for q in event.quantities] == [("formation_energy", 9.0), ("volume", 1.0)]
    assert (event.message_id, event.signed_by) == (second.message_id, "simulator-1")
    assert outcome.ack is not None
    assert outcome.ack.status is ReceiptStatus.CONTRADICTS
    assert "another result of this attempt" in outcome.ack.detail
    played.take(outcome)
    assert observed(played, attempt) == value_of(attempt.candidate_id)
    assert played.campaign.contradictions == 1
    for again in (second, first, result_of(attempt), result_of(attempt, *second.quantities[::-1])):
        assert said(played, again) is ReceiptStatus.DUPLICATE
    assert played.campaign.contradictions == 1


@pytest.mark.parametrize(
    "other",
    [
        (quantity(9.0),),
        (WRONG_UNIT,),
        (quantity(99.0),),
        (quantity(1.0, name="gap"),),
        (quantity(value_of("c000")).model_copy(update={"standard_deviation": 0.5}),),
    ],
    ids=["value", "unit", "out of range", "property", "uncertainty"],
)
def test_whatever_differs_in_a_second_result_is_a_contradiction(other: tuple[object, ...]) -> None:
    played = play()
    attempt = played.awaited[0]
    assert attempt.candidate_id == "c000"
    played.answer(attempt)
    assert said(played, result_of(attempt, *other)) is ReceiptStatus.CONTRADICTS  # type: ignore[arg-type]


def test_one_message_id_with_two_contents_is_a_contradiction() -> None:
    played = play()
    attempt = played.awaited[0]
    first = result_of(attempt)
    assert said(played, first) is ReceiptStatus.ACCEPTED
    assert said(played, first.model_copy(update={"quantities": (quantity(9.0),)})) is ReceiptStatus.CONTRADICTS


def test_a_late_result_can_be_contradicted_too() -> None:
    played = play()
    attempt = played.awaited[0]
    played.steer(ControlAction.EXCLUDE_CANDIDATE, attempt.candidate_id)
    assert said(played, result_of(attempt)) is ReceiptStatus.LATE
    assert said(played, result_of(attempt, quantity(9.0))) is ReceiptStatus.CONTRADICTS


def test_a_lab_that_says_something_else_each_time_does_not_fill_the_journal() -> None:
    played = play()
    attempt = played.awaited[0]
    played.answer(attempt)
    many = [result_of(attempt, quantity(5.5 + number / 100)) for number in range(40)]
    for each in many:
        assert said(played, each) is ReceiptStatus.CONTRADICTS
    assert len(played.of_kind(ResultContradicted)) == MAX_CONTRADICTIONS
    assert said(played, many[0]) is ReceiptStatus.DUPLICATE
    assert said(played, many[-1]) is ReceiptStatus.CONTRADICTS, "it is not remembered, and still not believed"
    assert len(played.of_kind(ResultContradicted)) == MAX_CONTRADICTIONS


def test_results_that_are_of_no_use_do_not_fill_the_journal() -> None:
    played = play(budget=1, max_attempts=1, give_up_after=99, parallel=1)
    attempt = abandoned(played)
    for number in range(40):
        assert said(played, result_of(attempt, quantity(50.0 + number))) is ReceiptStatus.LATE
    assert len(played.of_kind(LateResultKept)) == MAX_KEPT_ASIDE


# ── corrections ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_corrected_result_of_a_refused_one_is_the_value_and_ends_the_further_attempt() -> None:
    played = play()
    attempt = played.awaited[0]
    wrong = result_of(attempt, WRONG_UNIT)
    assert said(played, wrong) is ReceiptStatus.REFUSED
    assert played.awaited[0].number == 2
    assert said(played, result_of(attempt)) is ReceiptStatus.ACCEPTED
    assert observed(played, attempt) == value_of(attempt.candidate_id)
    assert attempt.candidate_id not in {each.candidate_id for each in played.awaited}
    assert said(played, wrong) is ReceiptStatus.DUPLICATE, "also after the correction"


def test_a_corrected_result_of_an_abandoned_candidate_is_its_value() -> None:
    played = play(max_attempts=1)
    attempt = abandoned(played, refused=result_of(played.awaited[0], WRONG_UNIT))
    spent = played.campaign.spent
    assert said(played, result_of(attempt)) is ReceiptStatus.ACCEPTED
    assert observed(played, attempt) == value_of(attempt.candidate_id)
    assert (played.campaign.spent, played.campaign.abandoned_in_a_row) == (spent, 0)
    assert len(played.of_kind(CandidateAbandoned)) == 1


def test_a_correction_that_is_wrong_again_is_refused_again_and_a_third_try_is_welcome() -> None:
    played = play()
    attempt = played.awaited[0]
    assert said(played, result_of(attempt, WRONG_UNIT)) is ReceiptStatus.REFUSED
    assert said(played, result_of(attempt, quantity(99.0))) is ReceiptStatus.REFUSED
    (kept,) = played.of_kind(LateResultKept)
    assert kept.refused
    assert said(played, result_of(attempt)) is ReceiptStatus.ACCEPTED


def test_the_journal_keeps_what_a_refused_result_said() -> None:
    played = play()
    message = result_of(played.awaited[0], WRONG_UNIT)
    said(played, message)
    (failed,) = played.of_kind(AttemptFailed)
    assert [(each.value, each.unit) for each in failed.quantities] == [(1.0, "J")]
    assert failed.message_id == message.message_id


def test_a_result_after_a_failure_of_its_attempt_is_the_value_though_the_candidate_was_abandoned() -> None:
    played = play(max_attempts=1)
    attempt = played.awaited[0]
    played.fail(attempt, FailureReason.UNSUPPORTED)
    assert played.campaign.status_of(attempt.candidate_id) is CandidateStatus.ABANDONED
    assert said(played, result_of(attempt)) is ReceiptStatus.ACCEPTED


# ── late first values ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ordering", Ordering)
def test_the_first_value_of_an_abandoned_candidate_is_taken_and_the_next_decision_sees_it(ordering: Ordering) -> None:
    played = play(max_attempts=1, ordering=ordering)
    attempt = abandoned(played)
    played.answer(played.awaited[0])
    made = len(played.contexts)
    assert said(played, result_of(attempt)) is ReceiptStatus.ACCEPTED
    played.answer(played.awaited[0])
    index = POOL.index_of[attempt.candidate_id]
    assert all(index not in context.observed for context in played.contexts[:made]), "decisions made before stand"
    assert index in played.contexts[made].observed
    assert index in played.contexts[made].acquired
    assert state_of(refold(POOL, played.journal)) == state_of(played.campaign)


def test_of_two_late_values_the_first_is_taken_and_the_other_kept_aside() -> None:
    played = play(max_attempts=2)
    first = played.awaited[0]
    played.expire(first)
    second = abandoned(played)
    assert said(played, result_of(second)) is ReceiptStatus.ACCEPTED
    assert said(played, result_of(first, quantity(9.0))) is ReceiptStatus.LATE
    assert observed(played, first) == value_of(first.candidate_id)


def test_after_the_end_a_late_first_value_is_kept_aside_with_the_reason() -> None:
    played = play(budget=1, max_attempts=1)
    attempt = abandoned(played)
    assert played.campaign.phase is Phase.FINISHED
    receipt = played.take(decide.decide_result(played.campaign, result_of(attempt)))
    assert receipt is not None
    assert (receipt.status, receipt.detail) == (ReceiptStatus.LATE, "the campaign is finished")
    assert not played.of_kind(ResultAccepted)
