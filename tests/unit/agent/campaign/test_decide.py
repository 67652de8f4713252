"""The rules, one promise at a time."""

from __future__ import annotations

import math

import pytest

from agent.acquisition.base import Choice, Proposal
from agent.campaign import contract, decide, follow, proposals
from agent.campaign.event_descriptions import observations_of
from agent.campaign.events import (
    MAX_REASON_LENGTH,
    AttemptFailed,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CandidateAbandoned,
    CandidateExcluded,
    ControlNoted,
    ControlRefused,
    DecisionMade,
    LateResultKept,
    ObservationAdded,
    PolicyExhausted,
    RequestIssued,
    ResultAccepted,
    dump_event,
    load_event,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.controls import ControlAck
from agent.campaign.plan import AdditionalProperty, Ordering
from agent.campaign.proposals import DecisionNeeded, decision_seed
from agent.campaign.state import Campaign
from protocols.errors import InvariantViolation, MessageError
from protocols.wire.attempt_ids import attempt_identity, decision_of, number_of, uid_of
from protocols.wire.messages import (
    PERMANENT_FAILURES,
    CandidateResult,
    ControlAction,
    ControlStatus,
    FailureReason,
    Quantity,
    ReceiptStatus,
)
from protocols.wire.structure import CrystalStructure
from tests.support.campaigns import (
    PROPERTY,
    Play,
    content_after,
    control,
    failure_of,
    quantity,
    refold,
    result_of,
    small_plan,
    small_pool,
    state_of,
    value_of,
)

POOL = small_pool()


def play(start: tuple[str, ...] = (), **changes: object) -> Play:
    """A campaign whose first requests are out."""
    played = Play(POOL, small_plan(POOL, **changes), start)
    played.settle()
    return played


def choose(*indices: int, **fields: object) -> Proposal:
    return Proposal(tuple(Choice(index) for index in indices), "because", **fields)  # type: ignore[arg-type]


def told(played: Play, message: CandidateResult) -> tuple[ReceiptStatus, str]:
    """Take a result; return its receipt."""
    receipt = played.take(decide.decide_result(played.campaign, message))
    assert receipt is not None
    assert receipt.answers == message.message_id
    return receipt.status, receipt.detail


# ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_valid_result_is_accepted_with_all_its_quantities() -> None:
    played = play()
    attempt = played.awaited[0]
    message = result_of(attempt, quantity(0.25), quantity(11.0, name="volume", unit="Å³"))
    outcome = decide.decide_result(played.campaign, message)
    (event,) = outcome.events
    assert isinstance(event, ResultAccepted)
    assert (event.value, [q.name for q in event.quantities]) == (0.25, [PROPERTY, "volume"])
    assert isinstance(outcome.ack, decide.ResultAck)
    assert (outcome.ack.status, outcome.ack.attempt_id) == (ReceiptStatus.ACCEPTED, attempt.attempt_id)


def test_the_journal_keeps_the_crystal_as_it_ended() -> None:
    played = play()
    cell = ((3.6, 0.0, 0.0), (0.0, 3.6, 0.0), (0.0, 0.0, 3.6))
    ended = CrystalStructure(cell=cell, symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.0),))
    message = result_of(played.awaited[0]).model_copy(update={"structure": ended})
    (event,) = decide.decide_result(played.campaign, message).events
    assert isinstance(event, ResultAccepted)
    assert event.structure == ended
    assert load_event(*dump_event(event)) == event
    (observation,) = observations_of(event)
    assert observation.details["structure"]["symbols"] == ["Cu"]


def test_the_journal_keeps_how_a_value_was_measured() -> None:
    played = play()
    told = {"method": "GFN2-xTB", "steps": 63.0}
    message = result_of(played.awaited[0]).model_copy(update={"provenance": told})
    (event,) = decide.decide_result(played.campaign, message).events
    assert isinstance(event, ResultAccepted)
    assert event.provenance == told


def test_a_repeated_result_gets_its_receipt_again_and_changes_nothing() -> None:
    played = play()
    attempt = played.awaited[0]
    played.answer(attempt)
    before = state_of(played.campaign)
    outcome = decide.decide_result(played.campaign, result_of(attempt))
    assert outcome.events == ()
    assert outcome.ack is not None
    assert outcome.ack.status is ReceiptStatus.DUPLICATE
    assert state_of(played.campaign) == before


def test_the_first_valid_result_of_any_attempt_wins_and_a_later_one_is_kept_for_audit() -> None:
    played = play()
    first = played.awaited[0]
    played.expire(first)
    second = played.awaited[0]
    assert second.number == 2
    assert played.answer(first).status is ReceiptStatus.ACCEPTED  # type: ignore[union-attr]
    message = result_of(second, quantity(9.0))
    outcome = decide.decide_result(played.campaign, message)
    (late,) = outcome.events
    assert isinstance(late, LateResultKept)
    assert "observed" in late.why
    assert outcome.ack is not None
    assert outcome.ack.status is ReceiptStatus.LATE
    played.take(outcome)
    assert played.campaign.values[POOL.index_of[first.candidate_id]] == value_of(first.candidate_id)
    assert told(played, message) == (ReceiptStatus.DUPLICATE, "its receipt said late")


@pytest.mark.parametrize(
    ("quantities", "says"),
    [
        ((quantity(0.1, unit="meV/atom"),), "'meV/atom'; expected 'eV/atom'"),
        ((quantity(10.001),), "10.001 eV/atom; expected -10 to 10"),
        ((quantity(-11.0),), "-11 eV/atom; expected -10 to 10"),
        ((quantity(0.1, name="band_gap"),), "0 values of 'formation_energy'; reported: band_gap"),
        ((quantity(0.1), quantity(0.1)), "2 values of 'formation_energy'"),
    ],
)
def test_a_result_that_breaks_its_contract_is_refused_with_the_reason(
    quantities: tuple[Quantity, ...], says: str
) -> None:
    played = play()
    attempt = played.awaited[0]
    outcome = decide.decide_result(played.campaign, result_of(attempt, *quantities))
    (event,) = outcome.events
    assert isinstance(event, AttemptFailed)
    assert not event.permanent
    assert says in event.detail
    assert outcome.ack is not None
    assert (outcome.ack.status, outcome.ack.detail) == (ReceiptStatus.REFUSED, event.detail)
    played.take(outcome)
    assert played.campaign.observations == 0
    assert played.awaited[0].number == 2
    repeated = decide.decide_result(played.campaign, result_of(attempt, *quantities))
    assert (repeated.events, repeated.ack.status) == ((), ReceiptStatus.DUPLICATE)  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [-10.0, 10.0])
def test_the_ends_of_the_valid_range_are_valid(value: float) -> None:
    played = play()
    outcome = decide.decide_result(played.campaign, result_of(played.awaited[0], quantity(value)))
    assert isinstance(outcome.events[0], ResultAccepted)


def test_an_invalid_result_of_an_attempt_that_is_no_longer_awaited_ends_no_other_attempt() -> None:
    played = play()
    first = played.awaited[0]
    played.expire(first)
    second = played.awaited[0]
    receipt = played.take(decide.decide_result(played.campaign, result_of(first, quantity(99.0))))
    assert receipt is not None
    assert (receipt.status, receipt.detail) == (ReceiptStatus.REFUSED, played.of_kind(LateResultKept)[0].why)
    assert played.awaited == [second]


@pytest.mark.parametrize("answer", [result_of, failure_of])
def test_an_answer_to_no_attempt_of_ours_changes_nothing(answer: object) -> None:
    played = play()
    attempt = played.awaited[0]
    deciding = decide.decide_result if answer is result_of else decide.decide_failure
    message = answer(attempt)  # type: ignore[operator]
    foreign = message.model_copy(update={"attempt_id": "elsewhere-d000000-00000000-a1"})
    with pytest.raises(MessageError, match="never made by this campaign") as caught:
        deciding(played.campaign, foreign)
    assert caught.value.reason == "unknown_attempt"
    with pytest.raises(MessageError, match="not of 'c011'"):
        deciding(played.campaign, message.model_copy(update={"candidate_id": "c011"}))


# ── failures and expiry ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reason", FailureReason)
def test_a_failure_is_retried_unless_another_attempt_cannot_mend_it(reason: FailureReason) -> None:
    played = play()
    attempt = played.awaited[0]
    receipt = played.fail(attempt, reason)
    assert receipt is not None
    assert receipt.status is ReceiptStatus.ACCEPTED
    status = played.campaign.status_of(attempt.candidate_id)
    if reason in PERMANENT_FAILURES:
        assert status is CandidateStatus.ABANDONED
        assert f"{reason.value}: the lamp broke (after 1 attempt)" in played.of_kind(CandidateAbandoned)[0].reason
    else:
        assert status is CandidateStatus.PENDING
        assert played.awaited[0].number == 2


def test_a_repeated_failure_is_a_duplicate_and_one_after_the_deadline_is_late() -> None:
    played = play()
    first = played.awaited[0]
    played.fail(first)
    second = played.awaited[0]
    played.expire(second)
    before = state_of(played.campaign)
    assert played.fail(first).status is ReceiptStatus.DUPLICATE  # type: ignore[union-attr]
    assert played.fail(second).status is ReceiptStatus.LATE  # type: ignore[union-attr]
    assert state_of(played.campaign) == before


def test_an_expired_request_is_made_again_and_expires_once() -> None:
    played = play()
    attempt = played.awaited[0]
    played.expire(attempt)
    assert [a.number for a in played.awaited] == [2]
    assert decide.decide_expiry(played.campaign, attempt.attempt_id).events == ()
    assert decide.decide_expiry(played.campaign, "never-made").events == ()


def test_a_candidate_is_abandoned_after_its_last_attempt_and_not_before() -> None:
    played = play(max_attempts=3)
    candidate = played.awaited[0].candidate_id
    for number in (1, 2, 3):
        assert (played.awaited[0].number, played.awaited[0].candidate_id) == (number, candidate)
        played.expire(played.awaited[0])
    assert played.campaign.status_of(candidate) is CandidateStatus.ABANDONED
    assert played.of_kind(CandidateAbandoned)[0].reason == "no answer within the deadline (after 3 attempts)"
    assert played.awaited[0].candidate_id != candidate


# ── controls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pause_holds_back_requests_and_retries_until_resumed() -> None:
    played = play(parallel=2)
    played.steer(ControlAction.PAUSE, reason="cleaning")
    assert (played.campaign.phase, played.campaign.pause_reason) == (Phase.PAUSED, "cleaning")
    first, second = played.awaited
    played.answer(first)
    played.expire(second)
    assert played.awaited == []
    played.steer(ControlAction.RESUME)
    assert [a.number for a in played.awaited] == [2, 1]


def test_a_result_is_taken_while_paused() -> None:
    played = play()
    played.steer(ControlAction.PAUSE)
    assert played.answer(played.awaited[0]).status is ReceiptStatus.ACCEPTED  # type: ignore[union-attr]


def test_a_stop_awaits_what_is_in_flight_and_asks_nothing_new() -> None:
    played = play(parallel=2)
    played.steer(ControlAction.STOP)
    assert played.campaign.phase is Phase.STOPPING
    first, second = played.awaited
    played.answer(first)
    assert played.campaign.phase is Phase.STOPPING
    played.expire(second)  # not tried again
    assert played.campaign.status_of(second.candidate_id) is CandidateStatus.ABANDONED
    assert played.campaign.phase is Phase.FINISHED
    assert played.campaign.finish_reason == "stopped by the operator"
    assert played.campaign.requested == 2


def test_a_paused_campaign_can_be_stopped() -> None:
    played = play()
    played.steer(ControlAction.PAUSE)
    played.steer(ControlAction.STOP)
    assert played.campaign.phase is Phase.STOPPING


@pytest.mark.parametrize(
    ("way", "action"),
    [
        ((), ControlAction.RESUME),
        ((ControlAction.PAUSE,), ControlAction.PAUSE),
        ((ControlAction.STOP,), ControlAction.PAUSE),
        ((ControlAction.STOP,), ControlAction.RESUME),
        ((ControlAction.STOP,), ControlAction.STOP),
    ],
)
def test_a_control_that_does_not_fit_the_phase_changes_nothing(
    way: tuple[ControlAction, ...], action: ControlAction
) -> None:
    played = play()
    for step in way:
        played.steer(step)
    wish = control(action)
    assert decide.decide_control(played.campaign, wish).events == (ControlNoted(action.value, wish.message_id),)


def test_a_wish_that_had_no_effect_has_none_when_it_comes_again_later() -> None:
    played = play()
    played.steer(ControlAction.PAUSE)
    late = control(ControlAction.PAUSE)
    played.fold(*decide.decide_control(played.campaign, late).events)
    played.steer(ControlAction.RESUME)
    assert decide.decide_control(played.campaign, late).events == ()
    assert played.campaign.phase is Phase.RUNNING


def test_only_whom_a_request_was_addressed_to_may_answer_it() -> None:
    played = play()
    attempt = played.awaited[0]
    with pytest.raises(MessageError) as refused:
        decide.decide_result(played.campaign, result_of(attempt, simulator="somebody-else"))
    assert refused.value.reason == "wrong_sender"
    anybody = play(recipients=("any",))
    outcome = decide.decide_result(anybody.campaign, result_of(anybody.awaited[0], simulator="somebody-else"))
    assert outcome.ack is not None
    assert outcome.ack.status is ReceiptStatus.ACCEPTED


def test_a_restart_of_the_simulator_is_not_counted_against_the_candidate() -> None:
    played = play(budget=1, max_attempts=1)
    for _ in range(follow.MAX_INTERRUPTIONS - 1):
        played.fail(played.awaited[0], FailureReason.INTERRUPTED)
    assert played.answer(played.awaited[0]).status is ReceiptStatus.ACCEPTED  # type: ignore[union-attr]


def test_a_candidate_that_takes_its_simulator_down_every_time_is_abandoned_in_the_end() -> None:
    played = play(budget=1, max_attempts=1)
    for _ in range(follow.MAX_INTERRUPTIONS):
        played.fail(played.awaited[0], FailureReason.INTERRUPTED)
    assert not played.awaited
    assert len(played.of_kind(CandidateAbandoned)) == 1


def test_an_excluded_candidate_is_never_chosen_and_its_answer_is_late() -> None:
    played = play()
    attempt = played.awaited[0]
    played.steer(ControlAction.EXCLUDE_CANDIDATE, attempt.candidate_id, reason="toxic")
    played.steer(ControlAction.EXCLUDE_CANDIDATE, "c005")
    assert played.answer(attempt).status is ReceiptStatus.LATE  # type: ignore[union-attr]
    while played.awaited:
        played.answer(played.awaited[0])
    asked = {event.candidate_id for event in played.of_kind(RequestIssued)}
    assert "c005" not in asked
    assert played.campaign.status_of(attempt.candidate_id) is CandidateStatus.EXCLUDED
    assert played.campaign.spent == 6  # the unit of the excluded one is spent: it had been asked for


def test_excluding_twice_changes_nothing_the_second_time() -> None:
    played = play()
    played.steer(ControlAction.EXCLUDE_CANDIDATE, "c005")
    (noted,) = decide.decide_control(played.campaign, control(ControlAction.EXCLUDE_CANDIDATE, "c005")).events
    assert isinstance(noted, ControlNoted)


def test_an_observation_by_hand_costs_no_budget_and_closes_the_candidate() -> None:
    played = play()
    attempt = played.awaited[0]
    played.steer(ControlAction.ADD_OBSERVATION, attempt.candidate_id, quantity=quantity(1.5))
    played.steer(ControlAction.ADD_OBSERVATION, "c009", quantity=quantity(2.5))
    assert played.campaign.values[POOL.index_of["c009"]] == 2.5
    assert played.campaign.requested == 2  # the next decision, and none for the added ones
    assert played.answer(attempt).status is ReceiptStatus.LATE  # type: ignore[union-attr]
    assert played.campaign.values[POOL.index_of[attempt.candidate_id]] == 1.5
    assert played.campaign.acquired.tolist() == []


def test_an_observation_by_hand_revives_a_candidate_that_was_abandoned() -> None:
    played = play()
    attempt = played.awaited[0]
    played.fail(attempt, FailureReason.UNSUPPORTED)
    played.steer(ControlAction.ADD_OBSERVATION, attempt.candidate_id, quantity=quantity(1.5))
    assert played.campaign.status_of(attempt.candidate_id) is CandidateStatus.OBSERVED


@pytest.mark.parametrize(
    ("action", "fields", "says"),
    [
        (ControlAction.EXCLUDE_CANDIDATE, {"candidate_id": "nobody"}, "'nobody' is not in the pool"),
        (ControlAction.EXCLUDE_CANDIDATE, {}, "it names no candidate"),
        (ControlAction.EXCLUDE_CANDIDATE, {"candidate_id": "c011"}, "'c011' is observed"),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": "nobody", "quantity": quantity(1.0)}, "not in the pool"),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": "c011", "quantity": quantity(1.0)}, "'c011' is observed"),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": "c010", "quantity": quantity(1.0)}, "'c010' is excluded"),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": "c005"}, "it carries no quantity"),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": "c005", "quantity": quantity(99.0)}, "expected -10 to 10"),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": "c005", "quantity": quantity(1.0, unit="J")}, "in 'J'"),
    ],
)
def test_a_control_that_cannot_be_carried_out_says_why(
    action: ControlAction, fields: dict[str, object], says: str
) -> None:
    played = play(start=("c011",))
    played.steer(ControlAction.EXCLUDE_CANDIDATE, "c010")
    before = what_is_known(played)
    receipt = played.steer(action, operator="ada", **fields)  # type: ignore[arg-type]
    assert (receipt.status, receipt.operator, receipt.action) == (ControlStatus.REFUSED, "ada", action)
    assert says in receipt.detail
    assert what_is_known(played) == before
    assert isinstance(played.journal[-1], ControlRefused)
    assert (receipt.row, receipt.detail) == (len(played.journal), played.journal[-1].why)


def what_is_known(played: Play) -> dict[str, object]:
    """All of a campaign's state but what it remembers of orders that changed nothing."""
    of_orders = {"controls_seen", "controls_refused", "controls_noted", "sequence"}
    return {name: value for name, value in state_of(played.campaign).items() if name not in of_orders}


@pytest.mark.parametrize(
    "message",
    [
        control(ControlAction.PAUSE),
        control(ControlAction.STOP),
        control(ControlAction.EXCLUDE_CANDIDATE, "c005"),
        control(ControlAction.ADD_OBSERVATION, "c005", quantity=quantity(1.0)),
    ],
    ids=lambda message: message.action.value,
)
def test_a_control_is_carried_out_once(message: object) -> None:
    played = play()
    first = decide.decide_control(played.campaign, message)  # type: ignore[arg-type]
    played.take(first)
    before = state_of(played.campaign)
    again = decide.decide_control(played.campaign, message)  # type: ignore[arg-type]
    assert again.events == ()
    assert isinstance(first.ack, ControlAck)
    assert isinstance(again.ack, ControlAck)
    assert (first.ack.status, again.ack.status) == (ControlStatus.ACCEPTED, ControlStatus.DUPLICATE)
    assert first.ack.row == again.ack.row
    assert state_of(played.campaign) == before


def test_a_repeated_pause_does_not_pause_again_after_the_resume() -> None:
    played = play()
    pause, resume = control(ControlAction.PAUSE), control(ControlAction.RESUME)
    played.take(decide.decide_control(played.campaign, pause))
    played.take(decide.decide_control(played.campaign, resume))
    played.take(decide.decide_control(played.campaign, pause))
    assert played.campaign.phase is Phase.RUNNING


def test_a_finished_campaign_takes_no_control() -> None:
    played = play(budget=1)
    played.answer(played.awaited[0])
    assert played.campaign.phase is Phase.FINISHED
    before = what_is_known(played)
    for action in ControlAction:
        receipt = played.steer(action, "c005")
        assert receipt.status is ControlStatus.REFUSED
        assert action is ControlAction.SET_BUDGET or "the campaign is finished: the budget is spent" in receipt.detail
    assert what_is_known(played) == before


def test_a_result_that_comes_after_the_end_is_kept_for_audit() -> None:
    played = play(budget=1, max_attempts=2)
    first = played.awaited[0]
    played.expire(first)
    played.expire(played.awaited[0])
    assert played.campaign.phase is Phase.FINISHED
    assert played.answer(first).status is ReceiptStatus.LATE  # type: ignore[union-attr]
    assert played.of_kind(LateResultKept)[0].candidate_id == first.candidate_id


# ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────────


def undecided(**changes: object) -> Campaign:
    return Play(POOL, small_plan(POOL, **changes)).campaign


def test_a_proposal_becomes_a_decision_and_its_requests() -> None:
    campaign = undecided(parallel=4, batch=2)
    proposal = Proposal(
        (Choice(3, 0.9), Choice(1, math.inf)), "y" * 400, Choice(5, 0.4), "family-0", {"mean": 0.5, "gone": math.nan}
    )
    made, *requests = proposals.decide_proposal(campaign, DecisionNeeded(0, 2), 2, proposal).events
    assert isinstance(made, DecisionMade)
    assert (made.candidate_ids, made.scores, made.runner_up) == (("c003", "c001"), (0.9, None), "c005")
    assert (made.seed, made.based_on, len(made.reason)) == (decision_seed(7, 0), 2, MAX_REASON_LENGTH)
    assert made.details == {"mean": 0.5}
    assert [r.candidate_id for r in requests if isinstance(r, RequestIssued)] == ["c003", "c001"]


@pytest.mark.parametrize("decision", [0, 2])
def test_a_stale_proposal_is_dropped(decision: int) -> None:
    played = play(parallel=2)  # decisions 0 and 1 are out
    played.answer(played.awaited[0])  # and 2
    assert proposals.decide_proposal(played.campaign, DecisionNeeded(decision, 1), 2, choose(7)).events == ()


def test_a_proposal_is_dropped_when_the_campaign_was_paused_meanwhile() -> None:
    campaign = undecided()
    campaign.apply(CampaignPaused("cleaning", "m-1"))
    assert proposals.decide_proposal(campaign, DecisionNeeded(0, 1), 2, choose(0)).events == ()


def test_a_proposal_with_a_candidate_that_was_taken_or_excluded_meanwhile_is_dropped_and_asked_again() -> None:
    campaign = undecided()
    needed = proposals.decision_needed(campaign)
    campaign.apply(CandidateExcluded("c003", "toxic", "m-1"))
    campaign.apply(ObservationAdded("c004", 0.5, "m-2"))
    assert proposals.decide_proposal(campaign, DecisionNeeded(0, 1), 2, choose(3)).events == ()
    assert proposals.decide_proposal(campaign, DecisionNeeded(0, 1), 2, choose(4)).events == ()
    assert proposals.decision_needed(campaign) == needed == DecisionNeeded(0, 1)
    assert proposals.decide_proposal(campaign, DecisionNeeded(0, 1), 2, choose(5)).events


def test_a_proposal_is_dropped_when_fewer_are_left_than_were_asked_for() -> None:
    campaign = undecided(parallel=4, batch=3)
    asked = proposals.decision_needed(campaign)
    assert asked == DecisionNeeded(0, 3)
    available = [which for which in POOL.candidate_ids if campaign.status_of(which) is CandidateStatus.AVAILABLE]
    for number, which in enumerate(available[2:]):
        campaign.apply(CandidateExcluded(which, "toxic", f"m-{number}"))
    taken = [POOL.index_of[which] for which in available[:3]]
    assert proposals.decide_proposal(campaign, asked, 2, choose(*taken)).events == ()
    assert proposals.decision_needed(campaign) == DecisionNeeded(0, 2)


@pytest.mark.parametrize(
    ("indices", "says"),
    [
        ((1, 2, 3), r"proposed 3 candidates \(3 distinct\) of 2"),
        ((1, 1), r"proposed 2 candidates \(1 distinct\) of 2"),
        ((12,), "an index outside the pool"),
        ((-1,), "an index outside the pool"),
    ],
)
def test_a_policy_that_breaks_its_contract_stops_the_agent(indices: tuple[int, ...], says: str) -> None:
    with pytest.raises(InvariantViolation, match=says):
        proposals.decide_proposal(undecided(parallel=2, batch=2), DecisionNeeded(0, 2), 2, choose(*indices))


def test_a_policy_with_nothing_more_to_ask_for_ends_all_asking_with_its_reason() -> None:
    campaign = undecided(parallel=2, batch=2)
    proposal = Proposal((), "y" * 400, details={"left_out": 7.0, "gone": math.nan})
    (ended,) = proposals.decide_proposal(campaign, DecisionNeeded(0, 2), campaign.sequence, proposal).events
    assert ended == PolicyExhausted(
        0, decision_seed(7, 0), 2, "random", "f" * 12, "y" * MAX_REASON_LENGTH, {"left_out": 7.0}
    )
    campaign.apply(ended)
    assert campaign.phase is Phase.RUNNING
    assert proposals.decision_needed(campaign) is None
    (finished,) = follow.react(campaign)
    assert isinstance(finished, CampaignFinished)
    assert finished.reason.startswith("the policy has nothing more to ask for: yyy")
    assert len(finished.reason) == MAX_REASON_LENGTH


def test_a_policy_that_proposes_nothing_and_says_not_why_stops_the_agent() -> None:
    with pytest.raises(InvariantViolation, match="'random' proposed no candidate of 2, without a reason"):
        proposals.decide_proposal(undecided(parallel=2, batch=2), DecisionNeeded(0, 2), 2, Proposal((), ""))


def test_an_end_of_asking_that_did_not_know_of_everything_is_dropped_and_asked_again() -> None:
    campaign = undecided()
    asked, based_on = proposals.decision_needed(campaign), campaign.sequence
    assert asked is not None
    campaign.apply(ObservationAdded("c004", 0.5, "m-2"))
    assert proposals.decide_proposal(campaign, asked, based_on, Proposal((), "enough")).events == ()
    assert proposals.decision_needed(campaign) == asked
    assert proposals.decide_proposal(campaign, asked, campaign.sequence, Proposal((), "enough")).events


@pytest.mark.parametrize("ordering", Ordering)
def test_what_is_in_flight_when_the_policy_ends_has_its_retries_and_its_outcome(ordering: Ordering) -> None:
    played = Play(POOL, small_plan(POOL, parallel=3, ordering=ordering), propose=content_after(3))
    played.settle()
    first, second, third = played.awaited
    played.answer(first)  # room for the fourth decision, which is not made
    played.expire(second)
    played.fail(third)
    assert [attempt.number for attempt in played.awaited] == ([2, 2])
    played.steer(ControlAction.PAUSE)
    played.fail(played.awaited[0])
    played.steer(ControlAction.RESUME)
    assert [attempt.number for attempt in played.awaited] == [2, 3]
    while played.awaited:
        assert played.campaign.phase is Phase.RUNNING
        played.answer(played.awaited[0])
    assert played.campaign.finish_reason == "the policy has nothing more to ask for: 3 are enough"
    assert (played.campaign.observations, played.of_kind(CandidateAbandoned)) == (3, [])


def test_an_operator_may_stop_a_campaign_whose_policy_has_ended() -> None:
    played = Play(POOL, small_plan(POOL, parallel=2, ordering=Ordering.AS_COMPLETED), propose=content_after(2))
    played.settle()
    played.answer(played.awaited[0])
    assert played.campaign.policy_exhausted == "2 are enough"
    played.steer(ControlAction.STOP)
    played.expire(played.awaited[0])
    assert played.campaign.finish_reason == "stopped by the operator"


def test_a_resumed_campaign_does_not_ask_a_policy_again_that_has_ended() -> None:
    played = Play(POOL, small_plan(POOL, parallel=2, ordering=Ordering.AS_COMPLETED), propose=content_after(2))
    played.settle()
    played.answer(played.awaited[0])
    again = refold(POOL, played.journal)
    assert len(again.in_flight) == 1
    assert (follow.react(again), proposals.decision_needed(again)) == ((), None)


def test_requests_go_to_the_recipients_in_turn_over_decisions_and_attempts() -> None:
    played = play(recipients=("s-0", "s-1", "s-2"), parallel=4, batch=2, budget=8)
    assert [a.recipient for a in played.awaited] == ["s-0", "s-1", "s-2", "s-0"]
    played.expire(played.awaited[0])
    assert [a.recipient for a in played.awaited if a.number == 2] == ["s-2"]


def test_an_attempt_id_names_campaign_decision_candidate_and_attempt_and_is_the_same_again() -> None:
    first = attempt_identity("0a1b2c3d", 12, "fe2o3-0123456789ab", 2)
    assert first == attempt_identity("0a1b2c3d", 12, "fe2o3-0123456789ab", 2)
    assert first.startswith("0a1b2c3d-d000012-")
    assert first.endswith("-a2")
    assert (uid_of(first), number_of(first), decision_of(first)) == ("0a1b2c3d", 2, 12)
    assert [number_of(strange) for strange in ("", "x-a", "x-a²", "x-ab")] == [None] * 4
    assert [decision_of(strange) for strange in ("", "x-d", "x-d²-0-a1", "x-dab-0-a1")] == [None] * 4
    others = [
        attempt_identity("0a1b2c3e", 12, "fe2o3-0123456789ab", 2),
        attempt_identity("0a1b2c3d", 13, "fe2o3-0123456789ab", 2),
        attempt_identity("0a1b2c3d", 12, "fe2o3-0123456789ac", 2),
        attempt_identity("0a1b2c3d", 12, "fe2o3-0123456789ab", 3),
    ]
    assert len({first, *others}) == 5


def test_decision_seeds_differ_by_campaign_and_decision_and_fit_63_bits() -> None:
    seeds = {decision_seed(campaign, number) for campaign in range(30) for number in range(30)}
    assert len(seeds) == 900
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert decision_seed(0, 0) == 8_071_154_952_850_485_217  # journals of every version rely on it


# ── when to decide, and when to end ──────────────────────────────────────────────────────────────────────────────


def test_in_order_a_slow_request_holds_back_the_decision_lag_after_it() -> None:
    played = play(parallel=3, budget=8)
    slow, *others = played.awaited
    for attempt in others:
        played.answer(attempt)
    assert played.awaited == [slow]
    assert played.campaign.next_decision == 3
    played.answer(slow)
    assert played.campaign.next_decision == 6


def test_as_completed_decides_whenever_there_is_room() -> None:
    played = play(parallel=3, budget=8, ordering=Ordering.AS_COMPLETED)
    for number in range(3, 8):
        played.answer(played.awaited[1])
        assert played.campaign.next_decision == number + 1
        assert len(played.awaited) == 3


def test_as_completed_waits_for_room_for_a_whole_batch() -> None:
    played = play(parallel=4, batch=3, budget=9, ordering=Ordering.AS_COMPLETED)
    assert len(played.awaited) == 3
    played.answer(played.awaited[0])
    assert len(played.awaited) == 2
    played.answer(played.awaited[0])
    assert len(played.awaited) == 4


@pytest.mark.parametrize("ordering", Ordering)
def test_the_last_decision_takes_what_the_budget_leaves(ordering: Ordering) -> None:
    played = play(parallel=4, batch=4, budget=6, ordering=ordering)
    while played.awaited:
        played.answer(played.awaited[-1])
    assert [len(event.candidate_ids) for event in played.of_kind(DecisionMade)] == [4, 2]
    assert played.campaign.finish_reason == "the budget is spent"
    assert played.campaign.spent == played.campaign.requested == 6


def test_a_campaign_ends_when_no_candidate_is_left() -> None:
    played = play(start=tuple(f"c{i:03d}" for i in range(10)), budget=6)
    played.answer(played.awaited[0])
    played.answer(played.awaited[0])
    assert (played.campaign.phase, played.campaign.finish_reason) == (Phase.FINISHED, "no candidate is left")
    assert played.of_kind(CampaignFinished) == [CampaignFinished("no candidate is left")]


def test_a_campaign_pauses_itself_when_every_candidate_is_abandoned_in_a_row() -> None:
    played = play(give_up_after=3)
    for _ in range(2):
        played.fail(played.awaited[0], FailureReason.UNSUPPORTED)
    played.answer(played.awaited[0])  # the row begins again
    for number in range(3):
        assert played.campaign.phase is Phase.RUNNING, number
        played.fail(played.awaited[0], FailureReason.UNSUPPORTED)
    assert (played.campaign.phase, played.campaign.paused_itself) == (Phase.PAUSED, True)
    assert played.campaign.pause_reason == "the last 3 candidates were all abandoned"
    played.fold(CampaignResumed("fixed"))
    played.settle()
    assert played.campaign.phase is Phase.FINISHED  # the budget of 6 was spent on the way


def test_an_operator_pause_is_not_the_campaign_s_own() -> None:
    played = play()
    played.steer(ControlAction.PAUSE)
    assert not played.campaign.paused_itself


def test_what_is_spent_and_what_is_open_make_up_what_was_requested() -> None:
    played = play(parallel=3, budget=6)
    seen = []
    while played.awaited:
        seen.append((played.campaign.spent, played.campaign.open_count))
        played.answer(played.awaited[0])
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3), (4, 2), (5, 1)]


def test_nothing_follows_a_new_or_a_finished_campaign() -> None:
    assert follow.react(Campaign(POOL)) == ()
    played = play(budget=1)
    played.answer(played.awaited[0])
    assert follow.react(played.campaign) == ()
    assert proposals.decision_needed(played.campaign) is None


def test_a_result_must_bring_every_property_that_is_balanced() -> None:
    """One that lacks a further one is refused; manually only a single quantity can be told, so that is refused too."""
    gap = AdditionalProperty("gap", "eV", (0.0, 20.0), 1.0, 1.0, 1e-3)
    campaign, energy = play(additional_properties=(gap,)).campaign, quantity(1.0)
    assert "0 values of 'gap'" in contract.contract_breach(campaign, (energy,), "c-1")
    assert "expected 0 to 20" in contract.contract_breach(
        campaign, (energy, Quantity(name="gap", value=-1.0, unit="eV")), "c-1"
    )
    assert "in 'Ha'" in contract.contract_breach(campaign, (energy, Quantity(name="gap", value=1.0, unit="Ha")), "c-1")
    assert contract.contract_breach(campaign, (energy, Quantity(name="gap", value=1.0, unit="eV")), "c-1") == ""


def test_further_values_are_kept_with_the_observation() -> None:
    gap = AdditionalProperty("gap", "eV", (0.0, 20.0), 1.0, 1.0, 1e-3)
    played = play(additional_properties=(gap,))
    attempt = played.awaited[0]
    answer = result_of(attempt, Quantity(name="gap", value=2.0, unit="eV"), quantity(1.0))
    played.take(decide.decide_result(played.campaign, answer))
    index = POOL.index_of[attempt.candidate_id]
    assert (played.campaign.values[index], played.campaign.additional[index].tolist()) == (1.0, [2.0])
    assert played.contexts[-1].additional.tolist() == [[2.0]]
    assert [target_property.name for target_property in played.contexts[-1].targets] == [PROPERTY, "gap"]
