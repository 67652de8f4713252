"""A campaign with several methods: what is chosen, what it costs, what the lab is asked, and what makes the dataset."""

from __future__ import annotations

import math
from typing import Any

import pytest

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.campaign import decide, proposals
from agent.campaign.events import (
    CampaignFinished,
    DecisionMade,
    ObservationAmended,
    RequestIssued,
    StopRuleFired,
)
from agent.campaign.fidelity_rules import fidelity_problem, require_measurable
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import FidelitySettings
from agent.campaign.stop_settings import StopSettings
from agent.campaign.target_values import target_value
from agent.pool.growth import NewCandidate
from agent.pool.measurements import Measurement
from agent.runtime.messages import MessageBuilder
from protocols.errors import InvariantViolation, MessageError, SettingsError
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest, ControlAction, ControlStatus, Quantity
from tests.support.campaigns import (
    NOW,
    PROPERTY,
    UNIT,
    Play,
    first_available,
    refold,
    result_of,
    small_plan,
    small_pool,
    state_of,
)
from tests.support.user_policies import CheapFirst

POOL = small_pool(12)
METHODS = {"dear": FidelitySettings(cost=5), "cheap": FidelitySettings(cost=1, valid_range=(-100.0, 100.0))}


def plan(**changes: Any) -> Any:
    fields = {"fidelities": METHODS, "fidelity": "dear", "budget": 20, "uses_fidelities": True, "policy": "m:Cheap"}
    return small_plan(POOL, **(fields | changes))


def play(*, propose: Any = None, **changes: Any) -> Play:
    played = Play(POOL, plan(**changes), propose=propose or CheapFirst(cheap=4).propose)
    played.settle()
    return played


def rows(*ids: str) -> Any:
    """A policy that asks for these rows, each in its turn, and then for the last ones."""

    def propose(context: AcquisitionContext, _count: int) -> Proposal:
        which = int(context.available[-1])
        if context.decision < len(ids):
            which = context.pool.candidate_ids.index(ids[context.decision])
        return Proposal((Choice(which),), "in turn")

    return propose


def say(played: Play, value: float, deviation: float | None = None) -> None:
    """Answer the attempt in flight."""
    (attempt,) = played.awaited
    said = Quantity(name=PROPERTY, value=value, unit=UNIT, standard_deviation=deviation)
    asked = played.plan.measurement_of(attempt.candidate_id).candidate_id
    message = result_of(attempt, said).model_copy(update={"candidate_id": asked})
    played.take(decide.decide_result(played.campaign, message))


def test_the_budget_pays_costs_and_is_never_exceeded() -> None:
    played = play()
    seen = []
    while played.awaited:
        campaign = played.campaign
        assert campaign.requested <= campaign.budget
        seen.append((campaign.requested, campaign.spent, campaign.cost_left))
        say(played, 1.0)
    assert seen == [(1, 0, 19), (2, 1, 18), (3, 2, 17), (4, 3, 16), (9, 4, 11), (14, 9, 6), (19, 14, 1)]
    assert played.campaign.phase is Phase.FINISHED
    # One unit is left, and cheap measurements: it is the policy that wants no more of them.
    assert "nothing more" in played.campaign.finish_reason or "budget" in played.campaign.finish_reason


def test_rows_of_other_methods_stand_behind_the_candidates_and_only_these_are_of_the_pool_of_others() -> None:
    played = play(replicates=2)
    known = played.campaign.pool.fidelities
    assert known is not None
    assert known.names == ("cheap", "dear")
    assert known.costs == (1, 5)
    assert len(played.campaign.pool) == 4 * len(POOL)
    assert known.is_candidate.tolist() == [True] * 12 + [False] * 36
    assert known.cost[:13].tolist() == [5] * 12 + [1]
    assert played.campaign.pool.candidate_ids[12] == f"{POOL.candidate_ids[0]}--cheap"
    assert played.campaign.pool.candidate_ids[36] == f"{POOL.candidate_ids[0]}--dear--r1"
    without = play(uses_fidelities=False, propose=first_available)
    assert without.campaign.pool is POOL
    assert without.contexts[0].pool.fidelities is None


def test_a_policy_that_chooses_candidates_pays_the_target_for_each() -> None:
    played = play(uses_fidelities=False, propose=first_available)
    while played.awaited:
        say(played, 1.0)
    assert played.campaign.chosen_count == 4
    assert (played.campaign.spent, played.campaign.finish_reason) == (20, "the budget is spent")


def test_a_request_says_candidate_method_and_repetition() -> None:
    first = POOL.candidate_ids[0]
    played = play(propose=rows(f"{first}--cheap--r1", first), replicates=2)
    builder = MessageBuilder(played.plan, evaluation_deadline_s=1.0, clock=lambda: NOW)

    def asked() -> CandidateRequest:
        (attempt,) = played.awaited
        item = builder.request(attempt, played.campaign.pool.candidate(attempt.candidate_id))
        message = decode(item.topic, item.payload)
        assert isinstance(message, CandidateRequest)
        return message

    one = asked()
    assert (one.candidate_id, one.fidelity, one.replicate) == (first, "cheap", 1)
    say(played, 1.0)
    two = asked()
    assert (two.candidate_id, two.fidelity, two.replicate) == (first, "dear", 0)
    say(played, 1.0)
    assert played.steer(ControlAction.RETRACT_OBSERVATION, first).status is ControlStatus.ACCEPTED
    played.steer(ControlAction.REQUEUE_CANDIDATE, first)
    say(played, 1.0)  # what was in flight
    again = asked()
    assert again.replicate == 2  # the second of two repetitions may be asked for besides
    assert played.plan.row_asked_for(first, again.fidelity, again.replicate) == first


def test_a_result_is_matched_by_its_attempt_and_must_name_the_candidate() -> None:
    first = POOL.candidate_ids[0]
    played = play(propose=rows(f"{first}--cheap"))
    (attempt,) = played.awaited
    with pytest.raises(MessageError, match="is of"):
        decide.decide_result(played.campaign, result_of(attempt))


def test_a_method_may_have_a_range_of_its_own() -> None:
    first = POOL.candidate_ids[0]
    played = play(propose=rows(f"{first}--cheap", first, POOL.candidate_ids[1]))
    say(played, 50.0)
    say(played, 50.0)
    assert played.campaign.status_of(f"{first}--cheap") is CandidateStatus.OBSERVED
    assert played.campaign.status_of(first) is CandidateStatus.PENDING  # refused, and asked for again


def test_the_dataset_is_what_the_target_says_and_repetitions_make_one_value() -> None:
    first = POOL.candidate_ids[0]
    ids = (f"{first}--cheap", first, f"{first}--dear--r1")
    played = play(propose=rows(*ids), replicates=2, budget=11)
    for value, deviation in ((9.0, None), (1.0, 0.1), (2.0, 0.2)):
        say(played, value, deviation)
    ledger = Ledger(POOL)
    told = [each for each in (ledger.fold(event).metrics for event in played.journal) if each is not None]
    assert [each.observation for each in told] == [0, 1, 2]  # the start set, and two values of the target
    assert [sum(each.point.sizes) for each in told] == [0, 1, 1]
    assert [each.spent for each in told] == [0, 6, 11]
    known = target_value(played.campaign, 0)
    assert known is not None
    assert known.count == 2
    assert known.values[0] == pytest.approx((1.0 / 0.01 + 2.0 / 0.04) / (1 / 0.01 + 1 / 0.04))
    assert known.uncertainties[0] == pytest.approx(math.sqrt(1 / (1 / 0.01 + 1 / 0.04)))
    assert target_value(played.campaign, 1) is None


def test_a_repetition_that_is_taken_back_leaves_the_others() -> None:
    first = POOL.candidate_ids[0]
    played = play(propose=rows(first, f"{first}--dear--r1", f"{first}--cheap"), replicates=2)
    say(played, 1.0)
    say(played, 2.0)
    played.steer(ControlAction.RETRACT_OBSERVATION, first)
    known = target_value(played.campaign, 0)
    assert known is not None
    assert known.values == (2.0,)
    played.steer(
        ControlAction.AMEND_OBSERVATION, f"{first}--dear--r1", quantity=Quantity(name=PROPERTY, value=3.0, unit=UNIT)
    )
    assert isinstance(played.journal[-1], ObservationAmended)
    ledger = Ledger.of_journal(POOL, played.journal)
    assert sum(ledger.point().sizes) == 1
    played.steer(ControlAction.RETRACT_OBSERVATION, f"{first}--dear--r1")
    assert sum(Ledger.of_journal(POOL, played.journal).point().sizes) == 0


def test_the_journal_folds_to_the_same_state() -> None:
    played = play(replicates=2)
    while played.awaited:
        say(played, 1.0)
    assert state_of(refold(POOL, played.journal)) == state_of(played.campaign)


def test_what_costs_more_than_is_left_breaks_the_contract() -> None:
    first, second = POOL.candidate_ids[:2]

    def greedy(context: AcquisitionContext, _count: int) -> Proposal:
        return Proposal((Choice(0), Choice(1)), "both")

    with pytest.raises(InvariantViolation, match="costs 10, and 9 was left"):
        play(propose=greedy, budget=9, batch=2, parallel=2)
    assert play(propose=rows(first, second), budget=10).campaign.cost_left == 5


def test_what_cannot_be_paid_is_not_available_and_a_campaign_that_can_pay_nothing_has_spent_its_budget() -> None:
    cheap = [f"{each}--cheap" for each in POOL.candidate_ids]
    played = play(propose=rows(*cheap), budget=15)
    while played.awaited:
        say(played, 1.0)
    last = played.contexts[-1]
    known = last.pool.fidelities
    assert known is not None
    assert set(known.method[last.available].tolist()) == {0}  # four units are left
    assert played.campaign.cost_left == 3
    assert "pays none" in played.of_kind(CampaignFinished)[0].reason


def test_the_rest_is_decided_over_candidates_alone() -> None:
    first = POOL.candidate_ids[0]
    played = play(propose=rows(f"{first}--cheap", first, POOL.candidate_ids[1]), budget=30)
    say(played, 1.0)
    played.fold(StopRuleFired("when_even", 0, 0.0, "even", "coverage"))
    context = proposals_context(played)
    known = context.pool.fidelities
    assert known is not None
    assert known.is_candidate[context.available].all()
    assert known.is_candidate[context.observed].all()
    assert known.is_candidate[context.pending].all()


def proposals_context(played: Play) -> AcquisitionContext:
    from agent.campaign.context import make_context

    return make_context(played.campaign, played.arrays)


def test_stop_rules_look_at_the_target_alone() -> None:
    first = POOL.candidate_ids[0]
    ids = (f"{first}--cheap", first, f"{first}--dear--r1", POOL.candidate_ids[1])
    stop = StopSettings(when_no_gain="stop", patience=1_000)
    played = play(propose=rows(*ids), replicates=2, budget=30, stop=stop)
    for value in (9.0, 1.0, 2.0):
        say(played, value)
    played.steer(ControlAction.RETRACT_OBSERVATION, first)
    played.steer(ControlAction.RETRACT_OBSERVATION, f"{first}--dear--r1")
    ledger = Ledger.of_journal(POOL, played.journal)
    assert ledger.noticed().fired is None


def test_what_joins_the_pool_may_be_measured_by_all_methods() -> None:
    new = NewCandidate("new-1", POOL.families[0], (0.5,) * len(POOL.feature_names))

    def grow(context: AcquisitionContext, _count: int) -> Proposal:
        if context.decision == 0:
            return Proposal((Choice(len(context.pool.candidate_ids)),), "new", new_candidates=(new,))
        return Proposal((Choice(context.pool.candidate_ids.index("new-1--cheap")),), "cheap")

    played = play(propose=grow, grows_pool=True, budget=20)
    say(played, 1.0)
    (attempt,) = played.awaited
    assert played.plan.measurement_of(attempt.candidate_id) == Measurement("new-1", "cheap")
    known = played.campaign.pool.fidelities
    assert known is not None
    index_of = played.campaign.pool.index_of
    assert known.candidate[index_of["new-1--cheap"]] == index_of["new-1"] == 24
    assert [each.candidate_id for each in played.of_kind(RequestIssued)] == ["new-1", "new-1--cheap"]


def test_a_candidate_whose_id_reads_as_a_measurement_does_not_join() -> None:
    new = NewCandidate("new--cheap", POOL.families[0], (0.5,) * len(POOL.feature_names))

    def grow(context: AcquisitionContext, _count: int) -> Proposal:
        return Proposal((Choice(len(context.pool.candidate_ids)),), "new", new_candidates=(new,))

    with pytest.raises(InvariantViolation, match="reads as that of a measurement"):
        play(propose=grow, grows_pool=True)


def test_held_measurements_give_their_cost_back() -> None:
    from agent.campaign.people.approval import ApprovalSettings

    played = play(approval=ApprovalSettings(required="always"))
    assert (played.campaign.requested, played.campaign.chosen_count) == (1, 1)
    played.steer(ControlAction.VETO_DECISION, decision=0)
    assert played.campaign.requested == 1  # the next one is held already
    assert len(played.of_kind(DecisionMade)) == 2


def test_a_budget_below_what_is_requested_is_refused_in_its_unit() -> None:
    played = play(propose=rows(POOL.candidate_ids[0]))
    ack = played.steer(ControlAction.SET_BUDGET, budget=4)
    assert ack.status is ControlStatus.REFUSED
    assert "5 units of cost are requested, 5 of them still open" in ack.detail


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"fidelities": {}, "replicates": 2}, "there are none"),
        ({"fidelity": None}, "no fidelity; expected the target among"),
        ({"fidelity": "other"}, "fidelity = 'other'"),
        ({"fidelities": METHODS | {"Big": FidelitySettings(cost=1)}}, "the method 'Big'"),
        ({"fidelities": METHODS | {"a--b": FidelitySettings(cost=1)}}, "the method 'a--b'"),
        ({"fidelities": METHODS | {"x": FidelitySettings(cost=1, valid_range=(1.0, 1.0))}}, "is empty"),
        ({"budget": 4}, "pays no measurement by 'dear', which costs 5"),
    ],
)
def test_methods_must_fit_the_campaign(changes: dict[str, Any], problem: str) -> None:
    found = fidelity_problem(plan(**changes))
    assert problem in found
    assert bool(problem) == bool(found)


def test_methods_must_fit_the_ids_of_the_pool() -> None:
    require_measurable(plan(), POOL)
    require_measurable(plan(uses_fidelities=False), POOL)
    methods = {"dear": FidelitySettings(cost=5), "cheap": FidelitySettings(cost=1)}
    from dataclasses import replace

    odd = replace(POOL, candidates=(replace(POOL.candidates[0], candidate_id="x--cheap"), *POOL.candidates[1:]))
    with pytest.raises(SettingsError, match="reads as that of a measurement"):
        require_measurable(plan(fidelities=methods), odd)


def test_nothing_changes_without_methods() -> None:
    usual = small_plan(POOL, fidelity="b3lyp")
    assert usual.measurement_of("x--cheap") == Measurement("x--cheap", "b3lyp")
    assert usual.row_asked_for("x", "gfn2", 3) == "x"
    assert (usual.cost_of("x"), usual.least_cost, usual.budget_unit) == (1, 1, "candidates")
    assert usual.is_of_target("x--cheap")


def test_the_seed_of_a_decision_is_as_ever() -> None:
    assert play().of_kind(DecisionMade)[0].seed == proposals.decision_seed(7, 0)
