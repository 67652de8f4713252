"""An explanation tells what the decision knew, what it chose, and what came of it: no more and no less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.campaign import decide
from agent.campaign.context import make_context
from agent.campaign.events import CandidateAbandoned, DecisionMade, Event, RequestIssued, ResultAccepted, StartSetLoaded
from agent.campaign.life_cycle import CandidateStatus
from agent.entropy.bias import BIAS_METRICS, measure_bias
from agent.pool.candidates import Candidate, make_pool
from agent.store.partial_pool import partial_pool
from protocols.errors import StoreError
from protocols.wire.messages import ControlAction, FailureReason
from protocols.wire.parameters import ParameterColumns, Parameters
from scenarios.why.excluded_families import exclusions, patience_of
from scenarios.why.explain import explain
from scenarios.why.explanation import CandidateDescription
from scenarios.why.phrases import describe_candidate, describe_details
from tests.support.campaigns import UNIT, Play, quantity, refold, result_of, small_plan, small_pool
from tests.support.samples.causal_decisions import benzene_world
from tests.support.samples.decided import decided_journal, decided_plan, smooth_pool, smooth_value

POOL = smooth_pool()
JOURNAL = decided_journal(POOL, decided_plan(POOL))
MEASURE = decided_plan(POOL).measure
DECISIONS = [event for event in JOURNAL if isinstance(event, DecisionMade)]


@pytest.mark.parametrize("made", DECISIONS, ids=lambda made: str(made.decision))
def test_what_was_known_is_the_context_of_the_decision(made: DecisionMade) -> None:
    told = explain(JOURNAL, POOL, made.decision)
    campaign = refold(POOL, JOURNAL[: made.based_on])
    context = make_context(campaign, told_arrays())
    codes = POOL.family_codes
    assert told.then.known == len(context.observed)
    assert told.then.bias == measure_bias(POOL.families, codes[context.observed], context.values, context.measure)
    for code, family in enumerate(told.then.families):
        assert (family.size, family.entropy) == (told.then.bias.sizes[code], told.then.bias.entropies[code])
        assert family.available == int((codes[context.available] == code).sum())
        assert family.in_flight == int((codes[context.pending] == code).sum())
    assert [each.candidate.candidate_id for each in told.then.in_flight] == [
        POOL.candidate_ids[index] for index in context.pending
    ]
    shown = context.values[codes[context.observed] == POOL.families.index(str(made.target_family))]
    assert told.shown_values == tuple(sorted(shown))
    assert (told.then.requested, told.then.spent) == (campaign.requested, campaign.spent)


def told_arrays() -> Any:
    from agent.campaign.context import pool_arrays

    return pool_arrays(POOL)


def test_a_molecule_is_told_by_its_smiles() -> None:
    pool = make_pool([Candidate("ch2o2-1", "acid", "CH2O2", smiles="O=CO")], np.zeros((1, 1)), ("f",))
    assert describe_candidate(pool, "ch2o2-1") == CandidateDescription("ch2o2-1", "acid", "CH2O2", "O=CO")


def test_a_recipe_is_told_by_what_is_to_be_set() -> None:
    told = Parameters(ParameterColumns(("temperature",), ("K",), ("solvent",)), (353.15,), ("ethanol",))
    pool = make_pool([Candidate("r-1", "slow", parameters=told)], np.zeros((1, 1)), ("f",))
    assert describe_candidate(pool, "r-1").parameters == "temperature = 353.1 K, solvent: ethanol"


@pytest.mark.parametrize("made", DECISIONS, ids=lambda made: str(made.decision))
def test_the_choice_and_its_lead_are_those_of_the_journal(made: DecisionMade) -> None:
    told = explain(JOURNAL, POOL, made.decision)
    candidate = told.first.candidate
    assert (candidate.candidate_id, told.first.score) == (made.candidate_ids[0], made.scores[0])
    assert candidate.family == POOL.candidates[POOL.index_of[candidate.candidate_id]].family
    assert candidate.structure == "2 atoms, 32.0 Å³/atom; a b c 4.00 4.00 4.00 Å, α β γ 90 90 90°"
    assert (told.runner_up and told.runner_up.candidate_id) == made.runner_up
    if made.runner_up_score is not None:
        assert told.margin == pytest.approx(made.scores[0] - made.runner_up_score)  # type: ignore[operator]
    assert told.row == JOURNAL.index(made) + 1
    assert {detail.key: detail.value for detail in told.details} == dict(made.details)


@pytest.mark.parametrize("made", DECISIONS, ids=lambda made: str(made.decision))
def test_the_bias_is_told_just_before_and_just_after_the_value(made: DecisionMade) -> None:
    told = explain(JOURNAL, POOL, made.decision)
    outcome, which = told.first.outcome, made.candidate_ids[0]
    row = next(n for n, e in enumerate(JOURNAL, 1) if isinstance(e, ResultAccepted) and e.candidate_id == which)
    for point, upto in ((outcome.before, row - 1), (outcome.after, row)):
        campaign = refold(POOL, JOURNAL[:upto])
        observed = np.flatnonzero(campaign.statuses == CandidateStatus.OBSERVED)
        right = measure_bias(POOL.families, POOL.family_codes[observed], campaign.values[observed], MEASURE)
        assert point == right
        assert [getattr(point, figure.name) for figure in BIAS_METRICS] == [
            getattr(right, figure.name) for figure in BIAS_METRICS
        ]
    assert outcome.row == row
    assert outcome.value == smooth_value(POOL, which)
    assert outcome.meanwhile == refold(POOL, JOURNAL[: row - 1]).observations - told.then.known
    mean, std = made.details["predicted_mean"], made.details["predicted_std"]
    assert told.deviations == pytest.approx((outcome.value - mean) / np.hypot(std, made.details["noise_std"]))


def test_a_result_that_the_order_hides_from_a_decision_is_told_as_such() -> None:
    play = Play(POOL, small_plan(POOL, parallel=2, budget=4), start=POOL.candidate_ids[:3])
    play.settle()
    play.answer(play.awaited[1])  # decision 2 must wait for the first
    play.answer(play.awaited[0])
    told = explain(play.journal, POOL, 2)
    assert [(each.decision, each.answered) for each in told.then.in_flight] == [(1, True)]
    assert told.then.known == 4


def end_of(events: list[Event]) -> tuple[CandidateStatus, str, list[str]]:
    outcome = explain(events, POOL_OF_12, 0).first.outcome
    return outcome.status, outcome.reason, [attempt.disposition for attempt in outcome.attempts]


POOL_OF_12 = small_pool()


def test_every_end_of_a_candidate_is_told() -> None:
    play = Play(POOL_OF_12, small_plan(POOL_OF_12, max_attempts=2))
    play.settle()
    assert end_of(play.journal) == (CandidateStatus.PENDING, "", ["awaited"])
    play.fail(play.awaited[0])
    assert end_of(play.journal)[2] == ["failed (crashed: the lamp broke)", "awaited"]
    play.expire(play.awaited[0])
    status, reason, fates = end_of(play.journal)
    assert (status, fates[1]) == (CandidateStatus.ABANDONED, "no answer in its time")
    assert reason == next(e.reason for e in play.journal if isinstance(e, CandidateAbandoned))
    play.steer(ControlAction.ADD_OBSERVATION, "c000", quantity=quantity(1.5))
    manually = explain(play.journal, POOL_OF_12, 0).first.outcome
    assert (manually.status, manually.value, manually.reason) == (CandidateStatus.OBSERVED, 1.5, "observed manually")


def test_an_excluded_candidate_and_its_late_result_are_told() -> None:
    play = Play(POOL_OF_12, small_plan(POOL_OF_12))
    play.settle()
    attempt = play.awaited[0]
    play.steer(ControlAction.EXCLUDE_CANDIDATE, attempt.candidate_id, reason="it is poisonous")
    assert end_of(play.journal) == (CandidateStatus.EXCLUDED, "it is poisonous", ["no longer awaited"])
    play.answer(attempt)
    assert end_of(play.journal)[2] == ["a result came too late and is kept for audit (the candidate is excluded)"]


def test_a_contradiction_is_told_beside_what_its_attempt_brought() -> None:
    play = Play(POOL_OF_12, small_plan(POOL_OF_12))
    play.settle()
    attempt = play.awaited[0]
    play.answer(attempt)
    play.take(decide.decide_result(play.campaign, result_of(attempt, quantity(9.0))))
    status, reason, (told,) = end_of(play.journal)
    assert (status, reason) == (CandidateStatus.OBSERVED, "")
    assert told == "observed by simulator-1; simulator-1 contradicts it with formation_energy = 9 eV/atom"


def test_a_value_that_came_after_its_candidate_was_abandoned_is_told_as_the_value() -> None:
    play = Play(POOL_OF_12, small_plan(POOL_OF_12, max_attempts=1))
    play.settle()
    attempt = play.awaited[0]
    play.expire(attempt)
    play.answer(attempt)
    assert end_of(play.journal) == (CandidateStatus.OBSERVED, "", ["observed by simulator-1"])


def test_a_permanent_failure_leaves_no_value_and_no_deviation() -> None:
    play = Play(POOL_OF_12, small_plan(POOL_OF_12))
    play.settle()
    play.fail(play.awaited[0], FailureReason.UNSUPPORTED)
    told = explain(play.journal, POOL_OF_12, 0)
    assert (told.first.outcome.value, told.first.outcome.after, told.deviations) == (None, None, None)


def test_of_several_choices_each_has_its_outcome_and_the_runner_up_lost_to_the_last() -> None:
    plan = decided_plan(POOL, parallel=3, batch=3, budget=6)
    journal = decided_journal(POOL, plan)
    made = next(event for event in journal if isinstance(event, DecisionMade))
    told = explain(journal, POOL, 0)
    assert [each.candidate.candidate_id for each in told.chosen] == list(made.candidate_ids)
    assert all(each.outcome.value is not None for each in told.chosen)
    assert [each.outcome.meanwhile for each in told.chosen] == [0, 1, 2]
    if made.runner_up_score is not None:
        assert told.margin == pytest.approx(made.scores[-1] - made.runner_up_score)  # type: ignore[operator]


def test_a_journal_that_ends_at_the_decision_is_explained() -> None:
    row = JOURNAL.index(DECISIONS[3]) + 1
    told = explain(JOURNAL[:row], POOL, 3)
    assert told.decisions == 4
    assert told.first.outcome.attempts == ()
    assert told.first.outcome.status is CandidateStatus.AVAILABLE
    assert told.then == explain(JOURNAL, POOL, 3).then


def test_without_the_pool_the_run_itself_tells_all_but_what_was_available() -> None:
    families = {which: POOL.candidates[POOL.index_of[which]].family for which in POOL.candidate_ids}
    observed = {e.candidate_id for e in JOURNAL if isinstance(e, ResultAccepted)}
    observed |= {which for e in JOURNAL if isinstance(e, StartSetLoaded) for which in e.candidate_ids}
    touched = partial_pool(JOURNAL, {which: families[which] for which in observed}, POOL.families, {})
    for made in DECISIONS:
        whole, part = explain(JOURNAL, POOL, made.decision), explain(JOURNAL, touched, made.decision)
        assert part.then.bias == whole.then.bias
        assert part.shown_values == whole.shown_values
        assert part.first.outcome == whole.first.outcome
        assert [family.no_gain_count for family in part.then.families] == [
            family.no_gain_count for family in whole.then.families
        ]
        assert {family.available for family in part.then.families} == {None}
        assert (whole.whole_pool, part.whole_pool) == (True, False)
        assert part.first.candidate.structure == ""


def test_a_candidate_that_nobody_observed_has_no_family_without_the_pool() -> None:
    play = Play(POOL_OF_12, small_plan(POOL_OF_12), start=("c001",))
    play.settle()
    touched = partial_pool(play.journal, {"c001": "family-1"}, POOL_OF_12.families, {})
    told = explain(play.journal, touched, 0)
    assert (told.first.candidate.family, told.shown_family) == (None, None)
    assert len(told.shown_values) == 1  # of all families, then


def test_a_candidate_of_designs_is_told_by_its_levels_and_by_what_was_changed() -> None:
    pool = benzene_world().pool
    which = next(each.candidate_id for each in pool.candidates if each.smiles == "Nc1ccc([N+](=O)[O-])cc1")
    told = describe_candidate(pool, which)
    assert set(told.designs) == {"x = NH2, y = NO2, position = para", "x = NO2, y = NH2, position = para"}
    assert set(told.edits) == {"x: H → NH2 (y = NO2, position = para)", "x: H → NO2 (y = NH2, position = para)"}
    assert describe_candidate(POOL, POOL.candidate_ids[0]).designs == ()


@pytest.mark.parametrize("policy", ["etal", "etal_reference"])
def test_a_family_that_the_policy_has_given_up_is_never_its_target(policy: str) -> None:
    plan = decided_plan(POOL, policy, policy_options={"patience": 1}, budget=15, parallel=1)
    journal = decided_journal(POOL, plan)
    seen = set()
    for number in range(sum(isinstance(event, DecisionMade) for event in journal)):
        told = explain(journal, POOL, number)
        for family in told.then.families:
            seen.add(family.excluded)
            assert (family.no_gain_count is None) == (policy == "etal_reference")
            if family.no_gain_count is not None:
                assert family.excluded == (family.no_gain_count >= 1 and family.available != 0)
            admitted_again = "admitted again" in told.reason
            assert not (family.excluded and family.name == told.target_family) or admitted_again
    assert seen == {False, True}


def test_patience_is_the_option_of_the_policy_or_its_default() -> None:
    assert patience_of("etal", {"patience": 7}) == 7
    assert patience_of("etal", {}) == 10
    assert patience_of("etal_reference", {}) == 5


def test_of_other_policies_it_is_not_known_whom_they_give_up() -> None:
    context = make_context(refold(POOL, JOURNAL), told_arrays())
    for policy in ("random", "my.module:Policy"):
        assert {(each.no_gain_count, each.excluded) for each in exclusions(context, policy, {"patience": 1})} == {
            (None, False)
        }


def test_the_entropy_is_the_one_that_the_campaign_means() -> None:
    plan = decided_plan(POOL, estimator="m_spacing", resolution=0.01)
    journal = decided_journal(POOL, plan)
    told = explain(journal, POOL, 3)
    published = explain(JOURNAL, POOL, 3)
    assert told.then.bias.entropies != published.then.bias.entropies
    campaign = refold(POOL, journal)
    observed = np.flatnonzero(campaign.statuses == CandidateStatus.OBSERVED)
    at_the_end = measure_bias(POOL.families, POOL.family_codes[observed], campaign.values[observed], plan.measure)
    assert explain(journal, POOL, 7).first.outcome.after == at_the_end


def test_an_unknown_figure_of_a_policy_is_told_under_its_own_name() -> None:
    told = describe_details({"zeal": 1.0, "predicted_std": 2.0, "expected_gain": 3.0}, UNIT)
    assert [(detail.label, detail.unit) for detail in told] == [
        ("deviation of the surrogate, without noise", UNIT), ("expected gain", "nat"), ("zeal", ""),
    ]  # fmt: skip


def test_an_event_that_cannot_follow_is_told_with_its_row() -> None:
    issued = next(event for event in JOURNAL if isinstance(event, RequestIssued))
    forged = [*JOURNAL[:-1], issued]
    with pytest.raises(StoreError, match=rf"Row {len(forged)} of the journal cannot follow"):
        explain(forged, POOL, 0)
    with pytest.raises(StoreError, match="no decision 99"):
        explain(JOURNAL, POOL, 99)
