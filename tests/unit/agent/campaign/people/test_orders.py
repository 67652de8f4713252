"""Orders: what each makes, what it fits, and what earlier and later decisions know of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.campaign import decide
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.events import (
    BudgetSet,
    CampaignFinished,
    CandidateRequeued,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
)
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.controls import MAX_CONTROLS_NOTED, MAX_CONTROLS_REFUSED, NOTHING_CHANGES, ControlAck
from agent.campaign.people.orders import MAX_BUDGETS_AHEAD, MAX_ORDERS_ABOUT
from agent.campaign.plan import AdditionalProperty
from agent.entropy.bias import measure_bias
from protocols.wire.messages import AddedResult, ControlAction, ControlStatus, FailureReason
from tests.support.campaigns import (
    Play,
    content_after,
    control,
    quantity,
    refold,
    result_of,
    small_plan,
    small_pool,
    state_of,
    value_of,
    with_source_ids,
)

POOL = small_pool(24)
START = POOL.candidate_ids[12:18]


def played(results: int = 3, **changes: object) -> Play:
    """A campaign of a start set of six with some results: c000, c001 and so on."""
    play = Play(POOL, small_plan(POOL, budget=8, **changes), START)
    play.settle()
    for _ in range(results):
        play.answer(play.awaited[0])
    return play


def refused(receipt: ControlAck) -> str:
    assert receipt.status is ControlStatus.REFUSED
    return receipt.detail


# ── values that are taken back, or corrected ─────────────────────────────────────────────────────────────────────


def test_a_retracted_value_is_in_no_later_decision_and_in_every_earlier_one() -> None:
    play = played()
    before = len(play.contexts)
    receipt = play.steer(ControlAction.RETRACT_OBSERVATION, "c001", operator="ada", reason="spilled")
    assert (receipt.status, receipt.row) == (ControlStatus.ACCEPTED, play.journal.index(play.journal[-1]) + 1)
    (event,) = play.of_kind(ObservationRetracted)
    assert (event.value, event.reason, event.operator, event.family) == (value_of("c001"), "spilled", "ada", "family-1")
    while play.awaited:
        play.answer(play.awaited[0])
    index = POOL.index_of["c001"]
    assert index in play.contexts[before - 1].observed
    for context in play.contexts[before:]:
        assert index not in context.observed
        assert index not in context.acquired
        assert index not in context.available
        assert len(context.observed) == len(context.values)
    assert play.campaign.status_of("c001") is CandidateStatus.RETRACTED
    assert state_of(refold(POOL, play.journal)) == state_of(play.campaign)


def test_a_corrected_value_takes_the_place_of_the_old_one_and_keeps_its_own() -> None:
    play = played()
    receipt = play.steer(ControlAction.AMEND_OBSERVATION, "c001", quantity=quantity(0.25).model_copy(
        update={"standard_deviation": 0.5}
    ))  # fmt: skip
    assert receipt.status is ControlStatus.ACCEPTED
    (event,) = play.of_kind(ObservationAmended)
    assert (event.before, event.value, event.uncertainties) == (value_of("c001"), 0.25, (0.5,))
    context = make_context(play.campaign, pool_arrays(POOL))
    place = int(np.searchsorted(context.observed, POOL.index_of["c001"]))
    assert (context.values[place], context.uncertainties[place, 0]) == (0.25, 0.5)
    assert POOL.index_of["c001"] in context.acquired
    again = play.steer(ControlAction.AMEND_OBSERVATION, "c001", quantity=event_quantity(event))
    assert (again.status, again.detail) == (ControlStatus.ACCEPTED, NOTHING_CHANGES)


def event_quantity(event: ObservationAmended) -> object:
    said = event.corrected
    return quantity(said.value).model_copy(update={"standard_deviation": said.standard_deviation})


def test_one_of_several_properties_is_corrected_and_the_others_stay() -> None:
    gap = AdditionalProperty("gap", "eV", (0.0, 10.0), 1.0, 1.0, 0.01)
    play = Play(POOL, small_plan(POOL, additional_properties=(gap,)))
    play.settle()
    attempt = play.awaited[0]
    both = (quantity(1.5), quantity(2.0, name="gap", unit="eV"))
    play.take(decide.decide_result(play.campaign, result_of(attempt, *both)))
    play.steer(ControlAction.AMEND_OBSERVATION, attempt.candidate_id, quantity=quantity(3.0, name="gap", unit="eV"))
    index = POOL.index_of[attempt.candidate_id]
    assert (play.campaign.values[index], play.campaign.additional[index].tolist()) == (1.5, [3.0])
    wrong = quantity(3.0, name="colour", unit="")
    assert "none of the properties" in refused(
        play.steer(ControlAction.AMEND_OBSERVATION, attempt.candidate_id, quantity=wrong)
    )


def test_the_metrics_are_those_of_who_never_knew_the_value() -> None:
    play = played(5)
    for message in (
        (ControlAction.RETRACT_OBSERVATION, "c001", {}),
        (ControlAction.RETRACT_OBSERVATION, START[0], {}),
        (ControlAction.AMEND_OBSERVATION, "c002", {"quantity": quantity(-4.5)}),
    ):
        play.steer(message[0], message[1], **message[2])
    ledger = Ledger.of_journal(POOL, play.journal)
    observed = np.flatnonzero(play.campaign.statuses == int(CandidateStatus.OBSERVED))
    plan = play.plan
    expected = measure_bias(POOL.families, POOL.family_codes[observed], play.campaign.values[observed], plan.measure)
    assert ledger.point() == expected
    assert ledger.observation == 5 + 3
    assert sum(expected.sizes) == play.campaign.observations == 6 + 5 - 2


@pytest.mark.parametrize(
    ("action", "which", "fields", "why"),
    [
        (ControlAction.RETRACT_OBSERVATION, "nobody", {}, "'nobody' is not in the pool"),
        (ControlAction.RETRACT_OBSERVATION, "c020", {}, "'c020' has no value; it is available"),
        (ControlAction.RETRACT_OBSERVATION, "c000", {}, "is retracted already"),
        (ControlAction.AMEND_OBSERVATION, "c000", {"quantity": quantity(1.0)}, "is retracted already"),
        (ControlAction.AMEND_OBSERVATION, "c001", {}, "it carries no quantity"),
        (ControlAction.AMEND_OBSERVATION, "c001", {"quantity": quantity(1.0, unit="J")}, "in 'J'"),
        (ControlAction.AMEND_OBSERVATION, "c001", {"quantity": quantity(99.0)}, "expected -10 to 10"),
        (ControlAction.REQUEUE_CANDIDATE, "c001", {}, "'c001' is observed"),
        (ControlAction.REQUEUE_CANDIDATE, "c020", {}, "'c020' is available"),
        (ControlAction.EXCLUDE_CANDIDATE, "c000", {}, "'c000' is retracted"),
        (ControlAction.APPROVE_DECISION, None, {"decision": 2}, "decision 2 does not wait for approval; waiting: none"),
        (ControlAction.VETO_DECISION, None, {}, "it carries no decision"),
        (ControlAction.SET_BUDGET, None, {}, "it carries no budget"),
        (ControlAction.SET_BUDGET, None, {"budget": 3}, "4 candidates are requested, 1 of them still open"),
        (ControlAction.SET_BUDGET, None, {"budget": 0}, "a budget of 0"),
        (ControlAction.SET_BUDGET, None, {"budget": 10**9}, "expected 1 to 10,000,000"),
        (ControlAction.ADD_OBSERVATIONS, None, {}, "it carries no quantities"),
    ],
)
def test_an_order_that_does_not_fit_says_why_and_changes_nothing(
    action: ControlAction, which: str | None, fields: dict[str, object], why: str
) -> None:
    play = played()
    play.steer(ControlAction.RETRACT_OBSERVATION, "c000")
    before = play.campaign.values.copy(), play.campaign.statuses.copy(), play.campaign.budget
    assert why in refused(play.steer(action, which, **fields))
    assert np.array_equal(before[0], play.campaign.values, equal_nan=True)
    assert before[1].tolist() == play.campaign.statuses.tolist()
    assert before[2] == play.campaign.budget


def test_a_refused_order_is_refused_again_with_the_row_of_the_first_time_whatever_has_changed_since() -> None:
    play = played()
    message = control(ControlAction.RETRACT_OBSERVATION, "c003", operator="ada")
    first = decide.decide_control(play.campaign, message)
    play.take(first)
    play.answer(play.awaited[0])
    assert play.campaign.status_of("c003") is CandidateStatus.OBSERVED
    again = decide.decide_control(play.campaign, message)
    assert again.events == ()
    assert again.ack == first.ack


# ── candidates that come back ────────────────────────────────────────────────────────────────────────────────────


def test_what_a_decision_chose_is_requested_again_at_no_further_cost() -> None:
    play = played()
    play.steer(ControlAction.RETRACT_OBSERVATION, "c001")
    requested = play.campaign.requested
    play.steer(ControlAction.REQUEUE_CANDIDATE, "c001", reason="measure it again")
    play.answer(play.awaited[0])
    (again,) = [each for each in play.awaited if each.candidate_id == "c001"]
    assert (again.number, again.decision, play.campaign.requested) == (2, 1, requested)
    play.take(decide.decide_result(play.campaign, result_of(again, quantity(0.125))))
    assert play.campaign.values[POOL.index_of["c001"]] == 0.125
    assert play.campaign.acquired_decisions.tolist() == sorted(play.campaign.acquired_decisions.tolist())
    while play.awaited:
        play.answer(play.awaited[0])
    assert play.campaign.phase is Phase.FINISHED
    assert play.campaign.requested == 8


def test_one_that_waits_its_turn_is_in_flight_beside_no_more_than_may_be() -> None:
    play = played(parallel=2)
    for which in ("c000", "c001", "c002"):
        play.steer(ControlAction.RETRACT_OBSERVATION, which)
        play.steer(ControlAction.REQUEUE_CANDIDATE, which)
        assert len(play.campaign.in_flight) <= 2
    while play.awaited:
        assert len(play.campaign.in_flight) <= 2
        play.answer(play.awaited[0])
    assert all(play.campaign.status_of(each) is CandidateStatus.OBSERVED for each in ("c000", "c001", "c002"))


def test_what_no_decision_chose_may_be_chosen_again() -> None:
    play = played()
    available = play.campaign.available_count
    play.steer(ControlAction.EXCLUDE_CANDIDATE, "c020")
    play.steer(ControlAction.RETRACT_OBSERVATION, START[0])
    for which in ("c020", START[0]):
        play.steer(ControlAction.REQUEUE_CANDIDATE, which)
        assert play.campaign.status_of(which) is CandidateStatus.AVAILABLE
    assert play.campaign.available_count == available + 1


def test_a_candidate_that_failed_for_good_gets_all_its_attempts_again() -> None:
    play = played(max_attempts=2)
    play.fail(play.awaited[0], FailureReason.UNSUPPORTED)
    assert play.campaign.status_of("c003") is CandidateStatus.ABANDONED
    play.steer(ControlAction.REQUEUE_CANDIDATE, "c003", reason="another cell")
    (event,) = play.of_kind(CandidateRequeued)
    assert event.message_id is not None
    for attempt in (2, 3):
        (flying,) = [each for each in play.awaited if each.candidate_id == "c003"] or [play.awaited[0]]
        if flying.candidate_id != "c003":
            play.answer(flying)
            (flying,) = [each for each in play.awaited if each.candidate_id == "c003"]
        assert flying.number == attempt
        play.fail(flying)
    assert play.campaign.status_of("c003") is CandidateStatus.ABANDONED


# ── many values at once ──────────────────────────────────────────────────────────────────────────────────────────


def added(*names: str, value: float = 1.5) -> tuple[AddedResult, ...]:
    return tuple(AddedResult(candidate_id=each, quantity=quantity(value)) for each in names)


def test_values_in_bulk_are_all_taken_under_one_receipt_or_none_is() -> None:
    play = played()
    receipt = play.steer(ControlAction.ADD_OBSERVATIONS, quantities=added("c019", "c020", "c021"), reason="old ones")
    assert [event.candidate_id for event in play.of_kind(ObservationAdded)] == ["c019", "c020", "c021"]
    assert {event.message_id for event in play.of_kind(ObservationAdded)} == {receipt.answers}
    assert play.journal[(receipt.row or 0) - 1] == play.of_kind(ObservationAdded)[0]
    for bad in (added("c022", "c020"), added("c022", "c022"), added("c022", "nobody"), added("c022", value=77.0)):
        why = refused(play.steer(ControlAction.ADD_OBSERVATIONS, quantities=bad))
        assert "none of them was taken" in why
    assert play.campaign.status_of("c022") is CandidateStatus.AVAILABLE


def test_a_candidate_is_named_as_its_table_names_it() -> None:
    pool = with_source_ids(POOL)
    play = Play(pool, small_plan(pool), START)
    play.settle()
    which = pool.candidates[20]
    play.steer(ControlAction.ADD_OBSERVATION, source_id=which.source_id, quantity=quantity(1.0))
    assert play.campaign.status_of(which.candidate_id) is CandidateStatus.OBSERVED
    assert "is called 'C 99'" in refused(play.steer(ControlAction.EXCLUDE_CANDIDATE, source_id="C 99"))
    both = {"candidate_id": "c001", "source_id": which.source_id}
    assert "names two candidates" in refused(play.steer(ControlAction.EXCLUDE_CANDIDATE, **both))


def test_an_uncertainty_that_comes_with_a_value_is_the_surrogates() -> None:
    play = played()
    said = quantity(1.0).model_copy(update={"standard_deviation": 0.25})
    play.steer(ControlAction.ADD_OBSERVATION, "c020", quantity=said)
    assert play.campaign.uncertainties[POOL.index_of["c020"], 0] == 0.25


# ── the budget ───────────────────────────────────────────────────────────────────────────────────────────────────


def finished(**changes: object) -> Play:
    play = Play(POOL, small_plan(POOL, budget=2) if not changes else small_plan(POOL, **changes), START)
    play.settle()
    while play.awaited:
        play.answer(play.awaited[0])
    assert play.campaign.phase is Phase.FINISHED
    return play


def test_a_finished_campaign_goes_on_when_its_budget_grows() -> None:
    play = finished()
    play.steer(ControlAction.SET_BUDGET, budget=4, reason="another week")
    assert (play.campaign.phase, play.campaign.finish_reason) == (Phase.RUNNING, "")
    while play.awaited:
        play.answer(play.awaited[0])
    assert play.campaign.requested == 4
    assert [type(event) for event in play.journal if isinstance(event, CampaignFinished | BudgetSet)] == [
        CampaignFinished, BudgetSet, CampaignFinished,
    ]  # fmt: skip
    assert state_of(refold(POOL, play.journal)) == state_of(play.campaign)


@pytest.mark.parametrize("budget", [1, 2])
def test_one_that_is_finished_takes_no_budget_that_lets_it_ask_for_nothing(budget: int) -> None:
    play = finished()
    refused(play.steer(ControlAction.SET_BUDGET, budget=budget))
    assert play.campaign.phase is Phase.FINISHED


def test_a_policy_with_nothing_more_to_ask_for_is_not_asked_again_for_a_larger_budget() -> None:
    play = Play(POOL, small_plan(POOL, budget=5), START, propose=content_after(1))
    play.settle()
    play.answer(play.awaited[0])
    assert "a larger budget changes nothing: the policy has" in refused(play.steer(ControlAction.SET_BUDGET, budget=9))


def test_a_smaller_budget_ends_a_campaign_when_what_is_in_flight_has_its_outcome() -> None:
    play = played()
    play.steer(ControlAction.SET_BUDGET, budget=4)
    play.answer(play.awaited[0])
    assert (play.campaign.phase, play.campaign.requested) == (Phase.FINISHED, 4)


def test_a_campaign_that_was_stopped_goes_on_with_a_larger_budget() -> None:
    play = played()
    play.steer(ControlAction.STOP)
    assert "is being stopped" in refused(play.steer(ControlAction.SET_BUDGET, budget=12))
    play.answer(play.awaited[0])
    assert play.campaign.phase is Phase.FINISHED
    play.steer(ControlAction.SET_BUDGET, budget=12)
    assert (play.campaign.phase, play.campaign.standing_reason, len(play.awaited)) == (Phase.RUNNING, "", 1)


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────


def give_for_ever(play: Play, order: Callable[[int], tuple[ControlAction, str | None, dict[str, object]]]) -> int:
    """Give orders without end; return how many rows they made."""
    rows = len(play.journal)
    for turn in range(1_000):
        action, which, fields = order(turn)
        play.steer(action, which, **fields)
    return len(play.journal) - rows


def test_who_corrects_a_value_for_ever_fills_no_journal() -> None:
    rows = give_for_ever(
        played(), lambda turn: (ControlAction.AMEND_OBSERVATION, "c001", {"quantity": quantity(turn / 1_000)})
    )
    assert rows <= MAX_ORDERS_ABOUT + MAX_CONTROLS_REFUSED


def test_who_sets_the_budget_for_ever_fills_no_journal() -> None:
    rows = give_for_ever(played(), lambda turn: (ControlAction.SET_BUDGET, None, {"budget": 10 + turn % 2}))
    assert rows <= MAX_BUDGETS_AHEAD + 3 + MAX_CONTROLS_REFUSED + MAX_CONTROLS_NOTED
